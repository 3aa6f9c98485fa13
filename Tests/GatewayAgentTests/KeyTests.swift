import Glibc
import OBISDecoder
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// A file with a key, gone at the end of the test.
final class TestKeyFile {
  static let text = "000102030405060708090A0B0C0D0E0F"
  let path: String

  init(_ text: String = TestKeyFile.text, mode: mode_t = 0o600) throws {
    path = "/tmp/gateway-key-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try #require(number >= 0)
    let bytes = Array((text + "\n").utf8)
    #expect(unsafe write(number, bytes, bytes.count) == bytes.count)
    #expect(fchmod(number, mode) == 0)
    close(number)
  }

  deinit { _ = unsafe unlink(path) }
}

@Suite struct KeyConfigurationTests {
  private func lines(_ keys: String) -> [String] {
    ConfigurationReader.test.lines("[[meters]]\nport = \"/dev/ttyUSB0\"\n" + keys)
  }

  @Test func takesFilesThatOnlyTheirOwnerCanRead() throws {
    let file = try TestKeyFile()
    let authentication = try TestKeyFile("D0D1D2D3D4D5D6D7d8d9dadbdcdddedf")
    let text = "key_file = \"\(file.path)\"\nauthentication_key_file = \"\(authentication.path)\""
    #expect(lines(text).isEmpty)
  }

