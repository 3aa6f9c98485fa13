/// Finds the end of an IEC 62056-21 readout and checks its block check character, over bytes that
/// arrive in any pieces.
///
///     '/' FFF Z identification CR LF     three letters of the maker, a baud rate character, a name
///     ACK V Z Y CR LF                    the reader's answer, where its echo is heard (mode C)
///     STX                                missing in modes A and D of many meters
///     data line CR LF …                  see D0Reader
///     '!' CR LF                          the end of the data
///     ETX BCC                            only behind STX: XOR of all bytes behind STX through ETX
///
/// Source: IEC 62056-21, 6.3 (messages), 6.3.2 to 6.3.8 (definitions), 6.4 (modes A to D); the check
/// character is ISO/IEC 1155. What meters do otherwise and is accepted: '!' right behind the last
/// line's bracket, LF in place of CR, NUL and 0x7F (wake-up, 6.4.3) before a line, no line end at the
/// end, no identification (Siemens TD-3511), where nothing stands before.
///
/// '/' and '!' may not occur in values (6.3.2, 6.3.7), yet they do in texts: '!' ends the data only
/// outside brackets and before a line end or ETX; '/' begins another readout only where a whole
/// identification follows.
struct D0Framer {
  /// Bytes looked at so far.
  private var scanned = 0
  private var phase = Phase.start
  /// Where the bytes begin that the check character counts, behind STX; 0 without STX.
  private var blockStart = 0
  private var hasData = false
  private var isInBrackets = false
  /// Where the last '/' of the line is that no bracket follows; 0 if there is none.
  private var slashPosition = 0

  // A raw type, because Embedded Swift would otherwise synthesise hashing, which asks for entropy.
  private enum Phase: UInt8 {
    /// At the first byte.
    case start
    /// In the identification line.
    case identification
    /// At the first byte of a line.
    case lineStart
    /// Within a line.
    case line
    /// At the '!' that ends the data; `scanned` is its place.
    case end
  }

  /// Forgets the candidate.
  mutating func reset() { self = D0Framer() }

