/// Finds the end of a P1 telegram and checks its checksum, over bytes that arrive in any pieces.
///
///     '/' FFF B identification CR LF     '/' and three letters of the maker, a baud rate character, a name
///     CR LF                              optional blank line
///     data line CR LF …                  see P1Reader
///     '!' CRC CR LF                      0 to 4 hexadecimal digits: CRC-16/ARC of '/' … '!'
///
/// Source: DSMR 5.0.2, 5.2 and 6.2; IEC 62056-21, 6.3.2 and 6.5. '/' and '!' count only at the start
/// of a line: both occur in text messages. What meters do otherwise and is accepted: LF alone as
/// line end (some Kaifa), no checksum (DSMR 2.2 and 3), a checksum without its leading zeros
/// (NWA WarmteLink), NUL at the start of a line or behind the checksum, no line end at the end.
struct P1Framer {
  /// Bytes looked at so far, counted from the '/'.
  private var scanned = 0
  private var phase = Phase.identification
  private var hasData = false
  /// Whether the first data line is as readouts have it: then the end tells which of both it is.
  private var isPerhapsReadout = false

  // A raw type, because Embedded Swift would otherwise synthesise hashing, which asks for entropy.
  private enum Phase: UInt8 {
    /// In the identification line.
    case identification
    /// At the first byte of a line.
    case lineStart
    /// Within a line.
    case line
    /// At a '!' that begins a line; `scanned` is its place.
    case checksum
  }

  /// Forgets everything: the next bytes begin with another start.
  mutating func reset() { self = P1Framer() }

  /// Whether `byte` may begin a telegram: '/', also as an 8-bit port shows it that runs at 7E1.
  static func isStart(_ byte: UInt8) -> Bool { byte == slash || byte == slash | 0x80 }

  /// Whether `line`, which begins with '/' and goes to the line end, can be an identification.
  static func isIdentification(_ bytes: Span<UInt8>, in line: Range<Int>) -> Bool {
    guard line.count >= shortestIdentification, bytes[line.upperBound - 1] == lineFeed else {
      return false
    }
    for index in line where !isPlausible(bytes[index], at: index - line.lowerBound) { return false }
    return true
  }

