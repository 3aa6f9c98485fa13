/// Writes HDLC frames of format type 3 (IEC 62056-46 §6.4).
///
///     7E | 1010 s LLL LLLL LLLL | destination | source | control | HCS | information | FCS | 7E
///
/// s says that more segments follow. The length counts everything between the flags. Both checksums go least significant byte first.
enum HDLCWriter {
  /// The frame around `information`, which is short enough for the 11-bit length.
  static func frame(
    address: [UInt8], control: UInt8, _ information: [UInt8], isSegment: Bool = false
  ) -> [UInt8] {
    let count = 2 + address.count + 1 + 2 + information.count + 2
    let format: UInt8 = isSegment ? 0xA8 : 0xA0
    var body: [UInt8] = [format | UInt8(count >> 8 & 7), UInt8(count & 0xFF)] + address + [control]
    body += checksum(of: body)
    body += information
    body += checksum(of: body)
    return [0x7E] + body + [0x7E]
  }

  /// The two octets of CRC-16/X-25: x¹⁶ + x¹² + x⁵ + 1, bits mirrored, start and final exclusive or
  /// 0xFFFF (ISO/IEC 13239 §4.2.5.2).
  static func checksum(of bytes: [UInt8]) -> [UInt8] {
    let crc = x25(bytes)
    return [UInt8(crc & 0xFF), UInt8(crc >> 8)]
  }

  /// The checksum bit by bit, as the standard defines it.
  static func x25(_ bytes: [UInt8], start: UInt16 = 0xFFFF) -> UInt16 {
    var register = start
    for byte in bytes {
      for position in 0..<8 {
        let feedback = (register ^ UInt16(byte >> position)) & 1
        register >>= 1
        // The polynomial 0x1021 mirrored.
        if feedback == 1 { register ^= 0x8408 }
      }
    }
    return ~register
  }
}