  /// Judges all bytes held, the first of which may begin a readout.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict {
    judge(bytes, isEnd: false)
  }

  /// Judges all bytes held when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = judge(bytes, isEnd: true)
    guard verdict == .incomplete else { return verdict }
    guard phase != .start else { return .notAFrame }
    return .damaged(DecodeError(.truncated, at: bytes.count), count: bytes.count)
  }

  private mutating func judge(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    if phase == .start {
      switch bytes[0] {
      case slash: phase = .identification
      case slash | 0x80:
        // A 7E1 meter at an 8N1 port: the P1 framer knows how to tell, line by line.
        var p1 = P1Framer()
        return isEnd ? p1.finish(over: bytes) : p1.advance(over: bytes)
      default:
        guard let isBlock = Self.beginsBlock(bytes) else { return .incomplete }
        guard isBlock else { return .notAFrame }
        phase = .lineStart
      }
    }
    if phase == .identification, let verdict = identification(bytes) { return verdict }
    while phase != .end {
      let verdict = phase == .lineStart ? lineStart(bytes) : line(bytes, isEnd: isEnd)
      if let verdict { return verdict }
    }
    return end(bytes, isEnd: isEnd)
  }

  /// Looks at the identification line; nil when it is over.
  private mutating func identification(_ bytes: Span<UInt8>) -> FramingVerdict? {
    while scanned < bytes.count {
      let byte = bytes[scanned]
      guard Self.isPlausible(byte, at: scanned) else { return .notAFrame }
      scanned += 1
      guard byte == lineFeed else { continue }
      guard scanned >= 6 else { return .notAFrame }
      phase = .lineStart
      return nil
    }
    return .incomplete
  }

  /// Whether an identification may have `byte` at `offset`: printable, and neither '/' nor '!'.
  private static func isPlausible(_ byte: UInt8, at offset: Int) -> Bool {
    switch offset {
    case 0: true
    case 1...3: byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    case Limits.identificationBytes...: false
    case 4: byte > 0x20 && byte < 0x7F && byte != slash && byte != exclamationMark
    default:
      byte >= 0x20 && byte < 0x7F && byte != slash && byte != exclamationMark
        || byte == carriageReturn || byte == lineFeed
    }
  }

  /// Decides what the line is that begins at `scanned`; nil where its kind is known.
  private mutating func lineStart(_ bytes: Span<UInt8>) -> FramingVerdict? {
    while scanned < bytes.count, Self.isFiller(bytes[scanned]) { scanned += 1 }
    guard scanned < bytes.count else { return .incomplete }
    switch bytes[scanned] {
    case slash: return .damaged(DecodeError(.truncated, at: scanned), count: scanned)
    case endOfText: return .damaged(DecodeError(.truncated, at: scanned), count: scanned + 1)
    case startOfText where !hasData && blockStart == 0:
      scanned += 1
      blockStart = scanned
      return nil
    case acknowledge where !hasData, exclamationMark: break
    default: hasData = true
    }
    phase = .line
    isInBrackets = false
    slashPosition = 0
    return nil
  }

  /// Moves behind the line's end or to the '!' that ends the data; nil when it is there.
  private mutating func line(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict? {
    while scanned < bytes.count {
      switch bytes[scanned] {
      case lineFeed:
        let identification = slashPosition..<scanned + 1
        if slashPosition > 0, P1Framer.isIdentification(bytes, in: identification) {
          return .damaged(DecodeError(.truncated, at: slashPosition), count: slashPosition)
        }
        scanned += 1
        phase = .lineStart
        return nil
      case UInt8(ascii: "("):
        isInBrackets = true
        slashPosition = 0
      case UInt8(ascii: ")"):
        isInBrackets = false
        slashPosition = 0
      case slash: slashPosition = scanned
      case exclamationMark where !isInBrackets:
        guard scanned + 1 < bytes.count || isEnd else { return .incomplete }
        if scanned + 1 == bytes.count || Self.mayFollowEnd(bytes[scanned + 1]) {
          phase = .end
          return nil
        }
      default: break
      }
      scanned += 1
    }
    return .incomplete
  }

  /// Reads what stands behind the '!' at `scanned`.
  private func end(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    var index = scanned + 1
    guard hasData else { return .damaged(DecodeError(.truncated, at: scanned), count: index) }
    if index < bytes.count, bytes[index] == carriageReturn {
      index += 1
      if index == bytes.count, !isEnd { return .incomplete }
    }
    if index < bytes.count, bytes[index] == lineFeed { index += 1 }
    guard blockStart > 0 else { return .complete(count: index, integrity: .absent) }
    // The second half of a CR LF that a terminal made two LF.
    if index < bytes.count, bytes[index] == lineFeed { index += 1 }
    guard index < bytes.count else {
      return isEnd ? .complete(count: index, integrity: .absent) : .incomplete
    }
    guard bytes[index] == endOfText else {
      // ETX may be missing, but what stands in its place, or in a line end's, is damage.
      let mayFollow =
        bytes[index] == slash || bytes[index] == startOfText || Self.isFiller(bytes[index])
      guard !mayFollow else { return .complete(count: index, integrity: .absent) }
      let error = DecodeError(
        .truncated, at: index, expected: UInt32(endOfText), found: UInt32(bytes[index]))
      return .damaged(error, count: index + 1)
    }
    guard index + 1 < bytes.count else { return .incomplete }
    var computed: UInt8 = 0
    for position in blockStart..<index + 1 { computed ^= bytes[position] }
    let sent = bytes[index + 1]
    guard computed != sent else { return .complete(count: index + 2, integrity: .ok) }
    let error = DecodeError(
      .checksumMismatch, at: index + 1, expected: UInt32(computed), found: UInt32(sent))
    return .damaged(error, count: index + 2)
  }

  private static func isFiller(_ byte: UInt8) -> Bool {
    byte == carriageReturn || byte == lineFeed || byte == 0 || byte == 0x7F
  }

  private static func mayFollowEnd(_ byte: UInt8) -> Bool {
    byte == carriageReturn || byte == lineFeed || byte == endOfText || byte == slash
  }
}

/// How a readout is told from a P1 telegram and from the middle of one.
extension D0Framer {
  /// Longest code in front of a bracket: `1-0:255.255.255*255`.
  private static let longestCode = 20

