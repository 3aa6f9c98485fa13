/// Finds frames of all families in the bytes held and has each read by its reader.
///
/// At any time there is either a candidate, the frame that may begin with the first byte held, or
/// none; a framer judges the candidate. What no family takes for a frame costs one byte, and the
/// search goes on behind it: after rubbish or one damaged byte at most one frame is lost.
struct FrameRecogniser: ~Copyable {
  /// The family of the last frame that ended or was rejected.
  ///
  /// A wrong HCS says so only where nothing else has: one pair of bytes in 4096 looks
  /// like the beginning of a header.
  private(set) var dialect: Dialect?
  private let options: DecoderOptions
  private var candidate: Dialect?
  /// Families that have refused the first byte held, a bit each.
  private var refused: UInt8 = 0
  private var p1 = P1Framer()
  private var hdlc = HDLCFramer()
  private var mbus = MBusFramer()
  private var apdu = APDUFramer()
  private var sml = SMLFramer()
  private var d0 = D0Framer()
  private var messages: MessageLayer
  /// Position in the stream of the first byte held.
  private var offset: UInt64 = 0
  /// Position at which a message without a link layer may begin: 0, or behind a silence or another
  /// such message that began at one.
  ///
  /// Anywhere else it may be the inside of a damaged frame.
  private var boundary: UInt64 = 0
  /// Whether the last frame that ended had a link layer.
  ///
  /// One that was rejected says nothing: ciphertext now and then looks like the header of one.
  private var isFramed = false
  /// Length of the run that ends at `offset` and has not been reported yet.
  private var discarded = 0
  /// Whether the first byte held is the closing flag of a frame already delivered, which may open
  /// the next one too.
  private var holdsSharedFlag = false

  init(_ options: DecoderOptions) {
    self.options = options
    messages = MessageLayer(options)
  }

  /// Whether the `count` bytes held may become a frame, or a message waits for its rest.
  func isMidFrame(holding count: Int) -> Bool {
    count > (holdsSharedFlag ? 1 : 0) || messages.isPending
  }

