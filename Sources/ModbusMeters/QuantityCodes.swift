public import OBISDecoder

/// Under which OBIS code a meter's reading goes on: the one table from profiles to the registry.
///
/// C of the codes: 1 and 2 active, 3 and 4 reactive, 9 and 10 apparent, import and export; 15 active
/// import and export added; 11 current, 12 voltage, 13 power factor, 14 frequency; the phases are 20,
/// 40 and 60 higher. Source: DLMS UA Blue Book part 2, "Value group C codes – Electricity".
public enum QuantityCode: Equatable, Sendable {
  /// The value as it is.
  case plain(OBISCode)
  /// At 0 or more the first, below it the second without its sign; the other is 0.
  case signed(importing: OBISCode, exporting: OBISCode)
  /// Magnitude under the first or second, by the sign of active power; nothing while that is unknown.
  ///
  /// Apparent power has no direction of its own: "+" is what flows in quadrants I and IV.
  case directed(importing: OBISCode, exporting: OBISCode, by: MeterQuantity)
  /// The standard has no code for it: it stays in `meters show` and is not published.
  case unpublished
}

extension MeterQuantity {
  /// Where the quantity goes on.
  public var code: QuantityCode {
    switch self {
    case .voltageL1, .voltageL2, .voltageL3: .plain(QuantityCode.now(12, phase))
    case .currentL1, .currentL2, .currentL3: .plain(QuantityCode.now(11, phase))
    case .currentN: .plain(QuantityCode.now(91, 0))
    case .power, .powerL1, .powerL2, .powerL3: QuantityCode.signed(1, 2, phase)
    case .reactivePower, .reactivePowerL1, .reactivePowerL2, .reactivePowerL3:
      QuantityCode.signed(3, 4, phase)
    case .apparentPower, .apparentPowerL1, .apparentPowerL2, .apparentPowerL3:
      .directed(
        importing: QuantityCode.now(9, phase), exporting: QuantityCode.now(10, phase),
        by: [.power, .powerL1, .powerL2, .powerL3][phase])
    case .powerFactor, .powerFactorL1, .powerFactorL2, .powerFactorL3:
      .plain(QuantityCode.now(13, phase))
    case .frequency: .plain(QuantityCode.now(14, 0))
    case .energyImport, .energyImportL1, .energyImportL2, .energyImportL3:
      .plain(QuantityCode.counter(1, phase))
    case .energyExport, .energyExportL1, .energyExportL2, .energyExportL3:
      .plain(QuantityCode.counter(2, phase))
    case .energyTotal, .energyTotalL1, .energyTotalL2, .energyTotalL3:
      .plain(QuantityCode.counter(15, phase))
    case .energyT1: .plain(OBISCode(1, 0, 1, 8, 1))
    case .energyT2: .plain(OBISCode(1, 0, 1, 8, 2))
    case .energyT3: .plain(OBISCode(1, 0, 1, 8, 3))
    case .energyT4: .plain(OBISCode(1, 0, 1, 8, 4))
    case .reactiveEnergyImport: .plain(QuantityCode.counter(3, 0))
    case .reactiveEnergyExport: .plain(QuantityCode.counter(4, 0))
    case .reactiveEnergyTotal: .unpublished
    }
  }

  /// Every code that its values may go on under.
  public var codes: [OBISCode] {
    switch code {
    case .plain(let code): [code]
    case .signed(let importing, let exporting): [importing, exporting]
    case .directed(let importing, let exporting, _): [importing, exporting]
    case .unpublished: []
    }
  }

  /// The phase that a name ends in, 1…3; 0 for a total.
  private var phase: Int {
    if rawValue.hasSuffix("_l1") { return 1 }
    if rawValue.hasSuffix("_l2") { return 2 }
    return rawValue.hasSuffix("_l3") ? 3 : 0
  }
}

extension QuantityCode {
  fileprivate static func now(_ c: UInt8, _ phase: Int) -> OBISCode {
    OBISCode(1, 0, c + UInt8(20 * phase), 7, 0)
  }

  fileprivate static func counter(_ c: UInt8, _ phase: Int) -> OBISCode {
    OBISCode(1, 0, c + UInt8(20 * phase), 8, 0)
  }

  fileprivate static func signed(_ plus: UInt8, _ minus: UInt8, _ phase: Int) -> QuantityCode {
    .signed(importing: now(plus, phase), exporting: now(minus, phase))
  }
}

extension Readout {
  /// The readings that go on: each value under its code, in base units, with its place in the image's
  /// bytes; what is missing, rejected or has no code is not among them.
  public func readings(of profile: MeterProfile) -> [Reading] {
    var readings: [Reading] = []
    for (field, outcome) in zip(profile.fields, outcomes) {
      guard let quantity = field.quantity, case .value(let value, let offset, let count) = outcome
      else { continue }
      func add(_ code: OBISCode, _ value: Decimal?) {
        guard let value else { return }
        readings.append(
          Reading(
            code: code, value: value, unit: field.unit, medium: .electricity, time: nil,
            offset: offset, count: count))
      }
      let isNegative = value.mantissa < 0
      let magnitude = isNegative ? value.negated : value
      let zero = Decimal(mantissa: 0)
      switch quantity.code {
      case .plain(let code): add(code, value)
      case .signed(let importing, let exporting):
        add(importing, isNegative ? zero : value)
        add(exporting, isNegative ? magnitude : zero)
      case .directed(let importing, let exporting, let by):
        guard let power = self.value(by.rawValue, of: profile) else { continue }
        add(importing, power.mantissa < 0 ? zero : magnitude)
        add(exporting, power.mantissa < 0 ? magnitude : zero)
      case .unpublished: continue
      }
    }
    return readings
  }
}
