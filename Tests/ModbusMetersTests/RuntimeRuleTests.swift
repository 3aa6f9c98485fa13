import ModbusMeters
import OBISDecoder
import Testing

/// Rules 23 and 24 of modbus.md §8.1, and what identifies a meter.
@Suite("Rules that need a bus or a meter")
struct RuntimeRuleTests {
  private let plain = SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)

  @Test func rule23RejectsTwoParitiesOnOnePort() {
    var even = plain
    even.parity = .even
    #expect(
      SerialAgreement.fault(onPort: "/dev/ttyUSB0", [("a.toml", plain), ("b.toml", even)])
        == "port /dev/ttyUSB0: parity none (a.toml) and even (b.toml) on one bus: "
        + "all meters on a bus must agree")
  }

  @Test func rule23AcceptsAnotherUnit() {
    var other = plain
    other.unit = 2
    #expect(SerialAgreement.fault(onPort: "p", [("a.toml", plain), ("b.toml", other)]) == nil)
    #expect(SerialAgreement.fault(onPort: "p", []) == nil)
  }

  private func check(_ order: WordOrder) -> IdentityCheck {
    IdentityCheck(
      register: Register(function: .input, address: 0, type: .float32, wordOrder: order),
      rule: .between(
        Decimal(mantissa: 80), Decimal(mantissa: 300), scale: Decimal(mantissa: 1)))
  }

  @Test func rule24ShowsAVoltageInEveryOrder() {
    // The meter sends the low word first; the profile says high first.
    let bits: UInt64 = 0x3333_4366
    #expect(!check(.highFirst).accepts(bits))
    let complaint = check(.highFirst).complaint(about: bits)
    #expect(complaint.hasPrefix("identify read 0.00000004"))
    #expect(complaint.contains("outside 80-300: wrong word_order? The four readings were ABCD"))
    #expect(complaint.contains("CDAB 230.2,"))
    #expect(check(.lowFirst).accepts(0x4366_3333))
  }

  @Test func keepsApartTheMetersOfOneMaker() throws {
    let em24 = try #require(MeterCatalogue(own: []).profile("carlo-gavazzi-em24"))
    let em340 = try #require(MeterCatalogue(own: []).profile("carlo-gavazzi-em330-em340"))
    let block = ReadBlock(function: .input, address: 11, count: 1)
    #expect(MeterPlanner(em24).plan.identity == [block])
    var image = RegisterImage()
    #expect(em24.identity(in: image) == .unread)
    image.store([71], of: block)
    #expect(em24.identity(in: image) == .same)
    #expect(em340.identity(in: image) == .other(71))
    #expect(em340.identify?.complaint(about: 71).contains("another meter?") == true)
  }
}
