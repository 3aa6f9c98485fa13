/// The bracketed groups of one data line, one after the other: `(first)(second)…`.
///
/// A line that begins with '(' continues the one before (DSMR 2.2 prints the gas value so). Doubled
/// brackets, `((ER11))` and `((ER12)`, count as one pair: Iskra meters send both.
struct P1Groups {
  /// Where the next group's '(' is; behind the last one, where the line goes on or ends.
  private(set) var position: Int
  /// Whether a group has no end or stands before something that is no group.
  private(set) var isBroken = false

  /// Makes a walk over the groups of which the first begins at `position`.
  init(at position: Int) { self.position = position }

  /// What is between the brackets of the next group; nil behind the last one.
  mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
    guard !isBroken, position < bytes.count, bytes[position] == UInt8(ascii: "(") else {
      return nil
    }
    var start = position
    while start < bytes.count, bytes[start] == UInt8(ascii: "(") { start += 1 }
    let end = Self.end(of: start, in: bytes)
    guard end < bytes.count, bytes[end] != lineFeed else {
      isBroken = true
      return nil
    }
    position = end
    while position < bytes.count, bytes[position] == UInt8(ascii: ")") { position += 1 }
    skipLineEndBeforeGroup(in: bytes)
    return start..<end
  }

  /// Where the first ')' or line end from `start` on stands; the end of the bytes if none does.
  @inline(__always)
  private static func end(of start: Int, in bytes: Span<UInt8>) -> Int {
    var index = start
    while index < bytes.count {
      let word = bytes.paddedWord(at: index)
      let found = word.places(of: UInt8(ascii: ")")) | word.places(of: lineFeed)
      if found != 0 { return index + found.firstByte }
      index += 8
    }
    return bytes.count
  }

  /// Moves to the '(' of a continuation line; stays at the line end if there is none.
  private mutating func skipLineEndBeforeGroup(in bytes: Span<UInt8>) {
    guard position < bytes.count, bytes[position] != UInt8(ascii: "(") else { return }
    var next = position
    if bytes[next] == UInt8(ascii: "\r") { next += 1 }
    guard next < bytes.count, bytes[next] == lineFeed else {
      isBroken = true
      return
    }
    next += 1
    if next < bytes.count, bytes[next] == UInt8(ascii: "(") { position = next }
  }
}

private let lineFeed = UInt8(ascii: "\n")
