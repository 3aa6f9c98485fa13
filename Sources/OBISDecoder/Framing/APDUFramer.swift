/// Finds the end of a DLMS message that comes without a link layer, and of ciphered P1 telegrams.
///
///     BEGINS                          WHERE                                     ENDS
///     E6 E6|E7 00, 0F, DB, DC, E0     at the start of the stream, behind a      see MessageExtent
///                                     silence or another such message that
///                                     began so
///     DB 08, title, length, control   anywhere on a line without link layer     by its length
///     '/' identification, DB or 00    where a P1 telegram may begin             by its length
///
/// There is no checksum, so the first kind must not begin within a frame that was damaged, and a
/// message in clear ends only where another one begins, or with a silence. The others have a header
/// that noise does not make. Sources: amsreader-firmware issues 264, 869, 986, 1198; dsmr_parser
/// pull request 184; esphome-libs/dlms_parser (raw APDU).
struct APDUFramer {
  init() {}

  /// Forgets the candidate.
  mutating func reset() { self = APDUFramer() }

  /// Whether a message may begin with `byte`; elsewhere than at a boundary only a ciphered one.
  static func isStart(_ byte: UInt8, isBoundary: Bool) -> Bool {
    byte == APDUTag.generalGloCiphering || byte == P1Header.start
      || isBoundary && APDUTag.begins(byte)
  }

  /// Judges all bytes held.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict { judge(bytes, isEnd: false) }

  /// Judges all bytes held when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict { judge(bytes, isEnd: true) }

  /// Where the next message with a strong header begins behind the first byte of `bytes`; nil if
  /// none does.
  ///
  /// For a message whose length was damaged, so that it reaches into those behind it: of the next
  /// one not even the header need be there.
  static func nextStart(in bytes: Span<UInt8>) -> Int? {
    for index in 1..<bytes.count {
      let byte = bytes[index]
      guard byte == APDUTag.generalGloCiphering || byte == P1Header.start else { continue }
      switch CipheredStart(bytes, at: index) {
      case .ends, .incomplete: return index
      case .none, .clear: continue
      }
    }
    return nil
  }

  private func judge(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    switch CipheredStart(bytes, at: 0) {
    case .none: .notAFrame
    case .incomplete: isEnd ? .notAFrame : .incomplete
    case .clear: clear(bytes, isEnd: isEnd)
    case .ends(let end) where bytes.count >= end: .complete(count: end, integrity: .absent)
    case .ends(let end): isEnd ? cut(bytes, expected: end) : .incomplete
    }
  }

  /// A message whose end its own bytes do not prove: another must follow, or a silence.
  private func clear(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    guard !Self.isNoBlock(bytes) else { return .notAFrame }
    switch MessageExtent.scan(bytes, from: 0, to: bytes.count) {
    case .complete(let end):
      guard bytes.count > end else {
        return isEnd ? .complete(count: end, integrity: .absent) : .incomplete
      }
      if Self.mayFollow(bytes[end]) { return .complete(count: end, integrity: .absent) }
      let error = DecodeError(.trailingBytes, at: end, found: UInt32(bytes[end]))
      return .damaged(error, count: end)
    case .incomplete:
      return isEnd ? cut(bytes, expected: nil) : .incomplete
    case .invalid(let error):
      // A header that is none is noise; behind a good one it is a message with a fault.
      guard error.code != .malformedHeader, error.code != .unsupportedAPDU, error.offset > 0 else {
        return .notAFrame
      }
      return .damaged(error, count: min(error.offset, bytes.count))
    }
  }

  /// Whether what begins like a block is none that a meter pushes: its number is too high, or it
  /// acknowledges one.
  ///
  /// One damaged flag, 7E to E0, and any byte would be the length of a block.
  private static func isNoBlock(_ bytes: Span<UInt8>) -> Bool {
    let start = bytes[0] == APDUTag.llc ? 3 : 0
    guard start < bytes.count, bytes[start] == APDUTag.generalBlockTransfer else { return false }
    for place in 2...5 where start + place < bytes.count {
      let largest = place == 3 ? UInt8(Limits.pieces) : 0
      if bytes[start + place] > largest { return true }
    }
    return false
  }

  private func cut(_ bytes: Span<UInt8>, expected: Int?) -> FramingVerdict {
    let error = DecodeError(
      .truncated, at: bytes.count, expected: expected.map { UInt32($0) },
      found: UInt32(bytes.count))
    return .damaged(error, count: Self.nextStart(in: bytes) ?? bytes.count)
  }

  private static func mayFollow(_ byte: UInt8) -> Bool {
    isStart(byte, isBoundary: true) || byte == HDLCHeader.flag || MBusFramer.isStart(byte)
  }
}

/// What begins at some place: a ciphered message, as far as its header shows.
///
/// It is asked of every '/' of a P1 stream, so it throws nothing.
enum CipheredStart: Equatable {
  /// No message.
  case none
  /// One, so far; its header has not all come.
  case incomplete
  /// A message that is not ciphered, or not as a whole.
  case clear
  /// A ciphered message that ends in front of this place.
  case ends(Int)

  /// Looks at the bytes from `offset` on.
  init(_ bytes: Span<UInt8>, at offset: Int) {
    let isTelegram = bytes[offset] == P1Header.start
    let start: Int
    if isTelegram {
      switch P1Header.end(bytes, from: offset) {
      case .none:
        self = .none
        return
      case .incomplete:
        self = .incomplete
        return
      case .line(_, let end): start = end
      }
    } else {
      start = offset + (bytes[offset] == APDUTag.llc ? 3 : 0)
    }
    self = Self.message(bytes, at: start, isTelegram: isTelegram, from: offset)
  }

  private static func message(
    _ bytes: Span<UInt8>, at start: Int, isTelegram: Bool, from offset: Int
  ) -> CipheredStart {
    guard start < bytes.count else { return .incomplete }
    let tag = bytes[start]
    let isHeadless = isTelegram && tag == P1Header.emptyTitle
    guard isHeadless || tag == APDUTag.generalGloCiphering || tag == APDUTag.generalDedCiphering
    else { return isTelegram ? .none : .clear }
    var place = start
    if !isHeadless {
      guard start + 1 < bytes.count else { return .incomplete }
      guard bytes[start + 1] == UInt8(CipherHeader.titleCount) else { return .none }
      place += 1 + CipherHeader.titleCount
    }
    return content(bytes, at: place + 1, isHeadless: isHeadless, from: offset)
  }

  /// Looks at length and security control, which stand at `place`.
  private static func content(
    _ bytes: Span<UInt8>, at place: Int, isHeadless: Bool, from offset: Int
  ) -> CipheredStart {
    guard place < bytes.count else { return .incomplete }
    let first = bytes[place]
    let size = first >= 0x80 ? Int(first & 0x7F) : 0
    // A telegram may have NUL behind its first line, but no length of several bytes behind that.
    guard size <= 4, first != 0x80, !isHeadless || size > 0 else { return .none }
    guard place + size + 1 < bytes.count else { return .incomplete }
    var count = size > 0 ? 0 : Int(first)
    for index in 0..<size { count = count << 8 | Int(bytes[place + 1 + index]) }
    let control = bytes[place + 1 + size]
    let least = CipheredMessage.headerCount + (control & 0x10 != 0 ? CipherHeader.tagCount : 0)
    let end = place + 1 + size + count
    guard CipheredMessage.isControl(control), control & 0x30 != 0, count > least,
      end - offset <= Limits.frameBytes
    else { return .none }
    return .ends(end)
  }
}
