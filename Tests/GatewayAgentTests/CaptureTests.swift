import Glibc
import MeterSimulator
import OBISDecoder
import Testing

@testable import GatewayAgent

/// A directory of one test, removed with the value.
struct ScratchDirectory: ~Copyable {
  let path: String

  init() throws {
    var name = Array("/tmp/gateway-test-XXXXXX".utf8CString)
    let made = unsafe mkdtemp(&name)
    try #require(unsafe made != nil)
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in ["capture", "raw", "tty"] { _ = unsafe unlink("\(path)/\(name)") }
    _ = unsafe rmdir(path)
  }

  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = try CaptureFile("\(path)/\(name)", isReplacing: false)
    try file.write(bytes)
    return "\(path)/\(name)"
  }
}

@Suite struct CaptureFormatTests {
  static let example = """
    gateway-capture 1
    # port: serial 115200 8N1
    +0 2F54

    +13 0d0A
    +13 FF
    end +10000

    """
  static let content = Capture(
    records: [
      Capture.Record(milliseconds: 0, bytes: [0x2F, 0x54]),
      Capture.Record(milliseconds: 13, bytes: [0x0D, 0x0A]),
      Capture.Record(milliseconds: 13, bytes: [0xFF]),
    ], durationMilliseconds: 10_000)

  private func read(_ bytes: [UInt8], piece: Int) throws -> Capture {
    var reader = CaptureReader()
    var start = 0
    while start < bytes.count {
      let end = min(start + piece, bytes.count)
      try reader.push(bytes[start..<end])
      start = end
    }
    try reader.finish()
    return reader.capture
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func readsACaptureInPieces(piece: Int) throws {
    #expect(try read(Array(Self.example.utf8), piece: piece) == Self.content)
    let crlf = Self.example.replacing("\n", with: "\r\n")
    #expect(try read(Array(crlf.utf8), piece: piece) == Self.content)
  }

  @Test func writesWhatItReads() throws {
    var bytes = CaptureWriter.head(port: "test")
    let long = (0..<2500).map { UInt8(truncatingIfNeeded: $0) }
    bytes += CaptureWriter.lines([1], at: 0)
    bytes += CaptureWriter.lines(long, at: 5)
    bytes += CaptureWriter.end(at: 6)
    let capture = try read(bytes, piece: 4096)
    #expect(capture.bytes == [1] + long)
    #expect(capture.records.map(\.milliseconds) == [0, 5, 5, 5])
    #expect(capture.durationMilliseconds == 6)
  }

  @Test(arguments: [
    ("gateway-capture 2\n", 1, "gateway-capture 1"),
    ("gateway-capture 1\n+0 4\n", 2, "two hexadecimal digits for each byte"),
    ("gateway-capture 1\n+0 \n", 2, "two hexadecimal digits for each byte"),
    ("gateway-capture 1\n+0 4G\n", 2, "hexadecimal digits"),
    ("gateway-capture 1\n+041\n", 2, "a space and hexadecimal digits behind the time"),
    ("gateway-capture 1\n+-1 41\n", 2, "milliseconds"),
    ("gateway-capture 1\n+9999999999999999 41\n", 2, "milliseconds"),
    ("gateway-capture 1\n+5 41\n+4 41\n", 3, "a time not before the line above"),
    ("gateway-capture 1\n+5 41\nend +4\n", 3, "a time not before the line above"),
    ("gateway-capture 1\nend +4\n+5 41\n", 3, "nothing behind the end"),
    ("gateway-capture 1\nport 4\n", 2, "+MILLISECONDS HEX, end +MILLISECONDS or # COMMENT"),
    ("gateway-capture", 1, "gateway-capture 1"),
  ])
  func namesTheLineThatBreaksTheFormat(text: String, line: Int, expected: String) {
    do {
      _ = try read(Array(text.utf8), piece: 64)
      Issue.record("accepted")
    } catch {
      let error = error as? CaptureError
      #expect(error?.line == line)
      #expect(error?.expected.description == expected)
    }
  }

  @Test func refusesALineWithoutEnd() {
    #expect(throws: CaptureError.self) {
      try read(
        Array("gateway-capture 1\n+0 ".utf8) + Array(repeating: 0x34, count: 4096), piece: 64)
    }
  }

  @Test func keepsWhatCameBeforeACut() throws {
    let bytes = Array(Self.example.utf8)
    for count in 18...bytes.count {
      let capture = try read(Array(bytes[..<count]), piece: 64)
      #expect(Self.content.bytes.starts(with: capture.bytes))
    }
  }

