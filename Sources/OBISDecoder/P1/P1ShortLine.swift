/// The form that most data lines have, read in a few words of eight bytes.
///
///     A-B:C.D.E(digits)            at most 8 digits before the point and 8 behind it
///     A-B:C.D.E(digits.digits)
///     A-B:C.D.E(digits*unit)       and the line end, LF or CR LF
///
/// It holds what `OBISCode`, `P1Groups` and `P1Value` would say of the line; they read all others.
struct P1ShortLine {
  var code: OBISCode
  var number: Decimal
  /// The base unit, nil where none is printed.
  var unit: Unit?
  /// What stands between the brackets.
  var group: Range<Int>
  /// Where the next line begins.
  var end: Int

  /// Code of 12 bytes, 8 digits, point, 8 digits, star, 8 bytes that hold a unit, 8 that hold the
  /// line end, and what rounding leaves: no load below reaches farther.
  static let reach = 48

  /// Reads the line at `start`; nil if it has another form, or is at the end of the telegram.
  @inline(__always)
  init?(_ bytes: Span<UInt8>, at start: Int) {
    guard start >= 0, start <= bytes.count - Self.reach else { return nil }
    // Every load begins at most 40 bytes behind `start`: in bounds by the line above.
    guard
      let (code, count) = unsafe OBISCode.short(
        bytes.uncheckedWord(at: start), bytes.uncheckedWord(at: start + 4))
    else { return nil }
    let first = start + count + 1
    let word = unsafe bytes.uncheckedWord(at: first)
    let length = word.noDigits.firstByte
    guard length > 0 else { return nil }
    var mantissa = word.number(ofDigits: length)
    var decimals = 0
    var index = first + length
    var next = unsafe bytes.uncheckedWord(at: index)
    if next.byte(0) == UInt8(ascii: ".") {
      let fraction = unsafe bytes.uncheckedWord(at: index + 1)
      decimals = fraction.noDigits.firstByte
      mantissa = mantissa &* Decimal.powers[decimals] &+ fraction.number(ofDigits: decimals)
      index += 1 + decimals
      next = unsafe bytes.uncheckedWord(at: index)
    }
    var power = 0
    unit = nil
    if next.byte(0) == UInt8(ascii: "*") {
      let symbol = next >> 8
      let count = symbol.places(of: UInt8(ascii: ")")).firstByte
      guard count < 7, let (unit, prefix) = Unit.parse(symbol, count: count) else { return nil }
      self.unit = unit
      power = Int(prefix)
      index += 1 + count
      next = unsafe bytes.uncheckedWord(at: index)
    }
    // ")\r\n" or ")\n"; a line that begins with a bracket would go on with this one.
    let width: Int
    if next & 0xFF_FFFF == 0x0A_0D29 {
      width = 3
    } else if next & 0xFFFF == 0x0A29 {
      width = 2
    } else {
      return nil
    }
    guard next.byte(width) != UInt8(ascii: "(") else { return nil }
    self.code = code
    number = Decimal(
      mantissa: Int64(truncatingIfNeeded: mantissa),
      exponent: Int8(truncatingIfNeeded: power &- decimals))
    group = first..<index
    end = index + width
  }
}
