import OBISDecoder

/// A value line of a P1 telegram: `1-0:1.7.0(00.473*kW)`.
///
/// The shape is Fn(x,y) of DSMR P1: `digits` before the point, `decimals` behind it.
struct P1Field: Sendable {
  var code: OBISCode
  var digits: Int
  var decimals: Int
  /// The unit as printed, empty for a plain number.
  var suffix: String
  /// Registers are cut off, gauges rounded to the last digit printed.
  var isRegister: Bool
  /// Whether the standard allows a minus sign.
  var isSigned = false

  init(_ code: OBISCode, _ digits: Int, _ decimals: Int, _ suffix: String) {
    self.code = code
    self.digits = digits
    self.decimals = decimals
    self.suffix = suffix
    isRegister = code.d == 8
  }

  /// Units as P1 prints them, their base unit and the power of ten of their prefix.
  static let units: [String: (unit: Unit, prefix: Int8)] = [
    "Wh": (.wattHour, 0), "kWh": (.wattHour, 3), "W": (.watt, 0), "kW": (.watt, 3),
    "varh": (.reactiveVoltAmpereHour, 0), "kvarh": (.reactiveVoltAmpereHour, 3),
    "kVArh": (.reactiveVoltAmpereHour, 3), "var": (.reactiveVoltAmpere, 0),
    "kvar": (.reactiveVoltAmpere, 3), "kVAr": (.reactiveVoltAmpere, 3),
    "VA": (.voltAmpere, 0), "kVA": (.voltAmpere, 3), "V": (.volt, 0), "kV": (.volt, 3),
    "A": (.ampere, 0), "kA": (.ampere, 3), "Hz": (.hertz, 0), "kHz": (.hertz, 3),
    "m3": (.cubicMetre, 0), "GJ": (.joule, 9), "MJ": (.joule, 6), "s": (.second, 0),
    "": (.one, 0),
  ]

  /// The base unit.
  var unit: Unit { P1Field.units[suffix]?.unit ?? .one }
  /// Power of ten of the last digit printed, in the base unit.
  var exponent: Int8 { (P1Field.units[suffix]?.prefix ?? 0) - Int8(decimals) }
  /// The largest number that fits in the digits, without point.
  var largest: Int64 { FixedPoint.power(digits + decimals) - 1 }

  /// What is printed for `value`, and the exact number that this text means.
  ///
  /// A register that needs more digits rolls over, a gauge stays at its end, as meters do.
  func print(_ value: Decimal) -> (text: String, value: Decimal) {
    var number = FixedPoint.mantissa(of: value, at: exponent, cutting: isRegister)
    let negative = number < 0
    let magnitude =
      isRegister ? abs(number) % (largest + 1) : min(abs(number), largest)
    number = negative ? -magnitude : magnitude
    let text = FixedPoint.text(magnitude, digits: digits, decimals: decimals)
    let sign = negative && magnitude != 0 ? "-" : ""
    let tail = suffix.isEmpty ? "" : "*" + suffix
    return (sign + text + tail, Decimal(mantissa: number, exponent: exponent))
  }
}

/// Decimal numbers of a fixed number of digits.
enum FixedPoint {
  /// 10 to the power of `count`, which is at most 18.
  static func power(_ count: Int) -> Int64 {
    var power: Int64 = 1
    for _ in 0..<min(count, 18) { power *= 10 }
    return power
  }

  /// `value` as a multiple of 10^`exponent`, cut off or rounded half away from zero.
  ///
  /// Digits that do not fit in 64 bits are lost at the top: no meter value has them.
  static func mantissa(of value: Decimal, at exponent: Int8, cutting: Bool) -> Int64 {
    let steps = Int(value.exponent) - Int(exponent)
    if steps >= 0 { return value.mantissa &* power(steps) }
    let divisor = power(-steps)
    let quotient = value.mantissa / divisor
    if cutting { return quotient }
    let rest = abs(value.mantissa % divisor)
    guard rest * 2 >= divisor else { return quotient }
    return quotient + (value.mantissa < 0 ? -1 : 1)
  }

  /// `number` / 10^`decimals` with leading zeros, at least one digit before the point.
  static func text(_ number: Int64, digits: Int, decimals: Int) -> String {
    let whole = padded(number / power(decimals), digits)
    return decimals == 0 ? whole : whole + "." + padded(number % power(decimals), decimals)
  }

  /// `number` with leading zeros up to `digits` digits.
  static func padded(_ number: Int64, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text
  }
}
