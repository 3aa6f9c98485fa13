internal import OBISDecoder

/// What the registry says of one quantity.
struct QuantityEntry: Sendable, BitwiseCopyable {
  var name: StaticString
  /// Groups C, D and E of its OBIS code, 0 where no code of channel 0 names it.
  var cde: UInt32
  var unit: Unit
  var category: CategorySet
  var kind: Quantity.Kind
  /// Whether recipients outside get it; the others appear only in the house.
  var isForRecipients: Bool

  init(
    _ name: StaticString, _ cde: UInt32, _ unit: Unit, _ category: CategorySet,
    _ kind: Quantity.Kind, outside: Bool
  ) {
    self.name = name
    self.cde = cde
    self.unit = unit
    self.category = category
    self.kind = kind
    self.isForRecipients = outside
  }

  /// An id that is not given to a quantity.
  static var free: QuantityEntry {
    QuantityEntry("", 0, .one, CategorySet(rawValue: 0), .state, outside: false)
  }
}

/// The registry: one line for each quantity id, in order; ids are frozen.
///
/// Names, units and categories of payloads, discovery and documents all come from here. Codes are
/// C.D.E packed in 24 bits (0x010800 is 1.8.0). Sources: DLMS UA Blue Book part 2 (OBIS), DSMR
/// 5.0.2 P1 §6.12, e-MUCS P1 §6; ids to 100 follow the privacy design, from 101 they extend it.
enum QuantityTable {
  static let entries: [124 of QuantityEntry] = [
    QuantityEntry("energy_import", 0x010800, .wattHour, .e1, .register, outside: true),  // 0
    QuantityEntry("energy_import_tariff1", 0x010801, .wattHour, .e1, .register, outside: false),  // 1
    QuantityEntry("energy_import_tariff2", 0x010802, .wattHour, .e1, .register, outside: false),  // 2
    QuantityEntry("energy_import_tariff3", 0x010803, .wattHour, .e1, .register, outside: false),  // 3
    QuantityEntry("energy_import_tariff4", 0x010804, .wattHour, .e1, .register, outside: false),  // 4
    QuantityEntry("energy_export", 0x020800, .wattHour, .e2, .register, outside: true),  // 5
    QuantityEntry("energy_export_tariff1", 0x020801, .wattHour, .e2, .register, outside: false),  // 6
    QuantityEntry("energy_export_tariff2", 0x020802, .wattHour, .e2, .register, outside: false),  // 7
    QuantityEntry("energy_export_tariff3", 0x020803, .wattHour, .e2, .register, outside: false),  // 8
    QuantityEntry("energy_export_tariff4", 0x020804, .wattHour, .e2, .register, outside: false),  // 9
    QuantityEntry("energy_import", 0, .wattHour, .e3, .register, outside: true),  // 10
    QuantityEntry("energy_import_tariff1", 0, .wattHour, .e3, .register, outside: false),  // 11
    QuantityEntry("energy_import_tariff2", 0, .wattHour, .e3, .register, outside: false),  // 12
    QuantityEntry("energy_import_tariff3", 0, .wattHour, .e3, .register, outside: false),  // 13
    QuantityEntry("energy_import_tariff4", 0, .wattHour, .e3, .register, outside: false),  // 14
    QuantityEntry("energy_export", 0, .wattHour, .e4, .register, outside: true),  // 15
    QuantityEntry("energy_export_tariff1", 0, .wattHour, .e4, .register, outside: false),  // 16
    QuantityEntry("energy_export_tariff2", 0, .wattHour, .e4, .register, outside: false),  // 17
    QuantityEntry("energy_export_tariff3", 0, .wattHour, .e4, .register, outside: false),  // 18
    QuantityEntry("energy_export_tariff4", 0, .wattHour, .e4, .register, outside: false),  // 19
    QuantityEntry("energy_import_last_hour", 0, .wattHour, .e5, .state, outside: true),  // 20
    QuantityEntry("energy_export_last_hour", 0, .wattHour, .e5, .state, outside: true),  // 21
    QuantityEntry("active_power_import", 0x010700, .watt, .p1, .gauge, outside: true),  // 22
    QuantityEntry("active_power_net", 0x100700, .watt, .p1, .gauge, outside: false),  // 23
    QuantityEntry("active_power_export", 0x020700, .watt, .p3, .gauge, outside: true),  // 24
    QuantityEntry("active_power_import_l1", 0x150700, .watt, .p2, .gauge, outside: true),  // 25
    QuantityEntry("active_power_import_l2", 0x290700, .watt, .p2, .gauge, outside: true),  // 26
    QuantityEntry("active_power_import_l3", 0x3D0700, .watt, .p2, .gauge, outside: true),  // 27
    QuantityEntry("active_power_export_l1", 0x160700, .watt, .p2, .gauge, outside: true),  // 28
    QuantityEntry("active_power_export_l2", 0x2A0700, .watt, .p2, .gauge, outside: true),  // 29
    QuantityEntry("active_power_export_l3", 0x3E0700, .watt, .p2, .gauge, outside: true),  // 30
    QuantityEntry("voltage_l1", 0x200700, .volt, .v1, .gauge, outside: true),  // 31
    QuantityEntry("voltage_l2", 0x340700, .volt, .v1, .gauge, outside: true),  // 32
    QuantityEntry("voltage_l3", 0x480700, .volt, .v1, .gauge, outside: true),  // 33
    QuantityEntry("voltage", 0x0C0700, .volt, .v1, .gauge, outside: false),  // 34
    QuantityEntry("current_l1", 0x1F0700, .ampere, .a1, .gauge, outside: true),  // 35
    QuantityEntry("current_l2", 0x330700, .ampere, .a1, .gauge, outside: true),  // 36
    QuantityEntry("current_l3", 0x470700, .ampere, .a1, .gauge, outside: true),  // 37
    QuantityEntry("current_n", 0x5B0700, .ampere, .a1, .gauge, outside: true),  // 38
    QuantityEntry("current", 0x0B0700, .ampere, .a1, .gauge, outside: false),  // 39
    QuantityEntry(
      "reactive_power_import", 0x030700, .reactiveVoltAmpere, .q1, .gauge, outside: true),  // 40
    QuantityEntry(
      "reactive_power_export", 0x040700, .reactiveVoltAmpere, .q1, .gauge, outside: true),  // 41
    QuantityEntry("reactive_power_q1", 0x050700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 42
    QuantityEntry("reactive_power_q2", 0x060700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 43
    QuantityEntry("reactive_power_q3", 0x070700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 44
    QuantityEntry("reactive_power_q4", 0x080700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 45
    QuantityEntry(
      "reactive_energy_import", 0x030800, .reactiveVoltAmpereHour, .q1, .register, outside: true),  // 46
    QuantityEntry(
      "reactive_energy_export", 0x040800, .reactiveVoltAmpereHour, .q1, .register, outside: true),  // 47
    QuantityEntry(
      "reactive_energy_q1", 0x050800, .reactiveVoltAmpereHour, .q1, .register, outside: false),  // 48
    QuantityEntry(
      "reactive_energy_q2", 0x060800, .reactiveVoltAmpereHour, .q1, .register, outside: false),  // 49
    QuantityEntry(
      "reactive_energy_q3", 0x070800, .reactiveVoltAmpereHour, .q1, .register, outside: false),  // 50
    QuantityEntry(
      "reactive_energy_q4", 0x080800, .reactiveVoltAmpereHour, .q1, .register, outside: false),  // 51
    QuantityEntry("frequency", 0x0E0700, .hertz, .f1, .gauge, outside: true),  // 52
    QuantityEntry("power_factor", 0x0D0700, .one, .f1, .gauge, outside: true),  // 53
    QuantityEntry("power_factor_l1", 0x210700, .one, .f1, .gauge, outside: false),  // 54
    QuantityEntry("power_factor_l2", 0x350700, .one, .f1, .gauge, outside: false),  // 55
    QuantityEntry("power_factor_l3", 0x490700, .one, .f1, .gauge, outside: false),  // 56
    QuantityEntry("demand_import", 0x010400, .watt, .d1, .state, outside: true),  // 57
    QuantityEntry("demand_import_peak", 0x010600, .watt, .d1, .state, outside: true),  // 58
    .free,  // 59
    .free,  // 60
    QuantityEntry("long_power_failures", 0x600709, .one, .o1, .count, outside: true),  // 61
    QuantityEntry("power_failures", 0x600715, .one, .o1, .count, outside: true),  // 62
    .free,  // 63
    QuantityEntry("voltage_sags_l1", 0x202000, .one, .o1, .count, outside: true),  // 64
    QuantityEntry("voltage_sags_l2", 0x342000, .one, .o1, .count, outside: true),  // 65
    QuantityEntry("voltage_sags_l3", 0x482000, .one, .o1, .count, outside: true),  // 66
    QuantityEntry("voltage_swells_l1", 0x202400, .one, .o1, .count, outside: true),  // 67
    QuantityEntry("voltage_swells_l2", 0x342400, .one, .o1, .count, outside: true),  // 68
    QuantityEntry("voltage_swells_l3", 0x482400, .one, .o1, .count, outside: true),  // 69
    QuantityEntry("tariff", 0x600E00, .one, .t1, .state, outside: true),  // 70
    QuantityEntry("power_limit", 0x110000, .watt, .l1, .state, outside: true),  // 71
    QuantityEntry("current_limit_l1", 0x1F0400, .ampere, .l1, .state, outside: true),  // 72
    QuantityEntry("breaker_state", 0x60030A, .one, .l1, .state, outside: true),  // 73
    QuantityEntry("meter_time", 0, .one, .c1, .state, outside: false),  // 74
    QuantityEntry("operating_time", 0x600800, .second, .u1, .register, outside: false),  // 75
    .free,  // 76
    .free,  // 77
    .free,  // 78
    .free,  // 79
    QuantityEntry("gas_volume", 0, .cubicMetre, .m1, .register, outside: true),  // 80
    QuantityEntry("water_volume", 0, .cubicMetre, .m2, .register, outside: true),  // 81
    QuantityEntry("heat_energy", 0, .joule, .m3, .register, outside: true),  // 82
    QuantityEntry("gas_volume", 0, .cubicMetre, .m1, .register, outside: true),  // 83
    QuantityEntry("water_volume", 0, .cubicMetre, .m2, .register, outside: true),  // 84
    QuantityEntry("heat_energy", 0, .joule, .m3, .register, outside: true),  // 85
    QuantityEntry("gas_volume", 0, .cubicMetre, .m1, .register, outside: true),  // 86
    QuantityEntry("water_volume", 0, .cubicMetre, .m2, .register, outside: true),  // 87
    QuantityEntry("heat_energy", 0, .joule, .m3, .register, outside: true),  // 88
    QuantityEntry("gas_volume", 0, .cubicMetre, .m1, .register, outside: true),  // 89
    QuantityEntry("water_volume", 0, .cubicMetre, .m2, .register, outside: true),  // 90
    QuantityEntry("heat_energy", 0, .joule, .m3, .register, outside: true),  // 91
    .free,  // 92
    .free,  // 93
    .free,  // 94
    .free,  // 95
    .free,  // 96
    .free,  // 97
    .free,  // 98
    .free,  // 99
    .free,  // 100
    QuantityEntry("apparent_power_import", 0x090700, .voltAmpere, .q1, .gauge, outside: false),  // 101
    QuantityEntry("apparent_power_export", 0x0A0700, .voltAmpere, .q1, .gauge, outside: false),  // 102
    QuantityEntry(
      "reactive_power_import_l1", 0x170700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 103
    QuantityEntry(
      "reactive_power_export_l1", 0x180700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 104
    QuantityEntry(
      "reactive_power_import_l2", 0x2B0700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 105
    QuantityEntry(
      "reactive_power_export_l2", 0x2C0700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 106
    QuantityEntry(
      "reactive_power_import_l3", 0x3F0700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 107
    QuantityEntry(
      "reactive_power_export_l3", 0x400700, .reactiveVoltAmpere, .q1, .gauge, outside: false),  // 108
    QuantityEntry(
      "apparent_energy_import", 0x090800, .voltAmpereHour, .q1, .register, outside: false),  // 109
    QuantityEntry(
      "apparent_energy_export", 0x0A0800, .voltAmpereHour, .q1, .register, outside: false),  // 110
    QuantityEntry("energy_import_l1", 0x150800, .wattHour, .e1, .register, outside: false),  // 111
    QuantityEntry("energy_import_l2", 0x290800, .wattHour, .e1, .register, outside: false),  // 112
    QuantityEntry("energy_import_l3", 0x3D0800, .wattHour, .e1, .register, outside: false),  // 113
    QuantityEntry("energy_export_l1", 0x160800, .wattHour, .e2, .register, outside: false),  // 114
    QuantityEntry("energy_export_l2", 0x2A0800, .wattHour, .e2, .register, outside: false),  // 115
    QuantityEntry("energy_export_l3", 0x3E0800, .wattHour, .e2, .register, outside: false),  // 116
    QuantityEntry("apparent_power_limit", 0x110000, .voltAmpere, .l1, .state, outside: false),  // 117
    QuantityEntry(
      "reactive_energy_import_tariff1", 0x030801, .reactiveVoltAmpereHour, .q1, .register,
      outside: false),  // 118
    QuantityEntry(
      "reactive_energy_import_tariff2", 0x030802, .reactiveVoltAmpereHour, .q1, .register,
      outside: false),  // 119
    QuantityEntry(
      "reactive_energy_export_tariff1", 0x040801, .reactiveVoltAmpereHour, .q1, .register,
      outside: false),  // 120
    QuantityEntry(
      "reactive_energy_export_tariff2", 0x040802, .reactiveVoltAmpereHour, .q1, .register,
      outside: false),  // 121
    QuantityEntry("current_limit_l2", 0x330400, .ampere, .l1, .state, outside: false),  // 122
    QuantityEntry("current_limit_l3", 0x470400, .ampere, .l1, .state, outside: false),  // 123
  ]
}
