/// Turns float32 and float64 into decimals, without rounding one number into another.
///
/// IEEE 754: sign, exponent, significand; DLMS UA Blue Book, "floating point number formats". The
/// decimal is the one with the fewest places that no other number of the format is nearer to: what
/// the meter meant by 230.1 is 230.1, not 230.1000061035…, and read back it gives the same bits.
/// There is none, and the value is refused, for infinity and NaN, from 2^63 on, and where 18 places
/// and 63 bits are not enough to tell the number from its neighbours.
public enum BinaryFloat {
  /// The decimal of a binary32 number, nil if there is none.
  public static func decimal(float32 bits: UInt32) -> Decimal? {
    let fraction = UInt64(bits & 0x7F_FFFF)
    let exponent = Int(bits >> 23 & 0xFF)
    guard exponent < 0xFF else { return nil }
    let significand = exponent == 0 ? fraction : fraction | 1 << 23
    return decimal(significand, power: max(exponent, 1) - 150, isNegative: bits >> 31 == 1)
  }

  /// The decimal of a binary64 number, nil if there is none.
  public static func decimal(float64 bits: UInt64) -> Decimal? {
    let fraction = bits & 0xF_FFFF_FFFF_FFFF
    let exponent = Int(truncatingIfNeeded: bits >> 52 & 0x7FF)
    guard exponent < 0x7FF else { return nil }
    let significand = exponent == 0 ? fraction : fraction | 1 << 52
    return decimal(significand, power: max(exponent, 1) - 1075, isNegative: bits >> 63 == 1)
  }

  /// The decimal of significand × 2^power.
  private static func decimal(_ significand: UInt64, power: Int, isNegative: Bool) -> Decimal? {
    guard significand > 0 else { return Decimal(mantissa: 0) }
    guard power < 0 else {
      guard power < significand.leadingZeroBitCount else { return nil }
      return signed(significand << UInt64(power), places: 0, isNegative)
    }
    guard power > -128 else { return nil }
    // A power of two has a neighbour below that is only half as far away.
    let isPowerOfTwo = significand & (significand - 1) == 0
    var scale: UInt64 = 1
    for places in 0...18 {
      // significand × 10^places ÷ 2^−power, rounded: exact in 128 bits, below 2^53 × 10^18.
      let product = significand.multipliedFullWidth(by: scale)
      let (digits, distance) = rounded(product, droppingBits: -power)
      let limit = isPowerOfTwo ? scale >> 1 : scale
      if let digits, let distance, distance == 0 || distance << 1 < limit {
        return signed(digits, places: Int8(places), isNegative)
      }
      if places < 18 { scale *= 10 }
    }
    return nil
  }

  /// A 128-bit number without its `count` lowest bits (1…127), rounded to the nearest, and how far
  /// that is off in units of the bits dropped; nil where a result does not fit in 62 bits.
  private static func rounded(
    _ number: (high: UInt64, low: UInt64), droppingBits count: Int
  ) -> (digits: UInt64?, distance: UInt64?) {
    let whole = shifted(number, right: count)
    let half = shifted(number, right: count - 1).low & 1 == 1
    let kept = shiftedLeft(whole.low, by: count)
    // `number` − `kept`, or the gap up to the next multiple.
    var (low, borrow) = number.low.subtractingReportingOverflow(kept.low)
    var high = number.high &- kept.high &- (borrow ? 1 : 0)
    if half {
      let unit = shiftedLeft(1, by: count)
      (low, borrow) = unit.low.subtractingReportingOverflow(low)
      high = unit.high &- high &- (borrow ? 1 : 0)
    }
    let digits = whole.low &+ (half ? 1 : 0)
    let fits = whole.high == 0 && digits >> 62 == 0
    return (fits ? digits : nil, high == 0 && low >> 62 == 0 ? low : nil)
  }

  private static func shifted(
    _ number: (high: UInt64, low: UInt64), right count: Int
  ) -> (high: UInt64, low: UInt64) {
    if count == 0 { return number }
    if count >= 64 { return (0, number.high >> UInt64(count - 64)) }
    return (
      number.high >> UInt64(count), number.low >> UInt64(count) | number.high << UInt64(64 - count)
    )
  }

  private static func shiftedLeft(_ number: UInt64, by count: Int) -> (high: UInt64, low: UInt64) {
    if count == 0 { return (0, number) }
    if count >= 64 { return (number << UInt64(count - 64), 0) }
    return (number >> UInt64(64 - count), number << UInt64(count))
  }

  private static func signed(_ digits: UInt64, places: Int8, _ isNegative: Bool) -> Decimal {
    let mantissa = Int64(bitPattern: digits)
    return Decimal(mantissa: isNegative ? -mantissa : mantissa, exponent: -places)
  }
}