  /// Whether a readout without identification may begin with `byte`.
  static func mayBeginBlock(_ byte: UInt8) -> Bool {
    byte == startOfText || byte == UInt8(ascii: "0") || byte == UInt8(ascii: "F")
      || byte == UInt8(ascii: "C")
  }

  /// What the first data line says of the family.
  enum Claim: UInt8 {
    /// It is no readout.
    case none
    /// It is a readout, or a P1 telegram whose codes have group F (Hungary) or are reduced.
    case likely
    /// It is a readout.
    case certain
  }

  /// How sure the first data line, which begins at `start`, makes it that this is a readout: certain
  /// with STX or the reader's ACK in front; likely with a reduced code (`1.8.0`, `F.F`), or one with
  /// group F (`1-0:0.0.0*255`, EasyMeter and EMH) that does not begin every P1 telegram; nil until
  /// enough of it has come.
  static func claims(_ bytes: Span<UInt8>, at start: Int) -> Claim? {
    var index = start
    guard index < bytes.count else { return nil }
    if bytes[index] == startOfText || bytes[index] == acknowledge { return .certain }
    var isFull = false
    var hasPeriod = false
    while index < bytes.count, index < start + longestCode {
      switch bytes[index] {
      case UInt8(ascii: "("):
        guard index > start, !isFull || hasPeriod else { return Claim.none }
        return beginsTelegram(bytes, at: start) ? Claim.none : .likely
      case UInt8(ascii: "*"), UInt8(ascii: "&"): hasPeriod = true
      case UInt8(ascii: "-"), UInt8(ascii: ":"): isFull = true
      case UInt8(ascii: "."): break
      case let byte where isDigit(byte) || D0Code.letter(byte) != nil: break
      default: return Claim.none
      }
      index += 1
    }
    return index < start + longestCode ? nil : Claim.none
  }

  /// Whether the code at `start` is P1's version (1-3:0.2.8), clock (0-0:1.0.0) or, in DSMR 2.2 and 3,
  /// equipment identifier (0-0:96.1.1), with which telegrams begin.
  private static func beginsTelegram(_ bytes: Span<UInt8>, at start: Int) -> Bool {
    var index = start
    guard let code = OBISCode(parsing: bytes, at: &index) else { return false }
    return code == OBISCode(1, 3, 0, 2, 8, code.f) || code == OBISCode(0, 0, 1, 0, 0, code.f)
      || code == OBISCode(0, 0, 96, 1, 1, code.f)
  }

  /// Whether the bytes begin with STX and a code, or with a line that is always the first: meter
  /// number or error; nil until enough has come.
  ///
  /// No other line will do: `1.8.0` may be the rest of `21.8.0`.
  fileprivate static func beginsBlock(_ bytes: Span<UInt8>) -> Bool? {
    if bytes[0] == startOfText { return claims(bytes, at: 1).map { $0 != .none } }
    var cursor = 0
    guard let name = D0Code(parsing: bytes, at: &cursor) else {
      return cursor == bytes.count && cursor < longestCode ? nil : false
    }
    guard cursor < bytes.count else { return nil }
    guard bytes[cursor] == UInt8(ascii: "("), name.isReduced else { return false }
    switch (name.code.c, name.code.d) {
    case (0, 0), (96, 1), (97, 97): return isText(bytes, from: cursor + 1)
    default: return false
    }
  }

  /// Whether a value begins at `start`, which tells `F(00)` from noise; nil until enough has come.
  private static func isText(_ bytes: Span<UInt8>, from start: Int) -> Bool? {
    var index = start
    while index < bytes.count, index < start + longestCode {
      if bytes[index] == UInt8(ascii: ")") { return true }
      guard bytes[index] >= 0x20, bytes[index] < 0x7F else { return false }
      index += 1
    }
    return index < start + longestCode ? nil : true
  }
}

private let slash = UInt8(ascii: "/")
private let exclamationMark = UInt8(ascii: "!")
private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")
private let startOfText: UInt8 = 0x02
private let endOfText: UInt8 = 0x03
private let acknowledge: UInt8 = 0x06
