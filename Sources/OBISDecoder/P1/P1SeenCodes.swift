/// Which codes a telegram has had, so that a second line of the same code is noticed.
///
/// A set of 2,048 bits, two for each code, says "never" for certain in most cases; where it says "perhaps", the lines
/// above are read again. So it needs neither heap nor a limit on the number of lines.
struct P1SeenCodes {
  private var bits = InlineArray<32, UInt64>(repeating: 0)

  /// Notes `code`; true if the telegram has it in a line that begins before `start`.
  mutating func insert(_ code: OBISCode, startingAt start: Int, in bytes: Span<UInt8>) -> Bool {
    mayHaveSeen(code) && Self.occurs(code, before: start, in: bytes)
  }

  /// Notes `code`; false if it is new for certain.
  mutating func mayHaveSeen(_ code: OBISCode) -> Bool {
    // The multiplier is 2^64 over the golden ratio, which spreads neighbouring codes evenly.
    let hash = code.rawValue &* 0x9E37_79B9_7F4A_7C15
    let word = Int(truncatingIfNeeded: hash >> 59)
    let mask = UInt64(1) &<< (hash >> 53) | UInt64(1) &<< (hash >> 47)
    guard bits[word] & mask == mask else {
      bits[word] |= mask
      return false
    }
    return true
  }

  private static func occurs(_ code: OBISCode, before end: Int, in bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index < end {
      var cursor = index
      if isDigit(bytes[index]), OBISCode(parsing: bytes, at: &cursor) == code { return true }
      index = P1Text.endOfLine(bytes, from: index)
    }
    return false
  }
}
