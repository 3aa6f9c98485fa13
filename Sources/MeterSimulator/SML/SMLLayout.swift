import OBISDecoder

/// What a German meter sends by itself in the Smart Message Language (SML 1.04, BSI TR-03109-1
/// annex IV): open response, list response, close response in one transport frame.
struct SMLLayout: Sendable {
  /// What stands where SML has a time.
  enum Time: Sendable {
    /// Left out.
    case none
    /// {1, seconds since some beginning} as the list's sensor time.
    case index
    /// The number of seconds, without the choice around it, in each register's entry (Holley).
    case bare
  }

  /// Maker's three letters (FLAG association).
  var maker: String
  /// First octet of the server id.
  var lead: UInt8 = 0x0A
  /// Serial numbers that this meter may have, nil for any.
  var serials: ClosedRange<UInt32>?
  /// Octets of a transaction id.
  var transactionWidth = 4
  /// Octets of a message body's number: 2 or 4.
  var choiceWidth = 2
  /// Octets of a status word.
  var statusWidth = 3
  /// Which times it sends.
  var time = Time.none
  /// Whether the list names itself 1-0:98.10.255.
  var isNamed = true
  /// Whether both checksums are CRC-16/KERMIT rather than X-25 (Holley).
  var isKermit = false
  var items: [SMLItem]
}

/// An entry of the list.
enum SMLItem: Sendable {
  /// The maker's letters.
  case maker(OBISCode)
  /// The server id.
  case server(OBISCode)
  /// The public key.
  case publicKey(OBISCode)
  /// A text that names a type.
  case text(OBISCode, String)
  /// A measured value.
  case value(SMLField)
}

/// A measured value of an SML list.
struct SMLField: Sendable {
  /// How many octets the number takes.
  enum Width: Sendable {
    /// Always so many, with a sign or without.
    case signed(Int), unsigned(Int)
    /// As few as the number needs, without a sign.
    case fewest
    /// Four with a minus sign, else as few as the number without sign needs, yet marked as signed:
    /// 32,768 … 65,535 then looks negative (DZG DVS74; volkszaehler/libsml issue 59).
    case defective
  }

  var code: OBISCode
  var width: Width
  var scaler: Int8
  var unit: Unit
  /// Status word, 0 for none.
  var status: UInt32 = 0

  init(_ code: OBISCode, _ width: Width, _ scaler: Int8, _ unit: Unit, status: UInt32 = 0) {
    self.code = code
    self.width = width
    self.scaler = scaler
    self.unit = unit
    self.status = status
  }

  /// Numbers that the field holds.
  var range: ClosedRange<Int64> {
    switch width {
    case .signed(let count):
      count == 8 ? Int64.min + 1...Int64.max : -(1 << (8 * count - 1))...(1 << (8 * count - 1)) - 1
    case .unsigned(let count): count == 8 ? 0...Int64.max : 0...(1 << (8 * count)) - 1
    case .fewest: 0...0xFFFF_FFFF
    case .defective: -0x7FFF_FFFF...0x7F_FFFF
    }
  }
}

extension SMLItem {
  /// Values 1-0:C.D.E that share width, resolution and unit.
  static func values(
    _ quantities: [UInt8], _ d: UInt8, tariffs: ClosedRange<UInt8> = 0...0,
    _ width: SMLField.Width, _ scaler: Int8, _ unit: Unit, status: UInt32 = 0
  ) -> [SMLItem] {
    quantities.flatMap { c in
      tariffs.map { e in
        .value(
          SMLField(
            OBISCode(1, 0, c, d, e), width, scaler, unit, status: e == 0 ? status : 0))
      }
    }
  }
}

extension SMLLayout {
  private static let oldMaker = OBISCode(129, 129, 199, 130, 3)
  private static let oldServer = OBISCode(1, 0, 0, 0, 9)
  private static let publicKey = OBISCode(129, 129, 199, 130, 5)
  private static let newMaker = OBISCode(1, 0, 96, 50, 1, 1)
  private static let newServer = OBISCode(1, 0, 96, 1, 0)

