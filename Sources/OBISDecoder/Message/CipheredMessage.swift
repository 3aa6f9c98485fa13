/// The parts of a ciphered message.
///
/// DLMS UA Green Book, 9.2.7.2.4 and 9.5 "General-Glo-Ciphering":
///
///     SIZE  MEANING
///     1     APDU tag: DB general-glo-ciphering, DC general-ded-ciphering
///     1     count of the system title: 8, or 0 where it is known otherwise
///     0, 8  system title
///     1…5   length of all that follows
///     1     security control: bits 0 … 3 suite, 4 authenticated, 5 encrypted, 6 broadcast key
///     4     invocation counter
///     n     message, encrypted or not
///     12    authentication tag, if bit 4 is set
///
/// Behind the identification line of a P1 telegram the APDU tag is missing in Polish meters, whose
/// title is empty (amsreader-firmware issues 986 and 1198: `/EGM5…`, `/KFM5…`, then 00 82 02 30 30).
struct CipheredMessage: Equatable {
  /// What was ciphered, and where.
  var part: CipheredPart
  /// Where the system title is; may be empty.
  var title: Range<Int>
  /// Where the message ends.
  var end: Int

  /// Reads the message whose title's count is at `offset`; all of it lies in front of `end`.
  ///
  /// - Throws: `truncated`, `tooLong`, `malformedHeader` for a title that is not of 8 bytes, or a
  ///   security control that no suite has.
  init(parsing bytes: Span<UInt8>, at offset: Int, to end: Int) throws(DecodeError) {
    var cursor = MessageCursor(offset: offset, end: end)
    let (title, count) = try Self.lengths(&cursor, in: bytes)
    let content = cursor.offset
    try cursor.skip(count)
    let header = try Self.header(bytes, title, at: content, count: count)
    let last = content + count
    let tag = last - (header.isAuthenticated ? CipherHeader.tagCount : 0)
    part = CipheredPart(
      header: header, ciphertext: (content + Self.headerCount)..<tag, tag: tag..<last)
    self.title = title
    self.end = last
  }

  /// Where the system title is whose count is at `offset`; empty if it is not one to eight bytes.
  static func title(in bytes: Span<UInt8>, at offset: Int, to end: Int) -> Range<Int> {
    guard offset < end else { return end..<end }
    let count = Int(bytes[offset])
    let start = offset + 1
    guard count <= CipherHeader.titleCount, count <= end - start else { return start..<start }
    return start..<(start + count)
  }

  /// Security control and invocation counter.
  static let headerCount = 5

  /// Whether a security control is one of the suites 0, 1 and 2.
  ///
  /// Bit 7 is compression, which no push has been seen with.
  static func isControl(_ control: UInt8) -> Bool { control & 0x80 == 0 && control & 0x0F <= 2 }

  private static func lengths(
    _ cursor: inout MessageCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> (title: Range<Int>, count: Int) {
    let start = cursor.offset
    let titleCount = Int(try cursor.byte(in: bytes))
    guard titleCount == 0 || titleCount == CipherHeader.titleCount else {
      throw DecodeError(
        .malformedHeader, at: start, expected: UInt32(CipherHeader.titleCount),
        found: UInt32(titleCount))
    }
    let title = cursor.offset
    try cursor.skip(titleCount)
    return (title..<cursor.offset, try cursor.length(in: bytes))
  }

  private static func header(
    _ bytes: Span<UInt8>, _ title: Range<Int>, at offset: Int, count: Int
  ) throws(DecodeError) -> CipherHeader {
    guard count > 0, Self.isControl(bytes[offset]) else {
      throw DecodeError(.malformedHeader, at: offset)
    }
    let control = bytes[offset]
    let least = headerCount + (control & 0x10 != 0 ? CipherHeader.tagCount : 0)
    guard count > least else {
      throw DecodeError(
        .malformedHeader, at: title.upperBound, expected: UInt32(least + 1), found: UInt32(count))
    }
    var systemTitle: UInt64 = 0
    for index in title { systemTitle = systemTitle << 8 | UInt64(bytes[index]) }
    var counter: UInt32 = 0
    for index in (offset + 1)..<(offset + headerCount) {
      counter = counter << 8 | UInt32(bytes[index])
    }
    return CipherHeader(
      systemTitle: systemTitle, securityControl: control, invocationCounter: counter)
  }
}

/// Knows the last invocation counter of the meters on a line.
struct ReplayWatch: BitwiseCopyable {
  private var titles: [4 of UInt64] = .init(repeating: 0)
  private var counters: [4 of UInt32] = .init(repeating: 0)
  private var count = 0
  private var oldest = 0

  /// Notes the counter of a message that was deciphered; whether it is not above the one before.
  ///
  /// The last counter counts, not the highest: a meter that was set up anew begins at 0 again. Of a
  /// message without a title nobody knows whose counter it is.
  mutating func isReplay(_ header: CipherHeader) -> Bool {
    guard header.systemTitle != 0 else { return false }
    for index in 0..<count where titles[index] == header.systemTitle {
      let isReplay = header.invocationCounter <= counters[index]
      counters[index] = header.invocationCounter
      return isReplay
    }
    titles[oldest] = header.systemTitle
    counters[oldest] = header.invocationCounter
    oldest = (oldest + 1) % titles.count
    count = min(count + 1, titles.count)
    return false
  }
}
