import Foundation
import OBISDecoder
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// What a serial receiver makes of a line, bit by bit: the physics that the probe reasons about.
enum TestUART {
  /// The levels of a line that sends `bytes` one after the other, 8N1 or with parity.
  static func levels(_ bytes: [UInt8], idle: Int = 30) -> [Bool] {
    var levels = [Bool](repeating: true, count: idle)
    for byte in bytes {
      levels.append(false)
      for bit in 0..<8 { levels.append(byte >> UInt8(bit) & 1 == 1) }
      levels.append(true)
    }
    return levels + [Bool](repeating: true, count: idle)
  }

  /// What a receiver reads whose bits are `ratio` of the sender's long; samples in mid-bit.
  ///
  /// With `evenParity` it takes a ninth bit for that of the byte.
  static func receive(
    _ levels: [Bool], ratio: Double = 1, evenParity: Bool = false
  ) -> (bytes: [UInt8], errors: LineErrors) {
    let stop = evenParity ? 10.5 : 9.5
    var bytes: [UInt8] = []
    var errors = LineErrors()
    var time = 0.0
    func level(_ at: Double) -> Bool { Int(at) < levels.count ? levels[Int(at)] : true }
    while Int(time) < levels.count {
      guard !level(time) else {
        time += 0.05
        continue
      }
      var byte: UInt8 = 0
      for bit in 0..<8 where level(time + (1.5 + Double(bit)) * ratio) { byte |= 1 << UInt8(bit) }
      bytes.append(byte)
      if evenParity, level(time + 9.5 * ratio) != (byte.nonzeroBitCount % 2 == 1) {
        errors.parity += 1
      }
      if level(time + stop * ratio) {
        time += stop * ratio
      } else {
        errors.framing += 1
        time += stop * ratio
        // A receiver waits for the line to rise before it takes another start bit.
        while Int(time) < levels.count, !level(time) { time += 0.05 }
      }
    }
    return (bytes, errors)
  }

  /// Seven data bits and even parity, as an 8N1 port reads them.
  static func evenParity(_ text: [UInt8]) -> [UInt8] {
    text.map { $0.nonzeroBitCount % 2 == 0 ? $0 : $0 | 0x80 }
  }
}

/// A line on which a test decides what each setting receives.
struct TestLine: ProbeLine {
  var candidates = SerialSettings.probed
  /// Asked with the settings of each attempt.
  var receive: (SerialSettings?) -> [UInt8]

  func listen(
    _ settings: SerialSettings?, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) -> ProbeTrial {
    ProbeTrial(settings: settings, bytes: receive(settings), errors: nil)
  }
}

@Suite struct LineEvidenceTests {
  static let telegram = RedactionTests.telegram

  private func finding(_ bytes: [UInt8], _ settings: SerialSettings? = .p1Line) -> ProbeFinding {
    LineEvidence(ProbeTrial(settings: settings, bytes: bytes)).finding
  }

  @Test func recognisesInvertedSignal() {
    for name in ["nl-dsmr5", "be-emucs", "se-p1"] {
      guard var meter = SimulatedMeter(name: name, seed: 3) else { continue }
      let frame = meter.next(at: 1_768_000_000_000).bytes
      let levels = TestUART.levels(frame, idle: 200).map { !$0 }
      #expect(finding(TestUART.receive(levels).bytes) == .inverted, "\(name)")
    }
  }

