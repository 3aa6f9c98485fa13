/// What a user knows of a meter's scale that its frames do not say.
///
/// Some DLMS lists send plain integers, and one maker's meters differ from market to market
/// (Kamstrup counts energy in 10 Wh in Norway, in Wh in Sweden). An exponent takes the place of the
/// decoder's table for such a list; a scaler that the meter sends wins over both. The ratio is that
/// of external current transformers which the meter does not know of: it multiplies power, energy
/// and current, however they are scaled. Only DLMS lists are affected.
public struct ScaleOverride: Equatable, Sendable, BitwiseCopyable {
  /// The exponents allowed.
  public static let exponents: ClosedRange<Int8> = -6...6
  /// The primary and secondary currents allowed, in ampere.
  public static let currents: ClosedRange<UInt16> = 1...10_000

  /// Power of ten of W, var and VA; nil leaves it to the decoder, as with the others.
  public let power: Int8?
  /// Power of ten of A.
  public let current: Int8?
  /// Power of ten of V.
  public let voltage: Int8?
  /// Power of ten of Wh, varh and VAh.
  public let energy: Int8?
  /// What power, energy and current are multiplied by: 1 without transformers.
  public let ratio: Decimal

  /// Overrides nothing.
  public static let none = ScaleOverride()

  private init() {
    power = nil
    current = nil
    voltage = nil
    energy = nil
    ratio = Decimal(mantissa: 1)
  }

  /// Takes exponents of `exponents` and the transformers' ratio, such as 300 A to 5 A.
  ///
  /// Nil for an exponent or a current out of bounds, and for a ratio that is no finite decimal, such
  /// as 100 to 3.
  public init?(
    power: Int8?, current: Int8?, voltage: Int8?, energy: Int8?, primary: UInt16, secondary: UInt16
  ) {
    guard Self.allows(power), Self.allows(current), Self.allows(voltage), Self.allows(energy),
      Self.currents.contains(primary), Self.currents.contains(secondary),
      let ratio = Self.quotient(Int64(primary), Int64(secondary))
    else { return nil }
    self.power = power
    self.current = current
    self.voltage = voltage
    self.energy = energy
    self.ratio = ratio
  }

  private static func allows(_ exponent: Int8?) -> Bool {
    exponent.map { exponents.contains($0) } ?? true
  }

  /// `numerator` ÷ `denominator`, each at most 10 000, as an exact decimal.
  ///
  /// Thirteen places are enough for every divisor below 2^14 of which the only factors are 2 and 5.
  private static func quotient(_ numerator: Int64, _ denominator: Int64) -> Decimal? {
    var rest = numerator
    for places in Int8(0)...13 {
      if rest % denominator == 0 { return Decimal(mantissa: rest / denominator, exponent: -places) }
      rest *= 10
    }
    return nil
  }
}

extension ScaleOverride {
  /// The user's exponent for a quantity of a list without scalers.
  func exponent(of quantity: ElectricalQuantity) -> Int8? {
    switch quantity {
    case .activePower, .reactivePower, .apparentPower: power
    case .current: current
    case .voltage: voltage
    case .activeEnergy, .reactiveEnergy, .apparentEnergy: energy
    case .powerFactor: nil
    }
  }

  /// `value` behind the transformers; nil where that has more digits than 64 bits hold.
  func transformed(_ value: Decimal, in unit: Unit) -> Decimal? {
    guard ratio.mantissa != 1 || ratio.exponent != 0 else { return value }
    switch unit {
    case .watt, .reactiveVoltAmpere, .voltAmpere, .wattHour, .reactiveVoltAmpereHour,
      .voltAmpereHour, .ampere:
      return value.multiplied(by: ratio.mantissa)?.shifted(by: ratio.exponent)
    default:
      return value
    }
  }
}
