/// One element of SML: an octet string, a number, or the head of a list.
///
/// BSI TR-03109-1 annex IV part b, 6.3 ("SML binary encoding"). In front of each stands a TL field
/// of one byte or more, M TTT LLLL: M = another byte follows, with four more bits of the length and
/// TTT = 000; T the type; L for a list the number of its elements, else the bytes of TL field and
/// content together.
///
///     TTT  TYPE                               TTT  TYPE
///     000  octet string; 01 alone is absent   110  unsigned, 1 … 8 bytes, big-endian
///     100  boolean, 1 byte                    111  list
///     101  integer, 1 … 8 bytes, big-endian   00 as a whole byte ends a message
struct SMLElement: BitwiseCopyable {
  enum Kind {
    static let octets: UInt8 = 0
    static let boolean: UInt8 = 4
    static let integer: UInt8 = 5
    static let unsigned: UInt8 = 6
    static let list: UInt8 = 7
    /// The byte 00 that ends a message; no type of the standard.
    static let end: UInt8 = 8
  }

  var kind: UInt8
  // Eight bytes in all, so that an element travels in a register: no frame has 65 536 bytes.
  private var start: UInt16
  private var fields: UInt8
  private var length: UInt16

  /// Makes an element; all numbers are below `Limits.frameBytes`.
  init(kind: UInt8, offset: Int, fields: Int, count: Int) {
    self.kind = kind
    start = UInt16(truncatingIfNeeded: offset)
    self.fields = UInt8(truncatingIfNeeded: fields)
    length = UInt16(truncatingIfNeeded: count)
  }

  /// Where the TL field begins.
  var offset: Int { Int(start) }
  /// Where the content begins.
  var content: Int { Int(start) &+ Int(fields) }
  /// Bytes of the content; of a list the number of its elements.
  var count: Int { Int(length) }

  /// Whether nothing was sent in this place.
  var isAbsent: Bool { kind == Kind.octets && count == 0 }

  /// Whether this is an integer or unsigned with a width that numbers have.
  var isNumber: Bool { (kind == Kind.integer || kind == Kind.unsigned) && count >= 1 && count <= 8 }

  /// The bits of a number as they stand, without its sign.
  func bits(in bytes: Span<UInt8>) -> UInt64 {
    var bits: UInt64 = 0
    for index in content..<content + count { bits = bits &<< 8 | UInt64(bytes[index]) }
    return bits
  }

  /// A number, its sign taken from the highest bit that was sent; nil above 2^63 − 1.
  func number(in bytes: Span<UInt8>, isSigned: Bool) -> Int64? {
    let bits = bits(in: bytes)
    guard isSigned else { return Int64(exactly: bits) }
    // Up to the top, and back down with the sign.
    let unused = UInt64(64 - 8 * count)
    return Int64(bitPattern: bits << unused) >> Int64(unused)
  }

  /// An unsigned of at most four bytes, nil for anything else.
  func unsigned(in bytes: Span<UInt8>) -> UInt32? {
    guard kind == Kind.unsigned, count >= 1, count <= 4 else { return nil }
    return UInt32(truncatingIfNeeded: bits(in: bytes))
  }

  /// The OBIS code in an octet string of six bytes.
  func code(in bytes: Span<UInt8>) -> OBISCode? {
    guard kind == Kind.octets, count == 6 else { return nil }
    return OBISCode(
      bytes[content], bytes[content + 1], bytes[content + 2], bytes[content + 3],
      bytes[content + 4], bytes[content + 5])
  }
}

/// Reads the elements of SML messages in the order of their bytes, without recursion.
///
/// Bounds: never a byte at or behind `end`; each step takes at least one byte.
struct SMLCursor: BitwiseCopyable {
  /// Where the next element begins.
  private(set) var offset: Int
  /// Where the bytes end.
  let end: Int

  /// Begins at `offset`, which is not above `end`.
  init(offset: Int, end: Int) {
    self.offset = offset
    self.end = end
  }

  /// Reads an element and steps behind it, or to the first element of a list.
  ///
  /// - Throws: `truncated`, `unknownType`, `malformedValue` for a length that no element has.
  @inline(__always)
  mutating func next(in bytes: Span<UInt8>) throws(DecodeError) -> SMLElement {
    let start = offset
    guard start < end else { throw DecodeError(.truncated, at: start) }
    let head = bytes[start]
    guard head & 0x80 == 0 else { return try long(in: bytes) }
    if head == 0 {
      offset = start + 1
      return SMLElement(kind: SMLElement.Kind.end, offset: start, fields: 1, count: 0)
    }
    return try element(head >> 4, length: Int(head & 0x0F), fields: 1)
  }

  /// Reads an element; of a list it steps behind all that the list holds.
  mutating func value(in bytes: Span<UInt8>) throws(DecodeError) -> SMLElement {
    let element = try next(in: bytes)
    if element.kind == SMLElement.Kind.list { try skip(element.count, in: bytes) }
    return element
  }

  /// Steps behind `count` elements and all that they hold.
  mutating func skip(_ count: Int, in bytes: Span<UInt8>) throws(DecodeError) {
    var pending = count
    while pending > 0 {
      let element = try next(in: bytes)
      pending -= 1
      // Both stay below the number of bytes: a list with more elements is refused.
      if element.kind == SMLElement.Kind.list { pending += element.count }
    }
  }

  /// Reads an element whose TL field has more than one byte.
  @inline(never)
  private mutating func long(in bytes: Span<UInt8>) throws(DecodeError) -> SMLElement {
    let start = offset
    let kind = bytes[start] >> 4 & 7
    var length = Int(bytes[start] & 0x0F)
    var fields = 1
    repeat {
      guard end - start > fields else { throw DecodeError(.truncated, at: end) }
      let byte = bytes[start + fields]
      // Four fields hold any length below 65 536, more than any frame has.
      guard fields < 4, byte & 0x70 == 0 else {
        throw DecodeError(.malformedValue, at: start + fields, found: UInt32(byte))
      }
      length = length << 4 | Int(byte & 0x0F)
      fields += 1
    } while bytes[start + fields - 1] & 0x80 != 0
    return try element(kind, length: length, fields: fields)
  }

  @inline(__always)
  private mutating func element(
    _ kind: UInt8, length: Int, fields: Int
  ) throws(DecodeError) -> SMLElement {
    let start = offset
    let content = start + fields
    let isList = kind == SMLElement.Kind.list
    guard isList || kind == SMLElement.Kind.octets || kind >= SMLElement.Kind.boolean else {
      throw DecodeError(.unknownType, at: start, found: UInt32(kind))
    }
    let count = isList ? length : length - fields
    guard count >= 0 else {
      throw DecodeError(.malformedValue, at: start, found: UInt32(length))
    }
    guard count <= end - content else {
      throw DecodeError(
        .truncated, at: start, expected: UInt32(count), found: UInt32(max(0, end - content)))
    }
    offset = isList ? content : content + count
    return SMLElement(kind: kind, offset: start, fields: fields, count: count)
  }
}
