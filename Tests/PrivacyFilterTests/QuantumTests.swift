import OBISDecoder
import Testing

@testable import PrivacyFilter

struct QuantumTests {
  @Test(arguments: [
    (UInt8(1), Unit.watt, Int64(10_000)), (2, .watt, 100_000), (1, .wattHour, 1000),
    (2, .wattHour, 10_000), (3, .wattHour, 100_000), (4, .wattHour, 1_000_000), (1, .volt, 1000),
    (2, .volt, 1000), (1, .ampere, 100), (2, .ampere, 500), (0, .watt, 1),
  ])
  func stepsAreThoseOfTheDesign(level: UInt8, unit: Unit, thousandths: Int64) {
    #expect(Quantum.step(level, unit) == thousandths)
  }

  @Test(arguments: [
    (Int64(5), Int64(10), Int64(0)), (15, 10, 2), (25, 10, 2), (-5, 10, 0), (-15, 10, -2),
    (14, 10, 1), (16, 10, 2), (-14, 10, -1), (5, 3, 2), (3, 2, 2), (1, 2, 0), (-1, 2, 0),
  ])
  func halvesGoToTheEvenNeighbour(value: Int64, divisor: Int64, expected: Int64) {
    #expect(Quantum.halfToEven(value, divisor) == expected)
  }

  @Test func meansRoundOnceAtTheQuantum() {
    // 14.5 W twice and 15.4 W: the mean 14.8 rounds to 10, not by way of 15.
    #expect(Quantum.mean(sum: 44_400, count: 3, step: 10_000) == 10_000)
    #expect(Quantum.mean(sum: 30_000, count: 2, step: 10_000) == 20_000)
    #expect(Quantum.mean(sum: 50_000, count: 2, step: 10_000) == 20_000)
    #expect(Quantum.mean(sum: 1, count: 0, step: 1) == nil)
    #expect(Quantum.mean(sum: .max, count: .max, step: 10) == nil)
  }

  @Test func finerDigitsThanThousandthsAreCutOrRounded() {
    #expect(Quantum.thousandths(Decimal(mantissa: 12_345, exponent: -4), floor: true) == 1234)
    #expect(Quantum.thousandths(Decimal(mantissa: 12_345, exponent: -4), floor: false) == 1234)
    #expect(Quantum.thousandths(Decimal(mantissa: 12_355, exponent: -4), floor: false) == 1236)
    #expect(Quantum.thousandths(Decimal(mantissa: -1, exponent: -128), floor: true) == -1)
    #expect(Quantum.thousandths(Decimal(mantissa: -1, exponent: -128), floor: false) == 0)
    #expect(Quantum.thousandths(Decimal(mantissa: 1, exponent: 127), floor: true) == nil)
    #expect(Quantum.thousandths(Decimal(mantissa: .min, exponent: -3), floor: true) == nil)
  }

  @Test(
    "C13.5: intervals add up to the rounded total", arguments: [UInt64(1), 7, 4711, 20_260_115])
  func c5IntervalsAddUpToTheRoundedTotal(seed: UInt64) {
    var random = Seeded(state: seed)
    for _ in 0..<200 {
      let step = [1, 10, 1000, 10_000, 100_000, 1_000_000].randomElement(using: &random) ?? 1
      let base = Int64.random(in: 0...4_000_000_000, using: &random)
      var register = base
      var last = base
      var sum: Int64 = 0
      for _ in 0..<50 {
        register += Int64.random(in: 0...3_000_000, using: &random)
        let part = Quantum.interval(start: last, end: register, base: base, step: Int64(step))
        #expect(part ?? -1 >= 0)
        sum += part ?? 0
        last = register
      }
      #expect(sum == Quantum.since(base, register, step: Int64(step)))
    }
  }

  @Test("C13.5: released intervals add up whatever the gaps", arguments: [UInt64(3), 99, 777])
  func c5ReleasedIntervalsAddUpWhateverTheGaps(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let gates = try compiled(
      terms(eliqProfile) {
        $0.categories = .e3
        $0.granularity = .g4
      })
    var bench = Bench(gates, at: at("00:00:00"))
    var register: Int64 = 5_000_123
    var now = at("00:00:00")
    let end = at("2026-01-17T00:00:00Z")
    while now <= end {
      _ = bench.run(until: now)
      bench.frame(at: now, [importEnergy(register)])
      register += Int64.random(in: 0...40, using: &random)
      let isGap = Int.random(in: 0..<400, using: &random) == 0
      now += isGap ? Int64.random(in: 60_000...9_000_000, using: &random) : 10_000
    }
    let last = at("2026-01-17T00:00:00Z")
    for second in stride(from: 10, through: 7200, by: 10) {
      _ = bench.run(until: last + Int64(second) * 1000)
      bench.frame(at: last + Int64(second) * 1000, [importEnergy(register)])
    }
    _ = bench.run(until: last + 7_300_000)
    let sum = bench.sent.reduce(Int64(0)) { $0 + ($1.number("energy_import_wh") ?? 0) }
    let known = bench.bank.base(of: Quantity(10), at: 0)
    let base = try #require(known)
    #expect(sum * 1000 == Quantum.since(base, register * 1000, step: 10_000))
    #expect(bench.sent.contains { $0.payload.contains("bridged") })
  }
}

extension Sent {
  /// The integer behind a key of the payload, nil for null or no such key.
  func number(_ key: String) -> Int64? {
    guard let range = payload.range(of: "\"\(key)\":") else { return nil }
    return Int64(payload[range.upperBound...].prefix { $0.isNumber || $0 == "-" })
  }
}

extension String {
  /// Where a part first occurs; the standard library has this only through Foundation.
  func range(of part: String) -> Range<String.Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(part) {
        return index..<self.index(index, offsetBy: part.count)
      }
      index = self.index(after: index)
    }
    return nil
  }
}
