import Testing

@testable import GatewayAgent

/// A configuration text that is wrong, and the one line that says so.
struct BadConfiguration: CustomTestStringConvertible, Sendable {
  let text: String
  let line: String
  var testDescription: String { line }

  init(_ text: String, _ line: String) {
    self.text = text
    self.line = line
  }

  /// The text of a file whose only meter has these further lines.
  static func meter(_ lines: String, _ line: String) -> BadConfiguration {
    BadConfiguration("[[meters]]\nport = \"/dev/ttyUSB0\"\n" + lines, line)
  }

  /// The text of a file with a good meter and these further lines, from line 3 on.
  static func broker(_ lines: String, _ line: String) -> BadConfiguration {
    BadConfiguration("meters = [{ port = \"stdin\" }]\n[[brokers]]\n" + lines, line)
  }
}

extension ConfigurationReader {
  /// A reader that asks nothing of the machine but files.
  static var test: ConfigurationReader {
    ConfigurationReader(
      secretsDirectory: "/nonexistent", systemTimeZone: .utc,
      isPersonal: LabelCheck.isPersonal)
  }

  /// The errors of a text, one line each; empty if it is usable.
  func lines(_ text: String) -> [String] {
    switch read(Array(text.utf8), file: "c.toml") {
    case .usable: []
    case .unusable(let errors): errors.map(\.description)
    }
  }
}

@Suite struct ConfigurationErrorTests {
  static let documentCases: [BadConfiguration] = [
    BadConfiguration("", "c.toml: meters: expected at least one table [[meters]], found none"),
    BadConfiguration(
      "topic_rot = \"a\"\n[[meters]]\nport = \"stdin\"",
      "c.toml:1: topic_rot: expected a key of the document, found an unknown key "
        + "(did you mean \"topic_root\"?)"),
    BadConfiguration(
      "# zone\ntime_zone = \"Europe/Olso\"\n[[meters]]\nport = \"stdin\"",
      "c.toml:2: time_zone: expected an IANA zone such as \"Europe/Oslo\", found \"Europe/Olso\""),
    BadConfiguration(
      "topic_root = \"a/+/b\"\n[[meters]]\nport = \"stdin\"",
      "c.toml:1: topic_root: expected a topic of at most 64 bytes without +, #, leading $ or empty "
        + "levels, found \"a/+/b\""),
    BadConfiguration(
      "state_directory = \"var\"\n[[meters]]\nport = \"stdin\"",
      "c.toml:1: state_directory: expected an absolute path, found \"var\""),
    BadConfiguration(
      "meters = 3",
      "c.toml:1: meters: expected tables [[meters]], found 3"),
    BadConfiguration(
      "[[meters]]\nport = \"stdin\"\n\n[log]\n\nlevel = \"verbose\"",
      "c.toml:6: log.level: expected \"error\", \"warning\", \"info\" or \"debug\", found \"verbose\""
    ),
    BadConfiguration(
      "[[meters]]\nport = \"stdin\"\n[clock]\ntrust = \"ntp\"",
      "c.toml:4: clock.trust: expected \"ntp-or-meter\" or \"system\", found \"ntp\" "
        + "(did you mean \"ntp-or-meter\"?)"),
    BadConfiguration(
      "in_house.qos = 3\n[[meters]]\nport = \"stdin\"",
      "c.toml:1: in_house.qos: expected a whole number from 0 to 2, found 3"),
    BadConfiguration(
      "home_assistant = { enabled = \"yes\" }\n[[meters]]\nport = \"stdin\"",
      "c.toml:1: home_assistant.enabled: expected true or false, found \"yes\""),
  ]

