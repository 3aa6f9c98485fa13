import OBISDecoder

private typealias Tag = AXDRWriter.Tag

private let clockCode = OBISCode(0, 0, 1, 0, 0)
private let deviceName = OBISCode(0, 0, 42, 0, 0)
private let meterNumber = OBISCode(0, 0, 96, 1, 0)

// MARK: Kaifa and Sagemcom over the wired M-Bus

extension PushLayout {
  /// Kaifa MA309 of Netz Niederösterreich (EVN leaflet "Kundenschnittstelle"): clock, registers,
  /// gauges and power factor in one structure, the number last, encrypted only, in two frames.
  ///
  /// MA110M has one phase and sends no others; Sagemcom's T210-D the same in frames of 257 bytes
  /// (DomiStyle/esphome-dlms-meter, Sagemcom AT frames of UtilitechAS/amsreader-firmware).
  static func lowerAustrian(maker: String, phases: Int = 3, length: Int = 250) -> PushLayout {
    let lines: [UInt8] = phases == 1 ? [0] : [0, 20, 40]
    var items: [PushItem] = [.clock(nil)]
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    items += PushItem.values(lines.map { $0 + 32 }, 7, Tag.uint16, -1, .volt)
    items += PushItem.values(lines.map { $0 + 31 }, 7, Tag.uint16, -2, .ampere)
    items += PushItem.values([13], 7, Tag.uint16, -3, .one)
    items.append(.identifier(nil, .serial, tag: Tag.octetString))
    return austrian(.flat, .mbus(length: length), CipherForm(maker: maker, security: 0x20), items)
  }

  /// Kaifa MA309 of TINETZ, Tyrol ("Beschreibung der Kundenschnittstelle"): a described list with the
  /// clock's code and value as elements of their own, security control 0x21.
  ///
  /// Salzburg Netz sends the same list; `transport` is bare where a bridge has taken off M-Bus and cipher.
  static func tyrolean(_ transport: PushTransport, cipher: CipherForm?) -> PushLayout {
    var items: [PushItem] = [
      .clock(clockCode), .identifier(meterNumber, .serial, tag: Tag.octetString),
      .identifier(deviceName, .deviceName("KFM"), tag: Tag.octetString),
    ]
    items += PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt)
    items += PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere)
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    items += PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour)
    return austrian(.mixed, transport, cipher, items)
  }

  private static func austrian(
    _ shape: Shape, _ transport: PushTransport, _ cipher: CipherForm?, _ items: [PushItem]
  ) -> PushLayout {
    PushLayout(
      shape: shape, headerTime: .plain, transport: transport, invokeID: 0x0017_FA98, items: items,
      cipher: cipher, sendsDeviation: true)
  }
}

// MARK: Siemens and Iskra over the infrared port

extension PushLayout {
  /// Positional list of Wiener Netze and others: name of the push setup, number, time, date, A+, A−,
  /// R+, R−, P+, P−; Iskra's AM550 sends two empty strings behind them (shrdzm, Device_IM350).
  static func infrared(maker: String, address: [UInt8], isLong: Bool) -> PushLayout {
    var items: [PushItem] = [
      .name(OBISCode(0, 6, 25, 9, 0)), .identifier(nil, .serial, tag: Tag.octetString),
      .clockTime, .clockDate,
    ]
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    items += PushItem.values([3, 4], 8, Tag.uint32, 0, .reactiveVoltAmpereHour)
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    if isLong { items += [.empty, .empty] }
    return austrian(
      .positional, .hdlc(address: address, control: 0x13),
      CipherForm(maker: maker, security: 0x20), items)
  }

  /// Iskra AM550 in clear, a structure of described elements in three HDLC segments of 154 bytes.
  static let austrianIskra: PushLayout = {
    var items: [PushItem] = [
      .identifier(meterNumber, .serial, tag: Tag.octetString),
      .identifier(OBISCode(0, 0, 96, 1, 1), .serial, tag: Tag.octetString),
    ]
    items += PushItem.values([1, 2], 7, Tag.uint32, 0, .watt)
    items += PushItem.values([1, 2], 8, Tag.uint32, 0, .wattHour)
    items += PushItem.values([32, 52, 72], 7, Tag.uint16, -1, .volt)
    items += PushItem.values([31, 51, 71], 7, Tag.uint16, -2, .ampere)
    for c in [UInt8(1), 2] {
      for e in [UInt8(1), 2] {
        items.append(.value(PushField(OBISCode(1, 0, c, 8, e), Tag.uint32, 0, .wattHour)))
      }
    }
    var layout = austrian(.described, .iskraSegments, nil, items)
    layout.container = Tag.structure
    return layout
  }()
}

extension PushTransport {
  /// Iskra's HDLC address and longest information field.
  static let iskraSegments = PushTransport.segments(
    address: [0xCF, 0x02, 0x23], control: 0x13, information: 154)
}
