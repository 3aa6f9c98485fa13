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
  /// How many elements of the innermost open array or structure are still to come.
  private(set) var pendingCount = 0
  /// The same of the levels around it; `Limits.nesting` places.
  ///
  /// 65 535 stands for more too: `Limits.elements` ends the reading long before.
  private var outer: [8 of UInt16] = .init(repeating: 0)

  /// Begins at `offset`, which is not above `end`.
  init(offset: Int, end: Int) {
    self.offset = offset
    self.end = end
  }

  /// Reads an element and steps behind it, or to the first element of an array or structure.
  ///
  /// - Throws: `truncated`, `unknownType`, `nestingTooDeep`, `tooManyElements`.
  mutating func next(in bytes: Span<UInt8>) throws(DecodeError) -> AXDRElement {
    let start = offset
    elements += 1
    guard elements <= Limits.elements else {
      throw DecodeError(.tooManyElements, at: start, expected: UInt32(Limits.elements))
    }
    let element = try AXDRElement(at: start, to: end, level: level, in: bytes)
    let isContainer = element.isContainer
    if isContainer, level == Limits.nesting {
      throw DecodeError(.nestingTooDeep, at: start, expected: UInt32(Limits.nesting))
    }
    offset = isContainer ? element.content : element.content + element.count
    pendingCount -= 1
    if isContainer { open(element.count) }
    if pendingCount <= 0 { close() }
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
    guard count <= end - offset else {
      throw DecodeError(
        .truncated, at: offset, expected: UInt32(count), found: UInt32(end - offset))
    }
    offset += count
  }

  /// Steps over an element that has no tag and takes `count` bytes.
  ///
  /// - Throws: `truncated`.
  mutating func skipElement(bytes count: Int) throws(DecodeError) {
    try skip(bytes: count)
    pendingCount -= 1
    if pendingCount <= 0 { close() }
  }

  /// Steps behind the structure whose head was just read, to `offset`, past `count` elements that
  /// somebody else has read in it.
  mutating func leave(at offset: Int, after count: Int) {
    self.offset = offset
    elements += count
    pendingCount = 0
    close()
  }

  private mutating func open(_ count: Int) {
    // Of the value itself nothing is to come behind it.
    outer[level] = UInt16(clamping: max(pendingCount, 0))
    level += 1
    pendingCount = min(count, Int(UInt16.max))
  }

  private mutating func close() {
    while level > 0, pendingCount == 0 {
      level -= 1
      pendingCount = Int(outer[level])
    }
    if level == 0 { pendingCount = 0 }
  }
}
