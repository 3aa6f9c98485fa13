/// What one group, or one half of `(100.0*A,-100.0*A)`, holds.
enum P1Value {
  /// Nothing between the brackets: the value is absent.
  case empty
  /// A number with a unit, in base units.
  case number(Decimal, Unit)
  /// A number without a unit.
  case plain(Decimal)
  /// A number with a unit that cannot be used.
  case problem(DecodeError)
  /// Anything else.
  case text

  /// Reads `bytes[range]`.
  init(parsing bytes: Span<UInt8>, in range: Range<Int>) {
    guard !range.isEmpty else {
      self = .empty
      return
    }
    let star = bytes.place(of: UInt8(ascii: "*"), in: range)
    let digits = range.lowerBound..<star
    guard star < range.upperBound else {
      self = Decimal(parsing: bytes, in: digits).map { .plain($0) } ?? .text
      return
    }
    guard let number = Decimal(parsing: bytes, in: digits) else {
      let code = Self.isNumber(bytes, digits) ? DecodeError.Code.numberTooLarge : .malformedValue
      self = .problem(DecodeError(code, at: range.lowerBound))
      return
    }
    let text = star + 1..<range.upperBound
    if let (unit, power) = Unit.parse(bytes, in: text), let value = number.shifted(by: power) {
      self = .number(value, unit)
    } else if let seconds = Self.seconds(in: bytes, text),
      let value = number.multiplied(by: seconds)
    {
      self = .number(value, .second)
    } else {
      self = .problem(DecodeError(.unknownUnit, at: star + 1))
    }
  }

  /// How many seconds the unit of time in `range` has: `h` or `min`.
  private static func seconds(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
    guard range.count <= 3 else { return nil }
    var key: UInt32 = 0
    for index in range { key = key << 8 | UInt32(bytes[index] | 0x20) }
    return switch key {
    case 0x68: 3600
    case 0x6D69_6E: 60
    default: nil
    }
  }

  /// Whether only digits, one point and a sign in front stand there: then it has too many digits.
  private static func isNumber(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    if index < range.upperBound, bytes[index] == UInt8(ascii: "-") { index += 1 }
    guard index < range.upperBound else { return false }
    var points = 0
    while index < range.upperBound {
      if bytes[index] == UInt8(ascii: ".") {
        points += 1
      } else if !isDigit(bytes[index]) {
        return false
      }
      index += 1
    }
    return points <= 1
  }
}

extension Unit {
  /// Reads a unit with its prefix, of either case (`kWh`, `KVArh`, `m3`, `GJ`), as base unit and
  /// power of ten; nil for one that no P1 standard names.
  ///
  /// A lower-case `m` as prefix is milli or mega, so nobody knows which: nil.
  static func parse(_ bytes: Span<UInt8>, in range: Range<Int>) -> (unit: Unit, power: Int8)? {
    guard !range.isEmpty, range.count <= 5 else { return nil }
    return parse(bytes.paddedWord(at: range.lowerBound), count: range.count)
  }

  /// The same for the first `count` bytes of a word, 0…7.
  @inline(__always)
  static func parse(_ word: UInt64, count: Int) -> (unit: Unit, power: Int8)? {
    let mask = ~(~0 &<< UInt64(truncatingIfNeeded: 8 &* count))
    let text = word & mask
    // Lower case, without making characters of the zeros behind; a digit stays itself with 0x20.
    let lower = text | 0x2020_2020_2020_2020 & mask
    if let unit = base(lower) { return (unit, 0) }
    guard let unit = base(lower >> 8), unit != .cubicMetre, unit != .second else { return nil }
    switch UInt8(truncatingIfNeeded: text) {
    case UInt8(ascii: "k"), UInt8(ascii: "K"): return (unit, 3)
    case UInt8(ascii: "M"): return (unit, 6)
    case UInt8(ascii: "g"), UInt8(ascii: "G"): return (unit, 9)
    default: return nil
    }
  }

  /// The unit whose symbol's characters in lower case these are, the first one lowest.
  @inline(__always)
  private static func base(_ key: UInt64) -> Unit? {
    switch key {
    case 0x77: .watt
    case 0x6877: .wattHour
    case 0x76: .volt
    case 0x61: .ampere
    case 0x336D: .cubicMetre
    case 0x7261_76: .reactiveVoltAmpere
    case 0x6872_6176: .reactiveVoltAmpereHour
    case 0x6176: .voltAmpere
    case 0x6861_76: .voltAmpereHour
    case 0x7A68: .hertz
    case 0x6A: .joule
    case 0x73: .second
    case 0x6765_64: .degree
    default: nil
    }
  }
}
