import ModbusMeters
import OBISDecoder

/// What a household's meter shows under a name of a Modbus profile, in the base unit.
enum SimulatedQuantity {
  /// The value, nil where the household has none: a neutral current, a tariff beyond the second.
  static func value(of quantity: MeterQuantity, in state: MeterState) -> Decimal? {
    var name = quantity.rawValue
    var phase: UInt8 = 0
    if name.hasSuffix("_l1") { phase = 1 }
    if name.hasSuffix("_l2") { phase = 2 }
    if name.hasSuffix("_l3") { phase = 3 }
    if phase > 0 { name = String(name.dropLast(3)) }
    func now(_ c: UInt8) -> Decimal? { state.values[OBISCode(1, 0, c + 20 * phase, 7, 0)] }
    func counted(_ c: UInt8, _ tariff: UInt8 = 0) -> Decimal? {
      state.values[OBISCode(1, 0, c + 20 * phase, 8, tariff)]
    }
    switch name {
    case "voltage": return now(12)
    case "current": return now(11)
    case "power": return now(1)?.less(now(2))
    case "reactive_power": return now(3)?.less(now(4))
    case "apparent_power": return now(9)?.plus(now(10))
    case "power_factor": return now(13)
    case "frequency": return now(14)
    case "energy_import": return counted(1)
    case "energy_export": return counted(2)
    case "energy_total": return counted(1)?.plus(counted(2))
    case "energy_t1": return counted(1, 1)
    case "energy_t2": return counted(1, 2)
    case "energy_t3": return counted(1, 3)
    case "energy_t4": return counted(1, 4)
    case "reactive_energy_import": return counted(3)
    case "reactive_energy_export": return counted(4)
    case "reactive_energy_total": return counted(3)?.plus(counted(4))
    default: return nil
    }
  }
}

extension Decimal {
  /// The sum; nil with nothing, or where it does not fit.
  fileprivate func plus(_ other: Decimal?) -> Decimal? {
    guard let other else { return nil }
    let power = min(exponent, other.exponent)
    guard let one = mantissa(at: power), let two = other.mantissa(at: power) else { return nil }
    let (sum, overflow) = one.addingReportingOverflow(two)
    return overflow ? nil : Decimal(mantissa: sum, exponent: power)
  }

  /// The difference; nil with nothing, or where it does not fit.
  fileprivate func less(_ other: Decimal?) -> Decimal? {
    plus(other.map { Decimal(mantissa: -$0.mantissa, exponent: $0.exponent) })
  }
}