  static let meterCases: [BadConfiguration] = [
    .meter(
      "parity = \"evn\"",
      "c.toml:3: meters.parity: expected \"none\", \"even\" or \"odd\", found \"evn\" "
        + "(did you mean \"even\"?)"),
    .meter(
      "speed = 115201",
      "c.toml:3: meters.speed: expected 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, "
        + "115200 or 230400, found 115201"),
    .meter(
      "name = \"status\"",
      "c.toml:3: meters.name: expected a name other than \"status\" and \"health\", "
        + "found \"status\""),
    .meter(
      "name = \"571313999000000010\"",
      "c.toml:3: meters.name: expected a name that identifies nobody, found what looks like a "
        + "personal or metering-point number (E_LABEL_PERSONAL)"),
    .meter(
      "dialect = \"P1\"",
      "c.toml:3: meters.dialect: expected \"auto\", \"p1\", \"hdlc\", \"mbus\", \"apdu\", "
        + "\"sml\" or \"d0\", found \"P1\" "
        + "(did you mean \"p1\"?)"),
    .meter(
      "request = \"mode-c\"",
      "c.toml:3: meters.request: expected dialect = \"d0\" beside it, found none"),
    .meter(
      "dialect = \"d0\"\nrequest = \"mode-d\"",
      "c.toml:4: meters.request: expected \"none\" or \"mode-c\", found \"mode-d\" "
        + "(did you mean \"mode-c\"?)"),
    .meter(
      "dialect = \"d0\"\npoll_seconds = 60",
      "c.toml:4: meters.poll_seconds: expected request = \"mode-c\" beside it, found none"),
    .meter(
      "dialect = \"d0\"\nrequest = \"mode-c\"\nspeed = 9600",
      "c.toml:5: meters.speed: expected 300, at which a request begins, found 9600"),
    .meter(
      "dialect = \"d0\"\nrequest = \"mode-c\"\nstale_after_seconds = 60",
      "c.toml:5: meters.stale_after_seconds: expected more than poll_seconds (60), found 60"),
    .meter(
      "[[meters]]\nname = \"b\"\nport = \"/dev/ttyUSB1\"",
      "c.toml:1: meters.name: expected a name, as there are several, found none"),
    BadConfiguration(
      "[[meters]]\nname = \"a\"\n[[meters]]\nname = \"b\"\nport = \"stdin\"",
      "c.toml:1: meters.port: expected \"/dev/…\", \"tcp://host:port\", \"file:/path\" or "
        + "\"stdin\", found none"),
    BadConfiguration(
      "[[meters]]\nname = \"a\"\nport = \"stdin\"\n[[meters]]\nname = \"a\"\nport = \"/dev/x\"",
      "c.toml:5: meters.name: expected a name of its own, found \"a\" again"),
    BadConfiguration(
      "[[meters]]\nname = \"a\"\nport = \"stdin\"\n[[meters]]\nname = \"b\"\nport = \"stdin\"",
      "c.toml:6: meters.port: expected a port for each meter, found one that another meter uses"),
    BadConfiguration(
      "[[meters]]\nport = \"tcp://10.0.0.5\"",
      "c.toml:2: meters.port: expected \"/dev/…\", \"tcp://host:port\", \"file:/path\" or "
        + "\"stdin\", found \"tcp://10.0.0.5\""),
    BadConfiguration(
      "[[meters]]\nport = \"tcp://adapter:23\"\nspeed = 9600",
      "c.toml:3: meters.speed: expected this key only beside a serial port, "
        + "found a port of another kind"),
  ]

  static let brokerCases: [BadConfiguration] = [
    .broker(
      "port = 1883",
      "c.toml:2: brokers.host: expected a host name or address, found none"),
    .broker(
      "host = \"a\"\nport = 70000",
      "c.toml:4: brokers.port: expected a whole number from 1 to 65535, found 70000"),
    .broker(
      "host = \"a\"\npassword = \"hunter2\"",
      "c.toml:4: brokers.password: expected password_file: the name of a file with mode 0600 that "
        + "holds it, found this key"),
    .broker(
      "host = \"a\"\nusername = \"u\"\npassword_file = \"broker\"",
      "c.toml:5: brokers.password_file: expected a file that only its owner can read, "
        + "found /nonexistent/broker: no such file or directory"),
    .broker(
      "host = \"a\"\nusername = \"u\"\npassword_file = \"/dev/null\"",
      "c.toml:5: brokers.password_file: expected a file that only its owner can read, "
        + "found /dev/null, which is not a plain file"),
    .broker(
      "host = \"a\"\n[brokers.tls]\nca_fil = \"/etc/x.pem\"",
      "c.toml:5: brokers.tls.ca_fil: expected a key of [brokers.tls], found an unknown key "
        + "(did you mean \"ca_file\"?)"),
    .broker(
      "host = \"a\"\ntls = 1",
      "c.toml:4: brokers.tls: expected true, false or a table, found 1"),
    .broker(
      "host = \"a\"\ntls = { certificate_file = \"/etc/hostname\" }",
      "c.toml:4: brokers.tls.certificate_file: expected key_file beside it, found none"),
    .broker(
      "host = \"a\"\nmqtt_version = 4",
      "c.toml:4: brokers.mqtt_version: expected \"auto\", \"5\" or \"3.1.1\", found 4"),
  ]

