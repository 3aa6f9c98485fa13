internal import ArgumentParser
import MeterSimulator
import OBISDecoder
import TOMLText

/// `gateway-agent simulate`: a meter that is not there.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send what a meter of a model would send, from a household that is not there.",
    discussion: """
      All identifiers are invented. Prints the path or address to read from, and starts when \
      somebody does. To standard output with --frames it does not wait between frames. \
      modbus:PROFILE answers as a Modbus meter: gateway-agent meters lists the profiles.
      """)

  @Option(help: ArgumentHelp("pty, tcp:PORT on loopback, or - .", valueName: "where"))
  var to = PlaybackDestination.pseudoTerminal

  @Option(help: ArgumentHelp("A second name for the pseudo-terminal.", valueName: "path"))
  var link: String?

  @Option(help: "Which household: the same number gives the same one.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("How many times faster than time, 1 to 3600.", valueName: "n"))
  var rate = 1

  @Option(help: ArgumentHelp("End after so many frames.", valueName: "n"))
  var frames: Int?

  @Option(
    help: ArgumentHelp(
      "When the household's clock starts, such as 2026-01-15T14:30:00Z; now unless given.",
      valueName: "time"))
  var start: SimulationStart?

  @Flag(name: .customLong("list"), help: "List the models and end.")
  var isList = false

  @Flag(
    name: .customLong("identifiers"),
    help: "Print the model's invented identifiers as a JSON array, and end.")
  var isIdentifiers = false

  @Flag(help: "With --list: one JSON object a line.")
  var json = false

  @OptionGroup(title: "Modbus") var modbus: ModbusSimulationOptions

  @Argument(help: "The model, or modbus:PROFILE for a Modbus meter.")
  var model: String?

  mutating func validate() throws {
    guard (1...3600).contains(rate) else {
      throw ValidationError("--rate must be from 1 to 3600")
    }
    if let frames, frames < 1 { throw ValidationError("--frames must be 1 or more") }
    if link != nil, to != .pseudoTerminal {
      throw ValidationError("--link names a pseudo-terminal: use it with --to pty")
    }
    if json, !isList { throw ValidationError("--json goes with --list") }
    if isList { return }
    guard let model else { throw ValidationError("which model? --list shows them") }
    if model.hasPrefix(ModbusSimulation.prefix) { return try validateModbus() }
    if MeterModel.named(model) == nil {
      let names = MeterModel.all.map(\.name)
      let near = Suggestion.nearest(to: model, among: names).map { ", did you mean \($0)?" }
      throw ValidationError("no model \(model)\(near ?? "; --list shows them")")
    }
  }

  /// A Modbus meter answers, so it needs somebody who can ask.
  private func validateModbus() throws {
    if to == .standardOutput {
      throw ValidationError("a Modbus meter answers on --to pty or --to tcp:PORT")
    }
    if modbus.count < 1 || modbus.count > 247 || modbus.count > 1 && to == .pseudoTerminal {
      throw ValidationError("--count must be from 1 to 247, with --to tcp:0")
    }
    if modbus.units.contains(0) { throw ValidationError("--unit must be from 1 to 255") }
  }

  mutating func run() throws {
    if isList { return try list() }
    if let model, model.hasPrefix(ModbusSimulation.prefix) {
      return try ModbusSimulation(
        model: model, options: modbus, destination: to, link: link, seed: seed,
        start: start?.milliseconds ?? GatewayClock(rate: 1).now()
      ).run()
    }
    guard let meter = model.flatMap({ SimulatedMeter(name: $0, seed: seed) }) else { return }
    if isIdentifiers { return try listIdentifiers(meter) }
    do {
      let loop = try EventLoop()
      let target = try to.open(link: link, on: loop)
      if !target.place.isEmpty { try Terminal.line(target.place) }
      let clock = GatewayClock(rate: 1)
      var source = SimulationSource(
        meter, start: start?.milliseconds ?? clock.now(), rate: rate, frames: frames,
        isPaced: to != .standardOutput || frames == nil)
      try Player(to: target, on: loop) { source.next() }.run()
    } catch let error as SystemError {
      throw CommandFailure.failed("\(error.call): \(error.lowercaseText)")
    }
  }

  /// Every identifier that a day of frames holds.
  private func listIdentifiers(_ meter: SimulatedMeter) throws(CommandFailure) {
    var meter = meter
    var texts: Set<String> = []
    for hour in 0..<24 {
      texts.formUnion(meter.next(at: Int64(hour) * 3_600_000).identifiers.map(\.text))
    }
    var line = JSONLine()
    line.open("[")
    for text in texts.sorted() { line.string(text) }
    line.close("]")
    try Terminal.write(line.bytes + [UInt8(ascii: "\n")])
  }

  private func list() throws(CommandFailure) {
    if json {
      for model in MeterModel.all {
        var line = JSONLine()
        line.open("{")
        line.member("name", text: model.name)
        line.member("summary", text: model.summary)
        line.member("dialect", text: model.family)
        line.member("line", text: model.line.summary)
        line.member("interval_ms", number: String(model.intervalMilliseconds))
        if let key = model.key { line.member("key", text: DecodedFrame.hex(key)) }
        if let key = model.authenticationKey {
          line.member("authentication_key", text: DecodedFrame.hex(key))
        }
        line.close("}")
        try Terminal.write(line.bytes + [UInt8(ascii: "\n")])
      }
      return
    }
    let rows = MeterModel.all.map { [$0.name, $0.line.summary, "", $0.summary] }
    for line in DecodeTable.aligned(rows) { try Terminal.line(line) }
    for line in Simulate.keyLines { try Terminal.line(line) }
  }

  /// The keys of ciphered models, each once with the models that it is for.
  ///
  /// They are published examples: no meter in a house has them.
  static var keyLines: [String] {
    var lines: [String] = []
    for (title, key) in [
      ("key", \MeterModel.key), ("authentication key", \MeterModel.authenticationKey),
    ] {
      var seen: [[UInt8]] = []
      for value in MeterModel.all.compactMap({ $0[keyPath: key] }) where !seen.contains(value) {
        seen.append(value)
        let names = MeterModel.all.filter { $0[keyPath: key] == value }.map(\.name)
        lines.append("\(title) \(DecodedFrame.hex(value)): \(names.joined(separator: ", "))")
      }
    }
    return lines
  }
}

