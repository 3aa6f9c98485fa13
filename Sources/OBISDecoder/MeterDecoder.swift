/// How a `MeterDecoder` works.
public struct DecoderOptions: Equatable, Sendable, BitwiseCopyable {
  /// The only family to look for; nil recognises each frame by itself.
  public var dialect: Dialect?
  /// What the user knows of the scale of DLMS values; `none` leaves it to frames and tables.
  public var scale = ScaleOverride.none
  /// How to take the clock of DLMS messages.
  public var clock = ClockConvention.asSent

  /// Options that recognise every family and change nothing that the meter says.
  public init() { dialect = nil }
}

/// Room for the longest frame: `Limits.frameBytes`, which a generic argument cannot name.
typealias FrameBuffer = ByteBuffer<8192>

/// Turns a meter's bytes, in whatever pieces they arrive, into readings, secrets and errors.
///
/// It holds back only what may be the beginning of a frame, at most `Limits.frameBytes`, and
/// allocates nothing. What it reports depends on the bytes alone, never on how they were cut into
/// pieces, except that `idle(to:)` says where a silence was. Every byte is accounted for once: in
/// a frame that ended, a frame that was rejected, or a discarded run. Only a flag that closes one
/// HDLC frame and opens the next belongs to both.
///
///     var decoder = MeterDecoder(DecoderOptions())
///     decoder.push(bytes, to: &sink)   // for each piece read
///     decoder.idle(to: &sink)          // when the line falls silent
///     decoder.finish(to: &sink)        // at the end
public struct MeterDecoder: ~Copyable {
  private var buffer = FrameBuffer()
  private var recogniser: FrameRecogniser

  /// Makes a decoder at the beginning of a stream.
  public init(_ options: DecoderOptions) { recogniser = FrameRecogniser(options) }

  /// Takes the next bytes of a meter that does not encrypt, as `push(_:with:to:)` does.
  public mutating func push<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    var cipher = NoKeys()
    push(bytes, with: &cipher, to: &sink)
  }

  /// Takes the next bytes of the stream; whatever frames they complete go to `sink`.
  ///
  /// Ciphered messages are deciphered by `cipher`, the same at each call of a stream. A run of bytes
  /// that belong to no frame is reported when it ends, when it is `Limits.frameBytes` long, or by
  /// `idle(to:)` and `finish(to:)`.
  public mutating func push<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ bytes: Span<UInt8>, with cipher: inout Cipher, to sink: inout Sink
  ) {
    var taken = 0
    while taken < bytes.count {
      if buffer.count == 0 {
        // Nothing held: whole frames are read where they are, and only what may go on is copied.
        taken += recogniser.consume(
          bytes.extracting(taken..<bytes.count), isEnd: false, with: &cipher, to: &sink)
        buffer.append(bytes, in: taken..<bytes.count)
        return
      }
      let next = min(bytes.count, taken + Limits.frameBytes - buffer.count)
      buffer.append(bytes, in: taken..<next)
      taken = next
      drain(isEnd: false, with: &cipher, to: &sink)
    }
  }

  /// Ends the frame in hand, because the line is silent.
  ///
  /// Bytes held are completed where they are a whole frame without its line end, else rejected. A
  /// message of which some frames have come goes on waiting for the others: meters pause within a
  /// message. It is rejected by the silence after `Limits.silences` others without a frame of it.
  public mutating func idle<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    with cipher: inout Cipher, to sink: inout Sink
  ) {
    drain(isEnd: true, with: &cipher, to: &sink)
    recogniser.noteSilence(to: &sink)
  }

  /// Ends the frame in hand of a meter that does not encrypt, as `idle(with:to:)` does.
  public mutating func idle<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    var cipher = NoKeys()
    idle(with: &cipher, to: &sink)
  }

  /// Ends the frame and the message in hand, because the input is over.
  ///
  /// What is not whole is rejected. The decoder may be used on; positions go on counting.
  public mutating func finish<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    with cipher: inout Cipher, to sink: inout Sink
  ) {
    drain(isEnd: true, with: &cipher, to: &sink)
    recogniser.noteEnd(to: &sink)
  }

  /// Ends all in hand of a meter that does not encrypt, as `finish(with:to:)` does.
  public mutating func finish<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    var cipher = NoKeys()
    finish(with: &cipher, to: &sink)
  }

  /// Whether bytes are held that may become a frame, or a message waits for its rest: then
  /// `idle(to:)` should follow each silence.
  public var isMidFrame: Bool { recogniser.isMidFrame(holding: buffer.count) }

  /// The family of the last frame that ended or was rejected, nil before the first.
  public var dialect: Dialect? { recogniser.dialect }

  /// Lets the recogniser work through what is held, and drops what it is done with.
  ///
  /// It always takes something of a full buffer, so that `push` goes on.
  private mutating func drain<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    isEnd: Bool, with cipher: inout Cipher, to sink: inout Sink
  ) {
    let used = Self.consume(buffer, isEnd: isEnd, by: &recogniser, with: &cipher, to: &sink)
    buffer.removeFirst(used)
  }

  private static func consume<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ buffer: borrowing FrameBuffer, isEnd: Bool, by recogniser: inout FrameRecogniser,
    with cipher: inout Cipher, to sink: inout Sink
  ) -> Int {
    buffer.withBytes { bytes in
      recogniser.consume(bytes, isEnd: isEnd, with: &cipher, to: &sink)
    }
  }
}
