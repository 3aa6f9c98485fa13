/// An exact decimal number: mantissa × 10^exponent, to the last digit that the meter sent.
///
/// Two decimals are `==` only if mantissa and exponent are the same; `isEqual(to:)` compares the
/// numbers. Never passes through a floating-point type.
public struct Decimal: Equatable, Sendable, BitwiseCopyable {
  /// All digits, with the sign.
  public var mantissa: Int64
  /// Power of ten, −128…127; meters send −9…9.
  public var exponent: Int8

  /// Makes mantissa × 10^exponent.
  public init(mantissa: Int64, exponent: Int8 = 0) {
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// The same digits with the decimal point moved `places` to the right, nil beyond Int8.
  public func shifted(by places: Int8) -> Decimal? {
    let (sum, overflow) = exponent.addingReportingOverflow(places)
    return overflow ? nil : Decimal(mantissa: mantissa, exponent: sum)
  }

  /// The number `factor` times as large, nil beyond 64 bits.
  public func multiplied(by factor: Int64) -> Decimal? {
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
    return overflow ? nil : Decimal(mantissa: product, exponent: exponent)
  }

  /// The number in units of 10^`target`, nil if that would lose a digit or overflow 64 bits.
  public func mantissa(at target: Int8) -> Int64? {
    if mantissa == 0 { return 0 }
    var value = mantissa
    var power = Int(exponent)
    while power > Int(target) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
      power -= 1
    }
    while power < Int(target) {
      if value % 10 != 0 { return nil }
      value /= 10
      power += 1
    }
    return value
  }

  /// Whether both are the same number, however many trailing zeros each carries.
  public func isEqual(to other: Decimal) -> Bool {
    if mantissa == 0 || other.mantissa == 0 { return mantissa == other.mantissa }
    let common = min(exponent, other.exponent)
    guard let left = mantissa(at: common), let right = other.mantissa(at: common) else {
      return false
    }
    return left == right
  }

  /// Reads digits with an optional sign and decimal point, such as `-000123.45`.
  ///
  /// Reads the whole of `bytes[range]`: nil where that is empty, holds anything else, or has more
  /// significant digits than 64 bits take.
  public init?(parsing bytes: Span<UInt8>, in range: Range<Int>) {
    var index = range.lowerBound
    guard index >= 0, range.upperBound <= bytes.count, index < range.upperBound else { return nil }
    let negative = bytes[index] == UInt8(ascii: "-")
    if negative || bytes[index] == UInt8(ascii: "+") { index += 1 }
    // Eighteen digits cannot overflow.
    guard range.upperBound - index <= 18 else {
      self.init(parsingAny: bytes, in: index..<range.upperBound, negative: negative)
      return
    }
    let start = index
    var value: UInt64 = 0
    Self.append(bytes, at: &index, before: range.upperBound, to: &value)
    var digits = index - start
    var decimals = 0
    if index < range.upperBound, bytes[index] == UInt8(ascii: ".") {
      index += 1
      let point = index
      Self.append(bytes, at: &index, before: range.upperBound, to: &value)
      decimals = index - point
      digits += decimals
    }
    guard index == range.upperBound, digits > 0 else { return nil }
    let magnitude = Int64(truncatingIfNeeded: value)
    self.init(
      mantissa: negative ? 0 &- magnitude : magnitude,
      exponent: Int8(truncatingIfNeeded: 0 &- decimals))
  }

  /// Moves `index` over the digits before `end`, eight at a time, and appends them to `value`.
  @inline(__always)
  private static func append(
    _ bytes: Span<UInt8>, at index: inout Int, before end: Int, to value: inout UInt64
  ) {
    while index < end {
      let word = bytes.paddedWord(at: index)
      let length = min(word.noDigits.firstByte, end - index)
      value = value &* powers[length] &+ word.number(ofDigits: length)
      index += length
      if length < 8 { return }
    }
  }

  /// The powers of ten by which up to eight digits move what stands before them.
  static let powers: [9 of UInt64] = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
  ]

  /// Reads digits with a decimal point, as many as there are, behind the sign.
  private init?(parsingAny bytes: Span<UInt8>, in range: Range<Int>, negative: Bool) {
    var value: Int64 = 0
    var decimals = 0
    var digits = 0
    var pointSeen = false
    for index in range {
      let byte = bytes[index]
      if byte == UInt8(ascii: "."), !pointSeen {
        pointSeen = true
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
      if overflow || carry { return nil }
      value = sum
      digits += 1
      if pointSeen { decimals += 1 }
    }
    guard digits > 0, decimals <= 127 else { return nil }
    self.init(mantissa: negative ? -value : value, exponent: Int8(-decimals))
  }

  /// Appends the number in plain notation without superfluous zeros: `-12.5`, `473`, `0`.
  ///
  /// An exponent above 18 or below −18 writes at most that many zeros; no meter sends one.
  public func write<let capacity: Int>(to out: inout ByteBuffer<capacity>) {
    var digits = mantissa
    var power = Int(exponent)
    if digits == 0 { power = 0 }
    while power < 0, digits % 10 == 0 {
      digits /= 10
      power += 1
    }
    if digits < 0 { out.append(UInt8(ascii: "-")) }
    guard power < 0 else {
      out.append(magnitude: digits.magnitude, minimumDigits: 1)
      for _ in 0..<min(power, 18) { out.append(UInt8(ascii: "0")) }
      return
    }
    var divisor: UInt64 = 1
    let places = min(-power, 18)
    for _ in 0..<places { divisor *= 10 }
    out.append(magnitude: digits.magnitude / divisor, minimumDigits: 1)
    out.append(UInt8(ascii: "."))
    out.append(magnitude: digits.magnitude % divisor, minimumDigits: places)
  }
}

#if !hasFeature(Embedded)
  extension Decimal: CustomStringConvertible {
    /// The number in plain notation without superfluous zeros.
    public var description: String {
      var out = ByteBuffer<64>()
      write(to: &out)
      return out.text
    }
  }
#endif
