/// Turns the frames of HDLC and M-Bus, and messages that need none, into whole DLMS messages, and
/// has each read.
///
///     frame ──▶ segments put together ──▶ blocks put together ──▶ deciphered ──▶ list or telegram
///               here                      BlockLayer              CipherLayer    DLMSReader, P1
///
/// HDLC segments carry no number in a push (unnumbered information), and the last one is not marked:
/// the first begins with an LLC header, the last lacks bit 11 of the format. Whatever was lost
/// between them costs the whole message. M-Bus frames carry one (EN 13757-3, CI 00 … 1F; Netz NÖ,
/// "Kundenschnittstelle", 3.2.2):
///
///     OFFSET  SIZE  MEANING
///     4       1     C field
///     5       1     address
///     6       1     CI: 000F NNNN; F = last, N = number from 0
///     7       1     source of the transport layer (STSAP)
///     8       1     destination (DTSAP)
///     9       n     part of the message
struct MessageLayer: ~Copyable {
  private var segments = MessageAssembly()
  /// Whether a last segment may come whose message has been rejected.
  private var isBehindLoss = false
  private var blocks = BlockLayer()
  private var reader: CipherLayer

  init(_ options: DecoderOptions) { reader = CipherLayer(options) }

  /// Whether a message waits for its rest.
  var isPending: Bool { segments.isPending || blocks.isPending }

  /// Takes a frame whose checksums are right or absent; what it completes goes to `sink`.
  ///
  /// - Returns: why the frame must be rejected; then `sink` has not heard of it.
  mutating func take<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    blocks.addresses = 0
    return switch summary.dialect {
    case .mbus: takeMBus(frame, summary, with: &cipher, to: &sink)
    case .hdlc: takeHDLC(frame, summary, with: &cipher, to: &sink)
    default:
      // Behind an identification line the framer has found a ciphered message, just as long.
      read(
        frame, in: 0..<frame.count, summary, isCovered: frame[0] == P1Header.start,
        with: &cipher, to: &sink)
    }
  }

  /// Gives up what waits: a frame was lost that may have belonged to it, or the input is over.
  mutating func giveUp<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    giveUpSegments(to: &sink)
    blocks.rejectAll(to: &sink)
  }

  /// Counts a silence for what waits, and gives up what has waited too long.
  mutating func noteSilence<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    if segments.isTiredOfSilence() { giveUpSegments(to: &sink) }
    blocks.noteSilence(to: &sink)
  }

  private mutating func giveUpSegments<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    guard segments.isPending else { return }
    isBehindLoss = true
    segments.rejectIncomplete(to: &sink)
  }

  /// Reads whole messages of one frame: blocks go to their transfer.
  private mutating func read<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ frame: Span<UInt8>, in range: Range<Int>, _ summary: FrameSummary, isCovered: Bool,
    with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    if let start = Self.firstBlock(frame, range) {
      return blocks.take(
        frame, in: start..<range.upperBound, summary,
        pieces: PieceList(frameAt: summary.offset, count: frame.count), by: &reader,
        with: &cipher, to: &sink)
    }
    return reader.read(
      frame, in: range, summary, pieces: nil, isCovered: isCovered, with: &cipher, to: &sink)
  }

  /// Reads the message that is complete now; the segments are empty behind it.
  private mutating func readSegments<
    Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable
  >(
    with cipher: inout Cipher, to sink: inout Sink
  ) {
    guard let summary = segments.frame else { return }
    let error = Self.read(
      segments, summary, blocks: &blocks, by: &reader, with: &cipher, to: &sink)
    if let error { segments.reject(error, to: &sink) }
    segments.removeAll()
  }

  private static func read<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ segments: borrowing MessageAssembly, _ summary: FrameSummary,
    blocks: inout BlockLayer, by reader: inout CipherLayer, with cipher: inout Cipher,
    to sink: inout Sink
  ) -> DecodeError? {
    let pieces = segments.pieces
    return segments.bytes.withBytes { message in
      let range = 0..<message.count
      if let start = firstBlock(message, range) {
        return blocks.take(
          message, in: start..<message.count, summary, pieces: pieces, by: &reader,
          with: &cipher, to: &sink)
      }
      return reader.read(
        message, in: range, summary, pieces: pieces, isCovered: false, with: &cipher, to: &sink)
    }
  }

  /// Where the first block of a block transfer is, if the first message in `range` is one.
  private static func firstBlock(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let start = range.lowerBound + (beginsWithLLC(bytes, range) ? 3 : 0)
    guard start < range.upperBound, bytes[start] == APDUTag.generalBlockTransfer else { return nil }
    return start
  }

  private static func beginsWithLLC(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count >= 3 else { return false }
    let start = range.lowerBound
    return bytes[start] == APDUTag.llc && bytes[start + 1] | 1 == 0xE7 && bytes[start + 2] == 0
  }
}