  @Test func takesNothingElseForInverted() {
    var random = RandomSource(seed: 5)
    let noise = (0..<2000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    #expect(finding(noise) != .inverted)
    #expect(finding(Array(Self.telegram.dropFirst(20).dropLast(20))) != .inverted)
    #expect(finding(TestUART.evenParity(Self.telegram)) != .inverted)
    for ratio in [0.08, 0.25, 0.5, 2.0, 12.0, 48.0] {
      let received = TestUART.receive(TestUART.levels(Self.telegram), ratio: ratio).bytes
      #expect(finding(received) != .inverted, "\(ratio)")
    }
  }

  @Test func recognisesParityBitsOfSevenBitText() {
    #expect(finding(TestUART.evenParity(Self.telegram)) == .parityBits(.even))
    let odd = TestUART.evenParity(Self.telegram).map { $0 ^ 0x80 }
    #expect(finding(odd) == .parityBits(.odd))
  }

  @Test("case 58: says that a HAN port of 8N1 is read with a parity bit")
  func recognisesWrongParityOfHDLC() throws {
    var even = SerialSettings.p1Line
    even.speed = 2400
    even.parity = .even
    for name in ["no-aidon", "no-kaifa", "no-kamstrup"] {
      var meter = try #require(SimulatedMeter(name: name, seed: 3))
      let frame = meter.next(at: 1_768_000_000_000).bytes
      let received = TestUART.receive(TestUART.levels(frame), evenParity: true)
      let trial = ProbeTrial(settings: even, bytes: received.bytes, errors: received.errors)
      #expect(LineEvidence(trial).finding == .wrongParity, "\(name)")
      // The same line with the right settings is a meter, and a quiet driver is no proof.
      #expect(LineEvidence(ProbeTrial(settings: .p1Line, bytes: frame)).finding.weight == 7)
      let quiet = ProbeTrial(settings: even, bytes: received.bytes, errors: LineErrors())
      #expect(LineEvidence(quiet).finding != .wrongParity)
    }
  }

  @Test(arguments: [0.02, 0.08, 12.0, 48.0])
  func recognisesAnotherSpeed(ratio: Double) {
    let received = TestUART.receive(
      TestUART.levels(Self.telegram + Self.telegram + Self.telegram), ratio: ratio)
    guard received.bytes.count >= LineEvidence.leastBytes else { return }
    let trial = ProbeTrial(settings: .p1Line, bytes: received.bytes, errors: received.errors)
    #expect(LineEvidence(trial).finding == .wrongSpeed)
  }

  @Test func namesMakerAndFamily() {
    let bytes = RedactionTests.sealed("/KFM5KAIFA-METER\n\n1-0:1.7.0(00.473*kW)\n!")
    #expect(
      finding(bytes)
        == .meter(
          ProbedMeter(
            dialects: [.p1], maker: "Kaifa", isEncrypted: false, goodFrames: 1, badFrames: 0)))
  }

  @Test func namesAllFamiliesOnALine() throws {
    var push = try #require(SimulatedMeter(name: "no-aidon", seed: 3))
    let frames = push.next(at: 1_768_000_000_000).bytes + Self.telegram + Self.telegram
    guard case .meter(let meter) = finding(frames) else {
      Issue.record("no meter")
      return
    }
    #expect(meter.dialects == [.p1, .hdlc])
    #expect(meter.maker == "Aidon")
  }

  @Test func tellsDamagedFromUnknown() {
    var bad = Self.telegram
    bad[50] ^= 1
    #expect(finding(bad) == .damaged(.p1))
    #expect(finding(Array(repeating: 0x41, count: 100)) == .unknown)
    #expect(finding([]) == .silent)
  }
}

@Suite struct ProbeRunTests {
  private let run = ProbeRun(milliseconds: 1)

  private func report(_ line: TestLine) throws -> ProbeReport {
    ProbeReport(port: "/dev/ttyUSB0", diagnosis: try run.run(line))
  }

  @Test func findsTheSettingThatFits() throws {
    let bytes = LineEvidenceTests.telegram
    let line = TestLine { settings in
      switch (settings?.speed, settings?.dataBits) {
      case (9600, 7): bytes
      case (9600, _): TestUART.evenParity(bytes)
      default: [UInt8](repeating: 0, count: 200)
      }
    }
    let report = try report(line)
    #expect(report.code == "ok")
    #expect(
      report.configuration == """
        [[meters]]
        name = "home"
        port = "/dev/ttyUSB0"
        dialect = "p1"
        speed = 9600
        parity = "even"
        data_bits = 7
        stop_bits = 1

        """)
  }

  @Test func raisesTheModemLinesOfASilentPort() throws {
    let bytes = LineEvidenceTests.telegram
    let report = try report(TestLine { $0?.rts == true ? bytes : [] })
    #expect(report.code == "ok")
    #expect(report.configuration?.contains("rts = true\ndtr = true\n") == true)
  }

  @Test func doesNotTryAllSpeedsOnASilentPort() throws {
    var attempts = 0
    var run = ProbeRun(milliseconds: 1)
    run.onAttempt = { _ in attempts += 1 }
    let diagnosis = try run.run(TestLine { _ in [] })
    #expect(diagnosis.finding == .silent)
    #expect(attempts == 2)
    let report = ProbeReport(port: "/dev/ttyUSB0", diagnosis: diagnosis)
    #expect(report.code == "no_bytes")
    #expect(report.configuration == nil)
    #expect(report.sentences.joined().contains("data request line"))
  }

  @Test func saysWhatIsWrongWhereNoSettingFits() throws {
    let levels = TestUART.levels(LineEvidenceTests.telegram, idle: 200).map { !$0 }
    let inverted = TestUART.receive(levels).bytes
    #expect(try report(TestLine { _ in inverted }).code == "inverted")
    let parity = TestUART.evenParity(LineEvidenceTests.telegram)
    #expect(try report(TestLine { _ in parity }).code == "parity_bits")
  }

  @Test func asksForAKeyWhereTheMeterEncrypts() throws {
    var diagnosis = ProbeDiagnosis(trial: ProbeTrial(settings: .p1Line, bytes: []))
    diagnosis.finding = .meter(
      ProbedMeter(
        dialects: [.mbus], maker: "Kaifa", isEncrypted: true, goodFrames: 2, badFrames: 0))
    let report = ProbeReport(port: "/dev/ttyUSB0", diagnosis: diagnosis)
    #expect(report.code == "needs_key")
    #expect(report.sentences.joined().contains("32 hexadecimal digits"))
    #expect(report.configuration?.contains("key_file = \"home.key\"\n") == true)
  }

  @Test func showsNoNumberOfTheMeter() throws {
    let report = try report(TestLine { _ in LineEvidenceTests.telegram })
    let shown = report.text + report.json
    for original in RedactionTests.originals {
      for form in IdentifierForms.all(of: [Array(original.utf8)]) {
        #expect(!form.occurs(in: shown), "\(form.name) of \(original)")
      }
    }
  }
}

