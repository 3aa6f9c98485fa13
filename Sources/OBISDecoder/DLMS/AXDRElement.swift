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
/// Numbers are big-endian. A count is one byte below 0x80, else 0x80 + n and n bytes. No meter is
/// known to push a compact-array; as any tag without a row here it is `unknownType`.
struct AXDRElement: BitwiseCopyable {
  enum Tag {
    static let null: UInt8 = 0x00
    static let array: UInt8 = 0x01
    static let structure: UInt8 = 0x02
    static let boolean: UInt8 = 0x03
    static let bitString: UInt8 = 0x04
    static let doubleLongUnsigned: UInt8 = 0x06
    static let octetString: UInt8 = 0x09
    static let visibleString: UInt8 = 0x0A
    static let utf8String: UInt8 = 0x0C
    static let integer: UInt8 = 0x0F
    static let longUnsigned: UInt8 = 0x12
    static let long64: UInt8 = 0x14
    static let long64Unsigned: UInt8 = 0x15
    static let enumeration: UInt8 = 0x16
    static let float32: UInt8 = 0x17
    static let float64: UInt8 = 0x18
    static let dateTime: UInt8 = 0x19
    static let date: UInt8 = 0x1A
    static let time: UInt8 = 0x1B
    static let dontCare: UInt8 = 0xFF
  }

  let tag: UInt8
  private let depth: UInt8
  private let start: UInt32
  private let contentStart: UInt32
  private let length: UInt32

  /// Where the tag is.
  var offset: Int { Int(start) }
  /// Where the content begins, behind the tag and any count.
  var content: Int { Int(contentStart) }
  /// Bytes of the content; of an array or structure the number of its elements.
  var count: Int { Int(length) }
  /// How many arrays and structures it lies in.
  var level: Int { Int(depth) }

  /// Bytes of the content by tag; `counted` stands in front, `unknown` is no type.
  private static let sizes: [28 of UInt8] = [
    0, counted, counted, 1, counted, 4, 4, unknown, unknown, counted, counted, unknown, counted, 1,
    unknown, 1, 2, 1, 2, unknown, 8, 8, 1, 4, 8, 12, 5, 4,
  ]
  private static let counted: UInt8 = 0xFE
  private static let unknown: UInt8 = 0xFF

  /// Reads the element at `offset` of bytes that end at `end`, of an array or structure its head.
  ///
  /// - Throws: `truncated`, `unknownType`, `malformedValue` for a count of another form.
  init(at offset: Int, to end: Int, level: Int, in bytes: Span<UInt8>) throws(DecodeError) {
    guard offset < end else { throw Self.truncated(at: offset, needs: 1, end: end) }
    tag = bytes[offset]
    let size = tag < 28 ? Self.sizes[Int(tag)] : tag == Tag.dontCare ? 0 : Self.unknown
    var content = offset + 1
    var count = Int(size)
    if size >= Self.counted {
      guard size == Self.counted else {
        throw DecodeError(.unknownType, at: offset, found: UInt32(tag))
      }
      guard content < end else { throw Self.truncated(at: content, needs: 1, end: end) }
      count = Int(bytes[content])
      content += 1
      if count >= 0x80 {
        (count, content) = try Self.longCount(at: content - 1, to: end, in: bytes)
      }
      if tag == Tag.bitString { count = (count + 7) / 8 }
    }
    guard tag == Tag.array || tag == Tag.structure || count <= end - content else {
      throw Self.truncated(at: content, needs: count, end: end)
    }
    start = UInt32(truncatingIfNeeded: offset)
    contentStart = UInt32(truncatingIfNeeded: content)
    length = UInt32(truncatingIfNeeded: count)
    depth = UInt8(truncatingIfNeeded: level)
  }

  /// A count of up to four bytes behind 0x81 … 0x84, which is at `offset`, and where it ends.
  private static func longCount(
    at offset: Int, to end: Int, in bytes: Span<UInt8>
  ) throws(DecodeError) -> (count: Int, end: Int) {
    let form = bytes[offset]
    guard (0x81...0x84).contains(form) else {
      throw DecodeError(.malformedValue, at: offset, found: UInt32(form))
    }
    let size = Int(form & 0x7F)
    guard size < end - offset else { throw truncated(at: end, needs: 1, end: end) }
    return (
      Int(truncatingIfNeeded: bytes.bigEndian(at: offset + 1, count: size)), offset + 1 + size
    )
  }

  private static func truncated(at offset: Int, needs count: Int, end: Int) -> DecodeError {
    DecodeError(
      .truncated, at: offset, expected: UInt32(truncatingIfNeeded: count),
      found: UInt32(truncatingIfNeeded: end - offset))
  }

  var isContainer: Bool { tag == Tag.array || tag == Tag.structure }

  var isString: Bool {
    tag == Tag.octetString || tag == Tag.visibleString || tag == Tag.utf8String
  }

  /// Whether it says that there is no value.
  var isAbsent: Bool { tag == Tag.null || tag == Tag.dontCare }

  /// Whether it has the form of a date-time: the type itself, or an octet-string as long.
  var isDateTime: Bool {
    tag == Tag.dateTime || tag == Tag.octetString && count == COSEMTime.byteCount
  }

  /// Bytes of the whole element, tag included; not for an array or structure.
  var byteCount: Int { content - offset + count }

  /// The OBIS code in an octet-string of six bytes.
  func code(in bytes: Span<UInt8>) -> OBISCode? {
    guard tag == Tag.octetString, count == 6 else { return nil }
    return OBISCode(bytes, at: content)
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

  /// The number in an integer of any width or a floating-point number; nil for any other type.
  ///
  /// - Throws: `numberTooLarge` for a long64-unsigned above 2^63 − 1, `malformedValue` for a
  ///   floating-point number that no `Decimal` is (see `BinaryFloat`).
  func number(in bytes: Span<UInt8>) throws(DecodeError) -> Decimal? {
    let isSigned: Bool
    switch tag {
    case 0x05, 0x0F, 0x10, 0x14: isSigned = true
    case 0x06, 0x11, 0x12, 0x15: isSigned = false
    case Tag.float32, Tag.float64:
      let bits = bytes.bigEndian(at: content, count: count)
      let value =
        tag == Tag.float32
        ? BinaryFloat.decimal(float32: UInt32(truncatingIfNeeded: bits))
        : BinaryFloat.decimal(float64: bits)
      guard let value else { throw DecodeError(.malformedValue, at: offset, found: UInt32(tag)) }
      return value
    default: return nil
    }
    let bits = bytes.bigEndian(at: content, count: count)
    guard isSigned else {
      guard let value = Int64(exactly: bits) else { throw DecodeError(.numberTooLarge, at: offset) }
      return Decimal(mantissa: value)
    }
    // Up to the top, and back down with the sign.
    let unused = UInt64(64 - 8 * count)
    return Decimal(mantissa: Int64(bitPattern: bits << unused) >> Int64(unused))
  }
}
