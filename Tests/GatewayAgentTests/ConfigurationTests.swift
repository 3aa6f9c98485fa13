import Glibc
import OBISDecoder
import TOMLText
import Testing

@testable import GatewayAgent

@Suite struct ConfigurationTests {
  private func read(_ text: String) -> Configuration? {
    guard
      case .usable(let configuration) = ConfigurationReader.test.read(
        Array(text.utf8), file: "c.toml")
    else { return nil }
    return configuration
  }

  @Test func fillsInDefaults() throws {
    let configuration = try #require(read("[[meters]]\nport = \"/dev/ttyUSB0\""))
    var expected = Configuration(timeZone: .utc)
    expected.meters = [
      Configuration.Meter(
        name: "home", input: .serial(path: "/dev/ttyUSB0", .p1), dialect: nil,
        staleAfterSeconds: 30, clockOffsetMinutes: 0)
    ]
    #expect(configuration == expected)
    #expect(configuration.stateDirectory == "/var/lib/gateway-agent")
    #expect(configuration.controlSocket == "/run/gateway-agent/control.sock")
    #expect(configuration.topicRoot == "meter")
    #expect(configuration.homeAssistant.birthTopic == "homeassistant/status")
  }

  @Test func readsEveryKey() throws {
    let configuration = try #require(
      read(
        """
        time_zone = "Europe/Helsinki"
        state_directory = "/srv/gateway"
        control_socket = "/run/g.sock"
        topic_root = "house/meter"

        [[meters]]
        name = "han"
        port = "/dev/ttyAMA0"
        dialect = "hdlc"
        parity = "even"
        data_bits = 8
        stop_bits = 2
        rts = true
        dtr = false
        stale_after_seconds = 120
        clock_offset_minutes = 60

        [[meters]]
        name = "garage"
        port = "tcp://[fe80::1%eth0]:2000"

        [[brokers]]
        host = "broker.lan"
        username = "gateway"
        mqtt_version = "3.1.1"
        keepalive_seconds = 60
        tls = true

        [home_assistant]
        enabled = false
        prefix = "ha"

        [in_house]
        value_topics = true
        qos = 1

        [clock]
        trust = "system"

        [log]
        level = "debug"
        """))
    #expect(configuration.timeZone == TimeZoneRule(named: "Europe/Helsinki"))
    #expect(configuration.timeZone.standardOffsetMinutes == 120)
    #expect(configuration.topicRoot == "house/meter")
    let serial = SerialSettings(
      speed: 2400, dataBits: 8, parity: .even, stopBits: 2, rts: true, dtr: false)
    #expect(
      configuration.meters == [
        Configuration.Meter(
          name: "han", input: .serial(path: "/dev/ttyAMA0", serial), dialect: .hdlc,
          staleAfterSeconds: 120, clockOffsetMinutes: 60),
        Configuration.Meter(
          name: "garage", input: .tcp(host: "fe80::1%eth0", port: 2000), dialect: nil,
          staleAfterSeconds: 30, clockOffsetMinutes: 120),
      ])
    #expect(
      configuration.brokers == [
        Configuration.Broker(
          name: "home", host: "broker.lan", port: 8883, tls: Configuration.TLS(),
          username: "gateway", passwordFile: nil, mqttVersion: .threeOneOne, keepaliveSeconds: 60)
      ])
    #expect(configuration.homeAssistant.birthTopic == "ha/status")
    #expect(configuration.homeAssistant.enabled == false)
    #expect(configuration.inHouse == Configuration.InHouse(valueTopics: true, qos: 1))
    #expect(configuration.clockTrust == .system)
    #expect(configuration.logLevel == .debug)
  }

  @Test func readsHowAMeterIsAsked() throws {
    let configuration = try #require(
      read(
        """
        [[meters]]
        port = "/dev/ttyUSB0"
        dialect = "d0"
        request = "mode-c"
        poll_seconds = 300
        request_address = "12345678"
        """))
    let meter = try #require(configuration.meters.first)
    var serial = SerialSettings(speed: 300, dataBits: 7, parity: .even, stopBits: 1)
    serial.signOn = SignOnSettings(address: "12345678", pollSeconds: 300)
    #expect(meter.input == .serial(path: "/dev/ttyUSB0", serial))
    #expect(meter.staleAfterSeconds == 630)
  }

  @Test(arguments: [
    ("/dev/ttyUSB0", InputKind.serial(path: "/dev/ttyUSB0", .p1)),
    ("tcp://adapter.lan:23", .tcp(host: "adapter.lan", port: 23)),
    ("file:/tmp/a b", .file(path: "/tmp/a b")),
    ("file:///tmp/a", .file(path: "/tmp/a")),
    ("stdin", .standardInput),
  ])
  func readsAPort(text: String, port: InputKind) {
    #expect(PortText.parse(text, serial: .p1) == port)
  }

  @Test(arguments: ["", "ttyUSB0", "tcp://", "tcp://:1", "tcp://a:0", "tcp://a:65536", "file:a"])
  func refusesWhatIsNoPort(text: String) {
    #expect(PortText.parse(text, serial: .p1) == nil)
  }

  @Test func refusesASecretThatOthersCanRead() throws {
    let path = "/tmp/gateway-secret-\(getpid())"
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try #require(descriptor >= 0)
    defer { _ = unsafe unlink(path) }
    let text = Array("hunter2\r\nsecond\n".utf8)
    #expect(unsafe write(descriptor, text, text.count) == text.count)
    close(descriptor)
    #expect(SecretFile.fault(of: path) == nil)
    #expect(try SecretFile.password(in: path) == "hunter2")
    for mode: mode_t in [0o640, 0o604, 0o644, 0o660] {
      let result = unsafe chmod(path, mode)
      #expect(result == 0)
      #expect(
        SecretFile.fault(of: path)
          == "\(path) with mode 0\(String(mode, radix: 8)) (run: chmod 600 \(path))")
      #expect(throws: SystemError.self) { try SecretFile.password(in: path) }
    }
  }

  @Test(
    arguments: [
      ("CET-1CEST,M3.5.0,M10.5.0/3", 60), ("IST-1GMT0,M10.5.0,M3.5.0/1", 0), ("UTC0", 0),
      ("EST5EDT,M3.2.0,M11.1.0", -300), ("<+0545>-5:45", 345),
      ("<-03>3<-02>,M3.5.0/-1,M10.5.0/0", -180),
      ("EET-2EEST,M3.5.0/3,M10.5.0/4", 120),
    ] as [(String, Int16)])
  func readsTheStandardOffsetOfAZoneRule(rule: String, minutes: Int16) {
    #expect(TimeZoneRule.standardOffset(ofRule: rule) == minutes)
  }

  @Test(arguments: ["", "X", "CET", "CET-1CEST!", "CET-25", "CET-1:60"])
  func refusesWhatIsNoZoneRule(rule: String) {
    #expect(TimeZoneRule.standardOffset(ofRule: rule) == nil)
  }

  @Test(arguments: ["../../etc/passwd", "/etc/localtime", "", "Europe/", "Nowhere/Town"])
  func refusesWhatIsNoZone(name: String) {
    #expect(TimeZoneRule(named: name) == nil)
  }
}

