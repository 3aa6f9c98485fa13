internal import OBISDecoder

/// Exact rounding of values to the quanta R0…R4, in thousandths of the base unit.
///
/// Gauges are rounded half to even, registers down. Every function returns nil where 64 bits do not
/// hold the result; a value that is not known stays nil.
enum Quantum {
  /// Finest step of averaged and differenced values: a thousandth of the base unit.
  static let exponent: Int8 = -3

  /// The step of `level` (0…4) for a unit, in thousandths; 1 where the level does not round it.
  ///
  /// R1–R4 for W, Wh, V and A are from the privacy design; the other units follow them by size.
  static func step(_ level: UInt8, _ unit: Unit) -> Int64 {
    guard level > 0 else { return 1 }
    let index = Int(min(level, 4)) - 1
    let steps: InlineArray<4, Int64>
    switch unit {
    case .watt, .voltAmpere, .reactiveVoltAmpere: steps = [10_000, 100_000, 100_000, 1_000_000]
    case .wattHour, .voltAmpereHour, .reactiveVoltAmpereHour:
      steps = [1000, 10_000, 100_000, 1_000_000]
    case .volt, .degree: steps = [1000, 1000, 1000, 1000]
    case .ampere: steps = [100, 500, 500, 1000]
    case .hertz: steps = [100, 100, 100, 1000]
    case .cubicMetre: steps = [10, 100, 1000, 10_000]
    case .joule: steps = [10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000]
    case .second: steps = [1000, 60_000, 3_600_000, 3_600_000]
    case .one: return 1
    }
    return steps[index]
  }

  /// The step of a quantity; counts and states of unit one are never rounded, ratios to 0.01.
  static func step(_ level: UInt8, _ quantity: Quantity) -> Int64 {
    if level > 0, quantity.unit == .one, quantity.kind == .gauge { return 10 }
    return step(level, quantity.unit)
  }

  /// Largest magnitude of a value in thousandths: sums of two, and differences, stay in 64 bits.
  static let bound: Int64 = 1 << 59

  /// A decimal in thousandths: finer digits of a register are cut, of others rounded half to even.
  ///
  /// Nil beyond `bound`, which no meter reaches.
  static func thousandths(_ value: Decimal, floor: Bool) -> Int64? {
    guard let result = scaled(value, floor: floor), result.magnitude < bound.magnitude else {
      return nil
    }
    return result
  }

  private static func scaled(_ value: Decimal, floor: Bool) -> Int64? {
    if let exact = value.mantissa(at: exponent) { return exact }
    guard value.exponent < exponent else { return nil }
    var divisor: Int64 = 1
    for _ in 0..<(Int(exponent) - Int(value.exponent)) {
      let (next, overflow) = divisor.multipliedReportingOverflow(by: 10)
      if overflow { return floor && value.mantissa < 0 ? -1 : 0 }
      divisor = next
    }
    return floor
      ? UTCTime.floorDivide(value.mantissa, divisor) : halfToEven(value.mantissa, divisor)
  }

  /// `value` divided by a positive `divisor`, rounded half to even.
  static func halfToEven(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = UTCTime.floorDivide(value, divisor)
    let remainder = UTCTime.floorRemainder(value, divisor)
    let rest = divisor - remainder
    if remainder > rest || (remainder == rest && quotient % 2 != 0) { return quotient + 1 }
    return quotient
  }

  /// The mean sum/count, rounded half to even to a multiple of `step`.
  static func mean(sum: Int64, count: Int64, step: Int64) -> Int64? {
    let (divisor, overflow) = count.multipliedReportingOverflow(by: step)
    guard count > 0, !overflow else { return nil }
    return multiply(halfToEven(sum, divisor), step)
  }

  /// The greatest multiple of `step` that is not above `value`.
  static func floor(_ value: Int64, step: Int64) -> Int64? {
    multiply(UTCTime.floorDivide(value, step), step)
  }

  /// Q(end − base) − Q(start − base): sums of such intervals have no drift.
  static func interval(start: Int64, end: Int64, base: Int64, step: Int64) -> Int64? {
    guard let high = since(base, end, step: step), let low = since(base, start, step: step) else {
      return nil
    }
    let (difference, overflow) = high.subtractingReportingOverflow(low)
    return overflow ? nil : difference
  }

  /// Q(value − base).
  static func since(_ base: Int64, _ value: Int64, step: Int64) -> Int64? {
    let (difference, overflow) = value.subtractingReportingOverflow(base)
    return overflow ? nil : floor(difference, step: step)
  }

  private static func multiply(_ value: Int64, _ factor: Int64) -> Int64? {
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}
