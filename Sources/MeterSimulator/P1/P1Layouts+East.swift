import OBISDecoder

extension P1Layout {
  /// Hungarian P1 (E.ON, MVM; DSMR 5.0 with their own list and a billing line without count).
  static let hungarian = P1Layout(
    identification: "TST5SIMHU",
    groups: [
      [
        .clock, .identifier(OBISCode(0, 0, 42, 0, 0), .meter, isHex: true),
        .identifier(OBISCode(0, 0, 96, 1, 0), .nordicMeter, isHex: true),
        .count(OBISCode(0, 0, 96, 14, 0), 4), .count(OBISCode(0, 0, 96, 3, 10), 1),
        .value(P1Field(OBISCode(0, 0, 17, 0, 0), 2, 3, "kW")),
      ],
      P1Item.registers([1, 2], tariffs: 0...4, 6, "kWh"),
      P1Item.registers([3, 4, 5, 6, 7, 8], tariffs: 0...0, 6, "kvarh"),
      P1Item.registers([15], tariffs: 0...0, 6, "kWh"),
      P1Item.values([32, 52, 72], 7, 3, 1, "V"),
      P1Item.values([31, 51, 71], 7, 3, 0, "A"),
      P1Item.values([13, 33, 53, 73], 7, 1, 3, ""),
      P1Item.values([14], 7, 2, 2, "Hz"),
      P1Item.values([1, 2], 7, 2, 3, "kW"),
      P1Item.values([5, 6, 7, 8], 7, 2, 3, "kvar"),
      P1Item.values([31, 51, 71], 4, 3, 2, "A"),
      [.billing(hungarianBilling), .message(OBISCode(0, 0, 96, 13, 0))],
    ],
    hasChecksum: true)

  /// The values of the Hungarian billing line, in its order.
  private static let hungarianBilling: [P1Field] = {
    var fields: [P1Field] = []
    for c in [UInt8(1), 2] {
      for e in UInt8(0)...2 { fields.append(P1Field(OBISCode(1, 0, c, 8, e), 6, 3, "kWh")) }
    }
    for c in UInt8(3)...8 { fields.append(P1Field(OBISCode(1, 0, c, 8, 0), 6, 3, "kvarh")) }
    fields.append(P1Field(OBISCode(1, 0, 15, 8, 0), 6, 3, "kWh"))
    for c in [UInt8(1), 21, 41, 61, 2, 22] {
      fields.append(P1Field(OBISCode(1, 0, c, 6, 0), 2, 3, "kW"))
    }
    return fields
  }()

  /// Lithuanian P1 (ESO): kilovolts, kiloamperes and kilohertz.
  static let lithuanian = P1Layout(
    identification: "TST5\\2SIMLT",
    groups: [
      [.clock],
      P1Item.registers([1], tariffs: 0...0, 8, "kWh"),
      P1Item.registers([3, 4], tariffs: 0...0, 8, "kvarh"),
      P1Item.registers([1, 2], tariffs: 1...4, 8, "kWh"),
      P1Item.registers([3, 4], tariffs: 1...4, 8, "kvarh"),
      P1Item.values([32, 52, 72], 7, 4, 3, "kV"), P1Item.values([32, 52, 72], 24, 4, 3, "kV"),
      P1Item.values([31, 51, 71], 7, 4, 3, "kA"),
      P1Item.values([14], 7, 4, 3, "kHz"),
      P1Item.values([15, 21, 41, 61, 22, 42, 62], 7, 8, 3, "kW"),
      P1Item.values([23, 43, 63, 24, 44, 64], 7, 8, 3, "kvar"),
      P1Item.values([1, 2], 7, 8, 3, "kW"), P1Item.values([3, 4], 7, 8, 3, "kvar"),
      P1Item.values([9, 10], 7, 8, 3, "kVA"),
      P1Item.values([16], 7, 8, 3, "kW").signed(),
    ], hasChecksum: true)

