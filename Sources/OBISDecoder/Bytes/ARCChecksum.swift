/// CRC-16/ARC without tables, fifteen words a step.
///
/// Its polynomial is (x + 1)(x^15 + x + 1). Modulo the second factor x^15 = x + 1, and squaring
/// doubles every exponent: x^30 = x^2 + 1, x^60 = x^4 + 1, x^960 = x^64 + 1. So fifteen words
/// vanish if each is added to the words 960 and 896 bits behind it, which takes two instructions a
/// word. Modulo x + 1 only the parity of all bits counts. Both remainders together give the one
/// modulo the product (Chinese remainder theorem), which is the checksum.
///
/// Bits stand as the line sends them: the lowest bit of a word has the highest power, x^63, and
/// the lowest byte of a message comes first. Multiplying by x is a shift to the right.
extension CRC16 {
  /// CRC-16/ARC of `bytes[range]`, as P1 prints it behind the exclamation mark.
  public static func arc(_ bytes: Span<UInt8>, in range: Range<Int>) -> UInt16 {
    var words = InlineArray<15, UInt64>(repeating: 0)
    var sum: UInt64 = 0
    var index = range.lowerBound
    // Zeros in front change nothing: what is no whole step stands at the end of the first one.
    let first = range.count % stepBytes
    var place = 15 - (first + 7) / 8
    let odd = first % 8
    if odd > 0 {
      words[place] = bytes.paddedWord(at: index) << UInt64(64 - 8 * odd)
      sum = words[place]
      place += 1
      index += odd
    }
    while place < 15 {
      words[place] = bytes.word(at: index)
      sum ^= words[place]
      place += 1
      index += 8
    }
    while index < range.upperBound {
      words[14] ^= words[0]
      for place in 0..<14 {
        let word = bytes.word(at: index + 8 * place)
        words[place] ^= words[place + 1] ^ word
        sum ^= word
      }
      let word = bytes.word(at: index + 112)
      words[14] ^= word
      sum ^= word
      index += stepBytes
    }
    return remainder(words, parityOf: sum)
  }

  private static let stepBytes = 120

  /// The checksum of what fifteen words stand for, where the parity is that of `sum`.
  private static func remainder(
    _ words: InlineArray<15, UInt64>, parityOf sum: UInt64
  ) -> UInt16 {
    // One word at a time: x^64 = x^8 + x^4, and once more for the bits that this moves out.
    var rest: UInt64 = 0
    for place in 0..<15 {
      let over = (rest ^ rest << 4) & 0xFF
      rest = rest >> 8 ^ rest >> 4 ^ over << 48 ^ over << 52 ^ words[place]
    }
    // 64 bits to 36 by x^32 = x^4 + x^2; times x^16, as the checksum is defined: 52 bits.
    let high = rest << 32
    var value = (high >> 4 ^ high >> 2 ^ rest & ~0 << 32) >> 16
    // To 30 bits by x^30 = x^2 + 1, to 15 by x^15 = x + 1; twice, since the first leaves an x^15.
    var over = value << 30
    value = value & ~0 << 34 ^ over ^ over >> 2
    over = value << 15
    value = value & ~0 << 49 ^ over ^ over >> 1
    over = value << 15
    value = value & ~0 << 49 ^ over ^ over >> 1
    // The factor itself, x^15 + x + 1, has an odd number of terms.
    if (value.nonzeroBitCount ^ sum.nonzeroBitCount) & 1 == 1 {
      value ^= 1 << 48 | 1 << 62 | 1 << 63
    }
    return UInt16(truncatingIfNeeded: value >> 48)
  }
}
