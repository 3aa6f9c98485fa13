internal import OBISDecoder

/// The registry: one line for each quantity id, in order; ids are frozen.
///
/// Names, units and categories of payloads, discovery and documents all come from here. Codes are
/// C.D.E packed in 24 bits (0x010800 is 1.8.0). Sources: DLMS UA Blue Book part 2 (OBIS), DSMR
/// 5.0.2 P1 §6.12, e-MUCS P1 §6; ids to 100 follow the privacy design, from 101 they extend it.
enum QuantityTable {
  /// Who can be granted a quantity.
  enum Audience: UInt8, BitwiseCopyable {
    /// In-house grants only.
    case house
    /// Recipients outside too.
    case recipients
  }

  /// What the registry says of one quantity.
  struct Entry: Sendable, BitwiseCopyable {
    var id: UInt8
    var name: StaticString
    /// Groups C, D and E of its OBIS code, 0 where no code of channel 0 names it.
    var cde: UInt32
    var unit: Unit
    /// Bit of the category; all 32 bits are 0 for an id that is not given.
    var category: CategorySet
    var kind: Quantity.Kind
    var audience: Audience

    init(
      _ id: UInt8, _ name: StaticString, _ cde: UInt32, _ unit: Unit, _ category: CategorySet,
      _ kind: Quantity.Kind, _ audience: Audience
    ) {
      self.id = id
      self.name = name
      self.cde = cde
      self.unit = unit
      self.category = category
      self.kind = kind
      self.audience = audience
    }

    /// An id that is not given to a quantity.
    static func free(_ id: UInt8) -> Entry {
      Entry(id, "", 0, .one, CategorySet(rawValue: 0), .state, .house)
    }
  }