/// An instant in UTC on the command line.
struct SimulationStart: ExpressibleByArgument {
  /// Milliseconds since 1970 UTC.
  var milliseconds: Int64

  /// Reads `2026-01-15T14:30:00Z`.
  init?(argument: String) {
    let text = Array(argument.utf8)
    let shape = Array("0000-00-00T00:00:00Z".utf8)
    guard text.count == shape.count else { return nil }
    var numbers: [UInt16] = [0]
    for (byte, expected) in zip(text, shape) {
      if expected == UInt8(ascii: "0") {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        numbers[numbers.count - 1] = numbers[numbers.count - 1] * 10 + UInt16(byte - 0x30)
      } else {
        guard byte == expected else { return nil }
        numbers.append(0)
      }
    }
    let time = MeterTime(
      year: numbers[0], month: UInt8(numbers[1]), day: UInt8(numbers[2]), hour: UInt8(numbers[3]),
      minute: UInt8(numbers[4]), second: UInt8(numbers[5]), season: .unspecified, offsetMinutes: 0)
    guard let seconds = time?.secondsSince1970(standardOffsetMinutes: nil) else { return nil }
    milliseconds = seconds * 1000
  }
}

/// The frames of a simulated meter, with the time at which each is due.
struct SimulationSource {
  private var meter: SimulatedMeter
  private let start: Int64
  private let rate: Int
  private let isPaced: Bool
  private var left: Int?
  private var time: Int64
  /// What is left of the frame that was begun, last part first.
  private var parts: [Player.Piece] = []

  /// `start` is when the household's clock starts, in milliseconds since 1970 UTC.
  init(_ meter: SimulatedMeter, start: Int64, rate: Int, frames: Int?, isPaced: Bool) {
    self.meter = meter
    self.start = start
    self.rate = rate
    self.isPaced = isPaced
    left = frames
    time = start
  }

  /// The next frame, or the next part of one that the meter sends with pauses; nil after the last.
  mutating func next() -> Player.Piece? {
    if let part = parts.popLast() { return part }
    if left == 0 { return nil }
    left = left.map { $0 - 1 }
    time = meter.nextDue(after: time)
    let frame = meter.next(at: time)
    let began = isPaced ? (time - start) / Int64(rate) : 0
    let pause = isPaced ? meter.model.pauseMilliseconds / Int64(rate) : 0
    guard pause > 0 else { return Player.Piece(milliseconds: began, bytes: frame.bytes) }
    let ends = frame.boundaries + [frame.bytes.count]
    for (number, (first, end)) in zip([0] + frame.boundaries, ends).enumerated() {
      parts.append(
        Player.Piece(
          milliseconds: began + pause * Int64(number), bytes: Array(frame.bytes[first..<end])))
    }
    parts.reverse()
    return parts.popLast()
  }
}
