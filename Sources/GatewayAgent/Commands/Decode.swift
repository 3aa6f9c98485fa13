internal import ArgumentParser
import OBISDecoder

/// `gateway-agent decode`: every frame in recorded bytes, decoded.
struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decode every frame in recorded bytes.",
    discussion: """
      Takes raw bytes, or a capture made by `gateway-agent record`. Exits 1 if a frame was bad or \
      none was found. Values are exact, in base units; identifiers are named but not shown.
      """)

  @Option(help: "Look only for this dialect: p1, hdlc, mbus, apdu, sml or d0.")
  var dialect: DialectWord?

  @OptionGroup var keys: KeyOptions

  @Option(
    help: ArgumentHelp(
      "Zone of the meter's clock, where it sends no offset; P1 is taken as Central European.",
      valueName: "zone"))
  var timeZone: TimeZoneRule?

  @Flag(help: "Print one JSON object a line, one line a frame.")
  var json = false

  @Flag(help: "Show the values of identifiers; only on a terminal.")
  var showIdentifiers = false

  @Argument(help: "Files, or - for standard input.")
  var files: [String]

  mutating func validate() throws {
    if files.filter({ $0 == "-" }).count > 1 {
      throw ValidationError("standard input (-) can be read once only")
    }
    if showIdentifiers, !Terminal.isOutput {
      throw ValidationError(
        "--show-identifiers shows them on a terminal only, and standard output is none")
    }
  }

  mutating func run() throws {
    var totals = DecodeTotals()
    for file in files { try decode(file, &totals) }
    if let note = totals.note { Terminal.note("gateway-agent: \(note)") }
    if totals.badCount > 0 || totals.frameCount == 0 { throw ExitCode(1) }
  }

  private func decode(_ file: String, _ totals: inout DecodeTotals) throws(CommandFailure) {
    let printer = DecodePrinter(
      isJSON: json, showsIdentifiers: showIdentifiers,
      standardOffsetMinutes: timeZone?.standardOffsetMinutes, file: files.count > 1 ? file : nil)
    var run = DecodeRun(
      dialect: dialect?.dialect, keys: try keys.keys(), framesBefore: totals.frameCount)
    do {
      let input = try DecodeInput(file)
      while let bytes = try input.read() { try show(run.push(bytes), printer, &totals) }
      try show(run.finish(), printer, &totals)
    } catch let error as SystemError {
      throw .unusable(file, error)
    } catch let error as CaptureError {
      throw .unusable("\(file):\(error.line): expected \(error.expected)")
    } catch {
      throw error as? CommandFailure ?? .failed("\(file): \(error)")
    }
  }

  /// Prints what one piece of input gave, at once: the input may be a running meter.
  private func show(
    _ events: [DecodeCollector.Event], _ printer: DecodePrinter, _ totals: inout DecodeTotals
  ) throws(CommandFailure) {
    var text: [UInt8] = []
    for event in events {
      totals.count(event)
      text += printer.text(event)
    }
    if !text.isEmpty { try Terminal.write(text) }
  }
}

extension DialectWord: ExpressibleByArgument {}

extension TimeZoneRule: ExpressibleByArgument {
  /// Looks the zone up in the system's table.
  init?(argument: String) { self.init(named: argument) }
}

/// Prints events as JSON lines or as tables.
struct DecodePrinter {
  /// JSON lines rather than tables.
  var isJSON: Bool
  /// Whether identifiers carry their value.
  var showsIdentifiers: Bool
  /// As asked for on the command line; nil takes the dialect's custom.
  var standardOffsetMinutes: Int16?
  /// The file, where there are several.
  var file: String?

  /// Central European Time, where P1 was defined; a P1 clock says summer or winter, never where.
  static let p1OffsetMinutes: Int16 = 60

  /// The bytes to print, empty for what this form does not show.
  func text(_ event: DecodeCollector.Event) -> [UInt8] {
    switch event {
    case .frame(let frame):
      let custom = frame.summary.dialect == .p1 ? DecodePrinter.p1OffsetMinutes : nil
      let offset = standardOffsetMinutes ?? custom
      return isJSON
        ? DecodeJSON(
          showsIdentifiers: showsIdentifiers, standardOffsetMinutes: offset, file: file
        ).line(frame)
        : table(offset).lines(frame)
    case .discarded(let count, let offset):
      return isJSON ? [] : table(nil).line(discarded: count, at: offset)
    }
  }

  private func table(_ offset: Int16?) -> DecodeTable {
    DecodeTable(
      showsIdentifiers: showsIdentifiers, standardOffsetMinutes: offset, file: file)
  }
}

/// What all files together held.
struct DecodeTotals {
  /// Frames, good and bad.
  private(set) var frameCount = 0
  /// Frames that cannot be used.
  private(set) var badCount = 0
  /// Bytes that belong to no frame.
  private(set) var discardedCount = 0

  /// Adds an event.
  mutating func count(_ event: DecodeCollector.Event) {
    switch event {
    case .frame(let frame):
      frameCount += 1
      if frame.rejection != nil { badCount += 1 }
    case .discarded(let count, _):
      discardedCount += count
    }
  }

  /// One line for standard error; nil where all was well.
  var note: String? {
    var parts: [String] = []
    if frameCount == 0 { parts.append("no frame found") }
    if badCount > 0 { parts.append("\(badCount) of \(frameCount) frames bad") }
    if discardedCount > 0 { parts.append("\(discardedCount) bytes belong to no frame") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
