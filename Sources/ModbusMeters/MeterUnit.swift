import OBISDecoder

/// The units that a meter's manual may use, as base unit and power of ten.
enum MeterUnit {
  static let names: [(name: String, unit: Unit, power: Int8)] = [
    ("V", .volt, 0), ("kV", .volt, 3), ("mV", .volt, -3), ("A", .ampere, 0), ("mA", .ampere, -3),
    ("W", .watt, 0), ("kW", .watt, 3), ("MW", .watt, 6), ("VA", .voltAmpere, 0),
    ("kVA", .voltAmpere, 3), ("var", .reactiveVoltAmpere, 0), ("kvar", .reactiveVoltAmpere, 3),
    ("Wh", .wattHour, 0), ("kWh", .wattHour, 3), ("MWh", .wattHour, 6),
    ("varh", .reactiveVoltAmpereHour, 0), ("kvarh", .reactiveVoltAmpereHour, 3),
    ("Mvarh", .reactiveVoltAmpereHour, 6), ("Hz", .hertz, 0), ("1", .one, 0), ("%", .one, -2),
  ]

  /// Base unit and power of ten of a manual's unit, nil for one that no meter uses.
  static func named(_ name: String) -> (unit: Unit, power: Int8)? {
    names.first { $0.name == name }.map { ($0.unit, $0.power) }
  }

  /// The names of a base unit's multiples, `Wh, kWh or MWh`.
  static func alternatives(for unit: Unit) -> String {
    let words = names.filter { $0.unit == unit }.map(\.name)
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  /// What kind of quantity a unit measures, in an error's words.
  static func kind(of unit: Unit) -> String {
    switch unit {
    case .volt: "voltage"
    case .ampere: "current"
    case .watt: "power"
    case .voltAmpere: "apparent power"
    case .reactiveVoltAmpere: "reactive power"
    case .wattHour: "energy"
    case .reactiveVoltAmpereHour: "reactive energy"
    case .hertz: "frequency"
    default: "a plain number"
    }
  }

  /// What can be true of a unit's values, where a profile does not say.
  ///
  /// Wide enough for a transformer station, narrow enough that a number whose words are swapped falls
  /// outside most of the time (modbus.md §9, case 8). A power factor gets a hundredth for rounding.
  static func bounds(of unit: Unit) -> (lowest: Decimal, highest: Decimal) {
    let most: (Int64, Int64)
    switch unit {
    case .volt: most = (0, 1_000_000)
    case .ampere: most = (-100_000, 100_000)
    case .watt, .voltAmpere, .reactiveVoltAmpere: most = (-5_000_000, 5_000_000)
    case .wattHour: most = (0, 1_000_000_000_000)
    case .reactiveVoltAmpereHour: most = (-1_000_000_000_000, 1_000_000_000_000)
    case .hertz: most = (40, 70)
    default:
      return (Decimal(mantissa: -101, exponent: -2), Decimal(mantissa: 101, exponent: -2))
    }
    return (Decimal(mantissa: most.0), Decimal(mantissa: most.1))
  }
}
