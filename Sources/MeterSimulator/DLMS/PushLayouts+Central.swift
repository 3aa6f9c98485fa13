import OBISDecoder

private typealias Tag = AXDRWriter.Tag

private let clockCode = OBISCode(0, 0, 1, 0, 0)
private let deviceName = OBISCode(0, 0, 42, 0, 0)
private let meterNumber = OBISCode(0, 0, 96, 1, 0)

// MARK: Switzerland

extension PushLayout {
  /// Landis+Gyr E450 in clear over block transfer: the list of objects, then their values, each
  /// register followed by scaler and unit (attribute 3) where `sendsScalers`
  /// (scs/smartmeter-datacollector, lg_e450; Landis+Gyr "E450 customer interface").
  static func landisGyr(sendsScalers: Bool) -> PushLayout {
    var items: [PushItem] = [
      .objectList(OBISCode(0, 8, 25, 9, 0)), .name(OBISCode(0, 8, 25, 9, 0)),
      .identifier(meterNumber, .serial, tag: Tag.octetString),
    ]
    var registers = PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    registers += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour, channel: 1)
    registers += PushItem.values(
      [5, 6, 7, 8], 8, Tag.uint32, 0, .reactiveVoltAmpereHour, channel: 1)
    if sendsScalers {
      registers += PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt)
      registers += PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere)
    }
    for case .value(let field) in registers {
      items.append(.value(field))
      if sendsScalers { items.append(.scaler(field)) }
    }
    return landisGyr(.objects, 0xFF, items)
  }

  /// Landis+Gyr E450 with codes and values in turn, encrypted and authenticated.
  static let sealedE450: PushLayout = {
    var items: [PushItem] = [.clock(nil)]
    for (c, unit, rate) in [
      (UInt8(1), Unit.wattHour, Unit.watt), (2, .wattHour, .watt),
      (3, .reactiveVoltAmpereHour, .reactiveVoltAmpere),
      (4, .reactiveVoltAmpereHour, .reactiveVoltAmpere),
    ] {
      for e in UInt8(0)...2 {
        items.append(.value(PushField(OBISCode(1, 0, c, 8, e), Tag.uint32, 0, unit)))
      }
      items += PushItem.values([c], 7, Tag.uint32, 0, rate)
    }
    var layout = landisGyr(.pairs, 0xFF, items)
    layout.cipher = CipherForm(maker: "LGZ", security: 0x30)
    return layout
  }()

  /// Landis+Gyr E570: the list of objects, then values, encrypted only.
  ///
  /// Connected directly; behind transformers it sends 64 bits in units that nobody tells.
  static let sealedE570: PushLayout = {
    var items: [PushItem] = [
      .objectList(OBISCode(0, 8, 25, 9, 0)), .name(OBISCode(0, 8, 25, 9, 0)),
      .identifier(deviceName, .deviceName("LGZ"), tag: Tag.octetString), .clock(clockCode),
    ]
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour, channel: 1)
    items += PushItem.values([5, 6, 7, 8], 8, Tag.uint32, 0, .reactiveVoltAmpereHour, channel: 1)
    items += untold(PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere))
    items += untold(PushItem.values([13], 7, Tag.int16, -3, .one))
    var layout = landisGyr(.objects, 0x9B, items)
    layout.cipher = CipherForm(maker: "LGZ", security: 0x20)
    return layout
  }()

  /// Iskra AM550 in Switzerland: the list of objects, then values, in three HDLC segments
  /// (scs/smartmeter-datacollector, iskraam550).
  static let swissIskra: PushLayout = {
    var items: [PushItem] = [
      .objectList(OBISCode(0, 6, 25, 9, 0)),
      .identifier(deviceName, .deviceName("ISK"), tag: Tag.octetString),
    ]
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour, channel: 1)
    items += PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour, channel: 1)
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt, channel: 1)
    items += untold(PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt))
    items += untold(PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere))
    var layout = landisGyr(.objects, 0xFF, items)
    layout.transport = .iskraSegments
    return layout
  }()

  private static func landisGyr(
    _ shape: Shape, _ destination: UInt8, _ items: [PushItem]
  ) -> PushLayout {
    PushLayout(
      shape: shape, headerTime: .plain,
      transport: .blocks(address: [0xCE, destination, 0x03], control: 0x13, information: 129),
      invokeID: 0x0003_B533, items: items)
  }

  /// Values whose resolution and unit no list says.
  private static func untold(_ items: [PushItem]) -> [PushItem] {
    items.map { item in
      guard case .value(var field) = item else { return item }
      field.isTold = false
      return .value(field)
    }
  }
}

