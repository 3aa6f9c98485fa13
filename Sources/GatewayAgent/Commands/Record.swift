internal import ArgumentParser
import Glibc
import OBISDecoder

/// `gateway-agent record`: what a meter sends, with its timing, into a file.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Record what a port sends, with its timing.",
    discussion: """
      The file (mode 0600) holds everything the meter says, identifiers included: keep it to \
      yourself and delete it when done. Ends with Ctrl-C, at --duration, or after 24 hours. With \
      --redact nothing is written before the end, then only what `gateway-agent redact` leaves.
      """)

  /// A capture is not kept going longer (privacy.md C10, logs).
  static let longestSeconds = 86_400
  /// With --redact all of it is held in memory.
  static let longestRedactedSeconds = 3600

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("End after so many seconds.", valueName: "seconds"))
  var duration: Int?

  @Flag(help: "Write a redacted capture, after at most an hour.")
  var redact = false

  @OptionGroup var keys: KeyOptions

  @Option(help: ArgumentHelp("Baud of a serial port.", valueName: "baud"))
  var speed = 115_200

  @Option(help: "Parity of a serial port: none, even or odd.")
  var parity = SerialSettings.Parity.none

  @Option(help: ArgumentHelp("Data bits of a serial port: 7 or 8.", valueName: "n"))
  var dataBits = 8

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Argument(help: "A serial device, HOST:PORT, or - for standard input.")
  var port: String

  mutating func validate() throws {
    guard (1...longest).contains(seconds) else {
      throw ValidationError("--duration must be from 1 to \(longest)")
    }
    if keys.isGiven, !redact { throw ValidationError("a key goes with --redact") }
    guard SerialPort.speeds.contains(speed) else {
      throw ValidationError(
        "--speed must be one of " + SerialPort.speeds.map(String.init).joined(separator: ", "))
    }
    guard dataBits == 7 || dataBits == 8 else {
      throw ValidationError("--data-bits must be 7 or 8")
    }
    if output == "-" {
      throw ValidationError("-o needs a file: a capture holds identifiers")
    }
    if input == nil {
      throw ValidationError("\(port) is no device path, HOST:PORT or -")
    }
  }

  private var longest: Int { redact ? Record.longestRedactedSeconds : Record.longestSeconds }
  private var seconds: Int { duration ?? longest }

  /// What the argument `port` means, nil if nothing.
  private var input: InputKind? {
    if port == "-" { return .standardInput }
    let settings = SerialSettings(
      speed: speed, dataBits: dataBits, parity: parity, stopBits: 1)
    return PortText.parse(port, serial: settings) ?? PortText.parseEndpoint(Substring(port))
  }

  /// The line without its name: a by-id path holds the adapter's serial number.
  private var lineText: String {
    switch input {
    case .serial(_, let settings): "serial \(settings.text)"
    case .tcp: "tcp"
    default: "stream"
    }
  }

  mutating func run() throws {
    guard let input else { return }
    if redact { return try recordRedacted(input) }
    let file = try CaptureFile(output, isReplacing: force)
    Terminal.note(
      "gateway-agent: \(output) will hold identifiers of the meter and its household")
    do {
      let loop = try EventLoop()
      let recorder = Recorder(input, to: file, on: loop)
      try file.write(CaptureWriter.head(port: lineText))
      try recorder.run(seconds: seconds, name: port)
    } catch let error as SystemError {
      throw CommandFailure.failed("\(output): \(error.lowercaseText)")
    }
  }

  /// Records into memory, and writes only what is left without identifiers.
  private func recordRedacted(_ input: InputKind) throws {
    // Wrong keys are told before an hour has passed, and so is a file that is there already.
    _ = try keys.keys()
    let file = try CaptureFile(output, isReplacing: force)
    let held = HeldCapture()
    do {
      let loop = try EventLoop()
      try Recorder(input, to: held, on: loop).run(seconds: seconds, name: port)
      var reader = CaptureReader()
      try reader.push(CaptureWriter.head(port: lineText) + held.bytes)
      let result = try RedactionRun(keys).redact(reader.capture.records, name: port)
      try file.write(CaptureWriter.head(port: lineText))
      for record in result.records {
        try file.write(CaptureWriter.lines(record.bytes, at: record.milliseconds))
      }
      if let end = reader.capture.durationMilliseconds {
        try file.write(CaptureWriter.end(at: end))
      }
      for line in result.report.lines { Terminal.note("gateway-agent: \(line)") }
    } catch {
      file.remove()
      guard let error = error as? SystemError else { throw error }
      throw CommandFailure.failed("\(output): \(error.lowercaseText)")
    }
  }
}

extension SerialSettings.Parity: ExpressibleByArgument {}

/// Where a recorder writes its lines.
protocol CaptureSink: AnyObject {
  /// Takes all of it.
  func write(_ bytes: [UInt8]) throws(SystemError)
  /// Nothing worth keeping came.
  func remove()
}

/// Holds a capture in memory.
final class HeldCapture: CaptureSink {
  private(set) var bytes: [UInt8] = []

  func write(_ bytes: [UInt8]) throws(SystemError) { self.bytes += bytes }
  func remove() { bytes = [] }
}

/// The file of a capture; a class, because the recorder's callbacks share it.
final class CaptureFile: CaptureSink {
  private let file: FileDescriptor
  private let path: String

  /// Creates the file for its owner only (mode 0600).
  init(_ path: String, isReplacing: Bool) throws(CommandFailure) {
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (isReplacing ? O_TRUNC : O_EXCL)
    do {
      file = try FileDescriptor(unsafe open(path, flags, 0o600), from: "open")
    } catch {
      throw error.number == EEXIST
        ? .unusable("\(path): exists already (--force replaces it)") : .unusable(path, error)
    }
    guard fchmod(file.number, 0o600) == 0 else {
      throw .unusable(path, SystemError(call: "fchmod", number: errno))
    }
  }

  /// Removes the file, where nothing worth keeping is in it.
  func remove() { _ = unsafe unlink(path) }

  /// Writes all of it.
  func write(_ bytes: [UInt8]) throws(SystemError) {
    var start = 0
    while start < bytes.count {
      start += try file.writeWhatFits(bytes[start...])
    }
  }
}
