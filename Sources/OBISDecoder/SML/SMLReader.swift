/// Reads an SML file: its messages, of these the lists of values, of these each value.
///
///     TAG     BODY                   WHAT IS READ OF IT
///     0x0101  open response          server id, time
///     0x0701  get list response      see SMLListReader
///     0x0201  close response         nothing
///     0xFF01  attention response     server id
///     others                         nothing
///
/// Source: BSI TR-03109-1 annex IV part b, 6.2. The envelope's checksum is right; a message whose
/// own checksum is not is reported and still counts, as meters are known to send it (eBZ DD3).
enum SMLReader {
  /// Hands what `frame` says to `sink`, `frameEnded` last.
  ///
  /// Offsets count in `frame`, or where that `hasEscapes` in a copy without the doubled ones.
  static func read<Sink: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, hasEscapes: Bool, to sink: inout Sink
  ) {
    var summary = summary
    summary.meterTime =
      hasEscapes ? readCopy(of: frame, to: &sink) : readMessages(frame, to: &sink)
    sink.frameEnded(summary, in: frame)
  }

  /// Reads a copy without escapes; apart, because only then a buffer is needed.
  @inline(never)
  private static func readCopy<Sink: FrameSink & ~Copyable>(
    of frame: Span<UInt8>, to sink: inout Sink
  ) -> MeterTime? {
    var copy = FrameBuffer()
    copy.append(withoutEscapes: frame)
    return copy.withBytes { bytes in readMessages(bytes, to: &sink) }
  }

  /// Reads message after message and returns the meter's clock.
  private static func readMessages<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, to sink: inout Sink
  ) -> MeterTime? {
    var file = SMLFile()
    var cursor = SMLCursor(offset: 0, end: bytes.count)
    if bytes[0] == SMLFramer.escape {
      let end = bytes.count - SMLFramer.envelopeCount
      let padding = Int(bytes[end + 5])
      cursor = SMLCursor(
        offset: SMLFramer.envelopeCount, end: max(SMLFramer.envelopeCount, end - padding))
    }
    do throws(DecodeError) {
      while cursor.offset < cursor.end { try file.read(&cursor, in: bytes, to: &sink) }
    } catch {
      sink.problem(error, in: bytes)
    }
    return file.meterTime
  }
}

extension ByteBuffer {
  /// Appends a file with its envelope, without the escapes that are doubled within it.
  mutating func append(withoutEscapes file: Span<UInt8>) {
    var run = 0
    for index in 0..<file.count {
      let byte = file[index]
      let isContent =
        index >= SMLFramer.envelopeCount && index < file.count - SMLFramer.envelopeCount
      run = isContent && byte == SMLFramer.escape ? run + 1 : 0
      // Of eight in a row the last four are dropped.
      if run <= 4 { append(byte) }
      if run == 8 { run = 0 }
    }
  }
}

/// What the messages read so far say of the file as a whole.
private struct SMLFile {
  /// The meter's clock: of a list, else of the file's beginning.
  var meterTime: MeterTime? { list.clock ?? openingTime }

  private var openingTime: MeterTime?
  private var list = SMLListReader()

  /// Reads one message.
  ///
  /// - Throws: what breaks SML; values in front of that place have reached the sink.
  mutating func read<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let message = try SMLMessage(&cursor, in: bytes)
    switch message.tag {
    case SMLMessage.Tag.openResponse: try readOpening(&cursor, in: bytes, to: &sink)
    case SMLMessage.Tag.listResponse: try list.read(&cursor, in: bytes, to: &sink)
    case SMLMessage.Tag.attentionResponse: try readAttention(&cursor, in: bytes, to: &sink)
    default: try cursor.skip(1, in: bytes)
    }
    guard let checksum = try message.checksum(&cursor, in: bytes) else {
      sink.problem(DecodeError(.malformedChecksum, at: message.offset), in: bytes)
      return
    }
    check(message.offset..<checksum.offset, checksum.content, in: bytes, to: &sink)
  }

  /// Reports a message whose checksum is wrong in every variant.
  ///
  /// That all are tried is harmless here: the file's checksum has been found right.
  private func check<Sink: FrameSink & ~Copyable>(
    _ range: Range<Int>, _ place: Int, in bytes: Span<UInt8>, to sink: inout Sink
  ) {
    let computed = CRC16.x25(bytes, in: range)
    let found = SMLChecksum.x25LowFirst.found(in: bytes, at: place)
    if computed == found || computed.byteSwapped == found { return }
    let kermit = CRC16.kermit(bytes, in: range)
    if kermit == found || kermit.byteSwapped == found { return }
    let error = DecodeError(
      .checksumMismatch, at: place, expected: UInt32(computed), found: UInt32(found))
    sink.problem(error, in: bytes)
  }

  /// Reads codepage, client id, file id, server id, time, version.
  private mutating func readOpening<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let body = try cursor.next(in: bytes)
    guard body.kind == SMLElement.Kind.list else { return }
    for index in 0..<body.count {
      switch index {
      case 1: try SMLText.report(.unknown, &cursor, in: bytes, to: &sink)
      case 3: try SMLText.report(.meterNumber, &cursor, in: bytes, to: &sink)
      case 4:
        let time = try SMLTime.read(&cursor, in: bytes)
        openingTime = openingTime ?? time
      default: try cursor.skip(1, in: bytes)
      }
    }
  }

  /// Reads server id, number, text, details.
  private func readAttention<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let body = try cursor.next(in: bytes)
    guard body.kind == SMLElement.Kind.list, body.count > 0 else { return }
    try SMLText.report(.meterNumber, &cursor, in: bytes, to: &sink)
    try cursor.skip(body.count - 1, in: bytes)
  }
}

/// Hands octet strings to the sink as secrets.
enum SMLText {
  /// Reads the next value and reports it if it is an octet string with anything in it.
  @discardableResult
  static func report<Sink: FrameSink & ~Copyable>(
    _ kind: Secret.Kind, _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) -> SMLElement {
    let element = try cursor.value(in: bytes)
    if element.kind == SMLElement.Kind.octets {
      report(element, kind, code: nil, in: bytes, to: &sink)
    }
    return element
  }

  /// Reports the content of `element`, which is no list.
  static func report<Sink: FrameSink & ~Copyable>(
    _ element: SMLElement, _ kind: Secret.Kind, code: OBISCode?, in bytes: Span<UInt8>,
    to sink: inout Sink
  ) {
    guard element.count > 0 else { return }
    let secret = Secret(
      kind: kind, code: code, offset: element.content, count: element.count, isHex: false)
    sink.secret(secret, in: bytes)
  }
}
