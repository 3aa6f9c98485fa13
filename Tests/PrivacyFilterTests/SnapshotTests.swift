import OBISDecoder
import Testing

@testable import PrivacyFilter

struct SnapshotTests {
  private let totalImport = Quantity(0)

  private func tariff(_ number: UInt8, _ value: Int64, _ exponent: Int8 = 0) -> Reading {
    reading(OBISCode(1, 0, 1, 8, number), value, exponent, .wattHour)
  }

  private func total(
    _ snapshot: inout Snapshot, _ readings: [Reading], problem: Bool = false
  ) -> Decimal? {
    snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
    for reading in readings { snapshot.record(reading) }
    if problem { snapshot.recordProblem() }
    snapshot.end()
    return snapshot.value(of: totalImport)
  }

  @Test func totalIsTheExactSumOfTheTariffs() {
    var snapshot = Snapshot()
    let sum = total(&snapshot, [tariff(1, 1_234_567), tariff(2, 23_456_785, -1)])
    #expect(sum?.isEqual(to: Decimal(mantissa: 35_802_455, exponent: -1)) == true)
  }

  @Test func totalOfTheMeterWins() {
    var snapshot = Snapshot()
    let own = total(&snapshot, [tariff(1, 5), tariff(2, 6), importEnergy(12)])
    #expect(own == Decimal(mantissa: 12))
  }

  @Test func noTotalIsFormedFromAFrameThatLostATariff() {
    var snapshot = Snapshot()
    let whole = total(&snapshot, [tariff(1, 5), tariff(2, 6)])
    let lost = total(&snapshot, [tariff(1, 5)])
    let damaged = total(&snapshot, [tariff(1, 5), tariff(2, 6)], problem: true)
    let again = total(&snapshot, [tariff(1, 5), tariff(2, 7)])
    #expect(whole == Decimal(mantissa: 11) && lost == nil && damaged == nil)
    #expect(again == Decimal(mantissa: 12))
  }

  @Test func totalThatOverflowsIsAbsent() {
    var snapshot = Snapshot()
    let sum = total(&snapshot, [tariff(1, .max), tariff(2, .max)])
    #expect(sum == nil)
  }

  @Test func netPowerHasTwoSides() {
    var snapshot = Snapshot()
    snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
    snapshot.record(reading(OBISCode(1, 0, 16, 7, 0), -2500, -1, .watt))
    snapshot.end()
    let taken = snapshot.value(of: Quantity(22))
    let given = snapshot.value(of: Quantity(24))
    #expect(taken == Decimal(mantissa: 0, exponent: -1))
    #expect(given == Decimal(mantissa: 2500, exponent: -1))
  }

  @Test func netPowerOfAPhaseHasTwoSides() {
    var snapshot = Snapshot()
    snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
    snapshot.record(reading(OBISCode(1, 0, 36, 7, 0), 1200, 0, .watt))
    snapshot.record(reading(OBISCode(1, 0, 76, 7, 0), -345, -1, .watt))
    snapshot.end()
    #expect(snapshot.value(of: Quantity(25)) == Decimal(mantissa: 1200))
    #expect(snapshot.value(of: Quantity(28)) == Decimal(mantissa: 0))
    #expect(snapshot.value(of: Quantity(26)) == nil)
    #expect(snapshot.value(of: Quantity(27)) == Decimal(mantissa: 0, exponent: -1))
    #expect(snapshot.value(of: Quantity(30)) == Decimal(mantissa: 345, exponent: -1))
  }

  @Test func firstValueCountsAndTheNextFrameBeginsEmpty() {
    var snapshot = Snapshot()
    snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
    snapshot.record(importPower(1))
    snapshot.record(importPower(2))
    let first = snapshot.value(of: Quantity(22))
    let isKnown = snapshot.record(reading(OBISCode(9, 9, 9, 9, 9), 1, .one))
    let unknown = snapshot.unknownCount
    snapshot.begin(source: 0, sequence: 2, receivedAt: 1)
    let empty = snapshot.value(of: Quantity(22))
    let none = snapshot.unknownCount
    #expect(first == Decimal(mantissa: 1) && !isKnown && unknown == 1 && empty == nil && none == 0)
  }

  @Test func livingMetersDoNotAlternate() {
    var snapshot = Snapshot()
    func standing(_ first: UInt8, _ second: UInt8) -> Quantity? {
      snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
      for (channel, hour) in [(UInt8(1), first), (2, second)] {
        let time = MeterTime(
          year: 2026, month: 1, day: 15, hour: hour, minute: 0, second: 0, season: .standard,
          offsetMinutes: nil)
        snapshot.record(
          reading(
            OBISCode(0, channel, 24, 2, 1), 1, .init(0), .cubicMetre, medium: .water, time: time))
      }
      snapshot.end()
      return snapshot.standing(for: Quantity(84))
    }
    let early = standing(10, 11)
    let late = standing(12, 11)
    #expect(early == Quantity(81) && late == Quantity(81))
  }

  @Test("case 21: of two gas meters the one with the newest time stands, whatever its channel")
  func newestMeterStands() {
    var snapshot = Snapshot()
    func standing(_ years: [UInt16?]) -> Quantity? {
      snapshot.begin(source: 0, sequence: 1, receivedAt: 0)
      for (index, year) in years.enumerated() {
        let time = year.flatMap {
          MeterTime(
            year: $0, month: 1, day: 15, hour: 12, minute: 0, second: 0, season: .standard,
            offsetMinutes: nil)
        }
        snapshot.record(
          reading(
            OBISCode(0, UInt8(index) + 1, 24, 2, 1), 1, .init(0), .cubicMetre, medium: .gas,
            time: time))
      }
      snapshot.end()
      return snapshot.standing(for: Quantity(80))
    }
    let (second, first) = (standing([2021, 2026]), standing([2026, 2021]))
    let (third, unset) = (standing([2021, 2022, 2026]), standing([nil, 2026]))
    let neither = standing([nil, nil])
    #expect(second == Quantity(83) && first == Quantity(80) && third == Quantity(86))
    #expect(unset == Quantity(83) && neither == Quantity(80))
  }
}