  @Test func tellsACaptureFromRawBytes() {
    #expect(Capture.isCapture(Array(Self.example.utf8)) == true)
    #expect(Capture.isCapture(Array("gateway-cap".utf8)) == nil)
    #expect(Capture.isCapture([UInt8]()) == nil)
    #expect(Capture.isCapture(DecodeInput.f1) == false)
  }
}

@Suite struct CapturePlaybackTests {
  @Test func pacesRawBytesByTheirFrames() {
    let bytes = Array("junk".utf8) + DecodeInput.f1 + DecodeInput.f1 + Array("rest".utf8)
    let capture = Capture(paced: bytes, intervalMilliseconds: 250)
    #expect(capture.bytes == bytes)
    #expect(capture.records.map(\.milliseconds) == [0, 250, 500])
    #expect(capture.records.map(\.bytes.count) == [534, 530, 4])
    #expect(capture.durationMilliseconds == 750)
  }

  @Test func playsAtTheSpeedAndLoopsAtTheEnd() {
    var once = ReplaySource(CaptureFormatTests.content, speed: 2, isLooping: false)
    var times: [Int64] = []
    while let piece = once.next() { times.append(piece.milliseconds) }
    #expect(times == [0, 6, 6])
    var loop = ReplaySource(CaptureFormatTests.content, speed: 1, isLooping: true)
    #expect((0..<5).compactMap { _ in loop.next()?.milliseconds } == [0, 13, 13, 10_000, 10_013])
  }

  @Test func recordsWhatAFileHolds() throws {
    let directory = try ScratchDirectory()
    let raw = DecodeInput.f1 + DecodeInput.unchecked
    let source = try directory.write(raw, to: "raw")
    let path = "\(directory.path)/capture"
    let loop = try EventLoop()
    let file = try CaptureFile(path, isReplacing: false)
    try file.write(CaptureWriter.head(port: "test"))
    try Recorder(.file(path: source), to: file, on: loop).run(seconds: 60, name: "raw")
    #expect(try FileAccess.status(path).mode == 0o600)
    let capture = try Replay.capture(in: path, intervalMilliseconds: 1000)
    #expect(capture.bytes == raw)
    #expect(capture.durationMilliseconds != nil)
    #expect(throws: CommandFailure.self) { try CaptureFile(path, isReplacing: false) }
  }