  @Test func namesFileAndModeOfAKeyThatOthersCanRead() throws {
    let file = try TestKeyFile(mode: 0o644)
    #expect(
      lines("key_file = \"\(file.path)\"") == [
        "c.toml:3: meters.key_file: expected a file that only its owner can read, found "
          + "\(file.path) with mode 0644 (run: chmod 600 \(file.path))"
      ])
  }

  @Test(arguments: ["00112233", "0011223344556677889900112233445G", ""])
  func refusesWhatIsNoKeyWithoutShowingIt(text: String) throws {
    let file = try TestKeyFile(text)
    let found = lines("key_file = \"\(file.path)\"")
    #expect(found.count == 1)
    let line = try #require(found.first)
    #expect(line.contains("expected 32 hexadecimal digits, found \(file.path): "))
    #expect(text.isEmpty || !line.contains(text))
  }

  @Test func asksForAKeyBesideAnAuthenticationKey() throws {
    let file = try TestKeyFile()
    #expect(
      lines("authentication_key_file = \"\(file.path)\"") == [
        "c.toml:3: meters.authentication_key_file: expected a key_file beside it, found none"
      ])
  }

  @Test func takesTheTitleOfAMeterThatDoesNotSendIt() throws {
    let file = try TestKeyFile()
    let title = try TestKeyFile(" 5a5A5A1020304050\n")
    let text = "key_file = \"\(file.path)\"\nsystem_title_file = \"\(title.path)\""
    #expect(lines(text).isEmpty)
    _ = try SecretFile.keys(in: file.path, authenticationIn: nil, titleIn: title.path)
    let octets = SystemTitle(parsing: Array("5A5A5A1020304050".utf8))?.octets
    #expect(octets == 0x5A5A_5A10_2030_4050)
  }

  @Test(arguments: [
    "", "5A5A5A102030405", "5A5A5A102030405G", "+5A5A5A102030405", "0000000000000000",
  ])
  func refusesWhatIsNoTitleWithoutShowingIt(text: String) throws {
    let file = try TestKeyFile()
    let title = try TestKeyFile(text)
    let found = lines("key_file = \"\(file.path)\"\nsystem_title_file = \"\(title.path)\"")
    #expect(found.count == 1)
    let line = try #require(found.first)
    #expect(line.hasPrefix("c.toml:4: meters.system_title_file: expected 16 hexadecimal digits"))
    #expect(text.isEmpty || !line.contains(text))
    #expect(throws: SystemError.self) {
      _ = try SecretFile.keys(in: file.path, authenticationIn: nil, titleIn: title.path)
    }
  }

  @Test func asksForAKeyBesideATitle() throws {
    let title = try TestKeyFile("5A5A5A1020304050")
    #expect(
      lines("system_title_file = \"\(title.path)\"") == [
        "c.toml:3: meters.system_title_file: expected a key_file beside it, found none"
      ])
  }

  @Test func looksForRelativeNamesAmongTheSecrets() {
    #expect(lines("key_file = \"home.key\"").first?.contains("/nonexistent/home.key") == true)
  }

  @Test func readsScalesRatioAndClock() throws {
    let text = """
      [[meters]]
      port = "stdin"
      scale_current = -2
      scale_energy = 1
      transformer_ratio = "300/5"
      clock = "standard_time"
      """
    guard
      case .usable(let configuration) = ConfigurationReader.test.read(Array(text.utf8), file: "c")
    else {
      Issue.record("unusable")
      return
    }
    let options = try #require(configuration.meters.first).decoderOptions
    #expect(options.scale.current == -2)
    #expect(options.scale.energy == 1)
    #expect(options.scale.power == nil)
    #expect(options.scale.ratio.description == "60")
    #expect(options.clock == .standardTime)
  }

  @Test(arguments: [
    (
      "scale_curent = 1",
      "scale_curent: expected a key of [[meters]], found an unknown key (did you mean \"scale_current\"?)"
    ),
    ("scale_power = 7", "scale_power: expected a whole number from -6 to 6, found 7"),
    (
      "clock = \"standart_time\"",
      "clock: expected \"as_sent\", \"standard_time\" or \"european_summer_time\", found "
        + "\"standart_time\" (did you mean \"standard_time\"?)"
    ),
    (
      "transformer_ratio = \"100/3\"",
      "transformer_ratio: expected \"PRIMARY/SECONDARY\" in ampere, each from 1 to 10000, such as "
        + "\"300/5\", that is a finite decimal, found \"100/3\""
    ),
  ])
  func namesWhatIsWrong(text: String, expected: String) {
    #expect(lines(text) == ["c.toml:3: meters." + expected])
  }

  /// What `probe` prints can be pasted.
  @Test func readsWhatProbePrints() throws {
    var diagnosis = ProbeDiagnosis(
      trial: ProbeTrial(settings: SerialSettings.probed[2].withModemLines, bytes: []))
    diagnosis.finding = .meter(
      ProbedMeter(
        dialects: [.mbus], maker: "Kaifa", isEncrypted: true, goodFrames: 2, badFrames: 0))
    let text = try #require(
      ProbeReport(port: "/dev/ttyUSB0", diagnosis: diagnosis).configuration)
    var reader = ConfigurationReader.test
    reader.checksFiles = false
    guard case .usable(let configuration) = reader.read(Array(text.utf8), file: "c") else {
      Issue.record("unusable")
      return
    }
    let meter = try #require(configuration.meters.first)
    #expect(meter.dialect == .mbus)
    #expect(meter.keyFile == "/nonexistent/home.key")
    guard case .serial("/dev/ttyUSB0", let settings) = meter.input else {
      Issue.record("no serial port")
      return
    }
    #expect(settings == SerialSettings.probed[2].withModemLines)
  }
}

@Suite struct KeyCommandTests {
  @Test(arguments: [
    ["decode", "--key", "0011", "x"], ["decode", "--auth-key", TestKeyFile.text, "x"],
    ["decode", "--key", TestKeyFile.text, "--key-file", "y", "x"],
    ["decode", "--key", "0011223344556677889900112233445G", "x"],
    ["decode", "--key-file", "/nonexistent/key", "x"],
    ["redact", "x"], ["redact", "-o", "-", "x"], ["redact", "-o", "/tmp/y", "/nonexistent/x"],
    ["record", "--key", TestKeyFile.text, "-o", "y", "/dev/ttyUSB0"],
    ["record", "--redact", "--duration", "3601", "-o", "y", "/dev/ttyUSB0"],
    ["probe"], ["probe", "ttyUSB0"], ["probe", "--seconds", "0", "/dev/ttyUSB0"],
    ["probe", "/nonexistent/port"],
  ])
  func endsWithTwoForUnusableArguments(arguments: [String]) {
    let ending = Gateway.run(arguments)
    #expect(ending.status == 2)
    #expect(!ending.message.contains("0011223344"))
  }
}

