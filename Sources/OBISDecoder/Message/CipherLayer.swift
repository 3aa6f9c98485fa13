/// Reads whole messages: deciphers those that are ciphered, and hands the text to its reader.
///
/// What is in a message is known when it is in clear: a data-notification begins with 0F, the text
/// of a P1 telegram with '/' (Luxembourg, Styria, Carinthia, Poland). Whatever else a key makes of a
/// message says that the key is another meter's.
struct CipherLayer: ~Copyable {
  /// What was deciphered last; between messages anybody's room.
  var plaintext = FrameBuffer()
  private var replay = ReplayWatch()
  private let options: DecoderOptions

  init(_ options: DecoderOptions) { self.options = options }

  /// Reads the messages that fill `range` of `bytes`; what they say goes to `sink`, `frameEnded`
  /// last.
  ///
  /// - Parameters:
  ///   - pieces: where `bytes` lies in the stream; nil if it is the frame of `summary` itself.
  ///   - isCovered: whether one checksum covers all of it. Otherwise it must be whole before
  ///     anything is delivered: a segment may be missing that nobody missed.
  /// - Returns: why the frame must be rejected; then `sink` has not heard of it.
  // Called from three places; once is enough for a small board.
  @inline(never)
  mutating func read<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ bytes: Span<UInt8>, in range: Range<Int>, _ summary: FrameSummary, pieces: PieceList?,
    isCovered: Bool, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    if !isCovered, let fault = MessageExtent.fault(in: bytes, range) { return fault }
    var state = MessageState(summary, pieces, options)
    var cursor = MessageCursor(offset: range.lowerBound, end: range.upperBound)
    while cursor.offset < range.upperBound {
      do throws(MessageFault) {
        try readNext(&state, &cursor, bytes, with: &cipher, to: &sink)
      } catch {
        switch error {
        case .rejected(let error):
          // What stood in front of a worthless message has been told already, and is sound.
          guard state.isTold else { return error }
          sink.problem(error, in: bytes)
        case .problem(let error):
          state.tell(to: &sink)
          sink.problem(error, in: bytes)
        }
        break
      }
    }
    state.tell(to: &sink)
    sink.frameEnded(state.summary, in: bytes)
    return nil
  }

  /// Reads the message at the cursor and moves it behind that message.
  private mutating func readNext<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ state: inout MessageState, _ cursor: inout MessageCursor, _ bytes: Span<UInt8>,
    with cipher: inout Cipher, to sink: inout Sink
  ) throws(MessageFault) {
    let start: Int
    do throws(DecodeError) {
      if bytes[cursor.offset] == P1Header.start,
        case .line(let line, let end) = P1Header.end(bytes, from: cursor.offset)
      {
        state.identification = line
        try cursor.skip(end - cursor.offset)
      } else {
        try cursor.skipLLC(in: bytes)
      }
      start = cursor.offset
      _ = try cursor.byte(in: bytes)
    } catch {
      throw .problem(error)
    }
    let tag = bytes[start]
    switch tag {
    case APDUTag.dataNotification:
      state.tell(to: &sink)
      state.take(.clear, isReplay: false)
      let end = try state.read(bytes, in: start..<cursor.end, to: &sink)
      cursor = MessageCursor(offset: end, end: cursor.end)
    case APDUTag.generalGloCiphering, APDUTag.generalDedCiphering, P1Header.emptyTitle:
      let titleAt = tag == P1Header.emptyTitle ? start : start + 1
      let message: CipheredMessage
      do throws(DecodeError) {
        message = try CipheredMessage(parsing: bytes, at: titleAt, to: cursor.end)
      } catch {
        // What cannot be taken apart may still begin with a system title.
        let title = CipheredMessage.title(in: bytes, at: titleAt, to: cursor.end)
        state.tellHeader(title, in: bytes, to: &sink)
        throw .problem(DecodeError(.encrypted, at: start, found: UInt32(tag)))
      }
      try read(message, at: start, &state, bytes, with: &cipher, to: &sink)
      cursor = MessageCursor(offset: message.end, end: cursor.end)
    default:
      throw .problem(
        DecodeError(
          APDUTag.isCiphered(tag) ? .encrypted : .unsupportedAPDU, at: start, found: UInt32(tag)))
    }
  }

  /// Deciphers `message`, which begins at `start`, and reads what it says.
  private mutating func read<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ message: CipheredMessage, at start: Int, _ state: inout MessageState, _ bytes: Span<UInt8>,
    with cipher: inout Cipher, to sink: inout Sink
  ) throws(MessageFault) {
    let part = message.part
    let verdict = plaintext.replaceAll(count: part.ciphertext.count) { plaintext in
      cipher.decipher(
        part.header, bytes.extracting(part.ciphertext), tag: bytes.extracting(part.tag),
        into: &plaintext)
    }
    guard verdict != .noKey else {
      guard part.header.isEncrypted else {
        // It is in clear, and there is no key to check the tag with.
        state.tellHeader(message.title, in: bytes, to: &sink)
        state.take(.clear, isReplay: false)
        if let fault = MessageExtent.fault(in: bytes, part.ciphertext) { throw .problem(fault) }
        _ = try state.read(bytes, in: part.ciphertext, to: &sink)
        return
      }
      state.tellHeader(message.title, in: bytes, to: &sink)
      throw .problem(DecodeError(.encrypted, at: start, found: UInt32(bytes[start])))
    }
    let isAuthentic = verdict == .authenticated
    let content = try Self.content(
      of: plaintext, verdict, at: part.ciphertext.lowerBound)
    state.tell(part, count: bytes.count, to: &sink)
    state.tellHeader(message.title, in: bytes, to: &sink)
    state.take(isAuthentic ? .authenticated : .decrypted, isReplay: replay.isReplay(part.header))
    if isAuthentic { state.isProven = true }
    Self.read(plaintext, as: content, &state, to: &sink)
  }

  /// What the plaintext is.
  ///
  /// - Throws: `rejected` if it cannot be believed; places count in the ciphered message.
  private static func content(
    of plaintext: borrowing FrameBuffer, _ verdict: CipherVerdict, at offset: Int
  ) throws(MessageFault) -> PlainContent {
    let content = plaintext.withBytes { bytes in
      PlainContent(bytes, isAuthentic: verdict == .authenticated)
    }
    if verdict == .tagMismatch {
      let isPlausible = if case .nothing(.wrongKey) = content { false } else { true }
      throw .rejected(DecodeError(isPlausible ? .tagMismatch : .wrongKey, at: offset))
    }
    guard case .nothing(let code) = content else { return content }
    throw .rejected(DecodeError(code, at: offset))
  }

  private static func read<Sink: FrameSink & ~Copyable>(
    _ plaintext: borrowing FrameBuffer, as content: PlainContent, _ state: inout MessageState,
    to sink: inout Sink
  ) {
    plaintext.withBytes { bytes in
      switch content {
      case .telegram(let count, let error, let hasChecksum):
        if let error { sink.problem(error, in: bytes) }
        if hasChecksum, error == nil { state.isProven = true }
        state.read(telegram: bytes.extracting(first: count), to: &sink)
      case .notification:
        do throws(MessageFault) {
          _ = try state.read(bytes, in: 0..<bytes.count, to: &sink)
        } catch {
          switch error {
          case .problem(let error), .rejected(let error): sink.problem(error, in: bytes)
          }
        }
      case .nothing: break
      }
    }
  }
}
