/// How far a DLMS message reaches, which its own bytes say: it needs no link layer to end it.
///
///     TAG          MESSAGE                    LENGTH
///     E6 E6|E7 00  LLC header                 3, and the message behind it
///     0F           data-notification          its header, and one list
///     DB, DC       general-glo/-ded-ciphering title and content, each with its length
///     C8 … D7      glo- and ded- services     content with its length
///     E0           general-block-transfer     6, and data with its length
///
/// Source: DLMS UA Green Book, 9.5 "Abstract syntax of COSEM PDUs".
enum MessageExtent: Equatable {
  /// It ends in front of `end`.
  case complete(end: Int)
  /// Sound so far, and longer than the bytes there are.
  case incomplete
  /// No message, or one that breaks its format.
  case invalid(DecodeError)

  /// Looks at the message that begins at `offset`, which is below `end`.
  static func scan(_ bytes: Span<UInt8>, from offset: Int, to end: Int) -> MessageExtent {
    do throws(DecodeError) {
      return .complete(end: try scanned(bytes, from: offset, to: end))
    } catch {
      return error.code == .truncated ? .incomplete : .invalid(error)
    }
  }

  /// Whether messages fill `range`; nil if they do, else why not.
  static func fault(in bytes: Span<UInt8>, _ range: Range<Int>) -> DecodeError? {
    var offset = range.lowerBound
    repeat {
      guard offset < range.upperBound else { return DecodeError(.truncated, at: offset) }
      switch scan(bytes, from: offset, to: range.upperBound) {
      case .complete(let end): offset = end
      case .incomplete: return DecodeError(.truncated, at: range.upperBound)
      case .invalid(let error): return error
      }
    } while offset < range.upperBound
    return nil
  }

  private static func scanned(
    _ bytes: Span<UInt8>, from offset: Int, to end: Int
  ) throws(DecodeError) -> Int {
    var cursor = MessageCursor(offset: offset, end: end)
    try cursor.skipLLC(in: bytes)
    let start = cursor.offset
    let tag = try cursor.byte(in: bytes)
    switch tag {
    case APDUTag.dataNotification:
      let header = try NotificationHeader(parsing: bytes, at: start, to: end)
      return try listEnd(bytes, from: header.end, to: end)
    case APDUTag.generalGloCiphering, APDUTag.generalDedCiphering:
      let titleCount = try cursor.length(in: bytes)
      guard titleCount <= CipherHeader.titleCount else {
        throw DecodeError(.malformedHeader, at: start + 1, found: UInt32(titleCount))
      }
      try cursor.skip(titleCount)
      try cursor.skip(try cursor.length(in: bytes))
    case APDUTag.services:
      try cursor.skip(try cursor.length(in: bytes))
    case APDUTag.generalBlockTransfer:
      try cursor.skip(5)
      try cursor.skip(try cursor.length(in: bytes))
    default:
      throw DecodeError(.unsupportedAPDU, at: start, found: UInt32(tag))
    }
    return cursor.offset
  }

  /// Where the list at `offset` ends: one A-XDR value, but that Czech meters leave out the tags of
  /// descriptors (see AttributeList).
  private static func listEnd(
    _ bytes: Span<UInt8>, from offset: Int, to end: Int
  ) throws(DecodeError) -> Int {
    var value = AXDRCursor(offset: offset, end: end)
    let root = try value.next(in: bytes)
    if root.tag == AXDRElement.Tag.structure, root.count == 2 {
      var probe = value
      if try probe.next(in: bytes).tag == AXDRElement.Tag.enumeration,
        let end = try describedEnd(bytes, &probe)
      {
        return end
      }
    }
    try value.skip(to: 0, in: bytes)
    return value.offset
  }

