/// The checksums that P1, HDLC and SML frames end with: all reflected, two polynomials.
///
///     NAME    POLYNOMIAL             START   END       WHERE
///     ARC     x^16 + x^15 + x^2 + 1  0x0000  as is     P1: '/' to '!' (DSMR 5.0.2, 6.2)
///     X-25    x^16 + x^12 + x^5 + 1  0xFFFF  inverted  HDLC: HCS and FCS (ISO/IEC 13239, 4.2.5); SML
///     KERMIT  x^16 + x^12 + x^5 + 1  0x0000  as is     SML of a Holley DTZ541
///
/// X-25 and KERMIT take eight bytes a step, each by a table of its own ("slicing"): with one table
/// each byte would wait for the one before. ARC needs none, see `ARCChecksum.swift`.
public enum CRC16 {
  /// CRC-16/X-25 of `bytes[range]`; HDLC and SML send its low byte first.
  public static func x25(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt16 {
    ~ccitt(bytes, in: range, from: 0xFFFF)
  }

  /// CRC-16/KERMIT of `bytes[range]`.
  public static func kermit(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt16 {
    ccitt(bytes, in: range, from: 0)
  }

  /// The register that `bytes[range]` leave of `start`.
  private static func ccitt(
    _ bytes: Span<UInt8>, in range: Range<Int>, from start: UInt16
  ) -> UInt16 {
    var crc = start
    var index = range.lowerBound
    while range.upperBound - index >= 8 {
      let word = bytes.word(at: index)
      let rest =
        x25Tables[octet(word, 2) + 1280] ^ x25Tables[octet(word, 3) + 1024]
        ^ x25Tables[octet(word, 4) + 768] ^ x25Tables[octet(word, 5) + 512]
        ^ x25Tables[octet(word, 6) + 256] ^ x25Tables[octet(word, 7)]
      // Last, because only these two wait for the step before.
      let low = UInt64(crc) ^ word
      crc = rest ^ x25Tables[octet(low, 1) + 1536] ^ x25Tables[octet(low, 0) + 1792]
      index += 8
    }
    while index < range.upperBound {
      crc = crc >> 8 ^ x25Tables[Int((crc ^ UInt16(bytes[index])) & 0xFF)]
      index += 1
    }
    return crc
  }

  /// Byte `index` of a word, the lowest being 0: always a place in a table.
  @inline(__always)
  private static func octet(_ word: UInt64, _ index: UInt64) -> Int {
    Int(truncatingIfNeeded: word &>> (8 &* index) & 0xFF)
  }
}