// MARK: HDLC

extension MessageLayer {
  private mutating func takeHDLC<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    guard case .header(let header) = HDLCHeader.parse(frame, at: 0), header.end <= frame.count
    else {
      return DecodeError(.malformedHeader, at: 0)
    }
    blocks.addresses = header.addresses(in: frame)
    let information = header.information
    let isFirst = Self.beginsWithLLC(frame, information)
    if segments.isPending, !information.isEmpty {
      return continueSegments(
        frame, header, summary, isFirst: isFirst, with: &cipher, to: &sink)
    }
    if header.isSegmented {
      guard isFirst else {
        isBehindLoss = true
        return DecodeError(.segmented, at: 1, expected: 0, found: 1)
      }
      append(frame, information, summary, to: &sink)
      return nil
    }
    if isFirst || information.isEmpty {
      isBehindLoss = false
      return read(frame, in: information, summary, isCovered: true, with: &cipher, to: &sink)
    }
    // Without an LLC header it may be the last segment of a message whose first ones are lost.
    guard !isBehindLoss else {
      isBehindLoss = false
      return DecodeError(.segmented, at: information.lowerBound)
    }
    if APDUTag.begins(frame[information.lowerBound]),
      let fault = MessageExtent.fault(in: frame, information)
    {
      sink.problem(fault, in: frame)
      sink.frameEnded(summary, in: frame)
      return nil
    }
    return read(frame, in: information, summary, isCovered: true, with: &cipher, to: &sink)
  }

  /// Takes a frame while a message waits for segments.
  ///
  /// One that begins like a message is only probably another one: a segment may begin so by
  /// chance. With the last segment it shows, because then either all is a message or what began
  /// there is.
  private mutating func continueSegments<
    Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable
  >(
    _ frame: Span<UInt8>, _ header: HDLCHeader, _ summary: FrameSummary, isFirst: Bool,
    with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    let information = header.information
    if isFirst { segments.noteRestart(summary) }
    append(frame, information, summary, to: &sink)
    guard !header.isSegmented, segments.isPending else { return nil }
    isBehindLoss = false
    if segments.restart > 0, Self.fault(in: segments) != nil, let lost = segments.takeRestart() {
      Self.reject(lost, to: &sink)
    }
    readSegments(with: &cipher, to: &sink)
    return nil
  }

  /// Appends a segment; a message that grows too long is rejected, but for its restart.
  private mutating func append<Sink: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, _ part: Range<Int>, _ summary: FrameSummary, to sink: inout Sink
  ) {
    let pieces = PieceList(frameAt: summary.offset, count: frame.count)
    guard !segments.append(part, of: frame, pieces, in: summary, next: 0) else { return }
    isBehindLoss = true
    segments.reject(DecodeError(.tooLong, at: segments.bytes.count), to: &sink)
  }

  private static func fault(in segments: borrowing MessageAssembly) -> DecodeError? {
    segments.bytes.withBytes { message in
      MessageExtent.fault(in: message, 0..<message.count)
    }
  }

  private static func reject<Sink: FrameSink & ~Copyable>(
    _ lost: FrameSummary, to sink: inout Sink
  ) {
    var lost = lost
    lost.integrity = .bad
    sink.frameRejected(lost, DecodeError(.segmented, at: lost.count))
  }
}

// MARK: M-Bus

extension MessageLayer {
  private mutating func takeMBus<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    let header = MBusHeader(frame)
    guard header.isTransport else {
      sink.problem(
        DecodeError(.unsupportedAPDU, at: MBusHeader.control, found: UInt32(header.information)),
        in: frame)
      sink.frameEnded(summary, in: frame)
      return nil
    }
    if header.number == 0 {
      giveUpSegments(to: &sink)
      if header.isLast {
        return read(
          frame, in: header.content, summary, isCovered: true, with: &cipher, to: &sink)
      }
    } else if !segments.isPending || segments.next != header.number {
      let error = DecodeError(
        .segmented, at: MBusHeader.control, expected: UInt32(segments.next),
        found: UInt32(header.number))
      giveUpSegments(to: &sink)
      return error
    }
    let pieces = PieceList(frameAt: summary.offset, count: frame.count)
    let fits = segments.append(
      header.content, of: frame, pieces, in: summary, next: header.number + 1)
    guard fits else {
      segments.reject(DecodeError(.tooLong, at: segments.bytes.count), to: &sink)
      return nil
    }
    if header.isLast { readSegments(with: &cipher, to: &sink) }
    return nil
  }
}
