/// Why a message cannot be read.
enum MessageFault: Error {
  /// What of it reached the sink is sound.
  case problem(DecodeError)
  /// Nothing in it can be believed.
  case rejected(DecodeError)
}

/// What has become known of a frame while its messages are read.
struct MessageState {
  /// Where an identification line stood in front of the message.
  var identification: Range<Int>?
  /// Whether a tag or a checksum within says that the content is as sent.
  var isProven = false
  /// Whether the sink has heard of the frame.
  private(set) var isTold = false
  private var frame: FrameSummary
  private let pieces: PieceList?
  /// The same list may go on in the next message.
  private var list: COSEMListReader
  private let clock: ClockConvention
  /// The clock of a notification's header.
  private var time: MeterTime?
  private var telegramTime: MeterTime?
  private var trust: Trust?

  init(_ frame: FrameSummary, _ pieces: PieceList?, _ options: DecoderOptions) {
    self.frame = frame
    self.pieces = pieces
    list = COSEMListReader(options)
    clock = options.clock
  }

  /// The frame with all that its messages say of it.
  var summary: FrameSummary {
    var summary = frame
    summary.meterTime = (list.clock ?? time)?.taken(as: clock) ?? telegramTime
    summary.trust = trust ?? .clear
    if isProven, summary.integrity == .absent { summary.integrity = .ok }
    return summary
  }

  /// Takes how far a message is trusted: the frame is trusted as its least trusted message.
  mutating func take(_ trust: Trust, isReplay: Bool) {
    let least = min(trust.rawValue, self.trust?.rawValue ?? trust.rawValue)
    self.trust = Trust(rawValue: least)
    if isReplay { frame.isReplay = true }
  }

  /// Reads the notifications that fill `range`; where they end.
  mutating func read<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, in range: Range<Int>, to sink: inout Sink
  ) throws(MessageFault) -> Int {
    var offset = range.lowerBound
    do throws(DecodeError) {
      repeat {
        let (end, time) = try DLMSReader.read(
          bytes, from: offset, to: range.upperBound, with: &list, to: &sink)
        self.time = self.time ?? time
        offset = end
      } while offset < range.upperBound && bytes[offset] == APDUTag.dataNotification
      guard offset == range.upperBound || APDUTag.begins(bytes[offset]) else {
        throw DecodeError(.trailingBytes, at: offset, found: UInt32(bytes[offset]))
      }
    } catch {
      throw .problem(error)
    }
    return offset
  }

  /// Reads the lines of a P1 telegram.
  mutating func read<Sink: FrameSink & ~Copyable>(telegram: Span<UInt8>, to sink: inout Sink) {
    var reader = P1Telegram()
    reader.read(telegram, to: &sink)
    telegramTime = telegramTime ?? reader.meterTime
  }

  /// Tells `sink` where the message lies, the first time.
  mutating func tell<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    guard !isTold else { return }
    isTold = true
    pieces?.report(to: &sink)
  }

  /// Tells `sink` what of the message, `count` bytes in all, was deciphered.
  mutating func tell<Sink: FrameSink & ~Copyable>(
    _ part: CipheredPart, count: Int, to sink: inout Sink
  ) {
    if !isTold, pieces == nil {
      sink.piece(MessagePiece(offset: 0, count: count, position: frame.offset))
    }
    tell(to: &sink)
    sink.deciphered(part)
  }

  /// Tells `sink` of what stands in clear in front of a ciphered message.
  mutating func tellHeader<Sink: FrameSink & ~Copyable>(
    _ title: Range<Int>, in bytes: Span<UInt8>, to sink: inout Sink
  ) {
    tell(to: &sink)
    if let line = identification {
      P1Text.hide(.meterType, nil, bytes, in: line, isOctets: false, to: &sink)
      identification = nil
    }
    guard !title.isEmpty else { return }
    sink.secret(
      Secret(
        kind: .keyMaterial, code: nil, offset: title.lowerBound, count: title.count, isHex: false),
      in: bytes)
  }
}
