import Testing

@testable import OBISDecoder

/// The checksums against their definition, bit by bit.
struct ChecksumTests {
  private static let digits = Array("123456789".utf8)
  private static let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ ($0 >> 3)) }

  @Test func givesTheCheckValuesOfTheCatalogue() {
    let digits = Self.digits
    #expect(CRC16.arc(digits.span, in: 0..<9) == 0xBB3D)
    #expect(CRC16.x25(digits.span, in: 0..<9) == 0x906E)
    #expect(CRC16.kermit(digits.span, in: 0..<9) == 0x2189)
  }

  @Test(arguments: 0..<9)
  func equalsTheBitwiseSumOfEveryLengthAndPlace(_ start: Int) {
    let bytes = Self.bytes
    for end in start...bytes.count {
      let part = Array(bytes[start..<end])
      #expect(CRC16.arc(bytes.span, in: start..<end) == register(part, 0xA001, from: 0))
      #expect(CRC16.kermit(bytes.span, in: start..<end) == register(part, 0x8408, from: 0))
      #expect(CRC16.x25(bytes.span, in: start..<end) == ~register(part, 0x8408, from: 0xFFFF))
    }
  }

  /// One byte that is not zero, at each place of a step of eight: uses each entry of each table.
  @Test func everyTableEntryIsRight() {
    for place in 0..<8 {
      for byte in 1...UInt8.max {
        var bytes = [UInt8](repeating: 0, count: 8)
        bytes[place] = byte
        #expect(CRC16.arc(bytes.span, in: 0..<8) == register(bytes, 0xA001, from: 0))
        #expect(CRC16.kermit(bytes.span, in: 0..<8) == register(bytes, 0x8408, from: 0))
      }
    }
  }

  private func register(_ bytes: [UInt8], _ polynomial: UInt16, from start: UInt16) -> UInt16 {
    var crc = start
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
    }
    return crc
  }
}
