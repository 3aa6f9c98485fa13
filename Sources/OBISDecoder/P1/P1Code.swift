extension OBISCode {
  /// Reads `A-B:C.D.E`, with `*F` or `.F` behind it or without, and moves `index` behind it.
  ///
  /// Nil, with `index` at the character that breaks the rule, for anything else. The colon that
  /// Iskra MT382 prints for the first dot (`1-0:99:97.0`) is accepted only without F, so that a
  /// code with a group too many (`1-0:4:24.7.0`, Kamstrup Omnia) is not taken for another one.
  init?(parsing bytes: Span<UInt8>, at index: inout Int) {
    if let code = Self.short(bytes, at: &index) {
      self = code
      return
    }
    guard let a = Self.group(bytes, at: &index), Self.skip(UInt8(ascii: "-"), bytes, at: &index),
      let b = Self.group(bytes, at: &index), Self.skip(UInt8(ascii: ":"), bytes, at: &index),
      let c = Self.group(bytes, at: &index)
    else { return nil }
    let hasColon = Self.skip(UInt8(ascii: ":"), bytes, at: &index)
    guard hasColon || Self.skip(UInt8(ascii: "."), bytes, at: &index),
      let d = Self.group(bytes, at: &index), Self.skip(UInt8(ascii: "."), bytes, at: &index),
      let e = Self.group(bytes, at: &index)
    else { return nil }
    self.init(a, b, c, d, e)
    guard index < bytes.count, bytes[index] != UInt8(ascii: "(") else { return }
    let suffix = index
    let hasPeriod =
      Self.skip(UInt8(ascii: "*"), bytes, at: &index)
      || Self.skip(UInt8(ascii: "."), bytes, at: &index)
    guard hasPeriod else { return }
    guard !hasColon, let f = Self.group(bytes, at: &index) else {
      index = suffix
      return nil
    }
    self.init(a, b, c, d, e, f)
  }

  /// Reads the form that nearly every line has, of two words: A and B of one digit, C, D and E of
  /// one or two, and the bracket behind; nil, with `index` where it was, for any other.
  @inline(__always)
  private static func short(_ bytes: Span<UInt8>, at index: inout Int) -> OBISCode? {
    guard let (code, count) = short(bytes.paddedWord(at: index), bytes.paddedWord(at: index + 4))
    else { return nil }
    index += count
    return code
  }

  /// The code and its length from the word that it begins with and the one four bytes on.
  @inline(__always)
  static func short(_ head: UInt64, _ word: UInt64) -> (code: OBISCode, count: Int)? {
    // "?-?:", then the digits' values.
    guard (head ^ 0x3A30_2D30) & 0xFFF0_FFF0 == 0 else { return nil }
    let (a, b) = (UInt8(truncatingIfNeeded: head & 15), UInt8(truncatingIfNeeded: head >> 16 & 15))
    var ends = word.noDigits
    let first = ends.firstByte
    ends &= ends &- 1
    let second = ends.firstByte
    ends &= ends &- 1
    let third = ends.firstByte
    guard a <= 9, b <= 9, third < 8, word.byte(third) == UInt8(ascii: "("),
      word.byte(first) == UInt8(ascii: "."), word.byte(second) == UInt8(ascii: "."),
      let c = word.pair(from: 0, to: first), let d = word.pair(from: first + 1, to: second),
      let e = word.pair(from: second + 1, to: third)
    else { return nil }
    return (OBISCode(a, b, c, d, e), 4 + third)
  }

  /// Reads one group, 0…255 in one to three digits.
  static func group(_ bytes: Span<UInt8>, at index: inout Int) -> UInt8? {
    var value = 0
    let start = index
    while index < bytes.count, index < start + 3, isDigit(bytes[index]) {
      value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
      index += 1
    }
    return index > start ? UInt8(exactly: value) : nil
  }

  /// Moves `index` behind `byte` if that stands there.
  static func skip(_ byte: UInt8, _ bytes: Span<UInt8>, at index: inout Int) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }
}

extension UInt64 {
  /// The number that one or two digits print; nil for any other length.
  @inline(__always)
  fileprivate func pair(from start: Int, to end: Int) -> UInt8? {
    switch end - start {
    case 1: byte(start) & 15
    case 2: (byte(start) & 15) &* 10 &+ byte(start + 1) & 15
    default: nil
    }
  }
}
