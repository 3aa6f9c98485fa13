/// What a number measures, by its OBIS code; sets the unit where the frame carries none.
///
/// Source: DLMS UA Blue Book, part 2, "Value group C codes – Electricity" and "Value group D".
enum ElectricalQuantity: UInt8 {
  case activePower, reactivePower, apparentPower, current, voltage, powerFactor
  case activeEnergy, reactiveEnergy, apparentEnergy

  /// The quantity of an electricity code; nil for any other.
  init?(_ code: OBISCode) {
    // With group E a power is a harmonic, an energy that of a tariff.
    guard code.a == 1, code.d != 7 || code.e == 0 else { return nil }
    // Phases L1, L2 and L3 repeat the codes of the sum 20, 40 and 60 higher.
    let perPhase = code.c % 20
    switch (code.d, perPhase, code.c) {
    case (7, 1...2, ..<80), (7, 15...16, ..<80): self = .activePower
    // 5 … 8 are the quadrants.
    case (7, 3...8, ..<80): self = .reactivePower
    case (7, 9...10, ..<80): self = .apparentPower
    case (7, 13, ..<80): self = .powerFactor
    case (7, 11, 21..<80): self = .current
    case (7, 12, 21..<80): self = .voltage
    case (8, 1...2, ..<80), (8, 15...16, ..<80): self = .activeEnergy
    case (8, 3...8, ..<80): self = .reactiveEnergy
    case (8, 9...10, ..<80): self = .apparentEnergy
    default: return nil
    }
  }

  var unit: Unit {
    switch self {
    case .activePower: .watt
    case .reactivePower: .reactiveVoltAmpere
    case .apparentPower: .voltAmpere
    case .current: .ampere
    case .voltage: .volt
    case .powerFactor: .one
    case .activeEnergy: .wattHour
    case .reactiveEnergy: .reactiveVoltAmpereHour
    case .apparentEnergy: .voltAmpereHour
    }
  }
}

/// Powers of ten of a list that sends numbers without scaler and unit, by what they measure.
///
/// Where a frame does carry scaler and unit these win (Kaifa sends the same codes with them in
/// Austria).
struct ListScale: Equatable, BitwiseCopyable {
  var power: Int8
  var energy: Int8
  /// Nil, as below, where no such list has been seen with one.
  var current: Int8?
  var voltage: Int8?
  var powerFactor: Int8?

  /// Kaifa, list `KFM_001` with codes: W and var, mA, 0.1 V, Wh and varh.
  ///
  /// Sweden: MA304H4 with 297 W, 107 var and 235 V stated 616, 529 and 558, so mA; amsreader-firmware
  /// #242, #558. The same powers of ten as in "Kaifa HAN OBIS codes KFM_001" (NEK, HAN-NVE).
  static let kaifa = ListScale(power: 0, energy: 0, current: -3, voltage: -1)

  /// Landis+Gyr E450, flat list of 33 elements with its clock in front: W and var, Wh and varh.
  ///
  /// Stromnetz Graz, description of the customer interface v3 (smartmeter-datacollector #34); sent
  /// too by Swiss E450 without a push object list.
  static let e450 = ListScale(power: 0, energy: 0)

  /// Structures of an attribute descriptor and a value: W and Wh.
  ///
  /// Czech grid companies: EG.D and ČEZ Distribuce, descriptions of the HAN interface (RJ12). XT211:
  /// 1.7.0 of 1956 is the sum of 198, 1703 and 54, as a display in W and Wh shows them.
  static let czech = ListScale(power: 0, energy: 0)

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
    var scale = ListScale(power: 0, energy: 1, current: -2, voltage: 0, powerFactor: -2)
    guard let type else { return scale }
    if type.hasPrefix("685", in: bytes) { scale.current = -3 }
    if type.hasPrefix("6841138", in: bytes) { scale.energy = 0 }
    return scale
  }

  /// A list with a push object list, by the code of its push setup and the maker in its device name
  /// (0-0:42.0.0); nil where neither is known.
  ///
  ///     PUSH SETUP  MAKER     METER       VOLTAGE  CURRENT  SEEN
  ///     0-6:25.9.0  ISK       AM550       0.1 V    0.01 A   its lists with scalers have the same
  ///     0-6:25.9.0  LGZ       E360        0.1 V    0.01 A   2357 and 6 at 11 W
  ///     0-8:25.9.0  LGZ, –    E450, E570  1 V      0.01 A   236 and 9 at 28 W on two phases
  ///
  /// Power and energy are in W and Wh, power factor in 0.001 (smartmeter-datacollector, lge450.py and
  /// #54; amsreader-firmware #740, #949). E570 behind transformers sends 64-bit integers of which
  /// nothing tells the scale: `PushObjectList` refuses these.
  static func push(
    setup: OBISCode, name: AXDRElement?, in bytes: Span<UInt8>
  ) -> ListScale? {
    guard setup.a == 0, setup.cde == OBISCode.cde(25, 9, 0) else { return nil }
    let isLandisGyr = name?.hasPrefix("LGZ", in: bytes)
    let isIskraemeco = name?.hasPrefix("ISK", in: bytes) ?? false
    var scale = ListScale(power: 0, energy: 0, current: -2, voltage: -1, powerFactor: -3)
    switch setup.b {
    case 6 where isIskraemeco || isLandisGyr == true: return scale
    case 8 where isLandisGyr ?? true:
      scale.voltage = 0
      return scale
    default: return nil
    }
  }

  /// The power of ten for a quantity, nil where the list is not known to send it.
  func exponent(of quantity: ElectricalQuantity) -> Int8? {
    switch quantity {
    case .activePower, .reactivePower, .apparentPower: power
    case .current: current
    case .voltage: voltage
    case .activeEnergy, .reactiveEnergy, .apparentEnergy: energy
    case .powerFactor: powerFactor
    }
  }

  /// The scale of a list of codes and values, by its id or, for Kamstrup, the meter type behind it.
  ///
  /// Nil for a list that is not known to leave out its scalers. `cursor` has read `root`. Reads
  /// ahead, and stops without an error at what it cannot read.
  init?(_ root: AXDRElement, at cursor: AXDRCursor, in bytes: Span<UInt8>) {
    var probe = cursor
    guard let first = try? probe.next(in: bytes) else { return nil }
    let isKamstrup = first.isText("Kamstrup_V0001", in: bytes)
    let isTimed = root.count == 33 && first.isDateTime && first.level == 1
    if !isKamstrup, !isTimed { probe = cursor }
    while probe.level > 0, let head = try? probe.next(in: bytes),
      let item = try? COSEMItem(head, &probe, in: bytes)
    {
      if isTimed, item.code.cde == OBISCode.cde(1, 8, 0) {
        self = .e450
        return
      }
      if item.value.isText(ListLayout.kaifaName, in: bytes),
        item.code.cde == OBISCode.cde(0, 2, 129)
      {
        self = .kaifa
        return
      }
      if isKamstrup, item.value.isString, item.code.cde == OBISCode.cde(96, 1, 1) {
        self = .kamstrup(type: item.value, in: bytes)
        return
      }
    }
    guard isKamstrup else { return nil }
    self = .kamstrup(type: nil, in: bytes)
  }

  private init(
    power: Int8, energy: Int8, current: Int8? = nil, voltage: Int8? = nil, powerFactor: Int8? = nil
  ) {
    self.power = power
    self.energy = energy
    self.current = current
    self.voltage = voltage
    self.powerFactor = powerFactor
  }
}
