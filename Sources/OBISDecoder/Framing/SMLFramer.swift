/// Finds the end of an SML file in its transport envelope and checks the checksum over it.
///
///     OFFSET  SIZE  MEANING
///     0       4     escape 1B 1B 1B 1B
///     4       4     01 01 01 01: version 1, a file begins
///     8       n     SML messages; 1B 1B 1B 1B in them is sent twice
///     8+n     p     00 up to the next multiple of four, p = 0 … 3
///     e−8     4     escape 1B 1B 1B 1B
///     e−4     1     1A: the file ends
///     e−3     1     p
///     e−2     2     CRC-16 of offsets 0 ..< e−2, escapes included; see SMLChecksum
///
/// Source: BSI TR-03109-1 annex IV part b, chapter 8 ("SML transport protocol"), version 1. What a
/// DZG DVS74 does otherwise and is accepted: four bytes 00 where nothing was to be filled up.
///
/// A file without its envelope, as some bridges hand it on, is judged too (see `bare`).
struct SMLFramer {
  /// Whether the file last judged has escapes within it, which the reader must take out.
  private(set) var hasEscapes = false
  /// Where the next escape is looked for.
  private var scanned = 0
  /// The checksum that the meter uses, as far as it has shown one.
  private var checksum = SMLChecksum.x25LowFirst
  /// Whether a file has shown it; before, it is the commonest.
  private var isShown = false
  /// The checksum of the first message of a file without envelope.
  private var bareChecksum: SMLChecksum?

  /// Bytes in front of the messages, and behind their padding.
  static let envelopeCount = 8
  static let escape: UInt8 = 0x1B
  static let end: UInt8 = 0x1A
  private static let version: UInt8 = 0x01

  init() {}

  /// Forgets the candidate, and keeps in mind which checksum the meter uses.
  mutating func reset() {
    hasEscapes = false
    scanned = 0
    bareChecksum = nil
  }

  /// Judges all bytes held; looks only at those not yet seen.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = bytes[0] == SMLMessage.head ? bare(bytes) : enveloped(bytes)
    guard verdict == .incomplete, bytes.count >= Limits.frameBytes else { return verdict }
    return Self.damaged(DecodeError(.tooLong, at: bytes.count), bytes, extent: bytes.count)
  }

  private mutating func enveloped(_ bytes: Span<UInt8>) -> FramingVerdict {
    while scanned < Self.envelopeCount {
      guard scanned < bytes.count else { return .incomplete }
      guard bytes[scanned] == Self.start(scanned) else { return .notAFrame }
      scanned += 1
    }
    while let place = nextEscape(in: bytes) {
      guard bytes.count - place >= Self.envelopeCount else { break }
      switch bytes[place + 4] {
      case Self.end: return end(bytes, at: place)
      case Self.escape where Self.isEscape(bytes, at: place + 4):
        hasEscapes = true
        scanned = place + 8
      default:
        // The next file's beginning, or bytes were lost: either way this one has no end.
        let error = DecodeError(.truncated, at: place, found: UInt32(bytes[place + 4]))
        return Self.damaged(error, bytes, extent: place + 8)
      }
    }
    return .incomplete
  }

  /// Judges all bytes held when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = advance(over: bytes)
    guard verdict == .incomplete else { return verdict }
    guard scanned >= Self.envelopeCount else { return .notAFrame }
    if bareChecksum != nil, scanned == bytes.count {
      return .complete(count: scanned, integrity: .ok)
    }
    let error = DecodeError(.truncated, at: bytes.count)
    return Self.damaged(error, bytes, extent: bytes.count)
  }

  /// Where the next four escape bytes begin, at any alignment; nil if they are not all there.
  ///
  /// Four in a row include one at every fourth place, so that only these are looked at.
  private mutating func nextEscape(in bytes: Span<UInt8>) -> Int? {
    while scanned + 3 < bytes.count {
      guard bytes[scanned + 3] == Self.escape else {
        scanned += 4
        continue
      }
      var first = scanned + 3
      while first > scanned, bytes[first - 1] == Self.escape { first -= 1 }
      scanned = first
      if Self.isEscape(bytes, at: first) { return first }
      // A shorter run: go behind it, or wait for its end.
      var behind = first + 1
      while behind < bytes.count, bytes[behind] == Self.escape { behind += 1 }
      if behind == bytes.count { return nil }
      scanned = behind
    }
    return nil
  }

  private static func isEscape(_ bytes: Span<UInt8>, at offset: Int) -> Bool {
    guard bytes.count - offset >= 4 else { return false }
    return bytes[offset] == escape && bytes[offset + 1] == escape && bytes[offset + 2] == escape
      && bytes[offset + 3] == escape
  }

  private static func start(_ index: Int) -> UInt8 { index < 4 ? escape : version }
}

// MARK: Without envelope

