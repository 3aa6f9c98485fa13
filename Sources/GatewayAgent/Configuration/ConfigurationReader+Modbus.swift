import ModbusMeters
import OBISDecoder
import TOMLText

/// The tables of `[[meters]]` that name a `profile`: meters that are asked over Modbus.
extension ConfigurationReader {
  private static let places = "\"/dev/…\" or \"tcp://host:port\""

  /// The profiles that a document may name; its own are read only if one does.
  func profiles(_ tables: [ConfigurationTable], file: String) -> OwnMeters? {
    guard tables.contains(where: { $0.has("profile") }) else { return nil }
    return OwnMeters(ownMeters ?? OwnMeters.directory(beside: file))
  }

  /// Reads a meter that has a `profile`.
  func modbusMeter(
    _ table: inout ConfigurationTable, named name: String, zone: TimeZoneRule,
    _ own: OwnMeters
  ) -> Configuration.Meter? {
    let profile = profile(&table, own)
    let serial = busSettings(&table, profile)
    let input = busInput(&table, serial)
    var framing = ModbusFraming.rtu
    if case .tcp = input {
      framing = table.choice("framing", of: ModbusFraming.self) ?? .tcp
    } else if input != nil, table.has("framing") {
      _ = table.choice("framing", of: ModbusFraming.self)
      table.note(
        "framing", expected: "this key only beside a port on the network", found: "a serial port")
    }
    let unit = unit(&table, profile, input)
    let seconds = table.integer("poll_seconds", in: 1...86_400) ?? 1
    let usesRS485 = table.boolean("rs485") ?? true
    let stale = table.integer("stale_after_seconds", in: 2...86_400)
    if let stale, stale <= seconds {
      table.note(
        "stale_after_seconds", expected: "more than poll_seconds (\(seconds))", found: "\(stale)")
    }
    guard let profile, let input else { return nil }
    return Configuration.Meter(
      name: name, input: input, dialect: nil,
      staleAfterSeconds: stale ?? min(max(30, seconds * 3), 86_400),
      clockOffsetMinutes: zone.standardOffsetMinutes,
      modbus: Configuration.Modbus(
        profile: profile, unit: unit, framing: framing, serial: serial, pollSeconds: seconds,
        usesRS485: usesRS485))
  }

  private func profile(
    _ table: inout ConfigurationTable, _ own: OwnMeters
  ) -> MeterProfile? {
    var profile: MeterProfile?
    let expected = "a meter that gateway-agent meters lists"
    guard let id = table.text("profile", expected: expected) else { return nil }
    let catalogue = own.catalogue
    profile = catalogue.profile(id)
    if profile == nil, own.isFaulty(id) {
      table.note(
        "profile", expected: "a profile without errors",
        found: "\"\(id)\" with some, which gateway-agent check-config lists")
    } else if profile == nil {
      let near = Suggestion.nearest(to: id, among: catalogue.ids)
      table.note(
        "profile", expected: expected,
        found: "\"\(id)\"" + (near.map { " (did you mean \"\($0)\"?)" } ?? ""))
    }
    return profile
  }

  /// The line's settings: the profile's where the table says nothing.
  private func busSettings(
    _ table: inout ConfigurationTable, _ profile: MeterProfile?
  ) -> SerialDefaults {
    var serial =
      profile?.serial ?? SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)
    let speeds = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200]
    if let speed = table.integer("speed", among: speeds) { serial.baud = speed }
    if let parity = table.choice("parity", of: SerialParity.self) { serial.parity = parity }
    if let stopBits = table.integer("stop_bits", among: [1, 2]) { serial.stopBits = stopBits }
    return serial
  }

  private func busInput(
    _ table: inout ConfigurationTable, _ serial: SerialDefaults
  ) -> InputKind? {
    var input: InputKind?
    guard table.has("port") else {
      table.note("port", expected: Self.places, found: "none")
      _ = table.text("port", expected: Self.places)
      return nil
    }
    _ = table.text("port", expected: Self.places) { text in
      input = PortText.parse(text, serial: SerialSettings(serial))
      switch input {
      case .serial, .tcp: return true
      default: return false
      }
    }
    guard case .tcp = input else { return input }
    for key in ["speed", "parity", "stop_bits", "rs485"] where table.has(key) {
      table.note(
        key, expected: "this key only beside a serial port", found: "a port of another kind")
    }
    return input
  }

  private func unit(
    _ table: inout ConfigurationTable, _ profile: MeterProfile?, _ input: InputKind?
  ) -> UInt8 {
    var isOnNetwork = false
    var usual = profile?.serial?.unit ?? 1
    if case .tcp = input {
      isOnNetwork = true
      usual = profile?.tcp?.unit ?? usual
    }
    guard let unit = table.integer("unit", in: 1...255) else { return usual }
    if unit > 247, unit != 255 || !isOnNetwork {
      table.note(
        "unit", expected: "1 to 247" + (isOnNetwork ? ", or 255 for the device itself" : ""),
        found: "\(unit)")
    }
    return UInt8(unit)
  }

  /// Notes what keeps two meters from sharing a port.
  func checkSharing(
    _ table: ConfigurationTable, _ meter: Configuration.Meter, with others: [Configuration.Meter]
  ) {
    for other in others where other.input.isSamePlace(as: meter.input) {
      guard let mine = meter.modbus, let theirs = other.modbus else {
        return table.note(
          "port", expected: "a port for each meter", found: "one that another meter uses")
      }
      if mine.unit == theirs.unit {
        return table.note(
          "unit", expected: "a unit of its own on the port",
          found: "\(mine.unit), which \(other.name) has")
      }
      if mine.framing != theirs.framing {
        return table.note(
          "framing", expected: "the framing of \(other.name), as they share a connection",
          found: "\"\(mine.framing.rawValue)\"")
      }
      guard case .serial(let path, _) = meter.input else { continue }
      if let fault = SerialAgreement.fault(
        onPort: path, [(other.name, theirs.serial), (meter.name, mine.serial)])
      {
        return table.note("port", expected: "one setting for the whole line", found: fault)
      }
      if mine.usesRS485 != theirs.usesRS485 {
        return table.note(
          "rs485", expected: "the rs485 of \(other.name), as they share a line",
          found: "\(mine.usesRS485)")
      }
    }
  }
}

extension SerialSettings {
  /// The same line in the words of other inputs.
  init(_ serial: SerialDefaults) {
    let parity: Parity =
      switch serial.parity {
      case .none: .none
      case .even: .even
      case .odd: .odd
      }
    self.init(speed: serial.baud, dataBits: 8, parity: parity, stopBits: serial.stopBits)
  }
}
