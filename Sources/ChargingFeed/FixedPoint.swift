internal import OBISDecoder

/// Arithmetic on whole numbers for values that a meter sent: exact, or saturating, never trapping.
enum FixedPoint {
  /// The whole number whose square is the largest that is not above `value`.
  static func squareRoot(_ value: UInt64) -> UInt64 {
    guard value > 0 else { return 0 }
    // Newton's method from above: falls until it has the floor of the root.
    var root = UInt64(1) << UInt64((65 - value.leadingZeroBitCount) / 2)
    while true {
      let next = (root + value / root) / 2
      if next >= root { return root }
      root = next
    }
  }

  /// Quotient rounded towards minus infinity; `divisor` is positive.
  static func floor(_ value: Int64, over divisor: Int64) -> Int64 {
    UTCTime.floorDivide(value, divisor)
  }

  /// Quotient rounded to the nearest whole number, halves upwards; `divisor` is positive.
  static func nearest(_ value: Int64, over divisor: Int64) -> Int64 {
    floor(add(value, divisor / 2), over: divisor)
  }

  /// Quotient rounded to the nearest whole number, halves to the even one; `divisor` is positive.
  static func even(_ value: Int64, over divisor: Int64) -> Int64 {
    let quotient = floor(value, over: divisor)
    let rest = UTCTime.floorRemainder(value, divisor)
    let isAbove = rest > divisor - rest || (rest == divisor - rest && quotient % 2 != 0)
    return isAbove ? quotient + 1 : quotient
  }

  /// Sum that stays at the bounds of 64 bits.
  static func add(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
  }

  /// Difference that stays at the bounds of 64 bits.
  static func subtract(_ left: Int64, _ right: Int64) -> Int64 {
    let (difference, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? (right < 0 ? .max : .min) : difference
  }

  /// Product that stays at the bounds of 64 bits.
  static func multiply(_ left: Int64, _ right: Int64) -> Int64 {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? ((left < 0) == (right < 0) ? .max : .min) : product
  }

  /// A decimal in units of 10^`exponent`, rounded to the nearest, halves away from zero.
  ///
  /// Nil beyond 64 bits.
  static func value(of decimal: Decimal, at exponent: Int8) -> Int64? {
    if let exact = decimal.mantissa(at: exponent) { return exact }
    guard decimal.exponent < exponent else { return nil }
    var value = decimal.mantissa
    for _ in 1..<Int(exponent) - Int(decimal.exponent) { value /= 10 }
    return value / 10 + (value % 10 >= 5 ? 1 : value % 10 <= -5 ? -1 : 0)
  }
}
