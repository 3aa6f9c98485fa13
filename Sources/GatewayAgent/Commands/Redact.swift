internal import ArgumentParser
import ConsentLedger
import MeterCipher
import OBISDecoder

/// `gateway-agent redact`: a recording without the identifiers in it.
struct Redact: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replace every identifier in a recording by an invented one.",
    discussion: """
      Numbers, texts, keys and titles become others of the same shape, checksums are made right, times \
      of arrival stay. What is damaged or not understood is left out. An encrypted recording needs \
      its key, and is encrypted again with the published key \(RedactionKey.key). Maker and kind of meter \
      stay, and so do all values and times: a load curve that is shared tells when somebody was at \
      home. Look at the result with decode --show-identifiers before you give it away.
      """)

  @OptionGroup var keys: KeyOptions

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
  var output: String

  @Flag(help: "Replace the file if it exists.")
  var force = false

  @Flag(help: "Print one JSON object with what was done.")
  var json = false

  @Argument(help: "A capture or raw bytes, or - for standard input.")
  var file: String

  mutating func validate() throws {
    if output == "-" { throw ValidationError("-o needs a file") }
  }

  mutating func run() throws {
    let recording = try Recording(reading: file)
    let result = try RedactionRun(keys).redact(recording.records, name: file)
    let target = try CaptureFile(output, isReplacing: force)
    do throws(SystemError) {
      try target.write(recording.bytes(result.records))
    } catch {
      throw CommandFailure.failed("\(output): \(error.lowercaseText)")
    }
    if json {
      try Terminal.write(result.report.json)
    } else {
      for line in result.report.lines { Terminal.note("gateway-agent: \(line)") }
    }
  }
}

/// One redaction from the command line, with a secret of its own.
struct RedactionRun {
  private let keys: KeyOptions

  init(_ keys: KeyOptions) { self.keys = keys }

  /// Redacts; `name` is what errors call the recording.
  func redact(
    _ records: [Capture.Record], name: String
  ) throws(CommandFailure) -> (records: [Capture.Record], report: RedactionReport) {
    var cipher = try keys.keys()
    var published: MeterKeys
    do throws(CipherKeyError) {
      published = try MeterKeys(
        key: Array(RedactionKey.key.utf8),
        authenticationKey: Array(RedactionKey.authenticationKey.utf8))
    } catch {
      throw .failed("the published key is none")
    }
    var redactor = Redactor(
      Substitutes(key: Crypto.random(32), hmac: Crypto.hmacSHA256), encipher: RedactionKey.encipher)
    do throws(RedactionRefusal) {
      return try redactor.redact(records, with: &cipher, checkedWith: &published)
    } catch {
      throw .failed("\(name): \(error.text)")
    }
  }
}

/// A recording as a file holds it: a capture, or raw bytes.
struct Recording {
  /// All bytes at once, for a raw file.
  private(set) var records: [Capture.Record] = []
  private var capture: Capture?

  /// Reads a whole file.
  init(reading path: String) throws(CommandFailure) {
    var all: [UInt8] = []
    do throws(SystemError) {
      let input = try DecodeInput(path)
      while let bytes = try input.read() { all += bytes }
    } catch {
      throw .unusable(path, error)
    }
    guard Capture.isCapture(all) == true else {
      records = all.isEmpty ? [] : [Capture.Record(milliseconds: 0, bytes: all)]
      return
    }
    var reader = CaptureReader()
    do throws(CaptureError) {
      try reader.push(all)
      try reader.finish()
    } catch {
      throw .unusable("\(path):\(error.line): expected \(error.expected)")
    }
    records = reader.capture.records
    capture = reader.capture
  }

  /// A file of the same kind with other records.
  ///
  /// Comments are left out: nobody knows what somebody wrote there.
  func bytes(_ records: [Capture.Record]) -> [UInt8] {
    guard let capture else { return records.flatMap(\.bytes) }
    var text = CaptureWriter.head(port: "redacted")
    for record in records { text += CaptureWriter.lines(record.bytes, at: record.milliseconds) }
    if let end = capture.durationMilliseconds { text += CaptureWriter.end(at: end) }
    return text
  }
}

extension RedactionRefusal {
  /// Why, for a person.
  var text: String {
    switch self {
    case .needsKey:
      "encrypted, and what cannot be read cannot be redacted: --key or --key-file is needed"
    case .wrongKey: "encrypted, and not with this key"
    case .nothingLeft: "no frame in it can be kept"
    }
  }
}

extension RedactionReport {
  /// What was done, for a person.
  var lines: [String] {
    var lines = ["\(keptFrames) frames written, \(identifiers) identifiers replaced"]
    var left: [String] = []
    if badFrames > 0 { left.append("\(badFrames) damaged frames") }
    if unreadableFrames > 0 { left.append("\(unreadableFrames) frames with unreadable parts") }
    if droppedBytes > 0 { left.append("\(droppedBytes) bytes in all") }
    if !left.isEmpty { lines.append("left out: " + left.joined(separator: ", ")) }
    if blankedParts > 0 {
      lines.append("\(blankedParts) values that could not be read were replaced too")
    }
    if isEncrypted {
      lines.append(
        "encrypted again: decode --key \(RedactionKey.key) --auth-key \(RedactionKey.authenticationKey)"
      )
    }
    lines.append("values and times stayed: they tell when somebody was at home")
    return lines
  }

  /// One JSON object, with its line end.
  var json: [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("frames", number: String(keptFrames))
    json.member("identifiers", number: String(identifiers))
    json.member("bad_frames", number: String(badFrames))
    json.member("unreadable_frames", number: String(unreadableFrames))
    json.member("replaced_values", number: String(blankedParts))
    json.member("dropped_bytes", number: String(droppedBytes))
    json.member("encrypted", truth: isEncrypted)
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