@Suite struct ConfigurationLocatorTests {
  @Test func findsKeysInEveryNotation() {
    let locator = KeyLocator(
      #"""
      top = 1 # a = 2
      "quoted key" = "x = [ \" # not a comment"
      dotted.inner . deep = '''
      b = 1
      '''
      list = [ 1,
        2, { x = 5,  y = 6 } ]
      text = """one
      two \""" three
      """""
      [table]
      key = {a = 1, b.c = 2}
      [[many]]
      k = 1979-05-27T07:32:00Z
      [[many]]

      k = 'a'
      [many.sub]
      z = true
      [[many.deep]]
      q = 1
      [[many.deep]]
      q = 2
      """#)
    let lines = [
      "top": 1, "quoted key": 2, "dotted.inner.deep": 3, "list": 6, "list[1]": 7, "list[2].y": 7,
      "text": 8, "table": 11, "table.key.b.c": 12, "many[0]": 13, "many[0].k": 14, "many[1]": 15,
      "many[1].k": 17, "many[1].sub.z": 19, "many[1].deep[0].q": 21, "many[1].deep[1].q": 23,
    ]
    for (path, line) in lines {
      #expect(locator.line(of: path) == line, "\(path)")
    }
    #expect(locator.line(of: "many[1].absent") == 15, "an absent key is its table's matter")
    #expect(locator.line(of: "b") == nil)
  }

  @Test func endsOnEveryPrefix() {
    let text = "a = [{b = \"c\\\\\"}, '''d''']\n[[e.\"f\"]]\ng = { h = \"\"\"i\"\"\" } # j\n"
    for count in 0...text.utf8.count {
      let locator = KeyLocator(String(decoding: Array(text.utf8).prefix(count), as: UTF8.self))
      #expect(locator.line(of: "nothing") == nil)
    }
  }

  @Test(arguments: [
    ("topic_rot", "topic_root"), ("prot", "port"), ("keepalive", "keepalive_seconds"),
    ("dat_bits", "data_bits"),
  ])
  func suggestsTheNearestKey(typed: String, meant: String) {
    let keys = ["port", "topic_root", "keepalive_seconds", "data_bits", "stop_bits"]
    #expect(Suggestion.nearest(to: typed, among: keys) == meant)
  }

  @Test func suggestsNothingThatIsFar() {
    #expect(Suggestion.nearest(to: "colour", among: ["port", "name"]) == nil)
    #expect(Suggestion.nearest(to: "x", among: ["port", "qos"]) == nil)
  }
}