// MARK: Slovenia and the Czech Republic

extension PushLayout {
  /// Positional lists 1 (gauges) and 2 (registers) of SODO, Slovenia ("Navodila za uporabo vmesnika
  /// I1"; recorded from an Iskra AM550).
  static func slovenian(list: Int) -> PushLayout {
    var items: [PushItem] = [.identifier(nil, .deviceName("ISK"), tag: Tag.octetString)]
    if list == 1 {
      items.append(.identifier(nil, .serial, tag: Tag.octetString))
      items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
      items += PushItem.values([3, 4], 7, Tag.uint32, 0, .reactiveVoltAmpere)
      items += PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt)
      items += PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere)
      items += PushItem.values([21, 41, 61, 22, 42, 62], 7, Tag.uint32, 0, .watt)
    } else {
      items += [
        .empty, .state(OBISCode(0, 0, 96, 3, 10), number: 1, tag: Tag.boolean),
        .tariff(nil, [0x00, 0x02], tag: Tag.octetString),
      ]
      for c in [UInt8(1), 2] {
        for e in UInt8(0)...2 {
          items.append(.value(PushField(OBISCode(1, 0, c, 8, e), Tag.uint32, 0, .wattHour)))
        }
      }
      items += PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour)
    }
    return PushLayout(
      shape: .positional, headerTime: .plain,
      transport: .hdlc(address: [0xCF, 0x02, 0x23], control: 0x13), invokeID: 0x0076_9A9B,
      items: items, sendsDeviation: true)
  }

  /// Sagemcom XT211 of ČEZ Distribuce ("Popis komunikace AMM elektroměru přes rozhraní RS485"):
  /// class, code and attribute in front of each value, in W and Wh.
  static let czech: PushLayout = {
    var items: [PushItem] = [
      .identifier(OBISCode(0, 0, 96, 1, 1), .serial, tag: Tag.octetString),
      .state(OBISCode(0, 0, 96, 3, 10), number: 1, tag: Tag.enumeration),
    ]
    var limit = PushField(OBISCode(0, 0, 17, 0, 0), Tag.uint32, 0, .watt)
    limit.isTold = false
    items.append(.value(limit))
    for channel in UInt8(1)...4 {
      items.append(.state(OBISCode(0, channel, 96, 3, 10), number: 0, tag: Tag.enumeration))
    }
    items.append(.tariff(OBISCode(0, 0, 96, 14, 0), Array("T2".utf8), tag: Tag.octetString))
    items += PushItem.values([1, 21, 41, 61, 2, 22, 42, 62], 7, Tag.uint32, 0, .watt)
    for e in UInt8(0)...4 {
      items.append(.value(PushField(OBISCode(1, 0, 1, 8, e), Tag.uint32, 0, .wattHour)))
    }
    items += PushItem.values([2], 8, Tag.uint32, 0, .wattHour)
    return PushLayout(
      shape: .attributes, headerTime: .none, transport: .bare, invokeID: 0x8000_F1D5, items: items)
  }()
}

extension PushLayout {
  /// The same list, ciphered.
  func sealed(maker: String) -> PushLayout {
    var layout = self
    layout.cipher = CipherForm(maker: maker, security: 0x30)
    return layout
  }

  /// The same list, sent another way.
  func over(_ transport: PushTransport) -> PushLayout {
    var layout = self
    layout.transport = transport
    return layout
  }
}