/// The agent in front of meters that encrypt.
@Suite struct KeyPipelineTests {
  private static let start = at("13:30:00")

  private func bench(key: String?) throws -> (
    bench: AgentBench, wire: WireBroker, file: TestKeyFile?
  ) {
    let bench = try AgentBench(at: Self.start)
    let file = try key.map { try TestKeyFile($0) }
    bench.configuration.meters[0].keyFile = file?.path
    let wire = bench.addWire()
    try bench.start()
    _ = try bench.grant(.house())
    try bench.connect()
    return (bench, wire, file)
  }

  private func frames(_ model: String, _ count: Int) throws -> [[UInt8]] {
    var meter = try #require(SimulatedMeter(name: model, seed: 5))
    var time: Int64 = 1_768_435_200_000
    return (0..<count).map { _ in
      time = meter.nextDue(after: time)
      return meter.next(at: time).bytes
    }
  }

  private func health(_ wire: WireBroker) -> String {
    wire.publishes.last { $0.topic == "meter/home/health" }?.payload ?? ""
  }

  @Test func readsAnEncryptedMeterWithItsKey() throws {
    let (bench, wire, _) = try bench(key: TestKeyFile.text)
    bench.meters[0].send(try frames("at-kaifa", 1)[0])
    try bench.expect { wire.publishes.contains { $0.topic == "meter/home/state" } }
    let meter = try #require(try bench.agent.statusView().meters.first)
    #expect(meter.trust == "decrypted")
    #expect(!meter.replay)
    #expect(meter.tagMismatches == 0)
  }

  @Test func saysThatAKeyIsNeeded() throws {
    let (bench, wire, _) = try bench(key: nil)
    for frame in try frames("at-kaifa", 2) { bench.meters[0].send(frame) }
    try bench.expect { bench.agent.feeds[0].cipherWatch.unread == 2 }
    try bench.expect { health(wire).contains(#""meter":{"state":"silent","reason":"encrypted""#) }
    #expect(!wire.publishes.contains { $0.topic == "meter/home/state" })
    #expect(bench.agent.feeds[0].frames == 0)
  }

  @Test func namesAWrongKey() throws {
    let (bench, wire, _) = try bench(key: String(repeating: "5A", count: 16))
    for frame in try frames("at-kaifa", 3) { bench.meters[0].send(frame) }
    try bench.expect { bench.agent.feeds[0].cipherWatch.wrongKeys == 3 }
    try bench.expect { health(wire).contains(#""meter":{"state":"silent","reason":"wrong_key""#) }
    #expect(!wire.publishes.contains { $0.topic == "meter/home/state" })
  }

  @Test func readsOnWhenACounterComesAgain() throws {
    let (bench, wire, _) = try bench(key: TestKeyFile.text)
    let frame = try frames("at-kaifa", 1)[0]
    for _ in 0..<2 { bench.meters[0].send(frame) }
    try bench.expect { bench.agent.feeds[0].frames == 2 }
    try bench.expect { wire.publishes.filter { $0.topic == "meter/home/state" }.count == 2 }
    let meter = try #require(try bench.agent.statusView().meters.first)
    #expect(meter.replay)
    #expect(meter.replays == 1)
  }

  @Test func followsAMeterThatIsReplacedByOneOfAnotherFamily() throws {
    let (bench, wire, _) = try bench(key: TestKeyFile.text)
    let feed = bench.agent.feeds[0]
    for model in ["nl-dsmr5", "de-iskra", "no-aidon", "at-kaifa", "nl-dsmr5"] {
      let before = feed.frames
      for frame in try frames(model, 2) {
        bench.meters[0].send(frame)
        bench.idle(milliseconds: 300)
      }
      #expect(feed.frames == before + 2, "\(model)")
      #expect(feed.rejected == 0, "\(model)")
    }
    #expect(wire.publishes.filter { $0.topic == "meter/home/state" }.count == 10)
  }
}
