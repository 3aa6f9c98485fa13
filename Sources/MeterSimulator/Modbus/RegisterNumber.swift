import ModbusMeters
import OBISDecoder

/// A value as the number that a meter puts into registers.
struct RegisterNumber {
  /// The number, to some places more than any register holds.
  let number: Decimal

  /// The value divided by a profile's scale and by a power of ten.
  init(_ value: Decimal, dividedBy scale: Decimal, power: Int) {
    var mantissa = value.mantissa
    var exponent = Int(value.exponent) - Int(scale.exponent) - power
    if scale.mantissa != 1, scale.mantissa != 0 {
      for _ in 0..<6 where mantissa.magnitude < 1_000_000_000_000 {
        mantissa *= 10
        exponent -= 1
      }
      mantissa /= scale.mantissa
    }
    number = Decimal(mantissa: mantissa, exponent: Int8(clamping: exponent))
  }

  /// The bits of a type, least significant last, and the number that they say.
  func bits(of type: RegisterType) -> (bits: UInt64, number: Decimal) {
    switch type {
    case .float32:
      let float = Float(number.text) ?? 0
      // Beyond 23 bits a number has no places: all its digits count.
      if float.magnitude >= 8_388_608, let whole = Int64(exactly: float) {
        return (UInt64(float.bitPattern), Decimal(mantissa: whole))
      }
      var shown = RegisterNumber.decimal(float.description)
      // Of two decimals that are as short and as near, the greater: 23536.0625 is 23536.063.
      let next = Decimal(
        mantissa: shown.mantissa + (shown.mantissa < 0 ? -1 : 1), exponent: shown.exponent)
      let exact = Double(float)
      let (down, up) = (abs(shown.double - exact), abs(next.double - exact))
      if Float(next.text) == float, up <= down * 1.000_001 { shown = next }
      return (UInt64(float.bitPattern), shown)
    case .float64:
      let double = number.double
      return (double.bitPattern, RegisterNumber.decimal(double.description))
    default: break
    }
    // The outermost numbers of each type often mean "none".
    let range: ClosedRange<Int64> =
      switch type {
      case .int16: -32_766...32_766
      case .uint16: 0...65_533
      case .int32: -2_147_483_646...2_147_483_646
      case .uint32: 0...4_294_967_293
      case .uint64: 0...Int64.max / 2
      default: Int64.min / 2...Int64.max / 2
      }
    let whole = min(max(rounded, range.lowerBound), range.upperBound)
    return (
      UInt64(bitPattern: whole)
        & (type.registerCount == 4 ? .max : 1 << UInt64(16 * type.registerCount) - 1),
      Decimal(mantissa: whole)
    )
  }

  /// The nearest whole number.
  private var rounded: Int64 {
    var result = number.mantissa
    var exponent = Int(number.exponent)
    while exponent > 0 {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return result > 0 ? .max : .min }
      result = product
      exponent -= 1
    }
    guard exponent < 0 else { return result }
    for _ in 0..<min(-exponent - 1, 18) { result /= 10 }
    return (result + (result < 0 ? -5 : 5)) / 10
  }

  /// What a register's number means.
  static func value(_ number: Decimal, times scale: Decimal, power: Int) -> Decimal {
    let (product, overflow) = number.mantissa.multipliedReportingOverflow(by: scale.mantissa)
    return Decimal(
      mantissa: overflow ? 0 : product,
      exponent: Int8(clamping: Int(number.exponent) + Int(scale.exponent) + power))
  }

  /// Reads Swift's shortest form of a floating-point number: `230.2`, `1e+10`, `1.5e-05`.
  static func decimal(_ text: String) -> Decimal {
    let parts = text.split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var digits = String(parts[0])
    if let point = digits.firstIndex(of: ".") {
      var fraction = String(digits[digits.index(after: point)...])
      if fraction == "0" { fraction = "" }
      exponent -= fraction.utf8.count
      digits = String(digits[..<point]) + fraction
    }
    return Decimal(mantissa: Int64(digits) ?? 0, exponent: Int8(clamping: exponent))
  }
}

extension Decimal {
  /// The number as Swift's floating-point types read it.
  fileprivate var text: String { "\(mantissa)e\(exponent)" }
  fileprivate var double: Double { Double(text) ?? 0 }
}