extension SMLFramer {
  /// Judges messages that follow one another without an envelope, up to the close response.
  ///
  /// Each has to have a right checksum of its own, all in the same variant.
  private mutating func bare(_ bytes: Span<UInt8>) -> FramingVerdict {
    var cursor = SMLCursor(offset: scanned, end: bytes.count)
    do throws(DecodeError) {
      while cursor.offset < cursor.end {
        let message = try SMLMessage(&cursor, in: bytes)
        try cursor.skip(1, in: bytes)
        let place = try message.checksum(&cursor, in: bytes)
        guard let place, acceptsBare(bytes, message.offset..<place.offset, place.content) else {
          let error = DecodeError(.checksumMismatch, at: message.offset)
          return Self.damaged(error, bytes, extent: cursor.offset)
        }
        scanned = cursor.offset
        if message.tag == SMLMessage.Tag.closeResponse {
          return .complete(count: scanned, integrity: .ok)
        }
      }
      return .incomplete
    } catch {
      if error.code == .truncated { return .incomplete }
      return scanned == 0 ? .notAFrame : Self.damaged(error, bytes, extent: error.offset)
    }
  }

  private mutating func acceptsBare(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ place: Int
  ) -> Bool {
    if let bareChecksum { return bareChecksum.isRight(of: bytes, in: range, at: place) }
    for index in SMLChecksum.all.indices {
      let variant = SMLChecksum.all[index]
      guard variant.isRight(of: bytes, in: range, at: place) else { continue }
      bareChecksum = variant
      return true
    }
    return false
  }
}

// MARK: The end

extension SMLFramer {
  /// Judges a file whose end sequence begins at `place`.
  private mutating func end(_ bytes: Span<UInt8>, at place: Int) -> FramingVerdict {
    let count = place + Self.envelopeCount
    guard accepts(bytes, endingAt: place) else {
      let error = DecodeError(
        .checksumMismatch, at: place + 6,
        expected: UInt32(checksum.value(of: bytes, in: 0..<place + 6)),
        found: UInt32(checksum.found(in: bytes, at: place + 6)))
      return Self.damaged(error, bytes, extent: count)
    }
    guard count % 4 == 0 else {
      return Self.damaged(DecodeError(.truncated, at: place), bytes, extent: count)
    }
    let padding = Int(bytes[place + 5])
    guard padding <= 3 || padding == 4 && Self.isZero(bytes, in: place - 4..<place) else {
      let error = DecodeError(
        .malformedValue, at: place + 5, expected: 3, found: UInt32(padding))
      return Self.damaged(error, bytes, extent: count)
    }
    return .complete(count: count, integrity: .ok)
  }

  /// Whether the checksum is right: the one that the meter uses, or another that proves itself.
  ///
  /// Each variant that is tried would let one damaged file in 65 536 pass, so that a stream keeps to
  /// the one it has shown. Another is believed, and kept to from then on, only where every message
  /// of the file has a right checksum of its own in that variant. The first file is believed in the
  /// commonest, unless its messages speak for another.
  private mutating func accepts(_ bytes: Span<UInt8>, endingAt place: Int) -> Bool {
    let covered = 0..<place + 6
    if checksum.isRight(of: bytes, in: covered, at: place + 6),
      isShown || !SMLMessage.contradict(checksum, Self.proofs(bytes, hasEscapes, endingAt: place))
    {
      isShown = true
      return true
    }
    for index in SMLChecksum.all.indices {
      let other = SMLChecksum.all[index]
      guard other != checksum, other.isRight(of: bytes, in: covered, at: place + 6),
        Self.proofs(bytes, hasEscapes, endingAt: place)[index] == .all
      else { continue }
      checksum = other
      isShown = true
      return true
    }
    return false
  }

  /// What the messages' own checksums say of each variant.
  @inline(never)
  private static func proofs(
    _ bytes: Span<UInt8>, _ hasEscapes: Bool, endingAt place: Int
  ) -> [4 of SMLMessage.Proof] {
    let padding = Int(bytes[place + 5])
    guard hasEscapes else {
      return SMLMessage.proofs(bytes, in: envelopeCount..<max(envelopeCount, place - padding))
    }
    var copy = FrameBuffer()
    copy.append(withoutEscapes: bytes.extracting(first: place + envelopeCount))
    return copy.withBytes { copied in
      let end = copied.count - envelopeCount - padding
      return SMLMessage.proofs(copied, in: envelopeCount..<max(envelopeCount, end))
    }
  }

  private static func isZero(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    for index in range where bytes[index] != 0 { return false }
    return true
  }

  /// The verdict on a damaged file that reaches to `extent`, or to where another begins within it.
  ///
  /// Where bytes were lost the end that was found may be the next file's, or may have taken the
  /// beginning of its start sequence. Only bytes in front of `extent` count, so that the verdict
  /// does not depend on how many more are there.
  private static func damaged(
    _ error: DecodeError, _ bytes: Span<UInt8>, extent: Int
  ) -> FramingVerdict {
    for index in 1..<extent where bytes[index] == escape {
      var length = 1
      while length < envelopeCount, index + length < extent,
        bytes[index + length] == start(length)
      {
        length += 1
      }
      if length == envelopeCount || index + length == extent {
        return .damaged(error, count: index)
      }
    }
    return .damaged(error, count: extent)
  }
}
