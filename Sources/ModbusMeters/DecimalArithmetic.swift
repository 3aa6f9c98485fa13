internal import OBISDecoder

/// Sums, products and order of decimals: exact while 63 bits hold the digits.
///
/// A product with more digits, which takes a binary64 and a transformer ratio, loses its last ones,
/// rounded half away from zero; none of the first 18.
extension Decimal {
  /// The product, nil beyond the exponents that a decimal can have.
  func times(_ other: Decimal) -> Decimal? {
    var (high, low) = mantissa.magnitude.multipliedFullWidth(by: other.mantissa.magnitude)
    var power = Int(exponent) + Int(other.exponent)
    var remainder: UInt64 = 0
    while high != 0 || low > UInt64(Int64.max) - 1 {
      (high, low, remainder) = Decimal.dividedByTen(high, low)
      power += 1
    }
    if remainder >= 5 { low += 1 }
    guard let exponent = Int8(exactly: power) else { return nil }
    let isNegative = (mantissa < 0) != (other.mantissa < 0)
    return Decimal(mantissa: isNegative ? -Int64(low) : Int64(low), exponent: exponent)
  }

  /// The difference, nil where 63 bits do not hold its digits.
  func minus(_ other: Decimal) -> Decimal? {
    let common = min(exponent, other.exponent)
    guard let left = mantissa(at: common), let right = other.mantissa(at: common) else {
      return nil
    }
    let (difference, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? nil : Decimal(mantissa: difference, exponent: common)
  }

  /// The same number with the other sign; nil for the one integer that has none.
  var negated: Decimal? { multiplied(by: -1) }

  /// Whether this number is less than `other`.
  func isLess(than other: Decimal) -> Bool {
    if mantissa.signum() != other.mantissa.signum() {
      return mantissa.signum() < other.mantissa.signum()
    }
    let common = min(exponent, other.exponent)
    // Where one does not fit into 63 bits at the finer place, it is the one further from zero.
    guard let left = mantissa(at: common) else { return mantissa < 0 }
    guard let right = other.mantissa(at: common) else { return mantissa > 0 }
    return left < right
  }

  private static func dividedByTen(
    _ high: UInt64, _ low: UInt64
  ) -> (high: UInt64, low: UInt64, remainder: UInt64) {
    let (upper, rest) = high.quotientAndRemainder(dividingBy: 10)
    let (lower, remainder) = UInt64(10).dividingFullWidth((rest, low))
    return (upper, lower, remainder)
  }
}