  static let entries: EachQuantity<Entry> = [
    Entry(0, "energy_import", 0x010800, .wattHour, .e1, .register, .recipients),
    Entry(1, "energy_import_tariff1", 0x010801, .wattHour, .e1, .register, .house),
    Entry(2, "energy_import_tariff2", 0x010802, .wattHour, .e1, .register, .house),
    Entry(3, "energy_import_tariff3", 0x010803, .wattHour, .e1, .register, .house),
    Entry(4, "energy_import_tariff4", 0x010804, .wattHour, .e1, .register, .house),
    Entry(5, "energy_export", 0x020800, .wattHour, .e2, .register, .recipients),
    Entry(6, "energy_export_tariff1", 0x020801, .wattHour, .e2, .register, .house),
    Entry(7, "energy_export_tariff2", 0x020802, .wattHour, .e2, .register, .house),
    Entry(8, "energy_export_tariff3", 0x020803, .wattHour, .e2, .register, .house),
    Entry(9, "energy_export_tariff4", 0x020804, .wattHour, .e2, .register, .house),
    Entry(10, "energy_import", 0, .wattHour, .e3, .register, .recipients),
    Entry(11, "energy_import_tariff1", 0, .wattHour, .e3, .register, .house),
    Entry(12, "energy_import_tariff2", 0, .wattHour, .e3, .register, .house),
    Entry(13, "energy_import_tariff3", 0, .wattHour, .e3, .register, .house),
    Entry(14, "energy_import_tariff4", 0, .wattHour, .e3, .register, .house),
    Entry(15, "energy_export", 0, .wattHour, .e4, .register, .recipients),
    Entry(16, "energy_export_tariff1", 0, .wattHour, .e4, .register, .house),
    Entry(17, "energy_export_tariff2", 0, .wattHour, .e4, .register, .house),
    Entry(18, "energy_export_tariff3", 0, .wattHour, .e4, .register, .house),
    Entry(19, "energy_export_tariff4", 0, .wattHour, .e4, .register, .house),
    Entry(20, "energy_import_last_hour", 0, .wattHour, .e5, .state, .recipients),
    Entry(21, "energy_export_last_hour", 0, .wattHour, .e5, .state, .recipients),
    Entry(22, "active_power_import", 0x010700, .watt, .p1, .gauge, .recipients),
    Entry(23, "active_power_net", 0x100700, .watt, .p1, .gauge, .house),
    Entry(24, "active_power_export", 0x020700, .watt, .p3, .gauge, .recipients),
    Entry(25, "active_power_import_l1", 0x150700, .watt, .p2, .gauge, .recipients),
    Entry(26, "active_power_import_l2", 0x290700, .watt, .p2, .gauge, .recipients),
    Entry(27, "active_power_import_l3", 0x3D0700, .watt, .p2, .gauge, .recipients),
    Entry(28, "active_power_export_l1", 0x160700, .watt, .p2, .gauge, .recipients),
    Entry(29, "active_power_export_l2", 0x2A0700, .watt, .p2, .gauge, .recipients),
    Entry(30, "active_power_export_l3", 0x3E0700, .watt, .p2, .gauge, .recipients),
    Entry(31, "voltage_l1", 0x200700, .volt, .v1, .gauge, .recipients),
    Entry(32, "voltage_l2", 0x340700, .volt, .v1, .gauge, .recipients),
    Entry(33, "voltage_l3", 0x480700, .volt, .v1, .gauge, .recipients),
    Entry(34, "voltage", 0x0C0700, .volt, .v1, .gauge, .house),
    Entry(35, "current_l1", 0x1F0700, .ampere, .a1, .gauge, .recipients),
    Entry(36, "current_l2", 0x330700, .ampere, .a1, .gauge, .recipients),
    Entry(37, "current_l3", 0x470700, .ampere, .a1, .gauge, .recipients),
    Entry(38, "current_n", 0x5B0700, .ampere, .a1, .gauge, .recipients),
    Entry(39, "current", 0x0B0700, .ampere, .a1, .gauge, .house),
    Entry(40, "reactive_power_import", 0x030700, .reactiveVoltAmpere, .q1, .gauge, .recipients),
    Entry(41, "reactive_power_export", 0x040700, .reactiveVoltAmpere, .q1, .gauge, .recipients),
    Entry(42, "reactive_power_q1", 0x050700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(43, "reactive_power_q2", 0x060700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(44, "reactive_power_q3", 0x070700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(45, "reactive_power_q4", 0x080700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(
      46, "reactive_energy_import", 0x030800, .reactiveVoltAmpereHour, .q1, .register, .recipients),
    Entry(
      47, "reactive_energy_export", 0x040800, .reactiveVoltAmpereHour, .q1, .register, .recipients),
    Entry(48, "reactive_energy_q1", 0x050800, .reactiveVoltAmpereHour, .q1, .register, .house),
    Entry(49, "reactive_energy_q2", 0x060800, .reactiveVoltAmpereHour, .q1, .register, .house),
    Entry(50, "reactive_energy_q3", 0x070800, .reactiveVoltAmpereHour, .q1, .register, .house),
    Entry(51, "reactive_energy_q4", 0x080800, .reactiveVoltAmpereHour, .q1, .register, .house),
    Entry(52, "frequency", 0x0E0700, .hertz, .f1, .gauge, .recipients),
    Entry(53, "power_factor", 0x0D0700, .one, .f1, .gauge, .recipients),
    Entry(54, "power_factor_l1", 0x210700, .one, .f1, .gauge, .house),
    Entry(55, "power_factor_l2", 0x350700, .one, .f1, .gauge, .house),
    Entry(56, "power_factor_l3", 0x490700, .one, .f1, .gauge, .house),
    Entry(57, "demand_import", 0x010400, .watt, .d1, .state, .recipients),
    Entry(58, "demand_import_peak", 0x010600, .watt, .d1, .state, .recipients),
    .free(59),
    .free(60),
    Entry(61, "long_power_failures", 0x600709, .one, .o1, .count, .recipients),
    Entry(62, "power_failures", 0x600715, .one, .o1, .count, .recipients),
    .free(63),
    Entry(64, "voltage_sags_l1", 0x202000, .one, .o1, .count, .recipients),
    Entry(65, "voltage_sags_l2", 0x342000, .one, .o1, .count, .recipients),
    Entry(66, "voltage_sags_l3", 0x482000, .one, .o1, .count, .recipients),
    Entry(67, "voltage_swells_l1", 0x202400, .one, .o1, .count, .recipients),
    Entry(68, "voltage_swells_l2", 0x342400, .one, .o1, .count, .recipients),
    Entry(69, "voltage_swells_l3", 0x482400, .one, .o1, .count, .recipients),
    Entry(70, "tariff", 0x600E00, .one, .t1, .state, .recipients),
    Entry(71, "power_limit", 0x110000, .watt, .l1, .state, .recipients),
    Entry(72, "current_limit_l1", 0x1F0400, .ampere, .l1, .state, .recipients),
    Entry(73, "breaker_state", 0x60030A, .one, .l1, .state, .recipients),
    Entry(74, "meter_time", 0, .one, .c1, .state, .house),
    Entry(75, "operating_time", 0x600800, .second, .u1, .register, .house),
    .free(76),
    .free(77),
    .free(78),
    .free(79),
    Entry(80, "gas_volume", 0, .cubicMetre, .m1, .register, .recipients),
    Entry(81, "water_volume", 0, .cubicMetre, .m2, .register, .recipients),
    Entry(82, "heat_energy", 0, .joule, .m3, .register, .recipients),
    Entry(83, "gas_volume", 0, .cubicMetre, .m1, .register, .recipients),
    Entry(84, "water_volume", 0, .cubicMetre, .m2, .register, .recipients),
    Entry(85, "heat_energy", 0, .joule, .m3, .register, .recipients),
    Entry(86, "gas_volume", 0, .cubicMetre, .m1, .register, .recipients),
    Entry(87, "water_volume", 0, .cubicMetre, .m2, .register, .recipients),
    Entry(88, "heat_energy", 0, .joule, .m3, .register, .recipients),
    Entry(89, "gas_volume", 0, .cubicMetre, .m1, .register, .recipients),
    Entry(90, "water_volume", 0, .cubicMetre, .m2, .register, .recipients),
    Entry(91, "heat_energy", 0, .joule, .m3, .register, .recipients),
    .free(92),
    .free(93),
    .free(94),
    .free(95),
    .free(96),
    .free(97),
    .free(98),
    .free(99),
    .free(100),
    Entry(101, "apparent_power_import", 0x090700, .voltAmpere, .q1, .gauge, .house),
    Entry(102, "apparent_power_export", 0x0A0700, .voltAmpere, .q1, .gauge, .house),
    Entry(103, "reactive_power_import_l1", 0x170700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(104, "reactive_power_export_l1", 0x180700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(105, "reactive_power_import_l2", 0x2B0700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(106, "reactive_power_export_l2", 0x2C0700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(107, "reactive_power_import_l3", 0x3F0700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(108, "reactive_power_export_l3", 0x400700, .reactiveVoltAmpere, .q1, .gauge, .house),
    Entry(109, "apparent_energy_import", 0x090800, .voltAmpereHour, .q1, .register, .house),
    Entry(110, "apparent_energy_export", 0x0A0800, .voltAmpereHour, .q1, .register, .house),
    Entry(111, "energy_import_l1", 0x150800, .wattHour, .e1, .register, .house),
    Entry(112, "energy_import_l2", 0x290800, .wattHour, .e1, .register, .house),
    Entry(113, "energy_import_l3", 0x3D0800, .wattHour, .e1, .register, .house),
    Entry(114, "energy_export_l1", 0x160800, .wattHour, .e2, .register, .house),
    Entry(115, "energy_export_l2", 0x2A0800, .wattHour, .e2, .register, .house),
    Entry(116, "energy_export_l3", 0x3E0800, .wattHour, .e2, .register, .house),
    Entry(117, "apparent_power_limit", 0x110000, .voltAmpere, .l1, .state, .house),
    Entry(
      118, "reactive_energy_import_tariff1", 0x030801, .reactiveVoltAmpereHour, .q1, .register,
      .house),
    Entry(
      119, "reactive_energy_import_tariff2", 0x030802, .reactiveVoltAmpereHour, .q1, .register,
      .house),
    Entry(
      120, "reactive_energy_export_tariff1", 0x040801, .reactiveVoltAmpereHour, .q1, .register,
      .house),
    Entry(
      121, "reactive_energy_export_tariff2", 0x040802, .reactiveVoltAmpereHour, .q1, .register,
      .house),
    Entry(122, "current_limit_l2", 0x330400, .ampere, .l1, .state, .house),
    Entry(123, "current_limit_l3", 0x470400, .ampere, .l1, .state, .house),
    Entry(124, "active_power_net_l1", 0x240700, .watt, .p2, .gauge, .house),
    Entry(125, "active_power_net_l2", 0x380700, .watt, .p2, .gauge, .house),
    Entry(126, "active_power_net_l3", 0x4C0700, .watt, .p2, .gauge, .house),
    Entry(127, "energy_total", 0x0F0800, .wattHour, .e1, .register, .house),
    Entry(128, "energy_total_l1", 0x230800, .wattHour, .e1, .register, .house),
    Entry(129, "energy_total_l2", 0x370800, .wattHour, .e1, .register, .house),
    Entry(130, "energy_total_l3", 0x4B0800, .wattHour, .e1, .register, .house),
    Entry(131, "apparent_power_import_l1", 0x1D0700, .voltAmpere, .q1, .gauge, .house),
    Entry(132, "apparent_power_import_l2", 0x310700, .voltAmpere, .q1, .gauge, .house),
    Entry(133, "apparent_power_import_l3", 0x450700, .voltAmpere, .q1, .gauge, .house),
    Entry(134, "apparent_power_export_l1", 0x1E0700, .voltAmpere, .q1, .gauge, .house),
    Entry(135, "apparent_power_export_l2", 0x320700, .voltAmpere, .q1, .gauge, .house),
    Entry(136, "apparent_power_export_l3", 0x460700, .voltAmpere, .q1, .gauge, .house),
  ]
}