  @Test func leavesNoFileWhereThePortIsWrong() throws {
    let directory = try ScratchDirectory()
    let path = "\(directory.path)/capture"
    let file = try CaptureFile(path, isReplacing: false)
    let recorder = Recorder(.file(path: "/nonexistent"), to: file, on: try EventLoop())
    #expect(throws: CommandFailure.unusable("x: no such file or directory")) {
      try recorder.run(seconds: 60, name: "x")
    }
    #expect(throws: SystemError.self) { try FileAccess.status(path) }
  }

  @Test func givesAReaderOfThePseudoTerminalEveryByte() throws {
    let directory = try ScratchDirectory()
    let link = "\(directory.path)/tty"
    let loop = try EventLoop()
    let every = (0...255).map { UInt8($0) }
    let pieces = (0..<200).map { index in
      Player.Piece(milliseconds: Int64(index / 50), bytes: every + DecodeInput.f1)
    }
    var received: [UInt8] = []
    try play(pieces, to: TerminalTarget(link: link, on: loop), on: loop) {
      let input = Input(.serial(path: link, .p1), on: loop)
      input.onBytes = { bytes, _ in for index in bytes.indices { received.append(bytes[index]) } }
      return input
    }
    #expect(received == pieces.flatMap(\.bytes))
    #expect(FileAccess.linkTarget(link) == nil, "the link goes with the terminal")
  }

  @Test func givesEveryTCPClientEveryByte() throws {
    let loop = try EventLoop()
    let pieces = (0..<100).map { _ in Player.Piece(milliseconds: 0, bytes: DecodeInput.f1) }
    let target = try TCPTarget(port: 0, on: loop)
    let port = try #require(UInt16(target.place.drop { $0 != ":" }.dropFirst()))
    var received: [UInt8] = []
    try play(pieces, to: target, on: loop) {
      let input = Input(.tcp(host: "127.0.0.1", port: port), on: loop)
      input.onBytes = { bytes, _ in for index in bytes.indices { received.append(bytes[index]) } }
      return input
    }
    #expect(received == pieces.flatMap(\.bytes))
  }

  /// Plays on the loop that also reads, until the player is done.
  private func play(
    _ pieces: [Player.Piece], to target: consuming any PlaybackTarget, on loop: EventLoop,
    input: () -> Input
  ) throws {
    var left = pieces[...]
    let player = Player(to: target, on: loop) { left.popFirst() }
    let input = input()
    player.start()
    input.start()
    // Only a player that never ends would meet this.
    let guardian = loop.schedule(afterMilliseconds: 60_000) { loop.stop() }
    loop.run()
    guardian.cancel()
    input.stop()
    #expect(player.failure == nil)
    #expect(left.isEmpty)
  }

  @Test func refusesALinkOverSomethingElse() throws {
    let directory = try ScratchDirectory()
    let path = try directory.write([], to: "raw")
    #expect(throws: SystemError.self) { _ = try DeviceLink(path, to: "/dev/pts/9") }
    #expect(try FileAccess.status(path).isRegular)
  }

  @Test(arguments: MeterModel.all.filter { $0.key == nil }.map(\.name))
  func decodesWhatItSimulates(model: String) throws {
    var meter = try #require(SimulatedMeter(name: model, seed: 7))
    let start: Int64 = 1_768_487_400_000
    var run = DecodeRun(dialect: nil, framesBefore: 0)
    var time = start
    var events: [DecodeCollector.Event] = []
    var expected: [[ExpectedReading]] = []
    for _ in 0..<5 {
      time = meter.nextDue(after: time)
      let frame = meter.next(at: time)
      expected.append(frame.expected.filter(\.isRequired))
      events += try run.push(frame.bytes)
    }
    events += try run.finish()
    let frames = events.compactMap { event in
      if case .frame(let frame) = event { frame } else { nil }
    }
    #expect(frames.count == 5)
    #expect(frames.count == events.count, "every byte belongs to a frame")
    for (frame, readings) in zip(frames, expected) {
      #expect(frame.rejection == nil)
      for reading in readings {
        let isThere = frame.values.contains { value in
          value.reading.code == reading.code && value.reading.unit == reading.unit
            && value.reading.value.isEqual(to: reading.value)
        }
        #expect(isThere, "\(reading.code) \(reading.value)")
      }
    }
  }

  @Test func pausesBetweenTheFramesOfAMessageOverMBus() throws {
    func pieces(isPaced: Bool) throws -> [Player.Piece] {
      let meter = try #require(SimulatedMeter(name: "at-kaifa", seed: 3))
      var source = SimulationSource(
        meter, start: 1_768_487_400_000, rate: 1, frames: 2, isPaced: isPaced)
      var pieces: [Player.Piece] = []
      while let piece = source.next() { pieces.append(piece) }
      return pieces
    }
    let paced = try pieces(isPaced: true)
    #expect(paced.map(\.milliseconds) == [5000, 5160, 10_000, 10_160])
    #expect(paced.map { $0.bytes.first } == [0x68, 0x68, 0x68, 0x68])
    let together = try pieces(isPaced: false)
    #expect(together.count == 2)
    #expect(together.flatMap(\.bytes) == paced.flatMap(\.bytes))
  }

  @Test func listsTheKeysOfCipheredModels() {
    let lines = Simulate.keyLines
    #expect(lines.contains { $0.hasPrefix("key 000102030405060708090A0B0C0D0E0F: ") })
    #expect(
      lines.contains {
        $0 == "authentication key 00112233445566778899AABBCCDDEEFF: lu-p1-ciphered"
      })
    let named = Set(lines.flatMap { $0.split { $0 == "," || $0 == " " } }.map(String.init))
    for model in MeterModel.all {
      #expect((model.key != nil) == named.contains(model.name), "\(model.name)")
    }
  }

  @Test func simulatesTheSameForTheSameSeed() throws {
    func bytes(seed: UInt64) throws -> [UInt8] {
      let meter = try #require(SimulatedMeter(name: "nl-dsmr5", seed: seed))
      var source = SimulationSource(
        meter, start: 1_768_487_400_000, rate: 1, frames: 3, isPaced: false)
      var bytes: [UInt8] = []
      while let piece = source.next() { bytes += piece.bytes }
      return bytes
    }
    #expect(try bytes(seed: 3) == bytes(seed: 3))
    #expect(try bytes(seed: 3) != bytes(seed: 4))
    #expect(SimulationStart(argument: "2026-01-15T14:30:00Z")?.milliseconds == 1_768_487_400_000)
  }
}
