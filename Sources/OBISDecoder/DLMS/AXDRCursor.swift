/// Reads the elements of one A-XDR value in the order of their bytes, without recursion.
///
/// Bounds: `Limits.nesting` levels, `Limits.elements` elements, never a byte at or behind `end`. It
/// is small, so that a copy may look ahead.
struct AXDRCursor: BitwiseCopyable {
  /// Where the next element begins.
  private(set) var offset: Int
  /// Where the bytes of the value end at the latest.
  let end: Int
  /// How many arrays and structures the next element lies in; 0 before the value and behind it.
  private(set) var level = 0
  private var elements = 0
  /// For each open level how many of its elements are still to come; `Limits.nesting` places.
  ///
  /// 65 535 stands for more too: `Limits.elements` ends the reading long before.
  private var pending: [8 of UInt16] = .init(repeating: 0)

  /// Begins at `offset`, which is not above `end`.
  init(offset: Int, end: Int) {
    self.offset = offset
    self.end = end
  }

  /// How many elements of the innermost open array or structure are still to come.
  var pendingCount: Int { level > 0 ? Int(pending[level - 1]) : 0 }

  /// Reads an element and steps behind it, or to the first element of an array or structure.
  ///
  /// - Throws: `truncated`, `unknownType`, `nestingTooDeep`, `tooManyElements`.
  mutating func next(in bytes: Span<UInt8>) throws(DecodeError) -> AXDRElement {
    let start = offset
    elements += 1
    guard elements <= Limits.elements else {
      throw DecodeError(.tooManyElements, at: start, expected: UInt32(Limits.elements))
    }
    let tag = try byte(in: bytes)
    let count = try contentCount(of: tag, at: start, in: bytes)
    let element = AXDRElement(
      tag: tag, offset: start, content: offset, count: count, level: level)
    if level > 0 { pending[level - 1] -= 1 }
    if element.isContainer {
      try open(element)
    } else {
      try require(count)
      offset += count
    }
    while level > 0, pending[level - 1] == 0 { level -= 1 }
    return element
  }

  /// Steps behind all elements that lie deeper than `level`.
  mutating func skip(to level: Int, in bytes: Span<UInt8>) throws(DecodeError) {
    while self.level > level { _ = try next(in: bytes) }
  }

  /// Steps over `count` bytes that belong to no element.
  ///
  /// - Throws: `truncated`.
  mutating func skip(bytes count: Int) throws(DecodeError) {
    try require(count)
    offset += count
  }

  /// Steps over an element that has no tag and takes `count` bytes.
  ///
  /// - Throws: `truncated`.
  mutating func skipElement(bytes count: Int) throws(DecodeError) {
    try skip(bytes: count)
    if level > 0 { pending[level - 1] -= 1 }
    while level > 0, pending[level - 1] == 0 { level -= 1 }
  }

  private mutating func open(_ element: AXDRElement) throws(DecodeError) {
    guard level < Limits.nesting, level < pending.count else {
      throw DecodeError(
        .nestingTooDeep, at: element.offset, expected: UInt32(Limits.nesting))
    }
    pending[level] = UInt16(clamping: element.count)
    level += 1
  }

  /// The size that a type has, or that stands behind its tag.
  private mutating func contentCount(
    of tag: UInt8, at start: Int, in bytes: Span<UInt8>
  ) throws(DecodeError) -> Int {
    switch tag {
    case 0x00, 0xFF: return 0
    case 0x03, 0x0D, 0x0F, 0x11, 0x16: return 1
    case 0x10, 0x12: return 2
    case 0x05, 0x06, 0x17, 0x1B: return 4
    case 0x1A: return 5
    case 0x14, 0x15, 0x18: return 8
    case 0x19: return 12
    case 0x01, 0x02, 0x09, 0x0A, 0x0C: return try length(in: bytes)
    case 0x04: return (try length(in: bytes) + 7) / 8
    default: throw DecodeError(.unknownType, at: start, found: UInt32(tag))
    }
  }

  /// A count of one byte, or of up to four behind 0x81 … 0x84.
  private mutating func length(in bytes: Span<UInt8>) throws(DecodeError) -> Int {
    let start = offset
    let first = try byte(in: bytes)
    guard first >= 0x80 else { return Int(first) }
    guard (0x81...0x84).contains(first) else {
      throw DecodeError(.malformedValue, at: start, found: UInt32(first))
    }
    var value = 0
    for _ in 0..<(first & 0x7F) { value = value << 8 | Int(try byte(in: bytes)) }
    return value
  }

  private mutating func byte(in bytes: Span<UInt8>) throws(DecodeError) -> UInt8 {
    try require(1)
    defer { offset += 1 }
    return bytes[offset]
  }

  private func require(_ count: Int) throws(DecodeError) {
    guard count <= end - offset else {
      throw DecodeError(
        .truncated, at: offset, expected: UInt32(truncatingIfNeeded: count),
        found: UInt32(end - offset))
    }
  }
}
