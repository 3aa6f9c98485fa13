import AllocationCounter
import Glibc
import Testing

@testable import GatewayAgent

@Suite struct IOInputTests {
  private let loop: EventLoop
  private let directory = LoopHarness.temporaryDirectory()
  private let serial = SerialSettings(
    speed: 115_200, dataBits: 8, parity: .none, stopBits: 1, rts: true, dtr: true)

  init() throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
  }

  /// What an input said.
  private final class Record {
    var bytes: [UInt8] = []
    var chunkSizes: [Int] = []
    var states: [InputState] = []
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  private func record(_ kind: InputKind) -> (Input, Record) {
    let input = Input(kind, on: loop)
    let record = Record()
    input.onBytes = { bytes, receivedAt in
      record.chunkSizes.append(bytes.count)
      for index in bytes.indices { record.bytes.append(bytes[index]) }
      #expect(GatewayClock.monotonicNanoseconds() - receivedAt < 1_000_000_000)
    }
    input.onState = { record.states.append($0) }
    input.start()
    return (input, record)
  }

  @Test(arguments: [0, 1, 4096, 4097, 100_000]) func readsAFileToItsEnd(size: Int) {
    let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    LoopHarness.write(content, to: directory + "/frames")
    let (input, record) = record(.file(path: directory + "/frames"))
    #expect(LoopHarness.run(loop) { record.states.last == .ended })
    #expect(record.bytes == content)
    #expect(record.chunkSizes.allSatisfy { $0 <= Input.chunkBytes })
    #expect(record.states == [.opening, .open, .ended])
    input.stop()
  }

  @Test func waitsForAFileThatIsNotThereYet() {
    let (input, record) = record(.file(path: directory + "/later"))
    #expect(record.states == [.opening, .absent(errno: ENOENT)])
    LoopHarness.idle(loop, milliseconds: 50)
    LoopHarness.write("abc", to: directory + "/later")
    #expect(LoopHarness.run(loop) { record.states.last == .ended })
    #expect(record.text == "abc")
    input.stop()
  }

  @Test(arguments: [1, 7, 64, 1000]) func readsAPseudoTerminalInAnyChunking(chunk: Int) {
    let terminal = TestTerminal(at: directory + "/meter")
    let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let (input, record) = record(.serial(path: directory + "/meter", serial))
    #expect(record.states == [.opening, .open])
    var sent = 0
    while sent < content.count {
      terminal.send(Array(content[sent..<min(sent + chunk, content.count)]))
      sent += chunk
      loop.turn(waitingAtMost: 0)
    }
    #expect(LoopHarness.run(loop) { record.bytes.count >= content.count })
    #expect(record.bytes == content)
    input.stop()
  }

  @Test func keepsATelegramThatWaitsAlready() {
    let terminal = TestTerminal(at: directory + "/meter")
    terminal.send("/waiting\r\n")
    let (input, record) = record(.serial(path: directory + "/meter", serial))
    #expect(LoopHarness.run(loop) { record.text == "/waiting\r\n" })
    input.stop()
  }

  @Test func picksUpAPortThatComesBackUnderTheSamePath() {
    let path = directory + "/by-id/meter"
    unsafe mkdir(directory + "/by-id", 0o755)
    var terminal = TestTerminal(at: path)
    let (input, record) = record(.serial(path: path, serial))
    for round in 0..<3 {
      record.bytes = []
      record.states = []
      terminal.unplug()
      // The directory goes with its last link, as udev's does.
      unsafe rmdir(directory + "/by-id")
      #expect(LoopHarness.run(loop) { record.states.last == .absent(errno: ENOENT) })
      #expect(record.states.count == 2, "\(record.states)")
      if case .lost = record.states.first {} else { Issue.record("\(record.states)") }
      LoopHarness.idle(loop, milliseconds: 300)
      #expect(record.states.count == 2, "a lasting absence is told once: \(record.states)")
      unsafe mkdir(directory + "/by-id", 0o755)
      terminal = TestTerminal(at: path)
      terminal.send("round \(round)")
      #expect(LoopHarness.run(loop, withinMilliseconds: 5000) { record.text == "round \(round)" })
    }
    input.stop()
  }

  @Test func findsAPortThatAppearsLater() {
    let (input, record) = record(.serial(path: directory + "/none/meter", serial))
    #expect(record.states == [.opening, .absent(errno: ENOENT)])
    LoopHarness.idle(loop, milliseconds: 400)
    unsafe mkdir(directory + "/none", 0o755)
    LoopHarness.idle(loop, milliseconds: 30)
    let terminal = TestTerminal(at: directory + "/none/meter")
    terminal.send("x")
    #expect(LoopHarness.run(loop, withinMilliseconds: 5000) { record.text == "x" })
    input.stop()
  }

  @Test func watchesEveryPlaceWhereAPathMayComeBack() throws {
    let paths = ["/meter", "/link", "/missing/deep/meter"].map { directory + $0 }
    unsafe mkdir(directory + "/target", 0o755)
    #expect(unsafe symlink("target/tty", paths[1]) == 0)
    var changes = [0, 0, 0]
    let watchers = try paths.indices.map { index in
      try PathWatcher(paths[index], on: loop) { changes[index] += 1 }
    }
    LoopHarness.write("x", to: directory + "/target/tty")
    #expect(LoopHarness.run(loop) { changes[1] == 1 })
    #expect(changes == [0, 1, 0])
    unsafe mkdir(directory + "/missing", 0o755)
    #expect(LoopHarness.run(loop) { changes[2] == 1 })
    LoopHarness.write("x", to: paths[0])
    #expect(LoopHarness.run(loop) { changes[0] == 2 })
    let before = changes[0]
    unsafe chmod(paths[0], 0o600)
    #expect(LoopHarness.run(loop) { changes[0] > before })
    #expect(watchers.count == 3)
  }

  @Test(arguments: [("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b"), ("/", "/")])
  func findsTheDirectoryOfAPath(path: String, directory: String) {
    #expect(PathWatcher.directory(of: path) == directory)
  }

  @Test func doesNotTakeAFileForASerialPort() {
    LoopHarness.write("x", to: directory + "/file")
    let (input, record) = record(.serial(path: directory + "/file", serial))
    #expect(record.states == [.opening, .absent(errno: ENOTTY)])
    input.stop()
  }

  @Test(arguments: SerialPort.speeds) func setsTheLine(speed: Int) throws {
    let terminal = TestTerminal(at: directory + "/meter", isRaw: false)
    let settings = SerialSettings(
      speed: speed, dataBits: 7, parity: .even, stopBits: 1, rts: nil, dtr: false)
    let port = try SerialPort.open(directory + "/meter", settings)
    var line = termios()
    #expect(unsafe tcgetattr(port.number, &line) == 0)
    #expect(line.c_oflag & tcflag_t(OPOST) == 0 && line.c_lflag & tcflag_t(ICANON | ECHO) == 0)
    #expect(line.c_cflag & tcflag_t(CRTSCTS) == 0)
    let other = SerialSettings(
      speed: speed == 300 ? 600 : 300, dataBits: 8, parity: .none, stopBits: 1, rts: nil, dtr: nil)
    let again = try SerialPort.open(directory + "/meter", other)
    var changed = termios()
    #expect(unsafe tcgetattr(again.number, &changed) == 0)
    #expect(unsafe cfgetispeed(&line) != cfgetispeed(&changed))
    #expect(terminal.master >= 0)
  }

  @Test func refusesAnUnknownSpeed() {
    let terminal = TestTerminal(at: directory + "/meter")
    var settings = serial
    settings.speed = 12_345
    let (input, record) = record(.serial(path: directory + "/meter", settings))
    #expect(record.states == [.opening, .absent(errno: EINVAL)])
    #expect(terminal.master >= 0)
    input.stop()
  }

  @Test func readsAndReconnectsToATCPAdapter() {
    let port = TestSocket.freePort()
    let (input, record) = record(.tcp(host: "localhost", port: port))
    #expect(LoopHarness.run(loop) { record.states.last == .absent(errno: ECONNREFUSED) })
    for round in 0..<2 {
      record.bytes = []
      let server = FakeServer(port: port)
      #expect(
        LoopHarness.run(loop) {
          server.turn()
          return record.states.last == .open && !server.clients.isEmpty
        })
      TestSocket.send(Array("tele".utf8), to: server.clients[0])
      loop.turn(waitingAtMost: 50)
      TestSocket.send(Array("gram \(round)".utf8), to: server.clients[0])
      #expect(LoopHarness.run(loop) { record.text == "telegram \(round)" })
      server.stop()
      #expect(LoopHarness.run(loop) { record.states.last == .absent(errno: ECONNREFUSED) })
    }
    #expect(record.states.filter { $0 == .lost(errno: 0) }.count == 2, "\(record.states)")
    input.stop()
  }

  @Test func tellsThatAHostNameHasNoAddress() {
    let (input, record) = record(.tcp(host: "gateway.invalid", port: 1))
    #expect(LoopHarness.run(loop, withinMilliseconds: 30_000) { record.states.count == 2 })
    guard case .absent(let reason) = record.states.last else { return }
    #expect(reason < 0)
    input.stop()
  }

  @Test func staysQuietAfterStop() {
    let terminal = TestTerminal(at: directory + "/meter")
    let (input, record) = record(.serial(path: directory + "/meter", serial))
    let (other, refused) = self.record(.tcp(host: "127.0.0.1", port: TestSocket.freePort()))
    terminal.send("x")
    input.stop()
    other.stop()
    terminal.unplug()
    LoopHarness.idle(loop, milliseconds: 400)
    #expect(record.states == [.opening, .open] && record.bytes.isEmpty)
    #expect(refused.states == [.opening])
  }

  @Test func mayBeStoppedByItsOwnHandler() {
    let terminal = TestTerminal(at: directory + "/meter")
    let input = Input(.serial(path: directory + "/meter", serial), on: loop)
    var chunks = 0
    input.onBytes = { [unowned input] _, _ in
      chunks += 1
      input.stop()
    }
    input.start()
    terminal.send("x")
    #expect(LoopHarness.run(loop) { chunks == 1 })
    terminal.send("y")
    LoopHarness.idle(loop, milliseconds: 50)
    #expect(chunks == 1)
  }

  @Test func readsChunksWithoutHeap() {
    let terminal = TestTerminal(at: directory + "/meter")
    let input = Input(.serial(path: directory + "/meter", serial), on: loop)
    var byteCount = 0
    input.onBytes = { bytes, _ in byteCount += bytes.count }
    input.start()
    let chunk = [UInt8](repeating: 0x41, count: 64)
    var spent: UInt64 = 0
    for round in 0..<200 {
      terminal.send(chunk)
      let before = allocation_count()
      loop.turn(waitingAtMost: 1000)
      if round >= 10 { spent += allocation_count() - before }
    }
    #expect(byteCount == 200 * 64)
    #expect(spent == 0)
    input.stop()
  }
}
