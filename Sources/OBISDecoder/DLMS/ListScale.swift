/// What a number measures, by its OBIS code; sets the unit where the frame carries none.
///
/// Source: DLMS UA Blue Book, part 2, "Value group C codes – Electricity" and "Value group D".
enum ElectricalQuantity: UInt8 {
  case activePower, reactivePower, current, voltage, powerFactor, activeEnergy, reactiveEnergy

  /// The quantity of an electricity code; nil for any other.
  init?(_ code: OBISCode) {
    // With group E a power is a harmonic, an energy that of a tariff.
    guard code.a == 1, code.d != 7 || code.e == 0 else { return nil }
    // Phases L1, L2 and L3 repeat the codes of the sum 20, 40 and 60 higher.
    let perPhase = code.c % 20
    switch (code.d, perPhase, code.c) {
    case (7, 1...2, ..<80): self = .activePower
    case (7, 3...4, ..<80): self = .reactivePower
    case (7, 13, ..<80): self = .powerFactor
    case (7, 11, 21..<80): self = .current
    case (7, 12, 21..<80): self = .voltage
    case (8, 1...2, ..<80): self = .activeEnergy
    case (8, 3...4, ..<80): self = .reactiveEnergy
    default: return nil
    }
  }

  var unit: Unit {
    switch self {
    case .activePower: .watt
    case .reactivePower: .reactiveVoltAmpere
    case .current: .ampere
    case .voltage: .volt
    case .powerFactor: .one
    case .activeEnergy: .wattHour
    case .reactiveEnergy: .reactiveVoltAmpereHour
    }
  }
}

/// Powers of ten of a list that sends numbers without scaler and unit, by what they measure.
///
/// Where a frame does carry scaler and unit these win (Kaifa sends the same codes with them in
/// Austria).
struct ListScale: Equatable, BitwiseCopyable {
  var power: Int8
  var current: Int8
  var voltage: Int8
  var energy: Int8
  /// Nil where no such list has been seen with one.
  var powerFactor: Int8?

  /// Kaifa, list `KFM_001`: W and var, mA, 0.1 V, Wh and varh.
  ///
  /// Norway: "Kaifa HAN OBIS codes KFM_001" (NEK, HAN-NVE). Sweden sends the same numbers with
  /// codes: MA304H4 with 297 W, 107 var and 235 V stated 616, 529 and 558, so mA.
  static let kaifa = ListScale(power: 0, current: -3, voltage: -1, energy: 0, powerFactor: nil)

  /// Kamstrup, list `Kamstrup_V0001`, by the beginning of the meter type (code x-x:96.1.1).
  ///
  ///     TYPE      CURRENT  ENERGY  SOURCE
  ///     any       0.01 A   10 Wh   "Kamstrup HAN-NVE interface description" rev. 3.1, table of codes
  ///     685…      0.001 A  10 Wh   meters behind current transformers; amsreader-firmware #216
  ///     6841138…  0.01 A   1 Wh    Swedish configuration; amshan-homeassistant #43 shows register
  ///                                and display, amsreader-firmware #239 and #874 the same factor
  ///
  /// Power is in W and var, voltage in V, power factor in 0.01 everywhere. Nothing in the frame
  /// states the resolution of the registers, and hass-AMS #108 tells of a 6841138 that changed by a
  /// factor of ten: the type is the best sign there is, not a certain one.
  static func kamstrup(type: AXDRElement?, in bytes: Span<UInt8>) -> ListScale {
    var scale = ListScale(power: 0, current: -2, voltage: 0, energy: 1, powerFactor: -2)
    guard let type else { return scale }
    if type.hasPrefix("685", in: bytes) { scale.current = -3 }
    if type.hasPrefix("6841138", in: bytes) { scale.energy = 0 }
    return scale
  }

  /// The power of ten for a quantity, nil where the list is not known to send it.
  func exponent(of quantity: ElectricalQuantity) -> Int8? {
    switch quantity {
    case .activePower, .reactivePower: power
    case .current: current
    case .voltage: voltage
    case .activeEnergy, .reactiveEnergy: energy
    case .powerFactor: powerFactor
    }
  }
}