  /// Works through `bytes`, all those held; returns how many it is done with.
  ///
  /// At the end (`isEnd`) that is all of them; else fewer than `Limits.frameBytes` are left over. No
  /// frame sees more than so many bytes, however many there are.
  mutating func consume<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ bytes: Span<UInt8>, isEnd: Bool, with cipher: inout Cipher, to sink: inout Sink
  ) -> Int {
    var start = 0
    while start < bytes.count {
      let end = bytes.count - start > Limits.frameBytes ? start + Limits.frameBytes : bytes.count
      let held = bytes.extracting(start..<end)
      guard let family = candidate ?? nextCandidate(held) else {
        let skipped = startOffset(held)
        discard(skipped, to: &sink)
        start += skipped
        continue
      }
      let verdict = judge(held, as: family, isEnd: isEnd)
      if verdict == .incomplete { break }
      start += settle(verdict, held, as: family, isEnd: isEnd, with: &cipher, to: &sink)
    }
    if isEnd { boundary = offset }
    return start
  }

  /// Reports the run of bytes that belonged to no frame, if there is one.
  mutating func reportDiscarded<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    guard discarded > 0 else { return }
    if discarded >= Self.shortestLoss { messages.giveUp(to: &sink) }
    sink.discarded(discarded, at: offset - UInt64(discarded))
    discarded = 0
  }

  /// Bytes of rubbish that may have been a frame of a message: the shortest HDLC frame with
  /// information, its flags shared, has ten.
  private static let shortestLoss = 10

  /// Notes that the line was silent, behind the bytes worked through.
  mutating func noteSilence<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    reportDiscarded(to: &sink)
    messages.noteSilence(to: &sink)
  }

  /// Notes that nothing more will come.
  mutating func noteEnd<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    reportDiscarded(to: &sink)
    messages.giveUp(to: &sink)
  }

  /// The next family whose frames begin with the first byte held; it becomes the candidate.
  private mutating func nextCandidate(_ held: Span<UInt8>) -> Dialect? {
    candidate =
      bareFamily(of: held[0]) ?? family(of: held[0], refused: refused) ?? blockFamily(of: held[0])
    switch candidate {
    case .p1: p1.reset()
    case .hdlc: hdlc.reset()
    case .mbus: mbus.reset()
    case .apdu: apdu.reset()
    case .sml: sml.reset()
    case .d0: d0.reset()
    case nil: break
    }
    return candidate
  }

  /// The first family not yet refused that may begin with `byte`.
  private func family(of byte: UInt8, refused: UInt8 = 0) -> Dialect? {
    if byte == HDLCHeader.flag { return allowed(.hdlc, refused) }
    if MBusFramer.isStart(byte) { return allowed(.mbus, refused) }
    if mayBeginCiphered(byte), let family = allowed(.apdu, refused) { return family }
    if byte == SMLFramer.escape { return allowed(.sml, refused) }
    if P1Framer.isStart(byte) { return allowed(.p1, refused) ?? allowed(.d0, refused) }
    return nil
  }

  /// Whether `byte` may begin a ciphered message: anywhere, but not on a line whose frames have a
  /// link layer, where it stands within a damaged one; an identification line stands in none.
  private func mayBeginCiphered(_ byte: UInt8) -> Bool {
    APDUFramer.isStart(byte, isBoundary: false) && (byte == P1Header.start || !isFramed)
  }

  /// The family of a message without link layer that may begin with the first byte held, `byte`, at
  /// a boundary only.
  private func bareFamily(of byte: UInt8) -> Dialect? {
    guard offset == boundary, APDUFramer.isStart(byte, isBoundary: true) else { return nil }
    return allowed(.apdu, refused)
  }

  /// The family of frames without a start sequence that may begin with `byte`, at a boundary only:
  /// an SML file without its envelope, a D0 readout without identification.
  private func blockFamily(of byte: UInt8) -> Dialect? {
    guard offset == boundary else { return nil }
    if byte == SMLMessage.head, let sml = allowed(.sml, refused) { return sml }
    return D0Framer.mayBeginBlock(byte) ? allowed(.d0, refused) : nil
  }

  private func allowed(_ family: Dialect, _ refused: UInt8) -> Dialect? {
    guard options.dialect == nil || options.dialect == family else { return nil }
    return refused & family.bit == 0 ? family : nil
  }

  /// How many bytes come before the next that may begin a frame, at least one.
  private func startOffset(_ held: Span<UInt8>) -> Int {
    var index = 1
    while index < held.count, family(of: held[index]) == nil { index += 1 }
    return index
  }

  private mutating func judge(
    _ held: Span<UInt8>, as family: Dialect, isEnd: Bool
  ) -> FramingVerdict {
    let verdict =
      switch family {
      case .p1: isEnd ? p1.finish(over: held) : p1.advance(over: held)
      case .hdlc: isEnd ? hdlc.finish(over: held) : hdlc.advance(over: held)
      case .mbus: isEnd ? mbus.finish(over: held) : mbus.advance(over: held)
      case .apdu: isEnd ? apdu.finish(over: held) : apdu.advance(over: held)
      case .sml: isEnd ? sml.finish(over: held) : sml.advance(over: held)
      case .d0: isEnd ? d0.finish(over: held) : d0.advance(over: held)
      }
    guard verdict == .incomplete, held.count >= Limits.frameBytes else { return verdict }
    return .damaged(DecodeError(.tooLong, at: held.count), count: held.count)
  }

  /// Delivers what a final verdict says; returns how many bytes are done with.
  private mutating func settle<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ verdict: FramingVerdict, _ held: Span<UInt8>, as family: Dialect, isEnd: Bool,
    with cipher: inout Cipher, to sink: inout Sink
  ) -> Int {
    candidate = nil
    switch verdict {
    case .incomplete: return 0
    case .notAFrame:
      // Another family may take the same byte; where none does, the search drops it.
      refused |= family.bit
      return 0
    case .damaged(let error, let count):
      return reject(error, count, held, as: family, to: &sink)
    case .complete(let count, let integrity):
      return deliver(
        count, integrity, held, as: family, isEnd: isEnd, with: &cipher, to: &sink)
    }
  }

  private mutating func deliver<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ count: Int, _ integrity: Integrity, _ held: Span<UInt8>, as family: Dialect, isEnd: Bool,
    with cipher: inout Cipher, to sink: inout Sink
  ) -> Int {
    let frame = held.extracting(0..<count)
    if family == .p1, integrity == .absent,
      let split = NestedFrame.start(in: frame, error: nil, dialect: options.dialect)
    {
      return drop(split, DecodeError(.truncated, at: split), held, as: family, to: &sink)
    }
    reportDiscarded(to: &sink)
    let summary = summary(family, count, integrity)
    switch family {
    case .p1: P1Reader.read(frame, summary, to: &sink)
    case .hdlc, .mbus, .apdu:
      if let error = messages.take(frame, summary, with: &cipher, to: &sink) {
        return reject(error, count, held, as: family, to: &sink)
      }
    case .sml: SMLReader.read(frame, summary, hasEscapes: sml.hasEscapes, to: &sink)
    case .d0: D0Reader.read(frame, summary, to: &sink)
    }
    dialect = family
    isFramed = family == .hdlc || family == .mbus
    let isShared = family == .hdlc && held[count - 1] == HDLCHeader.flag && !isEnd
    // A ciphered message that was found elsewhere may have been within a damaged frame.
    let isBare =
      family == .apdu && offset == boundary || family == .d0 || held[0] == SMLMessage.head
    advance(isShared ? count - 1 : count)
    if isBare { boundary = offset }
    holdsSharedFlag = isShared
    return isShared ? count - 1 : count
  }

  /// Rejects a damaged frame, but only up to where a sound one begins within it.
  private mutating func reject<Sink: FrameSink & ~Copyable>(
    _ error: DecodeError, _ count: Int, _ held: Span<UInt8>, as family: Dialect, to sink: inout Sink
  ) -> Int {
    if family == .apdu {
      let split = APDUFramer.nextStart(in: held.extracting(first: count))
      return drop(split ?? count, error, held, as: family, to: &sink)
    }
    guard family == .p1,
      let split = NestedFrame.start(
        in: held.extracting(0..<count), error: error.code, dialect: options.dialect)
    else { return drop(count, error, held, as: family, to: &sink) }
    return drop(split, DecodeError(.truncated, at: split), held, as: family, to: &sink)
  }

  /// Reports the first `count` bytes held as a frame that cannot be used.
  private mutating func drop<Sink: FrameSink & ~Copyable>(
    _ count: Int, _ error: DecodeError, _ held: Span<UInt8>, as family: Dialect,
    to sink: inout Sink
  ) -> Int {
    reportDiscarded(to: &sink)
    sink.frameRejected(summary(family, count, .bad), error)
    if family == .hdlc || family == .mbus || family == .apdu { messages.giveUp(to: &sink) }
    if dialect == nil || error.code != .headerChecksumMismatch { dialect = family }
    // The length of a ciphered message may be what is damaged; the next one needs no boundary.
    let isClear =
      family == .apdu && offset == boundary
      && !APDUFramer.isStart(held[0], isBoundary: false)
    advance(count)
    if isClear { boundary = offset }
    return count
  }

  private func summary(_ family: Dialect, _ count: Int, _ integrity: Integrity) -> FrameSummary {
    FrameSummary(
      dialect: family, offset: offset, count: count, integrity: integrity, meterTime: nil)
  }

  /// Adds `count` bytes to the run that belongs to no frame.
  private mutating func discard<Sink: FrameSink & ~Copyable>(
    _ count: Int, to sink: inout Sink
  ) {
    var rest = count
    refused = 0
    if holdsSharedFlag, rest > 0 {
      advance(1)
      rest -= 1
    }
    while rest > 0 {
      let piece = min(rest, Limits.frameBytes - discarded)
      offset += UInt64(piece)
      discarded += piece
      rest -= piece
      if discarded == Limits.frameBytes { reportDiscarded(to: &sink) }
    }
  }

  private mutating func advance(_ count: Int) {
    offset += UInt64(count)
    refused = 0
    holdsSharedFlag = false
  }
}

extension Dialect {
  /// A bit of its own.
  fileprivate var bit: UInt8 { 1 << rawValue }
}
