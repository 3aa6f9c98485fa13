/// One element of an A-XDR value: a number, a string, or the head of an array or structure.
///
/// IEC 62056-6-1 (A-XDR), IEC 62056-5-3 table "Data"; DLMS UA Blue Book, "Common data types":
///
///     TAG   TYPE                      CONTENT            TAG   TYPE                 CONTENT
///     0x00  null-data                 –                  0x0F  integer              1, signed
///     0x01  array                     count, elements    0x10  long                 2, signed
///     0x02  structure                 count, elements    0x11  unsigned             1
///     0x03  boolean                   1                  0x12  long-unsigned        2
///     0x04  bit-string                bits, ⌈bits÷8⌉     0x14  long64               8, signed
///     0x05  double-long               4, signed          0x15  long64-unsigned      8
///     0x06  double-long-unsigned      4                  0x16  enum                 1
///     0x09  octet-string              count, bytes       0x17  float32              4
///     0x0A  visible-string            count, bytes       0x18  float64              8
///     0x0C  utf8-string               count, bytes       0x19  date-time            12
///     0x0D  bcd                       1                  0x1A  date                 5
///     0x13  compact-array             refused            0x1B  time                 4
///                                                        0xFF  don't-care           –
///
/// Numbers are big-endian. A count is one byte below 0x80, else 0x80 + n and n bytes.
struct AXDRElement: BitwiseCopyable {
  enum Tag {
    static let null: UInt8 = 0x00
    static let array: UInt8 = 0x01
    static let structure: UInt8 = 0x02
    static let doubleLongUnsigned: UInt8 = 0x06
    static let octetString: UInt8 = 0x09
    static let visibleString: UInt8 = 0x0A
    static let utf8String: UInt8 = 0x0C
    static let integer: UInt8 = 0x0F
    static let enumeration: UInt8 = 0x16
    static let float32: UInt8 = 0x17
    static let float64: UInt8 = 0x18
    static let dateTime: UInt8 = 0x19
    static let dontCare: UInt8 = 0xFF
  }

  var tag: UInt8
  /// Where the tag is.
  var offset: Int
  /// Where the content begins, behind the tag and any count.
  var content: Int
  /// Bytes of the content; of an array or structure the number of its elements.
  var count: Int
  /// How many arrays and structures it lies in.
  var level: Int

  var isContainer: Bool { tag == Tag.array || tag == Tag.structure }

  var isString: Bool {
    tag == Tag.octetString || tag == Tag.visibleString || tag == Tag.utf8String
  }

  /// Bytes of the whole element, tag included; not for an array or structure.
  var byteCount: Int { content - offset + count }

  /// The OBIS code in an octet-string of six bytes.
  func code(in bytes: Span<UInt8>) -> OBISCode? {
    guard tag == Tag.octetString, count == 6 else { return nil }
    return OBISCode(
      bytes[content], bytes[content + 1], bytes[content + 2], bytes[content + 3],
      bytes[content + 4], bytes[content + 5])
  }

  /// Whether this is a string that begins with `text`.
  func hasPrefix(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
    let length = text.utf8CodeUnitCount
    guard isString, text.hasPointerRepresentation, count >= length else { return false }
    let start = unsafe text.utf8Start
    for index in 0..<length {
      guard unsafe bytes[content + index] == start[index] else { return false }
    }
    return true
  }

  /// Whether this is a string of just `text`.
  func isText(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
    count == text.utf8CodeUnitCount && hasPrefix(text, in: bytes)
  }

  /// The number in an integer of any width; nil for any other type.
  ///
  /// - Throws: `numberTooLarge` for a long64-unsigned above 2^63 − 1.
  func integer(in bytes: Span<UInt8>) throws(DecodeError) -> Int64? {
    let isSigned: Bool
    switch tag {
    case 0x05, 0x0F, 0x10, 0x14: isSigned = true
    case 0x06, 0x11, 0x12, 0x15: isSigned = false
    default: return nil
    }
    var bits: UInt64 = 0
    for index in content..<(content + count) { bits = bits << 8 | UInt64(bytes[index]) }
    guard isSigned else {
      guard let value = Int64(exactly: bits) else { throw DecodeError(.numberTooLarge, at: offset) }
      return value
    }
    // Up to the top, and back down with the sign.
    let unused = UInt64(64 - 8 * count)
    return Int64(bitPattern: bits << unused) >> Int64(unused)
  }
}

/// Reads the elements of one A-XDR value in the order of their bytes, without recursion.
///
/// Bounds: `Limits.nesting` levels, `Limits.elements` elements, never a byte at or behind `end`.
struct AXDRCursor: BitwiseCopyable {
  /// Where the next element begins.
  private(set) var offset: Int
  /// Where the bytes of the value end at the latest.
  let end: Int
  /// How many arrays and structures the next element lies in; 0 before the value and behind it.
  private(set) var level = 0
  private var elements = 0
  /// For each open level how many of its elements are still to come; `Limits.nesting` places.
  private var pending: [8 of Int] = .init(repeating: 0)

  /// Begins at `offset`, which is not above `end`.
  init(offset: Int, end: Int) {
    self.offset = offset
    self.end = end
  }

  /// How many elements of the innermost open array or structure are still to come.
  var pendingCount: Int { level > 0 ? pending[level - 1] : 0 }

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

  private mutating func open(_ element: AXDRElement) throws(DecodeError) {
    guard level < Limits.nesting, level < pending.count else {
      throw DecodeError(
        .nestingTooDeep, at: element.offset, expected: UInt32(Limits.nesting))
    }
    pending[level] = element.count
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