  @Test(arguments: documentCases + meterCases + brokerCases)
  func namesFileLineAndKey(_ bad: BadConfiguration) {
    #expect(ConfigurationReader.test.lines(bad.text) == [bad.line])
  }

  @Test func namesTheLineOfASyntaxError() {
    let lines = ConfigurationReader.test.lines("a = 1\nb = = 2\n")
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("c.toml:2: expected valid TOML, found ") == true)
    #expect(lines.first?.contains("\n") == false)
  }

  @Test func namesTheLineOfBytesThatAreNoText() {
    let zero = ConfigurationReader.test.lines("a = 1\nb = \"\0\"")
    #expect(zero == ["c.toml:2: expected UTF-8 text, found a zero byte"])
    let escaped = ConfigurationReader.test.lines("topic_root = \"a\\u0000b\"")
    #expect(escaped == ["c.toml:1: expected UTF-8 text, found an escaped zero character"])
    guard
      case .unusable(let errors) = ConfigurationReader.test.read(
        [0x61, 0x0A, 0xFF], file: "c.toml")
    else {
      Issue.record("bytes that are no UTF-8 were accepted")
      return
    }
    #expect(errors.map(\.description) == ["c.toml:2: expected UTF-8 text, found other bytes"])
  }

  @Test func listsEveryErrorByLine() {
    let lines = ConfigurationReader.test.lines(
      "[log]\nlevel = 1\n[[meters]]\nport = \"x\"\ncolour = 3\n")
    #expect(lines.map { $0.prefix(9) } == ["c.toml:2:", "c.toml:4:", "c.toml:5:"])
  }

  @Test func namesAMissingFile() {
    #expect(
      throws: ConfigurationError(
        file: "/nonexistent.toml", expected: "a configuration file",
        found: "no such file or directory")
    ) { try ConfigurationReader.test.load("/nonexistent.toml", environment: [:]) }
  }
}

@Suite struct ConfigurationConsentTests {
  @Test(
    "C13.29: grants in the configuration are refused with their code",
    arguments: [
      ("grants = []\n[[meters]]\nport = \"stdin\"", "c.toml:1: grants"),
      ("[[meters]]\nport = \"stdin\"\nconsent = true", "c.toml:3: meters.consent"),
      ("[[meters]]\nport = \"stdin\"\n[Grants.eliq]\na = 1", "c.toml:3: Grants"),
      ("[[meters]]\nport = \"stdin\"\n[log]\nconsent_given = 1", "c.toml:4: log.consent_given"),
    ])
  func refusesConsentInTheFile(text: String, head: String) {
    #expect(
      ConfigurationReader.test.lines(text) == [
        head + ": expected no consent outside the ledger (give it with: gateway-agent grant), "
          + "found this key (E_AUTH)"
      ])
  }

  @Test("C13.29: grants in the environment are refused with their code")
  func refusesConsentInTheEnvironment() {
    let outcome = ConfigurationReader.test.outcome(
      ofFile: "/nonexistent", environment: ["GATEWAY_GRANTS": "x", "PATH": "/bin"])
    guard case .unusable(let errors) = outcome else {
      Issue.record("consent in the environment was accepted")
      return
    }
    #expect(
      errors.map(\.description) == [
        "environment: GATEWAY_GRANTS: expected no consent outside the ledger "
          + "(give it with: gateway-agent grant), found this variable (E_AUTH)"
      ])
  }

  @Test func leavesOtherVariablesAlone() {
    #expect(ConsentKeys.errors(in: ["GRANTED": "1", "GATEWAY_CONFIG": "x"]).isEmpty)
  }
}