  /// Luxembourgish Smarty P1 1.1.3, the plain text inside the cipher.
  static let luxembourgish = P1Layout(
    identification: "TST5\\2SIMLU_M",
    groups: [
      [
        .version(OBISCode(1, 3, 0, 2, 8), "42"), .clock,
        .identifier(OBISCode(0, 0, 42, 0, 0), .meter, isHex: true),
      ],
      P1Item.registers([1, 2], tariffs: 0...0, 6, "kWh"),
      P1Item.registers([3, 4], tariffs: 0...0, 6, "kvarh"),
      P1Item.values([1, 2], 7, 2, 3, "kW"),
      P1Item.values([3, 4], 7, 2, 3, "kvar"),
      [.value(P1Field(OBISCode(0, 0, 17, 0, 0), 3, 1, "kVA"))],
      P1Item.values([9, 10], 7, 2, 3, "kVA"),
      [
        .limits(OBISCode(1, 1, 31, 4, 0)), .count(OBISCode(0, 0, 96, 3, 10), 1),
        .count(OBISCode(0, 1, 96, 3, 10), 1), .count(OBISCode(0, 2, 96, 3, 10), 1),
        .count(OBISCode(0, 0, 96, 7, 21), 5),
      ],
      P1Item.voltageCounters,
      [.message(OBISCode(0, 0, 96, 13, 0))],
      (2...5).map { .empty(OBISCode(0, 0, 96, 13, $0)) },
      P1Item.values([32, 52, 72], 7, 3, 1, "V"),
      P1Item.values([31, 51, 71], 7, 3, 0, "A"),
      P1Item.values([21, 41, 61, 22, 42, 62], 7, 2, 3, "kW"),
      P1Item.values([23, 43, 63, 24, 44, 64], 7, 2, 3, "kvar"),
      [.subMeters(.luxembourgish)],
    ],
    hasChecksum: true)

  /// Swiss P1 with registers on electricity channel 1.
  static let swiss = P1Layout(
    identification: "TST5\\2SIMCH_A",
    groups: [
      [.clock, .identifier(OBISCode(0, 0, 96, 1, 0), .nordicMeter, isHex: true)],
      P1Item.registers([1, 2], tariffs: 1...2, 6, "kWh", channel: 1),
      [
        .count(OBISCode(0, 0, 96, 14, 0), 4),
        .value(P1Field(OBISCode(1, 1, 1, 7, 0), 2, 3, "kW")),
        .value(P1Field(OBISCode(1, 1, 2, 7, 0), 2, 3, "kW")),
        .count(OBISCode(0, 0, 96, 7, 21), 5), .count(OBISCode(0, 0, 96, 7, 9), 5), .failures,
      ],
      P1Item.voltageCounters,
      P1Item.values([32, 52, 72], 7, 3, 1, "V"),
      P1Item.values([31, 51, 71], 7, 3, 2, "A"),
      [.message(OBISCode(0, 0, 96, 13, 0))],
      P1Item.values([21, 22, 41, 42, 61, 62], 7, 2, 3, "kW"),
      [.subMeters(.dutch)],
    ],
    hasChecksum: true)
}

extension P1Layout {
  /// Sagemcom T210-D of Energienetze Steiermark ("EST5"): whole Wh and W, no number of the meter.
  static let styrian = P1Layout(
    identification: "TST5\\2SIMAT_A",
    groups: [
      [.version(OBISCode(1, 3, 0, 2, 8), "50"), .clock],
      tariffs(1, "Wh", "W"), tariffs(2, "Wh", "W"), tariffs(3, "varh", "var"),
      tariffs(4, "varh", "var"),
    ],
    hasChecksum: true)

  private static func tariffs(_ c: UInt8, _ register: String, _ gauge: String) -> [P1Item] {
    (0...2).map { .value(P1Field(OBISCode(1, 0, c, 8, $0), 9, 0, register)) }
      + P1Item.values([c], 7, 9, 0, gauge)
  }

  /// The same telegram, ciphered with a tag.
  func sealed(
    maker: String, authenticationKey: [UInt8] = CipherForm.exampleAuthenticationKey,
    isToldKey: Bool = true, isIntroduced: Bool = false
  ) -> P1Layout {
    var layout = self
    layout.cipher = CipherForm(
      maker: maker, security: 0x30, authenticationKey: authenticationKey,
      tellsAuthenticationKey: isToldKey)
    layout.introducesCipher = isIntroduced
    return layout
  }
}

extension [P1Item] {
  /// The same lines with a minus sign allowed.
  func signed() -> [P1Item] {
    map { item in
      guard case .value(var field) = item else { return item }
      field.isSigned = true
      return .value(field)
    }
  }
}
