import Glibc
import OBISDecoder

/// One input on its way through the decoder: raw bytes, or a capture, which it recognises.
struct DecodeRun: ~Copyable {
  private var decoder: MeterDecoder
  private var keys: MeterKeys
  private var collector: DecodeCollector
  private var start: [UInt8] = []
  private var capture: CaptureReader?
  private var isRecognised = false

  /// Starts at the beginning of an input; frames are numbered on from `framesBefore`.
  init(dialect: Dialect?, keys: consuming MeterKeys = MeterKeys(), framesBefore: Int) {
    self.keys = keys
    var options = DecoderOptions()
    options.dialect = dialect
    decoder = MeterDecoder(options)
    collector = DecodeCollector(framesBefore: framesBefore)
  }

  /// Takes a piece of the input and gives what it completed.
  ///
  /// - Throws: `CaptureError` for a capture that breaks its format.
  mutating func push(_ bytes: [UInt8]) throws(CaptureError) -> [DecodeCollector.Event] {
    if isRecognised {
      try take(bytes)
    } else {
      start += bytes
      if let isCapture = Capture.isCapture(start) { try recognise(isCapture) }
    }
    return fetch()
  }

  /// Takes the end of the input and gives what it completed.
  mutating func finish() throws(CaptureError) -> [DecodeCollector.Event] {
    if !isRecognised { try recognise(false) }
    try capture?.finish()
    decoder.finish(with: &keys, to: &collector)
    return fetch()
  }

  private mutating func recognise(_ isCapture: Bool) throws(CaptureError) {
    isRecognised = true
    if isCapture { capture = CaptureReader() }
    let held = start
    start = []
    try take(held)
  }

  private mutating func take(_ bytes: [UInt8]) throws(CaptureError) {
    guard capture != nil else {
      decoder.push(bytes.span, with: &keys, to: &collector)
      return
    }
    try capture?.push(bytes)
    let records = capture?.capture.records ?? []
    capture?.capture.records = []
    for record in records { decoder.push(record.bytes.span, with: &keys, to: &collector) }
  }

  private mutating func fetch() -> [DecodeCollector.Event] {
    let events = collector.events
    collector.events = []
    return events
  }
}

/// A file or standard input, read in pieces.
struct DecodeInput: ~Copyable {
  private let file: FileDescriptor

  /// Opens a file; `-` is standard input.
  init(_ path: String) throws(SystemError) {
    file =
      path == "-"
      ? try FileDescriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), from: "fcntl")
      : try FileDescriptor(
        unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), from: "open")
  }

  /// The next piece, as soon as there is one; nil at the end.
  func read() throws(SystemError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(file.number, &bytes, bytes.count)
      if count > 0 { return Array(bytes[0..<count]) }
      if count == 0 { return nil }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Whoever shares standard input with us may have made it non-blocking.
        var entry = pollfd(fd: file.number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
      default: throw SystemError(call: "read", number: errno)
      }
    }
  }
}