/// The driver on real descriptors.
@Suite(.serialized) struct ProbeLineTests {
  @Test func readsAPseudoTerminal() throws {
    let path = "/tmp/gateway-probe-\(getpid())"
    let terminal = TestTerminal(at: path)
    terminal.send(LineEvidenceTests.telegram)
    let diagnosis = try ProbeRun(milliseconds: 2000).run(SerialProbeLine(path: path))
    #expect(diagnosis.finding.weight == 7)
    #expect(diagnosis.settings == .p1Line)
  }

  @Test func asksAMeterThatWaitsForIt() throws {
    let path = LoopHarness.temporaryDirectory() + "/meter"
    let meter = Thread {
      let terminal = TestTerminal(at: path)
      var heard: [UInt8] = []
      func hear(_ count: Int) {
        while heard.count < count {
          heard += terminal.receive()
          usleep(2000)
        }
      }
      hear(5)
      terminal.send("/XYZ5name\r\n")
      hear(11)
      // The reader changes its speed behind the acknowledgement's last character.
      while terminal.speed != speed_t(B9600) { usleep(2000) }
      terminal.send("\u{2}1.8.0(000441.879*kWh)\r\n2.8.0(000007.1*kWh)\r\n!\r\n\u{3}")
      terminal.send([Self.checksum])
      while !Thread.current.isCancelled { usleep(2000) }
    }
    meter.start()
    while unsafe access(path, F_OK) != 0 { usleep(2000) }
    let line = RequestProbeLine(
      path: path,
      opening: SerialSettings(speed: 300, dataBits: 8, parity: .none, stopBits: 1))
    let diagnosis = try ProbeRun(milliseconds: 10_000).run(line)
    meter.cancel()
    let report = ProbeReport(port: path, diagnosis: diagnosis, isRequested: true)
    #expect(report.code == "ok")
    #expect(
      report.configuration == """
        [[meters]]
        name = "home"
        port = "\(path)"
        dialect = "d0"
        request = "mode-c"

        """)
  }

  /// The block check character: all bytes behind STX up to and with ETX.
  private static let checksum: UInt8 =
    "1.8.0(000441.879*kWh)\r\n2.8.0(000007.1*kWh)\r\n!\r\n\u{3}".utf8.reduce(0, ^)

  @Test func saysThatNobodyAnswersARequest() throws {
    let path = LoopHarness.temporaryDirectory() + "/meter"
    let terminal = TestTerminal(at: path)
    let line = RequestProbeLine(
      path: path,
      opening: SerialSettings(speed: 300, dataBits: 8, parity: .none, stopBits: 1))
    let diagnosis = try ProbeRun(milliseconds: 10_000).run(line)
    let report = ProbeReport(port: path, diagnosis: diagnosis, isRequested: true)
    #expect(report.code == "no_bytes")
    #expect(report.sentences[0].hasPrefix("No answer came to the request"))
    terminal.unplug()
  }

  @Test func readsANetworkAdapter() throws {
    let (socket, port) = TestSocket.listen()
    defer { close(socket) }
    let thread = Thread {
      let client = accept(socket, nil, nil)
      let bytes = LineEvidenceTests.telegram
      _ = unsafe bytes.withUnsafeBytes { unsafe write(client, $0.baseAddress, $0.count) }
      close(client)
    }
    thread.start()
    let line = TCPProbeLine(host: "127.0.0.1", port: port)
    let diagnosis = try ProbeRun(milliseconds: 3000).run(line)
    let report = ProbeReport(port: "tcp://127.0.0.1:\(port)", diagnosis: diagnosis)
    #expect(report.code == "ok")
    #expect(report.configuration?.contains("speed") == false)
  }

  @Test func namesAPortThatIsNotThere() {
    #expect(throws: SystemError.self) {
      try ProbeRun(milliseconds: 10).run(SerialProbeLine(path: "/nonexistent/port"))
    }
  }
}

extension SerialSettings {
  /// 115 200 baud 8N1.
  fileprivate static var p1Line: SerialSettings { .probed[0] }
}