  /// Judges all bytes held, the first of which is a start; looks only at those not yet seen.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = judge(bytes, isEnd: false)
    return isReadout(verdict, bytes, isEnd: false) ? .notAFrame : verdict
  }

  /// Judges all bytes held when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = finish(overTelegram: bytes)
    return isReadout(verdict, bytes, isEnd: true) ? .notAFrame : verdict
  }

  /// Judges bytes that are no readout, as what a key made of a message; no more will come.
  mutating func finish(overTelegram bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = judge(bytes, isEnd: true)
    guard verdict == .incomplete else { return verdict }
    return .damaged(DecodeError(.truncated, at: bytes.count), count: bytes.count)
  }

  /// Whether what began like a readout ends like one.
  ///
  /// A checksum behind the '!' makes it a telegram, right or wrong, and so does a sub-meter's line;
  /// everything else that is a whole readout is one. Only the bytes that the verdict is on are looked at, so that it is the same
  /// however many are held.
  private func isReadout(
    _ verdict: FramingVerdict, _ bytes: Span<UInt8>, isEnd: Bool
  ) -> Bool {
    guard isPerhapsReadout else { return false }
    let count: Int
    switch verdict {
    case .complete(let end, integrity: .absent): count = end
    case .damaged(let error, let end) where error.code != .checksumMismatch: count = end
    case .complete, .damaged, .incomplete, .notAFrame: return false
    }
    var framer = D0Framer()
    let held = bytes.extracting(first: count)
    let readout =
      isEnd && count == bytes.count ? framer.finish(over: held) : framer.advance(over: held)
    guard case .complete = readout else { return false }
    return !Self.namesSubMeters(held)
  }

  /// Whether a line has the code of an M-Bus channel, 0-1:24.1.0 and up: DSMR 2.2 with group F in
  /// its codes, which no checksum tells from a readout.
  private static func namesSubMeters(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      var cursor = index
      if bytes[index] == UInt8(ascii: "0"),
        let code = OBISCode(parsing: bytes, at: &cursor), code.a == 0, code.b > 0, code.c == 24
      {
        return true
      }
      index = P1Text.endOfLine(bytes, from: index)
    }
    return false
  }

  private mutating func judge(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    if phase == .identification {
      let verdict = identification(bytes)
      guard phase == .lineStart else { return verdict }
    }
    while phase != .checksum {
      if phase == .lineStart, let verdict = lineStart(bytes) { return verdict }
      if phase == .line, !skipLine(bytes) { return .incomplete }
    }
    return checksum(bytes, isEnd: isEnd)
  }

  /// Looks at the identification line, which tells a telegram from a '/' in noise.
  private mutating func identification(_ bytes: Span<UInt8>) -> FramingVerdict {
    let hasParityBits = bytes[0] != slash
    while scanned < bytes.count {
      let byte = bytes[scanned]
      if hasParityBits, byte.nonzeroBitCount % 2 != 0 { return .notAFrame }
      let isPlausible =
        Self.isPlausible(byte, at: scanned)
        || (hasParityBits || byte.nonzeroBitCount % 2 != 0)
          && Self.isPlausible(byte & 0x7F, at: scanned)
      if !isPlausible { return .notAFrame }
      scanned += 1
      if byte == lineFeed | 0x80, Self.hasOddParity(bytes, in: 0..<scanned) {
        return .damaged(DecodeError(.notText, at: 0), count: scanned)
      }
      guard byte == lineFeed else { continue }
      for index in 1...3 where index < scanned && bytes[index] >= 0x80 && !hasParityBits {
        return .notAFrame
      }
      if scanned < Self.shortestIdentification { return .notAFrame }
      if hasParityBits { return .damaged(DecodeError(.notText, at: 0), count: scanned) }
      phase = .lineStart
      return .incomplete
    }
    return .incomplete
  }

  /// Whether the bytes of a line are what an 8-bit port shows of 7O1: an odd number of ones each.
  private static func hasOddParity(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    guard range.count >= shortestIdentification else { return false }
    for index in range where bytes[index].nonzeroBitCount % 2 == 0 { return false }
    return true
  }

  /// '/', three letters, line end.
  private static let shortestIdentification = 5

  /// Whether an identification line may have `byte` at `offset`.
  ///
  /// A Swiss Iskra IE.5 sends STX where others have a backslash and a digit.
  private static func isPlausible(_ byte: UInt8, at offset: Int) -> Bool {
    switch offset {
    case 0: true
    case 1...3: byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    case Limits.identificationBytes...: false
    default: byte >= 0x20 || byte == carriageReturn || byte == lineFeed || byte == 0x02
    }
  }

  /// Decides what the line is that begins at `scanned`; nil where its kind is known.
  private mutating func lineStart(_ bytes: Span<UInt8>) -> FramingVerdict? {
    while scanned < bytes.count, bytes[scanned] == 0 { scanned += 1 }
    guard scanned < bytes.count else { return .incomplete }
    switch bytes[scanned] {
    case slash:
      return .damaged(DecodeError(.truncated, at: scanned), count: scanned)
    case exclamationMark:
      phase = .checksum
    case carriageReturn, lineFeed:
      phase = .line
    default:
      if !hasData {
        guard let claim = D0Framer.claims(bytes, at: scanned) else { return .incomplete }
        if claim == .certain { return .notAFrame }
        isPerhapsReadout = claim == .likely
      }
      hasData = true
      phase = .line
    }
    return nil
  }

  /// Moves behind the line's end, and over all lines of data behind it; false if that has not come.
  private mutating func skipLine(_ bytes: Span<UInt8>) -> Bool {
    if hasData, skipData(bytes) { return true }
    let index = bytes.place(of: lineFeed, from: scanned)
    guard index < bytes.count else {
      scanned = index
      return false
    }
    scanned = index + 1
    phase = .lineStart
    return true
  }

  /// Moves to the first line that is no data, if one begins before the last bytes held: these are
  /// left to `skipLine`.
  private mutating func skipData(_ bytes: Span<UInt8>) -> Bool {
    // A word is looked at together with the byte behind it, with which a line may begin.
    while scanned < bytes.count - 8 {
      var ends = bytes.word(at: scanned).places(of: lineFeed)
      while ends != 0 {
        let start = scanned + ends.firstByte + 1
        // `places` may name a byte behind the first wrongly.
        if Self.isMark(bytes[start]), bytes[start - 1] == lineFeed {
          scanned = start
          phase = .lineStart
          return true
        }
        ends &= ends &- 1
      }
      scanned += 8
    }
    return false
  }

  /// Whether a line that begins with `byte` is no data.
  private static func isMark(_ byte: UInt8) -> Bool {
    byte == exclamationMark || byte == slash || byte == 0
  }

  /// Reads the checksum and the line end behind it; the '!' is at `scanned`.
  private func checksum(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    var index = scanned + 1
    var sent: UInt16 = 0
    while index < bytes.count, index <= scanned + 4, let digit = hexDigit(bytes[index]) {
      sent = sent << 4 | UInt16(digit)
      index += 1
    }
    let digits = index - scanned - 1
    if index < bytes.count, bytes[index] == 0 { index += 1 }
    guard index < bytes.count else {
      return isEnd ? end(bytes, at: index, digits: digits, sent: sent, isCut: true) : .incomplete
    }
    switch bytes[index] {
    case carriageReturn:
      index += 1
      if index == bytes.count, !isEnd { return .incomplete }
      if index < bytes.count, bytes[index] == lineFeed { index += 1 }
    case lineFeed:
      index += 1
    default:
      guard digits == 4 || bytes[index] == slash else {
        return .damaged(DecodeError(.malformedChecksum, at: index), count: index)
      }
    }
    return end(bytes, at: index, digits: digits, sent: sent, isCut: false)
  }

  /// Compares the checksum of the telegram that ends at `end`.
  private func end(
    _ bytes: Span<UInt8>, at end: Int, digits: Int, sent: UInt16, isCut: Bool
  ) -> FramingVerdict {
    guard digits > 0 else {
      if hasData { return .complete(count: end, integrity: .absent) }
      return .damaged(DecodeError(.truncated, at: scanned), count: end)
    }
    let computed = CRC16.arc(bytes, in: 0..<scanned + 1)
    if computed == sent { return .complete(count: end, integrity: .ok) }
    if isCut, digits < 4 { return .damaged(DecodeError(.truncated, at: end), count: end) }
    let error = DecodeError(
      .checksumMismatch, at: scanned + 1, expected: UInt32(computed), found: UInt32(sent))
    return .damaged(error, count: end)
  }
}

private let slash = UInt8(ascii: "/")
private let exclamationMark = UInt8(ascii: "!")
private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")
