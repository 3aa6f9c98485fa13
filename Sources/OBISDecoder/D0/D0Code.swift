/// The code in front of a readout's value.
///
///     A-B:C.D.E*F    in full, as OBISCode reads it
///     C.D.E*F        reduced: C.D, C.D.E, with *F (reset by itself) or &F (by hand) or without
///     F              alone: an error code
///     A-B:F.D.E*F    in full with a letter for C: Iskra MT171 and MT174 (`0-0:C.1.0*255`)
///
/// Groups are numbers of up to three digits, or one of the letters C, F, L and P for 96 to 99. Source:
/// IEC 62056-61, "reduced ID codes", and the Blue Book, "Codes for IEC 62056-21": A and B are left
/// out where they are 1 and 0 (electricity), or 0 and 0 for the letters; E is 0 where it is left out.
struct D0Code {
  /// The code in full.
  var code: OBISCode
  /// Whether the meter sent neither A nor B: they are the standard's, not the meter's word.
  var isReduced: Bool
  /// Whether the meter sent a group E.
  var hasE: Bool

  /// Reads a code and moves `index` behind it; nil, with `index` at the character that breaks the
  /// rule, where none stands there.
  init?(parsing bytes: Span<UInt8>, at index: inout Int) {
    var full = index
    if let code = OBISCode(parsing: bytes, at: &full) {
      index = full
      (self.code, isReduced, hasE) = (code, false, true)
      return
    }
    let head = Self.head(bytes, at: &index)
    guard let c = Self.group(bytes, at: &index) else { return nil }
    guard OBISCode.skip(UInt8(ascii: "."), bytes, at: &index) else {
      guard head == nil, c == 97, index == bytes.count || bytes[index] == UInt8(ascii: "(") else {
        return nil
      }
      (code, isReduced, hasE) = (OBISCode(0, 0, 97, 97, 0), true, false)
      return
    }
    guard let d = Self.group(bytes, at: &index) else { return nil }
    var e: UInt8 = 0
    hasE = OBISCode.skip(UInt8(ascii: "."), bytes, at: &index)
    if hasE {
      guard let group = Self.group(bytes, at: &index) else { return nil }
      e = group
    }
    var f: UInt8 = 255
    if OBISCode.skip(UInt8(ascii: "*"), bytes, at: &index)
      || OBISCode.skip(UInt8(ascii: "&"), bytes, at: &index)
    {
      guard let group = Self.group(bytes, at: &index) else { return nil }
      f = group
    }
    code = OBISCode(head?.a ?? (c >= 96 ? 0 : 1), head?.b ?? 0, c, d, e, f)
    isReduced = head == nil
  }

  /// Reads `A-B:` where a letter follows, and moves `index` behind it; nil, with `index` where it
  /// was, for anything else.
  private static func head(
    _ bytes: Span<UInt8>, at index: inout Int
  ) -> (a: UInt8, b: UInt8)? {
    var end = index
    guard let a = group(bytes, at: &end), OBISCode.skip(UInt8(ascii: "-"), bytes, at: &end),
      let b = group(bytes, at: &end), OBISCode.skip(UInt8(ascii: ":"), bytes, at: &end),
      end < bytes.count, letter(bytes[end]) != nil
    else { return nil }
    index = end
    return (a, b)
  }

  /// The group that a letter stands for.
  static func letter(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "C"): 96
    case UInt8(ascii: "F"): 97
    case UInt8(ascii: "L"): 98
    case UInt8(ascii: "P"): 99
    default: nil
    }
  }

  private static func group(_ bytes: Span<UInt8>, at index: inout Int) -> UInt8? {
    guard index < bytes.count else { return nil }
    if let letter = letter(bytes[index]) {
      index += 1
      return letter
    }
    return OBISCode.group(bytes, at: &index)
  }
}
