/// A recorded stream of bytes with its timing, as `record` writes it and `replay` plays it.
///
/// The format is documented in docs/capture-format.md:
/// ```
/// gateway-capture 1
/// # port: serial 115200 8N1
/// +0 2F544553
/// +12 540D0A
/// end +10000
/// ```
struct Capture: Equatable, Sendable {
  /// Bytes that arrived together.
  struct Record: Equatable, Sendable {
    /// Milliseconds since the capture began, never less than the record before.
    var milliseconds: Int64
    /// One byte or more.
    var bytes: [UInt8]
  }

  /// First line of every capture.
  static let magic = "gateway-capture 1"
  /// Bytes of one line at most; longer chunks take several lines.
  static let lineBytes = 1024

  /// In the order they arrived.
  var records: [Record] = []
  /// Milliseconds from the first byte's clock to the end of the recording; nil where it was cut.
  var durationMilliseconds: Int64?

  /// All bytes without their timing.
  var bytes: [UInt8] { records.flatMap(\.bytes) }

  /// Whether a file with this beginning is a capture; nil while there are too few bytes to tell.
  static func isCapture(_ start: some Collection<UInt8>) -> Bool? {
    let common = zip(start, magic.utf8).allSatisfy { $0 == $1 }
    guard common else { return false }
    return start.count >= magic.utf8.count ? true : nil
  }
}

/// The line of a capture that breaks the format.
struct CaptureError: Error, Equatable, Sendable {
  /// Line, counted from 1.
  var line: Int
  /// What the format has there.
  var expected: StaticString

  static func == (left: CaptureError, right: CaptureError) -> Bool {
    left.line == right.line && left.expected.description == right.expected.description
  }
}

/// Reads a capture piece by piece.
struct CaptureReader {
  private var line: [UInt8] = []
  private var lineNumber = 0
  private var last: Int64 = 0
  private var hasEnded = false

  /// What has been read since the caller took it.
  var capture = Capture()

  /// Takes a piece of the file in; whole lines become records.
  mutating func push(_ bytes: some Sequence<UInt8>) throws(CaptureError) {
    for byte in bytes {
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        guard line.count <= 2 * Capture.lineBytes + 64 else {
          throw CaptureError(line: lineNumber + 1, expected: "a shorter line")
        }
        continue
      }
      try endLine()
    }
  }

  /// Takes the end of the file in; a cut last line is dropped, as a recording may be killed.
  ///
  /// - Throws: where not even the first line was whole.
  mutating func finish() throws(CaptureError) {
    guard lineNumber > 0 else {
      throw CaptureError(line: 1, expected: "gateway-capture 1")
    }
  }

  private mutating func endLine() throws(CaptureError) {
    lineNumber += 1
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    defer { line.removeAll(keepingCapacity: true) }
    if lineNumber == 1 {
      guard line.elementsEqual(Capture.magic.utf8) else { throw fault("gateway-capture 1") }
      return
    }
    guard let first = line.first, first != UInt8(ascii: "#") else { return }
    guard !hasEnded else { throw fault("nothing behind the end") }
    if first == UInt8(ascii: "+") {
      try record(line.dropFirst())
    } else if line.starts(with: "end +".utf8) {
      capture.durationMilliseconds = try time(line.dropFirst(5))
      hasEnded = true
    } else {
      throw fault("+MILLISECONDS HEX, end +MILLISECONDS or # COMMENT")
    }
  }

  private mutating func record(_ text: ArraySlice<UInt8>) throws(CaptureError) {
    guard let space = text.firstIndex(of: UInt8(ascii: " ")) else {
      throw fault("a space and hexadecimal digits behind the time")
    }
    let milliseconds = try time(text[..<space])
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text[(space + 1)...] {
      guard let nibble = digit.hexValue else { throw fault("hexadecimal digits") }
      if let first = high {
        bytes.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    guard high == nil, !bytes.isEmpty else {
      throw fault("two hexadecimal digits for each byte")
    }
    capture.records.append(Capture.Record(milliseconds: milliseconds, bytes: bytes))
  }

  private mutating func time(_ digits: ArraySlice<UInt8>) throws(CaptureError) -> Int64 {
    // Fifteen digits are 31,000 years and leave room below overflow.
    guard !digits.isEmpty, digits.count <= 15,
      digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
    else { throw fault("milliseconds") }
    let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    guard value >= last else { throw fault("a time not before the line above") }
    last = value
    return value
  }

  private func fault(_ expected: StaticString) -> CaptureError {
    CaptureError(line: lineNumber, expected: expected)
  }
}

/// Makes the lines of a capture.
enum CaptureWriter {
  /// The first lines; `port` describes the line without naming a device: `serial 115200 8N1`.
  static func head(port: String) -> [UInt8] {
    Array("\(Capture.magic)\n# port: \(port)\n".utf8)
  }

  /// The lines of a chunk that arrived `milliseconds` after the beginning.
  static func lines(_ bytes: [UInt8], at milliseconds: Int64) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2 + 32)
    var start = 0
    while start < bytes.count {
      let end = min(start + Capture.lineBytes, bytes.count)
      text += "+\(milliseconds) ".utf8
      for byte in bytes[start..<end] {
        text.append(UInt8.hexDigit(byte >> 4))
        text.append(UInt8.hexDigit(byte & 15))
      }
      text.append(UInt8(ascii: "\n"))
      start = end
    }
    return text
  }

  /// The last line.
  static func end(at milliseconds: Int64) -> [UInt8] { Array("end +\(milliseconds)\n".utf8) }
}

extension UInt8 {
  /// The value of a hexadecimal digit in either case, nil for any other character.
  var hexValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The upper-case digit of a value below 16.
  static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + (nibble & 15) - 10
  }
}
