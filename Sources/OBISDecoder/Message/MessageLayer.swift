/// Turns the frames of HDLC and M-Bus, and messages that need none, into whole DLMS messages, and
/// has each read.
struct MessageLayer: ~Copyable {
  private let options: DecoderOptions

  init(_ options: DecoderOptions) { self.options = options }

  /// Takes a frame whose checksums are right or absent; what it completes goes to `sink`.
  mutating func take<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, with cipher: inout Cipher, to sink: inout Sink
  ) {
    DLMSReader.read(frame, summary, options, to: &sink)
  }
}
