import OBISDecoder

private typealias Tag = AXDRWriter.Tag

// MARK: Aidon

extension PushLayout {
  /// Norwegian lists 1, 2 and 3 of Aidon ("AIDON_V0001"; NVE-HAN OBIS codes, Aidon RJ45 HAN 1.7A).
  static func aidon(list: Int, phases: Int) -> PushLayout {
    let numbers: [PushItem] = [
      .version(OBISCode(1, 1, 0, 2, 129), "AIDON_V0001", tag: Tag.visibleString),
      .identifier(OBISCode(0, 0, 96, 1, 0), .nordicMeter, tag: Tag.visibleString),
      .type(OBISCode(0, 0, 96, 1, 7), phases == 1 ? "6515" : "6525", tag: Tag.visibleString),
    ]
    let lines = phases == 1 ? [UInt8(0)] : [0, 20, 40]
    let gauges =
      PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
      + PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
      + PushItem.values(lines.map { $0 + 31 }, 7, Tag.int16, -1, .ampere)
      + PushItem.values(lines.map { $0 + 32 }, 7, Tag.uint16, -1, .volt)
    let hourly: [PushItem] =
      [.clock(OBISCode(0, 0, 1, 0, 0))]
      + PushItem.values([1, 2], 8, Tag.uint32, 1, .wattHour)
      + PushItem.values([3, 4], 8, Tag.uint32, 1, .reactiveVoltAmpereHour)
    let items: [PushItem] =
      switch list {
      case 1: PushItem.values([1], 7, Tag.uint32, 0, .watt)
      case 2: numbers + gauges
      default: numbers + gauges + hourly
      }
    return aidon(items)
  }

  /// The Swedish list of 27 elements: clock, gauges of the whole and of each phase, registers.
  static let swedishAidon: PushLayout = {
    var items: [PushItem] = [.clock(OBISCode(0, 0, 1, 0, 0))]
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
    items += PushItem.values([31, 51, 71], 7, Tag.int16, -1, .ampere)
    items += PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt)
    for base in [UInt8(20), 40, 60] {
      items += PushItem.values([base + 1, base + 2], 7, Tag.uint32, 0, .watt)
      items += PushItem.values([base + 3, base + 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
    }
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    items += PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour)
    var layout = aidon(items)
    layout.dateTimeForm.status = 0xFF
    return layout
  }()

  private static func aidon(_ items: [PushItem]) -> PushLayout {
    PushLayout(
      shape: .described, headerTime: .none,
      transport: .hdlc(address: [0x41, 0x08, 0x83], control: 0x13), invokeID: 0x4000_0000,
      items: items)
  }
}

// MARK: Kaifa

extension PushLayout {
  /// Norwegian lists 1, 2 and 3 of Kaifa ("KFM_001"): 1, 9 or 13, 14 or 18 values without codes.
  static func kaifa(list: Int, phases: Int) -> PushLayout {
    let type = phases == 1 ? "MA105H2E" : "MA304H3E"
    var items: [PushItem] = []
    if list > 1 {
      items = [
        .version(OBISCode(1, 0, 0, 2, 129), "KFM_001", tag: Tag.octetString),
        .identifier(OBISCode(0, 0, 96, 1, 0), .nordicMeter, tag: Tag.octetString),
        .type(OBISCode(0, 0, 96, 1, 7), type, tag: Tag.octetString),
      ]
    }
    items += kaifaGauges(list == 1 ? [1] : [1, 2], phases: list == 1 ? 0 : phases)
    if list > 2 {
      items.append(.clock(OBISCode(0, 0, 1, 0, 0)))
      items += kaifaRegisters
    }
    return PushLayout(
      shape: .positional, headerTime: .tagged,
      transport: .hdlc(address: [0x01, 0x02, 0x01], control: 0x10), invokeID: 0x4000_0000,
      items: items)
  }

  /// The Swedish list of 18 elements with codes: 0.1 V, 1 mA, 1 Wh without saying so.
  static let swedishKaifa: PushLayout = {
    var items: [PushItem] = [
      .version(OBISCode(1, 0, 0, 2, 129), "KFM_001", tag: Tag.octetString),
      .identifier(OBISCode(0, 0, 96, 1, 0), .nordicMeter, tag: Tag.octetString),
      .type(OBISCode(0, 0, 96, 1, 7), "MA304H4", tag: Tag.octetString),
    ]
    items += kaifaGauges([1, 2], phases: 3)
    items.append(.clock(OBISCode(0, 0, 1, 0, 0)))
    items += kaifaRegisters
    var layout = PushLayout(
      shape: .pairs, headerTime: .none,
      transport: .hdlc(address: [0x01, 0x00, 0x01], control: 0x10), invokeID: 0x4000_0000,
      items: items)
    layout.sendsDeviation = true
    return layout
  }()

