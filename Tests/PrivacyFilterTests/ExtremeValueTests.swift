import OBISDecoder
import Testing

@testable import PrivacyFilter

struct ExtremeValueTests {
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func noValueAndNoClockStopsTheGates(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let mantissas: [Int64] = [.min, .max, -1, 0, 1, 1 << 59, -(1 << 59), 999_999_999_999_999_999]
    let exponents: [Int8] = [-128, -19, -4, -3, 0, 3, 18, 127]
    var gates: [CompiledGate] = try compiled(
      terms(localProfile, house), role: .inHouse, publishesValues: true)
    for (number, rung) in [Granularity.g0, .g1, .g2, .g3, .g4].enumerated() {
      gates += try compiled(
        terms(customProfile) {
          $0.categories = CategorySet(rawValue: 0x001C_FFFF)
          $0.channels = [1, 2]
          $0.granularity = rung
          $0.absolute = true
          $0.quantum = Rounding(rawValue: UInt8(number)) ?? .r0
        }, salt: UInt8(number))
    }
    var bench = Bench(gates, at: at("12:00:00"))
    let codes = Quantity.all.map { QuantityTable.entries[Int($0.rawValue)] }.filter { $0.cde != 0 }
    var now = at("12:00:00")
    for _ in 0..<1500 {
      var readings: [Reading] = []
      for entry in codes where Bool.random(using: &random) {
        let code = OBISCode(
          1, 0, UInt8(entry.cde >> 16), UInt8(truncatingIfNeeded: entry.cde >> 8),
          UInt8(truncatingIfNeeded: entry.cde))
        readings.append(
          reading(
            code, mantissas.randomElement(using: &random) ?? 0,
            exponents.randomElement(using: &random) ?? 0, entry.unit))
      }
      now += Int64.random(in: -1000...20_000, using: &random)
      if Int.random(in: 0..<100, using: &random) == 0 {
        now += Int64.random(in: -900_000...7_200_000, using: &random)
      }
      bench.frame(at: now, readings)
      bench.tick(at: now)
    }
    #expect(bench.sent.count > 1500)
    #expect(bench.sent.allSatisfy { $0.payload.utf8.count <= Release.payloadBytes })
  }
}
