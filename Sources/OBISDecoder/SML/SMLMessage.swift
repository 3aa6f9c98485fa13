/// The frame that every SML message has around its body.
///
///     ELEMENT            TYPE                  MEANING
///     list of 6
///       transaction id   octet string          of request and response
///       group number     unsigned
///       abort on error   unsigned
///       body             list of 2             tag and list, see SMLReader
///       checksum         unsigned, 2 bytes     CRC-16 of all bytes in front of it
///       end              00
///
/// Source: BSI TR-03109-1 annex IV part b, 6.2 ("SML_Message").
struct SMLMessage: BitwiseCopyable {
  /// Where it begins.
  var offset: Int
  /// What its body is.
  var tag: UInt32

  /// The TL field that every message begins with: a list of six.
  static let head: UInt8 = 0x76

  /// Tags of the bodies that meters send by themselves.
  enum Tag {
    static let openResponse: UInt32 = 0x0101
    static let closeResponse: UInt32 = 0x0201
    static let listResponse: UInt32 = 0x0701
    static let attentionResponse: UInt32 = 0xFF01
  }

  /// Reads from the message's beginning up to its body.
  init(_ cursor: inout SMLCursor, in bytes: Span<UInt8>) throws(DecodeError) {
    offset = cursor.offset
    let head = try cursor.next(in: bytes)
    guard bytes[head.offset] == Self.head else {
      throw DecodeError(.malformedHeader, at: head.offset, found: UInt32(bytes[head.offset]))
    }
    for index in 0..<3 {
      let element = try cursor.next(in: bytes)
      let kind = index == 0 ? SMLElement.Kind.octets : SMLElement.Kind.unsigned
      guard element.kind == kind || element.isAbsent else {
        throw DecodeError(.malformedHeader, at: element.offset)
      }
    }
    let body = try cursor.next(in: bytes)
    guard body.kind == SMLElement.Kind.list, body.count == 2 else {
      throw DecodeError(.malformedHeader, at: body.offset)
    }
    let choice = try cursor.next(in: bytes)
    guard let tag = choice.unsigned(in: bytes) else {
      throw DecodeError(.malformedHeader, at: choice.offset)
    }
    self.tag = tag
  }

  /// Reads what stands behind the body and returns the checksum.
  ///
  /// Nil where it has another width than two bytes, so that nobody can check it.
  func checksum(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> SMLElement? {
    let checksum = try cursor.value(in: bytes)
    let end = try cursor.next(in: bytes)
    guard end.kind == SMLElement.Kind.end else {
      throw DecodeError(.malformedHeader, at: end.offset, expected: 0)
    }
    return checksum.kind == SMLElement.Kind.unsigned && checksum.count == 2 ? checksum : nil
  }

  /// How many of a file's messages have a right checksum of one variant.
  enum Proof: UInt8, BitwiseCopyable {
    case none
    case some
    /// All of them, and the file is nothing but messages.
    case all
  }

  /// What the messages that `bytes[range]` are say of each variant of `SMLChecksum.all`.
  static func proofs(_ bytes: Span<UInt8>, in range: Range<Int>) -> [4 of Proof] {
    var count = 0
    var right: [4 of Int] = .init(repeating: 0)
    var isWhole = false
    var cursor = SMLCursor(offset: range.lowerBound, end: range.upperBound)
    do throws(DecodeError) {
      repeat {
        let message = try SMLMessage(&cursor, in: bytes)
        try cursor.skip(1, in: bytes)
        count += 1
        guard let place = try message.checksum(&cursor, in: bytes) else { continue }
        for index in SMLChecksum.all.indices
        where SMLChecksum.all[index].isRight(
          of: bytes, in: message.offset..<place.offset, at: place.content)
        {
          right[index] += 1
        }
      } while cursor.offset < cursor.end
      isWhole = true
    } catch {
      // What stood in front still counts.
    }
    var proofs: [4 of Proof] = .init(repeating: .none)
    for index in proofs.indices where right[index] > 0 {
      proofs[index] = isWhole && right[index] == count ? .all : .some
    }
    return proofs
  }

  /// Whether a file is damaged though its envelope is right in `checksum`: some of its messages have
  /// a right checksum in another variant, none in this one, and all of them in none.
  ///
  /// A meter whose messages have no right checksum at all is none of our business here.
  static func contradict(_ checksum: SMLChecksum, _ proofs: [4 of Proof]) -> Bool {
    var isOther = false
    for index in proofs.indices {
      switch proofs[index] {
      case .all: return false
      case .some where SMLChecksum.all[index] == checksum: return false
      case .some: isOther = true
      case .none: break
      }
    }
    return isOther
  }
}