  private static func kaifaGauges(_ active: [UInt8], phases: Int) -> [PushItem] {
    var items = PushItem.values(active, 7, Tag.uint32, 0, .watt)
    guard phases > 0 else { return items }
    let lines = phases == 1 ? [UInt8(0)] : [0, 20, 40]
    items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
    items += PushItem.values(lines.map { $0 + 31 }, 7, Tag.uint32, -3, .ampere)
    items += PushItem.values(lines.map { $0 + 32 }, 7, Tag.uint32, -1, .volt)
    return items
  }

  private static let kaifaRegisters: [PushItem] =
    PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    + PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour)
}

// MARK: Kamstrup

extension PushLayout {
  /// Norwegian lists of Kamstrup ("Kamstrup_V0001"; HAN-NVE interface description 3.1): every 10 s,
  /// and hourly with clock and registers in units of 10 Wh.
  static func kamstrup(hourly: Bool, phases: Int) -> PushLayout {
    var items: [PushItem] = [
      .version(nil, "Kamstrup_V0001", tag: Tag.visibleString),
      .identifier(OBISCode(1, 1, 0, 0, 5), .nordicMeter, tag: Tag.visibleString),
      .type(
        OBISCode(1, 1, 96, 1, 1), phases == 1 ? "6861111XX999999999" : "6841121XX999999999",
        tag: Tag.visibleString),
    ]
    let quantities: [UInt8] = phases == 1 ? [1] : [1, 2]
    let lines = phases == 1 ? [UInt8(0)] : [0, 20, 40]
    items += PushItem.values(quantities, 7, Tag.uint32, 0, .watt, channel: 1)
    if phases == 3 {
      items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere, channel: 1)
    }
    items += PushItem.values(lines.map { $0 + 31 }, 7, Tag.uint32, -2, .ampere, channel: 1)
    items += PushItem.values(lines.map { $0 + 32 }, 7, Tag.uint16, 0, .volt, channel: 1)
    if hourly {
      items.append(.clock(OBISCode(0, 1, 1, 0, 0)))
      items += PushItem.values(quantities, 8, Tag.uint32, 1, .wattHour, channel: 1)
      if phases == 3 {
        items += PushItem.values([3, 4], 8, Tag.uint32, 1, .reactiveVoltAmpereHour, channel: 1)
      }
    }
    return kamstrup(items)
  }

  /// The Danish list of 65 elements: registers in 10 Wh, a serial number, power factors in 0.01.
  static let danishKamstrup: PushLayout = {
    var items: [PushItem] = [.version(nil, "Kamstrup_V0001", tag: Tag.visibleString)]
    items += PushItem.values([1, 2], 8, Tag.uint32, 1, .wattHour, channel: 1)
    items += PushItem.values([3, 4], 8, Tag.uint32, 1, .reactiveVoltAmpereHour, channel: 1)
    items.append(.serial(OBISCode(1, 1, 0, 0, 1)))
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt, channel: 1)
    items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere, channel: 1)
    items.append(.clock(OBISCode(0, 1, 1, 0, 0)))
    items += PushItem.values([32, 52, 72], 7, Tag.uint16, 0, .volt, channel: 1)
    items += PushItem.values([31, 51, 71], 7, Tag.uint32, -2, .ampere, channel: 1)
    items += PushItem.values([21, 41, 61], 7, Tag.uint32, 0, .watt, channel: 1)
    items += PushItem.values([33, 53, 73, 13], 7, Tag.uint16, -2, .one, channel: 1)
    items += PushItem.values([22, 42, 62], 7, Tag.uint32, 0, .watt, channel: 1)
    items += PushItem.values([22, 42, 62, 21, 41, 61], 8, Tag.uint32, 1, .wattHour, channel: 1)
    return kamstrup(items)
  }()

  private static func kamstrup(_ items: [PushItem]) -> PushLayout {
    PushLayout(
      shape: .pairs, headerTime: .plain,
      transport: .hdlc(address: [0x2B, 0x21], control: 0x13), invokeID: 0,
      items: items)
  }
}