  /// Where an array of structures of descriptor and value ends; nil if it is another one.
  private static func describedEnd(
    _ bytes: Span<UInt8>, _ cursor: inout AXDRCursor
  ) throws(DecodeError) -> Int? {
    let array = try cursor.next(in: bytes)
    guard array.tag == AXDRElement.Tag.array else { return nil }
    for _ in 0..<array.count {
      try cursor.skip(to: 2, in: bytes)
      let head = try cursor.next(in: bytes)
      guard head.tag == AXDRElement.Tag.structure, head.count == 2 else { return nil }
      guard cursor.end - cursor.offset >= COSEMAttribute.descriptorCount else {
        throw DecodeError(.truncated, at: cursor.end)
      }
      guard COSEMAttribute(descriptor: &cursor, in: bytes) != nil else { return nil }
      _ = try cursor.next(in: bytes)
    }
    try cursor.skip(to: 0, in: bytes)
    return cursor.offset
  }
}

/// Tags of the messages that meters push (DLMS UA Green Book, 9.5).
enum APDUTag {
  static let llc: UInt8 = 0xE6
  static let dataNotification: UInt8 = 0x0F
  static let generalGloCiphering: UInt8 = 0xDB
  static let generalDedCiphering: UInt8 = 0xDC
  static let generalCiphering: UInt8 = 0xDD
  static let generalSigning: UInt8 = 0xDF
  static let generalBlockTransfer: UInt8 = 0xE0
  /// The glo- and ded- services for get, set, action and event.
  static let services: ClosedRange<UInt8> = 0xC8...0xD7

  /// Whether a message or its LLC header may begin with `byte`.
  static func begins(_ byte: UInt8) -> Bool {
    switch byte {
    case llc, dataNotification, generalGloCiphering, generalDedCiphering, generalBlockTransfer: true
    default: false
    }
  }

  /// Whether `tag` is a ciphered or signed message's.
  static func isCiphered(_ tag: UInt8) -> Bool {
    switch tag {
    case generalGloCiphering, generalDedCiphering, generalCiphering, generalSigning, services: true
    default: false
    }
  }
}

/// Steps through the header fields of a message, never over `end`.
struct MessageCursor: BitwiseCopyable {
  private(set) var offset: Int
  let end: Int

  init(offset: Int, end: Int) {
    self.offset = offset
    self.end = end
  }

  /// Reads a byte.
  mutating func byte(in bytes: Span<UInt8>) throws(DecodeError) -> UInt8 {
    try skip(1)
    return bytes[offset - 1]
  }

  /// Steps over `count` bytes, which is not negative.
  mutating func skip(_ count: Int) throws(DecodeError) {
    guard count <= end - offset else {
      throw DecodeError(
        .truncated, at: end, expected: UInt32(truncatingIfNeeded: count),
        found: UInt32(end - offset))
    }
    offset += count
  }

  /// Reads a length: one byte below 0x80, else 0x80 + n and n bytes, n from 1 to 4.
  ///
  /// - Throws: `tooLong` for more than `Limits.frameBytes`: there is no such message.
  mutating func length(in bytes: Span<UInt8>) throws(DecodeError) -> Int {
    let start = offset
    let first = try byte(in: bytes)
    guard first >= 0x80 else { return Int(first) }
    guard (0x81...0x84).contains(first) else {
      throw DecodeError(.malformedHeader, at: start, found: UInt32(first))
    }
    var value: UInt32 = 0
    for _ in 0..<(first & 0x7F) { value = value << 8 | UInt32(try byte(in: bytes)) }
    guard value <= UInt32(Limits.frameBytes) else {
      throw DecodeError(
        .tooLong, at: start, expected: UInt32(Limits.frameBytes), found: value)
    }
    return Int(value)
  }

  /// Steps over an LLC header, if there is one: E6, E7 (the server's answer) or E6 (a command), 00.
  mutating func skipLLC(in bytes: Span<UInt8>) throws(DecodeError) {
    guard offset < end, bytes[offset] == APDUTag.llc else { return }
    let start = offset
    try skip(3)
    guard bytes[start + 1] | 1 == 0xE7, bytes[start + 2] == 0 else {
      throw DecodeError(.malformedHeader, at: start, found: UInt32(bytes[start + 1]))
    }
  }
}
