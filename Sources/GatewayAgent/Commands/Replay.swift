internal import ArgumentParser
import OBISDecoder

/// `gateway-agent replay`: a recording, played back at its pace.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a recording back at its pace, over a pseudo-terminal or TCP.",
    discussion: """
      Takes a capture made by `gateway-agent record`, or raw bytes, whose frames are then sent at \
      regular intervals. Prints the path or address to read from, and starts when somebody does.
      """)

  @Option(
    help: ArgumentHelp("How many times faster than recorded.", valueName: "n"))
  var speed = 1.0

  @Option(help: ArgumentHelp("pty, tcp:PORT on loopback, or - .", valueName: "where"))
  var to = PlaybackDestination.pseudoTerminal

  @Option(help: ArgumentHelp("A second name for the pseudo-terminal.", valueName: "path"))
  var link: String?

  @Option(
    help: ArgumentHelp("Seconds between the frames of a raw file.", valueName: "seconds"))
  var interval = 1.0

  @Flag(name: .customLong("loop"), help: "Begin again at the end, until interrupted.")
  var isLooping = false

  @Argument(help: "The recording.")
  var file: String

  mutating func validate() throws {
    guard speed > 0.001, speed <= 10_000 else {
      throw ValidationError("--speed must be above 0.001 and at most 10000")
    }
    guard interval >= 0.001, interval <= 86_400 else {
      throw ValidationError("--interval must be from 0.001 to 86400")
    }
    if link != nil, to != .pseudoTerminal {
      throw ValidationError("--link names a pseudo-terminal: use it with --to pty")
    }
  }

  mutating func run() throws {
    let capture = try Replay.capture(in: file, intervalMilliseconds: Int64(interval * 1000))
    guard !capture.records.isEmpty else {
      throw CommandFailure.unusable("\(file): expected recorded bytes, found none")
    }
    do {
      let loop = try EventLoop()
      let target = try to.open(link: link, on: loop)
      if !target.place.isEmpty { try Terminal.line(target.place) }
      var source = ReplaySource(capture, speed: speed, isLooping: isLooping)
      try Player(to: target, on: loop) { source.next() }.run()
    } catch let error as SystemError {
      throw CommandFailure.failed("\(error.call): \(error.lowercaseText)")
    }
  }

  /// Reads a capture, or makes one of a raw file: its frames at regular intervals.
  static func capture(
    in file: String, intervalMilliseconds: Int64
  ) throws(CommandFailure) -> Capture {
    let bytes: [UInt8]
    do {
      bytes = try FileAccess.read(file, limit: 256 << 20)
    } catch {
      throw .unusable(file, error)
    }
    guard Capture.isCapture(bytes) == true else {
      return Capture(paced: bytes, intervalMilliseconds: intervalMilliseconds)
    }
    do throws(CaptureError) {
      var reader = CaptureReader()
      try reader.push(bytes)
      try reader.finish()
      return reader.capture
    } catch {
      throw .unusable("\(file):\(error.line): expected \(error.expected)")
    }
  }
}

extension Capture {
  /// Gives raw bytes a pace: one frame, with what stands before it, each interval.
  init(paced bytes: [UInt8], intervalMilliseconds: Int64) {
    var decoder = MeterDecoder(DecoderOptions())
    var collector = DecodeCollector(framesBefore: 0)
    decoder.push(bytes.span, to: &collector)
    decoder.finish(to: &collector)
    var start = 0
    var time: Int64 = 0
    for case .frame(let frame) in collector.events {
      let end = min(bytes.count, Int(frame.summary.offset) + frame.summary.count)
      guard end > start else { continue }
      records.append(Record(milliseconds: time, bytes: Array(bytes[start..<end])))
      start = end
      time += intervalMilliseconds
    }
    if start < bytes.count {
      records.append(Record(milliseconds: time, bytes: Array(bytes[start...])))
      time += intervalMilliseconds
    }
    durationMilliseconds = time
  }
}

/// The pieces of a recording, once or for ever.
struct ReplaySource {
  private let capture: Capture
  private let speed: Double
  private let isLooping: Bool
  private var index = 0
  private var base: Int64 = 0

  /// `speed` is how many times faster than recorded, above 0.
  init(_ capture: Capture, speed: Double, isLooping: Bool) {
    self.capture = capture
    self.speed = speed
    self.isLooping = isLooping
  }

  /// The next piece; nil at the end.
  mutating func next() -> Player.Piece? {
    if index == capture.records.count {
      // A cut recording has no end of its own: a second of silence stands for it.
      let last = capture.records.last?.milliseconds ?? 0
      base += capture.durationMilliseconds ?? last + 1000
      guard isLooping, base < 1 << 50 else { return nil }
      index = 0
    }
    let record = capture.records[index]
    index += 1
    return Player.Piece(
      milliseconds: Int64(Double(base + record.milliseconds) / speed), bytes: record.bytes)
  }
}
