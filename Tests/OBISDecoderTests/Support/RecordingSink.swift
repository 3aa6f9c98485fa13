import OBISDecoder

/// Keeps everything that a decoder reports, with copies of the bytes meant.
struct RecordingSink: FrameSink {
  enum Event: Equatable {
    case reading(Reading, text: [UInt8])
    case secret(Secret, text: [UInt8])
    case piece(MessagePiece)
    case deciphered(CipheredPart)
    case problem(DecodeError)
    case ended(FrameSummary)
    case rejected(FrameSummary, DecodeError)
    case discarded(Int, at: UInt64)
  }

  private(set) var events: [Event] = []

  mutating func piece(_ piece: MessagePiece) { events.append(.piece(piece)) }

  mutating func deciphered(_ part: CipheredPart) { events.append(.deciphered(part)) }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    let text = copy(bytes, reading.offset, reading.count)
    events.append(.reading(reading, text: text))
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    events.append(.secret(secret, text: copy(bytes, secret.offset, secret.count)))
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    precondition(error.offset <= bytes.count, "a problem is within its frame")
    events.append(.problem(error))
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    precondition(summary.count >= bytes.count, "a message is no longer than its frames")
    events.append(.ended(summary))
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    events.append(.rejected(summary, error))
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {
    events.append(.discarded(count, at: offset))
  }

  private func copy(_ bytes: Span<UInt8>, _ offset: Int, _ count: Int) -> [UInt8] {
    (offset..<offset + count).map { bytes[$0] }
  }
}

extension RecordingSink {
  var readings: [Reading] {
    events.compactMap { if case .reading(let reading, _) = $0 { reading } else { nil } }
  }
  var secrets: [(secret: Secret, text: [UInt8])] {
    events.compactMap { if case .secret(let secret, let text) = $0 { (secret, text) } else { nil } }
  }
  var pieces: [MessagePiece] {
    events.compactMap { if case .piece(let piece) = $0 { piece } else { nil } }
  }
  var ciphered: [CipheredPart] {
    events.compactMap { if case .deciphered(let part) = $0 { part } else { nil } }
  }
  var problems: [DecodeError] {
    events.compactMap { if case .problem(let error) = $0 { error } else { nil } }
  }
  var summaries: [FrameSummary] {
    events.compactMap { if case .ended(let summary) = $0 { summary } else { nil } }
  }
  var rejections: [(summary: FrameSummary, error: DecodeError)] {
    events.compactMap { if case .rejected(let s, let error) = $0 { (s, error) } else { nil } }
  }
  var discards: [(count: Int, offset: UInt64)] {
    events.compactMap { if case .discarded(let c, let offset) = $0 { (c, offset) } else { nil } }
  }

  /// The readings under one code, printed as number and unit: `473 W`.
  func values(_ code: OBISCode) -> [String] {
    readings.filter { $0.code == code }.map { "\($0.value) \($0.unit.symbol)" }
  }

  /// The parts of the stream accounted for, in order: each byte once, but for a flag that closes
  /// one HDLC frame and opens the next.
  var extents: [Range<UInt64>] {
    events.compactMap { event in
      switch event {
      case .ended(let summary), .rejected(let summary, _):
        summary.offset..<summary.offset + UInt64(summary.count)
      case .discarded(let count, let offset): offset..<offset + UInt64(count)
      default: nil
      }
    }
  }
}

/// Everything that a fresh decoder says of `bytes`, pushed in pieces of `chunk`, then finished.
func decode(_ bytes: [UInt8], chunk: Int = .max, dialect: Dialect? = nil) -> RecordingSink {
  var cipher = NoKeys()
  return decode(bytes, chunk: chunk, dialect: dialect, with: &cipher)
}

/// Everything that a fresh decoder says of `bytes`, deciphered by `cipher`.
func decode<Cipher: MessageCipher & ~Copyable>(
  _ bytes: [UInt8], chunk: Int = .max, dialect: Dialect? = nil, with cipher: inout Cipher
) -> RecordingSink {
  var options = DecoderOptions()
  options.dialect = dialect
  var decoder = MeterDecoder(options)
  var sink = RecordingSink()
  let span = bytes.span
  var start = 0
  while start < bytes.count {
    let end = bytes.count - start > chunk ? start + chunk : bytes.count
    decoder.push(span.extracting(start..<end), with: &cipher, to: &sink)
    start = end
  }
  decoder.finish(with: &cipher, to: &sink)
  return sink
}

/// A problem in how `sink` accounts for `total` bytes: gaps and overlaps; nil if there is none.
func accountingFault(_ sink: RecordingSink, total: Int) -> String? {
  var position: UInt64 = 0
  var isAfterFrame = false
  for extent in sink.extents {
    // Only a frame's closing flag may be counted again, as the next one's opening flag.
    let isShared = isAfterFrame && extent.lowerBound + 1 == position
    if extent.lowerBound != position, !isShared {
      return "\(extent) begins where \(position) was expected"
    }
    position = extent.upperBound
    isAfterFrame = true
  }
  return position == UInt64(total) ? nil : "\(position) of \(total) bytes are accounted for"
}
