extension OBISCode {
  /// Reads `A-B:C.D.E`, with `*F` or `.F` behind it or without, and moves `index` behind it.
  ///
  /// Nil, with `index` at the character that breaks the rule, for anything else. The colon that
  /// Iskra MT382 prints for the first dot (`1-0:99:97.0`) is accepted only without F, so that a
  /// code with a group too many (`1-0:4:24.7.0`, Kamstrup Omnia) is not taken for another one.
  init?(parsing bytes: Span<UInt8>, at index: inout Int) {
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

  /// Reads one group, 0…255 in one to three digits.
  private static func group(_ bytes: Span<UInt8>, at index: inout Int) -> UInt8? {
    var value = 0
    let start = index
    while index < bytes.count, index < start + 3, isDigit(bytes[index]) {
      value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
      index += 1
    }
    return index > start ? UInt8(exactly: value) : nil
  }

  private static func skip(_ byte: UInt8, _ bytes: Span<UInt8>, at index: inout Int) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }
}
