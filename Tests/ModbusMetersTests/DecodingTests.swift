import ModbusMeters
import OBISDecoder
import Testing

@Suite("Registers")
struct DecodingTests {
  @Test func takesTheShortestDecimalOfABinaryNumber() {
    #expect(
      RegisterType.float32.number(0x4366_3333) == .number(Decimal(mantissa: 2302, exponent: -1)))
  }

  @Test(arguments: [0x7FC0_0000, 0x7F80_0000, 0xFF80_0000, 0x7FBF_FF80, 0xFFFF_FF7F] as [UInt64])
  func takesNoNumberAsMissing(bits: UInt64) {
    #expect(RegisterType.float32.number(bits) == .missing)
  }

  @Test func refusesASwappedSentinelInsteadOfCallingItZero() {
    #expect(RegisterType.float32.number(0x0000_7FC0) == .unusable)
  }
}
