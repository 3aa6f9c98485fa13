import OBISDecoder

extension P1Layout {
  /// DSMR P1 companion standard 2.2 (2008): no clock, no checksum.
  static let dutch22 = P1Layout(
    identification: "TST5 SIMNL22",
    groups: [
      [.identifier(OBISCode(0, 0, 96, 1, 1), .dutchMeter, isHex: true)],
      P1Item.registers([1, 2], tariffs: 1...2, 5, "kWh"),
      [.count(OBISCode(0, 0, 96, 14, 0), 4)],
      P1Item.values([1, 2], 7, 4, 2, "kW"),
      [
        .value(P1Field(OBISCode(0, 0, 17, 0, 0), 4, 2, "kW")),
        .count(OBISCode(0, 0, 96, 3, 10), 1),
        .messageCode(OBISCode(0, 0, 96, 13, 1)), .message(OBISCode(0, 0, 96, 13, 0)),
        .subMeters(.continued),
      ],
    ],
    hasChecksum: false)

  /// DSMR P1 companion standard 4.2 (2014).
  static let dutch4 = P1Layout(
    identification: "TST5SIMNL-42",
    groups: [
      [
        .version(OBISCode(1, 3, 0, 2, 8), "42"), .clock,
        .identifier(OBISCode(0, 0, 96, 1, 1), .dutchMeter, isHex: true),
      ],
      P1Item.registers([1, 2], tariffs: 1...2, 6, "kWh"),
      [.count(OBISCode(0, 0, 96, 14, 0), 4)],
      P1Item.values([1, 2], 7, 2, 3, "kW"),
      [
        .count(OBISCode(0, 0, 96, 7, 21), 5), .count(OBISCode(0, 0, 96, 7, 9), 5), .failures,
      ],
      P1Item.voltageCounters,
      [.messageCode(OBISCode(0, 0, 96, 13, 1)), .message(OBISCode(0, 0, 96, 13, 0))],
      P1Item.values([31, 51, 71], 7, 3, 0, "A"),
      P1Item.values([21, 22, 41, 42, 61, 62], 7, 2, 3, "kW"),
      [.subMeters(.dutch)],
    ],
    hasChecksum: true)

  /// DSMR P1 companion standard 5.0.2 (2016), §6.12.
  static let dutch5 = P1Layout(
    identification: "TST5\\2SIMNL-50",
    groups: [
      [
        .version(OBISCode(1, 3, 0, 2, 8), "50"), .clock,
        .identifier(OBISCode(0, 0, 96, 1, 1), .dutchMeter, isHex: true),
      ],
      P1Item.registers([1, 2], tariffs: 1...2, 6, "kWh"),
      [.count(OBISCode(0, 0, 96, 14, 0), 4)],
      P1Item.values([1, 2], 7, 2, 3, "kW"),
      [
        .count(OBISCode(0, 0, 96, 7, 21), 5), .count(OBISCode(0, 0, 96, 7, 9), 5), .failures,
      ],
      P1Item.voltageCounters,
      [.message(OBISCode(0, 0, 96, 13, 0))],
      P1Item.values([32, 52, 72], 7, 3, 1, "V"),
      P1Item.values([31, 51, 71], 7, 3, 0, "A"),
      P1Item.values([21, 41, 61, 22, 42, 62], 7, 2, 3, "kW"),
      [.subMeters(.dutch)],
    ],
    hasChecksum: true)

  /// Belgian e-MUCS P1 1.7 (Fluvius, ORES, RESA, Sibelga).
  static let belgian = P1Layout(
    identification: "TST5\\2SIMBE_A",
    groups: [
      [
        .version(OBISCode(0, 0, 96, 1, 4), "50217"),
        .identifier(OBISCode(0, 0, 96, 1, 1), .meter, isHex: true),
        .identifier(OBISCode(0, 0, 96, 1, 2), .meteringPoint, isHex: true), .clock,
      ],
      P1Item.registers([1, 2], tariffs: 1...2, 6, "kWh"),
      [
        .count(OBISCode(0, 0, 96, 14, 0), 4),
        .value(P1Field(OBISCode(1, 0, 1, 4, 0), 2, 3, "kW")), .monthPeak, .peaks,
      ],
      P1Item.values([1, 2, 21, 41, 61, 22, 42, 62], 7, 2, 3, "kW"),
      P1Item.values([32, 52, 72], 7, 3, 1, "V"),
      P1Item.values([31, 51, 71], 7, 3, 2, "A"),
      [
        .count(OBISCode(0, 0, 96, 3, 10), 1),
        .value(P1Field(OBISCode(0, 0, 17, 0, 0), 3, 1, "kW")),
        .value(P1Field(OBISCode(1, 0, 31, 4, 0), 3, 0, "A")),
        .message(OBISCode(0, 0, 96, 13, 0)), .subMeters(.belgian),
      ],
    ],
    hasChecksum: true)

  /// The Swedish industry recommendation (Energiföretagen, local interface 2.0), which Finnish and
  /// Danish text meters follow too; `reactive` is how the maker writes the unit.
  static func nordic(_ identification: String, reactive: String) -> P1Layout {
    P1Layout(
      identification: identification,
      groups: [
        [.clock],
        P1Item.registers([1, 2], tariffs: 0...0, 8, "kWh"),
        P1Item.registers([3, 4], tariffs: 0...0, 8, reactive + "h"),
        P1Item.values([1, 2], 7, 4, 3, "kW"),
        P1Item.values([3, 4], 7, 4, 3, reactive),
        P1Item.values([21, 22, 41, 42, 61, 62], 7, 4, 3, "kW"),
        P1Item.values([23, 24, 43, 44, 63, 64], 7, 4, 3, reactive),
        P1Item.values([32, 52, 72], 7, 3, 1, "V"),
        P1Item.values([31, 51, 71], 7, 3, 1, "A"),
      ],
      hasChecksum: true)
  }

  static let swedish = nordic("TST5\\2SIMSE_A", reactive: "kvar")
  static let finnish = nordic("TST9 SIMFI", reactive: "kVAr")
  static let danish = nordic("TST5SIMDK", reactive: "kvar")
}
