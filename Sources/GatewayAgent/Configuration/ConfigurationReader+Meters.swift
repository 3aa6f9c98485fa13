import OBISDecoder
import PrivacyFilter

/// The `[[meters]]` tables.
extension ConfigurationReader {
  private static let serialKeys = [
    "speed", "parity", "data_bits", "stop_bits", "rts", "dtr", "request",
  ]
  /// Names that stand beside the meters' below the topic root (architecture.md, "MQTT").
  private static let reservedNames = ["status", "health"]

  /// Reads all meters; notes missing, doubled and wrong ones.
  func meters(
    _ document: inout ConfigurationTable, zone: TimeZoneRule
  ) -> [Configuration.Meter] {
    let tables = document.subtables("meters", atMost: Configuration.Limits.meters)
    if tables.isEmpty, !document.has("meters") {
      document.note("meters", expected: "at least one table [[meters]]", found: "none")
    }
    var meters: [Configuration.Meter] = []
    let own = profiles(tables, file: document.problems.file)
    for var table in tables {
      let name = self.name(&table, taken: meters.map(\.name), isOnly: tables.count == 1)
      let meter: Configuration.Meter?
      if let own, table.has("profile") {
        meter = modbusMeter(&table, named: name, zone: zone, own)
      } else {
        meter = self.meter(&table, named: name, zone: zone)
      }
      table.finish(
        hints: table.has("profile")
          ? [:] : ["unit": "profile beside it", "framing": "profile beside it"])
      guard let meter else { continue }
      checkSharing(table, meter, with: meters)
      meters.append(meter)
    }
    return meters
  }

  /// The table's `name`: a topic level of letters, digits, `-` and `_`, unique and not personal.
  func name(
    _ table: inout ConfigurationTable, taken: [String], isOnly: Bool
  ) -> String {
    let limit = Configuration.Limits.nameBytes
    let isGiven = table.has("name")
    let given = table.text(
      "name", expected: "at most \(limit) letters, digits, - or _",
      where: { name in
        name.utf8.count <= limit && name.utf8.allSatisfy(NameText.isPart)
      })
    guard let name = lint(given, as: .label, "name", table) ?? (isGiven || !isOnly ? nil : "home")
    else {
      if !isGiven {
        table.note("name", expected: "a name, as there are several", found: "none")
      }
      return ""
    }
    if ConfigurationReader.reservedNames.contains(name) {
      table.note(
        "name", expected: "a name other than \"status\" and \"health\"", found: "\"\(name)\"")
    }
    if taken.contains(name) {
      table.note("name", expected: "a name of its own", found: "\"\(name)\" again")
    }
    return name
  }

  private func meter(
    _ table: inout ConfigurationTable, named name: String, zone: TimeZoneRule
  ) -> Configuration.Meter? {
    let dialect = table.choice("dialect", of: DialectWord.self, or: ["auto"])?.dialect
    let settings = serial(&table, dialect: dialect)
    let input = port(&table, serial: settings)
    if let input, case .serial = input {
    } else if input != nil,
      let key = ConfigurationReader.serialKeys.first(where: { table.has($0) })
    {
      table.note(
        key, expected: "this key only beside a serial port", found: "a port of another kind")
    }
    let stale = table.integer("stale_after_seconds", in: 2...86_400)
    let offset = table.integer("clock_offset_minutes", in: -720...840)
    if let stale, let seconds = settings.signOn?.pollSeconds, stale <= seconds {
      table.note(
        "stale_after_seconds", expected: "more than poll_seconds (\(seconds))", found: "\(stale)")
    }
    let decoding = decoding(&table)
    guard let input else { return nil }
    return Configuration.Meter(
      name: name, input: input, dialect: dialect,
      staleAfterSeconds: stale ?? Self.staleAfter(settings),
      clockOffsetMinutes: offset.map { Int16(clamping: $0) } ?? zone.standardOffsetMinutes,
      keyFile: decoding.keyFile, authenticationKeyFile: decoding.authenticationKeyFile,
      systemTitleFile: decoding.systemTitleFile,
      scale: decoding.scale, clock: decoding.clock)
  }

  /// Thirty seconds for meters that send unasked; two readouts missed for those that are asked.
  private static func staleAfter(_ serial: SerialSettings) -> Int {
    serial.signOn.map { min($0.pollSeconds * 2 + 30, 86_400) } ?? 30
  }

  private func port(
    _ table: inout ConfigurationTable, serial: SerialSettings
  ) -> InputKind? {
    guard table.has("port") else {
      table.note("port", expected: PortText.expected, found: "none")
      _ = table.text("port", expected: PortText.expected)
      return nil
    }
    var port: InputKind?
    _ = table.text("port", expected: PortText.expected) { text in
      port = PortText.parse(text, serial: serial)
      return port != nil
    }
    return port
  }

