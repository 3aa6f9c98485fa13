public import OBISDecoder

/// A reading that a profile can name.
///
/// Power and reactive power are positive where the household takes from the grid. A meter of one phase
/// has the total of power and the voltage and current of L1.
public enum MeterQuantity: String, CaseIterable, Sendable, BitwiseCopyable {
  case voltageL1 = "voltage_l1"
  case voltageL2 = "voltage_l2"
  case voltageL3 = "voltage_l3"
  case currentL1 = "current_l1"
  case currentL2 = "current_l2"
  case currentL3 = "current_l3"
  case currentN = "current_n"
  case power
  case powerL1 = "power_l1"
  case powerL2 = "power_l2"
  case powerL3 = "power_l3"
  case reactivePower = "reactive_power"
  case reactivePowerL1 = "reactive_power_l1"
  case reactivePowerL2 = "reactive_power_l2"
  case reactivePowerL3 = "reactive_power_l3"
  case apparentPower = "apparent_power"
  case apparentPowerL1 = "apparent_power_l1"
  case apparentPowerL2 = "apparent_power_l2"
  case apparentPowerL3 = "apparent_power_l3"
  case powerFactor = "power_factor"
  case powerFactorL1 = "power_factor_l1"
  case powerFactorL2 = "power_factor_l2"
  case powerFactorL3 = "power_factor_l3"
  case frequency
  case energyImport = "energy_import"
  case energyImportL1 = "energy_import_l1"
  case energyImportL2 = "energy_import_l2"
  case energyImportL3 = "energy_import_l3"
  case energyExport = "energy_export"
  case energyExportL1 = "energy_export_l1"
  case energyExportL2 = "energy_export_l2"
  case energyExportL3 = "energy_export_l3"
  /// Import and export added.
  case energyTotal = "energy_total"
  case energyTotalL1 = "energy_total_l1"
  case energyTotalL2 = "energy_total_l2"
  case energyTotalL3 = "energy_total_l3"
  /// Import by tariff.
  case energyT1 = "energy_t1"
  case energyT2 = "energy_t2"
  case energyT3 = "energy_t3"
  case energyT4 = "energy_t4"
  case reactiveEnergyImport = "reactive_energy_import"
  case reactiveEnergyExport = "reactive_energy_export"
  /// Import and export added.
  case reactiveEnergyTotal = "reactive_energy_total"

  /// The base unit of its values.
  public var unit: Unit {
    switch self {
    case .voltageL1, .voltageL2, .voltageL3: .volt
    case .currentL1, .currentL2, .currentL3, .currentN: .ampere
    case .power, .powerL1, .powerL2, .powerL3: .watt
    case .reactivePower, .reactivePowerL1, .reactivePowerL2, .reactivePowerL3: .reactiveVoltAmpere
    case .apparentPower, .apparentPowerL1, .apparentPowerL2, .apparentPowerL3: .voltAmpere
    case .powerFactor, .powerFactorL1, .powerFactorL2, .powerFactorL3: .one
    case .frequency: .hertz
    case .reactiveEnergyImport, .reactiveEnergyExport, .reactiveEnergyTotal: .reactiveVoltAmpereHour
    case .energyImport, .energyImportL1, .energyImportL2, .energyImportL3, .energyExport,
      .energyExportL1, .energyExportL2, .energyExportL3, .energyTotal, .energyTotalL1,
      .energyTotalL2, .energyTotalL3, .energyT1, .energyT2, .energyT3, .energyT4:
      .wattHour
    }
  }

  /// Whether it only ever grows, so that the counter guard watches it.
  public var isCounter: Bool { unit == .wattHour || unit == .reactiveVoltAmpereHour }
}
