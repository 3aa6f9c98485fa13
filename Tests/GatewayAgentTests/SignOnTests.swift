import Glibc
import Testing

@testable import GatewayAgent

/// The conversation alone, with time as an argument.
@Suite struct SignOnTests {
  private static let request = Array("/?!\r\n".utf8)
  /// Without parity: a pseudo-terminal has none, and glibc's `tcsetattr` says so (EINVAL).
  private static let line = SerialSettings(speed: 300, dataBits: 8, parity: .none, stopBits: 1)

  private func take(_ text: String, _ signOn: inout SignOn, at now: Int64) -> [SignOn.Action] {
    text.utf8.flatMap { signOn.take($0, at: now) }
  }

  private func asked(address: String = "") -> SignOn {
    var signOn = SignOn(SignOnSettings(address: address, pollSeconds: 60), at: 1000)
    #expect(
      signOn.due(at: 1000) == [.setSpeed(300), .send(Array("/?\(address)!\r\n".utf8))])
    return signOn
  }

  @Test func asksAcknowledgesChangesSpeedAndAsksAgain() {
    var signOn = asked()
    #expect(take("/?!\r\n/XYZ5name\r\n", &signOn, at: 2000) == [])
    #expect(signOn.deadline == 2200)
    #expect(signOn.due(at: 2199) == [])
    #expect(signOn.due(at: 2200) == [.send([6, 0x30, 0x35, 0x30, 13, 10])])
    #expect(signOn.deadline == 2500)
    #expect(take("\u{6}050\r\n", &signOn, at: 2450) == [])
    #expect(signOn.due(at: 2500) == [.setSpeed(9600)])
    #expect(take("\u{2}1.8.0(1*kWh)\r\n!\r\n", &signOn, at: 2700) == [])
    #expect(signOn.due(at: 4700) == [])
    #expect(signOn.deadline == 61_000)
    #expect(signOn.due(at: 61_000) == [.setSpeed(300), .send(Self.request)])
  }

  @Test(arguments: [
    ("0", 300), ("1", 600), ("2", 1200), ("3", 2400), ("4", 4800), ("5", 9600), ("6", 19_200),
  ])
  func knowsSpeedOfEachCharacter(code: String, speed: Int) {
    var signOn = asked()
    _ = take("/XYZ\(code)name\r\n", &signOn, at: 2000)
    _ = signOn.due(at: 2200)
    #expect(signOn.due(at: 2500) == [.setSpeed(speed)])
  }

  @Test func changesSpeedUnaskedInModeBAndNotAtAllInModeA() {
    var modeB = asked()
    #expect(take("/XYZDname\r\n", &modeB, at: 2000) == [.setSpeed(4800)])
    var modeA = asked()
    #expect(take("/XYZ-name\r\n", &modeA, at: 2000) == [])
    #expect(modeA.due(at: 4000) == [.fail(.noData(speed: 300))])
  }

  @Test func sendsAddress() { _ = asked(address: "12345678") }

  @Test func saysWhatWasFoundInsteadOfAnIdentification() {
    var silent = asked()
    #expect(take("/?!\r\n", &silent, at: 1200) == [])
    let end = silent.deadline
    #expect(end == 1000 + 167 + 2000)
    #expect(silent.due(at: end) == [.fail(.noIdentification(bytes: 0))])
    #expect(silent.deadline == 61_000)
    var noisy = asked()
    #expect(take("abc", &noisy, at: 1300) == [])
    #expect(noisy.due(at: noisy.deadline) == [.fail(.noIdentification(bytes: 3))])
    var other = asked()
    #expect(take("/12\r\n", &other, at: 1300) == [.fail(.malformedIdentification)])
  }

  @Test func saysThatNoDataCame() {
    var signOn = asked()
    _ = take("/XYZ4name\r\n", &signOn, at: 2000)
    _ = signOn.due(at: 2200)
    _ = signOn.due(at: 2500)
    #expect(signOn.due(at: 4500) == [.fail(.noData(speed: 4800))])
  }

  @Test func reactsInTheTimeThatTheStandardAllows() {
    let sent = 6 * 10 * 1000 / SignOn.openingSpeed
    #expect((200...1500).contains(SignOn.reactionMilliseconds))
    // The meter may answer 200 ms behind the last character: by then the speed has to be right.
    #expect((20..<200).contains(SignOn.changeMilliseconds))
    var signOn = asked()
    _ = take("/XYZ5name\r\n", &signOn, at: 0)
    _ = signOn.due(at: 200)
    #expect(signOn.deadline == Int64(200 + sent + SignOn.changeMilliseconds))
  }

  @Test func talksToAMeterOnALine() throws {
    ProcessSetup.prepare()
    let loop = try EventLoop()
    let path = LoopHarness.temporaryDirectory() + "/meter"
    let terminal = TestTerminal(at: path)
    var serial = Self.line
    serial.signOn = SignOnSettings(address: "", pollSeconds: 10)
    let input = Input(.serial(path: path, serial), on: loop)
    var received: [UInt8] = []
    input.onBytes = { bytes, _ in
      for index in bytes.indices { received.append(bytes[index]) }
    }
    input.start()
    defer { input.stop() }
    var heard: [UInt8] = []
    let heardAll = { (count: Int) -> Bool in
      heard += terminal.receive()
      return heard.count >= count
    }
    #expect(LoopHarness.run(loop) { heardAll(5) })
    #expect(heard == Self.request)
    #expect(terminal.speed == speed_t(B300))
    terminal.send("/XYZ5name\r\n")
    #expect(LoopHarness.run(loop) { heardAll(11) })
    #expect(heard.suffix(6) == [6, 0x30, 0x35, 0x30, 13, 10])
    #expect(LoopHarness.run(loop) { terminal.speed == speed_t(B9600) })
    terminal.send("\u{2}1.8.0(1*kWh)\r\n!\r\n")
    #expect(LoopHarness.run(loop) { received.suffix(3) == [0x21, 13, 10] })
  }

  @Test func tellsOfAMeterThatIsSilent() throws {
    ProcessSetup.prepare()
    let loop = try EventLoop()
    let path = LoopHarness.temporaryDirectory() + "/meter"
    let terminal = TestTerminal(at: path)
    var serial = Self.line
    serial.signOn = SignOnSettings()
    let input = Input(.serial(path: path, serial), on: loop)
    var faults: [SignOnFault] = []
    input.onSignOn = { faults.append($0) }
    input.start()
    defer { input.stop() }
    #expect(LoopHarness.run(loop) { !faults.isEmpty })
    #expect(faults == [.noIdentification(bytes: 0)])
    terminal.unplug()
  }
}