  private func serial(
    _ table: inout ConfigurationTable, dialect: Dialect?
  ) -> SerialSettings {
    var serial = SerialSettings.p1
    // HAN ports push HDLC at 2 400 baud (NEK, Aidon, Kaifa, Kamstrup); P1 runs at 115 200.
    if dialect == .hdlc { serial.speed = 2400 }
    let signOn = signOn(&table, dialect: dialect)
    // IEC 62056-21 is 7E1 throughout; meters that send unasked do so at 9 600 baud.
    if dialect == .d0 {
      serial.speed = signOn == nil ? 9600 : SignOn.openingSpeed
      (serial.parity, serial.dataBits) = (.even, 7)
    }
    if let speed = table.integer("speed", among: SerialPort.speeds) {
      serial.speed = speed
      if signOn != nil, speed != SignOn.openingSpeed {
        table.note(
          "speed", expected: "\(SignOn.openingSpeed), at which a request begins",
          found: "\(speed)")
      }
    }
    if let parity = table.choice("parity", of: SerialSettings.Parity.self) {
      serial.parity = parity
    }
    if let dataBits = table.integer("data_bits", among: [7, 8]) { serial.dataBits = dataBits }
    if let stopBits = table.integer("stop_bits", among: [1, 2]) { serial.stopBits = stopBits }
    serial.rts = table.boolean("rts")
    serial.dtr = table.boolean("dtr")
    serial.signOn = signOn
    return serial
  }

  /// How the meter is asked for its readout: `request`, `request_address`, `poll_seconds`.
  private func signOn(
    _ table: inout ConfigurationTable, dialect: Dialect?
  ) -> SignOnSettings? {
    let request = table.choice("request", of: RequestWord.self)
    let address = table.text(
      "request_address", expected: "at most 32 letters, digits or blanks",
      where: { text in
        text.utf8.count <= 32
          && text.utf8.allSatisfy { byte in
            byte == 0x20 || byte >= 0x30 && byte <= 0x39
              || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A
          }
      })
    let seconds = table.integer("poll_seconds", in: 10...86_400)
    guard request == .modeC else {
      for key in ["request_address", "poll_seconds"] where table.has(key) {
        table.note(key, expected: "request = \"mode-c\" beside it", found: "none")
      }
      return nil
    }
    if dialect != .d0 {
      table.note(
        "request", expected: "dialect = \"d0\" beside it",
        found: dialect.map { "\"\($0.name)\"" } ?? "none")
    }
    return SignOnSettings(address: address ?? "", pollSeconds: seconds ?? 60)
  }
}

/// What nicknames are made of.
enum NameText {
  /// Whether a byte is an ASCII letter or digit, `-` or `_`.
  static func isPart(_ byte: UInt8) -> Bool {
    byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x2D
      || byte == 0x5F
  }
}

/// How configuration and command line name the dialects.
enum DialectWord: String, CaseIterable, Sendable {
  case p1
  case hdlc
  case mbus
  case apdu
  case sml
  case d0

  /// The dialect meant.
  var dialect: Dialect {
    switch self {
    case .p1: .p1
    case .hdlc: .hdlc
    case .mbus: .mbus
    case .apdu: .apdu
    case .sml: .sml
    case .d0: .d0
    }
  }
}

/// How the configuration names the ways to get a readout.
enum RequestWord: String, CaseIterable, Sendable {
  case none
  case modeC = "mode-c"
}

extension SerialSettings {
  /// 115 200 baud 8N1, modem lines left alone: DSMR 4 and later, and most others.
  static var p1: SerialSettings {
    SerialSettings(speed: 115_200, dataBits: 8, parity: .none, stopBits: 1)
  }
}

extension InputKind {
  /// Whether both read the same bytes, whatever the line's settings are.
  func isSamePlace(as other: InputKind) -> Bool {
    if case .serial(let path, _) = self, case .serial(let otherPath, _) = other {
      return path == otherPath
    }
    return self == other
  }
}

/// The text form of a port, in the configuration and on the command line.
enum PortText {
  /// What a port looks like, for errors.
  static let expected =
    "\"/dev/…\", \"tcp://host:port\", \"file:/path\" or \"stdin\""

  /// Reads a port; nil where the text is none of the four kinds.
  static func parse(_ text: String, serial: SerialSettings) -> InputKind? {
    guard !text.utf8.contains(0) else { return nil }
    if text == "stdin" { return .standardInput }
    if text.hasPrefix("tcp://") { return parseEndpoint(text.dropFirst(6)) }
    if text.hasPrefix("file:") {
      let path = String(text.dropFirst(text.hasPrefix("file:///") ? 7 : 5))
      return path.hasPrefix("/") && path.utf8.count > 1 ? .file(path: path) : nil
    }
    return text.hasPrefix("/") && text.utf8.count > 1 ? .serial(path: text, serial) : nil
  }

  /// Reads `host:port` or `[address]:port`.
  static func parseEndpoint(_ text: Substring) -> InputKind? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      port > 0
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard isHost(String(host)) else { return nil }
    return .tcp(host: String(host), port: port)
  }

  /// Whether a text can be a host's name or address.
  static func isHost(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 253
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
          UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"):
          true
        default: false
        }
      }
  }
}