  /// Iskra MT175 and MT631: registers of 64 bits in 0.1 Wh, power of 32 bits; each phase too where
  /// the PIN has been entered (libsml-testing, ISKRA_MT175; MT631 manual).
  static func iskra(lead: UInt8 = 0x09, phases: Bool) -> SMLLayout {
    var items: [SMLItem] = [.maker(oldMaker), .server(oldServer)]
    items += SMLItem.values([1, 2], 8, tariffs: 0...2, .signed(8), -1, .wattHour, status: 0x0101A0)
    items += SMLItem.values(phases ? [16, 36, 56, 76] : [16], 7, .signed(4), 0, .watt)
    items.append(.publicKey(publicKey))
    return SMLLayout(maker: "ISK", lead: lead, time: .index, items: items)
  }

  /// A meter without PIN: whole kilowatt-hours and no power (libsml-testing, DZG "without PIN").
  static let withoutPIN: SMLLayout = {
    var items: [SMLItem] = [.maker(newMaker), .server(newServer)]
    items += SMLItem.values([1, 2], 8, .unsigned(4), 3, .wattHour, status: 0x1C0104)
    return SMLLayout(maker: "ISK", time: .index, items: items)
  }()

  /// EMH ED300L: registers of 40 bits, power in 0.1 W (libsml-testing, EMH-ED300L).
  static let emh: SMLLayout = {
    var items: [SMLItem] = [.maker(oldMaker), .server(oldServer)]
    items += SMLItem.values([1, 2], 8, tariffs: 0...2, .signed(5), -1, .wattHour, status: 0x000182)
    items += SMLItem.values([16], 7, .signed(4), -1, .watt)
    items.append(.publicKey(publicKey))
    return SMLLayout(maker: "EMH", lead: 0x09, transactionWidth: 6, time: .index, items: items)
  }()

  /// eBZ DD3: registers in 10 µWh, power of each phase in 0.01 W, no list name (eBZ DD3 manual).
  static let ebz: SMLLayout = {
    var items: [SMLItem] = [.maker(oldMaker), .server(oldServer)]
    items += SMLItem.values([1], 8, tariffs: 0...2, .unsigned(8), -5, .wattHour, status: 0x010180)
    items += SMLItem.values([2], 8, .unsigned(8), -5, .wattHour, status: 0x010180)
    items += SMLItem.values([16, 36, 56, 76], 7, .signed(4), -2, .watt)
    return SMLLayout(
      maker: "EBZ", lead: 0x09, choiceWidth: 4, time: .index, isNamed: false, items: items)
  }()

  /// Holley DTZ541: fewest octets, phase angles, time as a bare number, CRC-16/KERMIT
  /// (volkszaehler/libsml issue 75).
  static let holley: SMLLayout = {
    var items: [SMLItem] = [.maker(newMaker), .server(newServer)]
    items += SMLItem.values([1, 2], 8, .fewest, -1, .wattHour, status: 0x1C8104)
    items += SMLItem.values([16], 7, .signed(4), 0, .watt)
    items += SMLItem.values([32, 52, 72], 7, .fewest, -1, .volt)
    items += SMLItem.values([31, 51, 71], 7, .fewest, -2, .ampere)
    for e in [UInt8(1), 2, 4, 15, 26] {
      items.append(.value(SMLField(OBISCode(1, 0, 81, 7, e), .fewest, 0, .degree)))
    }
    items += SMLItem.values([14], 7, .fewest, -1, .hertz)
    items.append(.text(OBISCode(1, 0, 0, 2, 0, 0), "1.02.007"))
    return SMLLayout(
      maker: "HLY", transactionWidth: 3, choiceWidth: 4, statusWidth: 4, time: .bare,
      isNamed: false,
      isKermit: true, items: items)
  }()

  /// DZG DVS74 of the serial numbers whose power is marked wrong (volkszaehler/libsml issue 59).
  static let dzg: SMLLayout = {
    var items: [SMLItem] = [.maker(newMaker), .server(newServer)]
    items += SMLItem.values([1, 2], 8, .unsigned(5), -1, .wattHour, status: 0x1C0104)
    items += SMLItem.values([16], 7, .defective, -2, .watt)
    return SMLLayout(maker: "DZG", serials: 42_000_000...48_999_999, time: .index, items: items)
  }()
}
