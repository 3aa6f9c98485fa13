/// Finds the end of an HDLC frame and checks both checksums.
///
/// IEC 62056-46 §6.4 (DLMS UA Green Book, "HDLC frame format type 3"; ISO/IEC 13239, annex H):
///
///     OFFSET  SIZE   MEANING
///     0       1      flag 0x7E
///     1       2      format: 1010 S LLLLLLLLLLL; S = segmented, L = bytes from here to the FCS
///     3       1,2,4  destination address; the lowest bit is 1 in its last byte
///     d       1,2,4  source address, likewise
///     s       1      control: 0x13 or 0x03 unnumbered, xxxxxxx0 numbered information
///     h       2      HCS: CRC-16/X-25 of offsets 1 ..< h; absent with no information
///     h+2     n      information
///     L−1     2      FCS: CRC-16/X-25 of offsets 1 ..< L−1
///     L+1     1      flag 0x7E, which may also open the next frame
///
/// There is no byte stuffing: 0x7E occurs inside, and only L says where the frame ends. L counts
/// once the HCS is right, because a stray 0x7E in noise is followed by any length.
struct HDLCFramer {
  private enum Stage {
    case header
    case body(HDLCHeader)
    case closing(HDLCHeader)
  }

  private var stage = Stage.header

  init() {}

  /// Forgets the candidate: the next call begins with another first byte.
  mutating func reset() { stage = .header }

  /// Says what `bytes` are, whose first is 0x7E; called again with the same bytes and more.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict {
    if case .header = stage {
      switch HDLCHeader.parse(bytes, at: 0) {
      case .incomplete: return .incomplete
      case .none: return .notAFrame
      case .badChecksum(let error): return .damaged(error, count: 1)
      case .header(let header): stage = .body(header)
      }
    }
    if case .body(let header) = stage {
      guard bytes.count >= header.end else { return .incomplete }
      if let error = header.checksumError(in: bytes) {
        return .damaged(error, count: header.damagedCount(in: bytes, held: header.end))
      }
      stage = .closing(header)
    }
    guard case .closing(let header) = stage else { return .incomplete }
    return closingVerdict(header, over: bytes)
  }

  /// The last word on `bytes` when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict {
    let verdict = advance(over: bytes)
    guard verdict == .incomplete else { return verdict }
    switch stage {
    case .header:
      return .notAFrame
    case .body(let header):
      let error = DecodeError(
        .truncated, at: bytes.count, expected: UInt32(header.end), found: UInt32(bytes.count))
      return .damaged(error, count: header.damagedCount(in: bytes, held: bytes.count))
    case .closing(let header):
      return header.verdict(count: header.end)
    }
  }

  /// Judges the byte behind a right FCS: a flag belongs to the frame, 0x7D 0x7E takes it back.
  private func closingVerdict(_ header: HDLCHeader, over bytes: Span<UInt8>) -> FramingVerdict {
    let end = header.end
    guard bytes.count > end else { return .incomplete }
    if bytes[end] == HDLCHeader.flag { return header.verdict(count: end + 1) }
    guard bytes[end] == HDLCHeader.escape else { return header.verdict(count: end) }
    guard bytes.count > end + 1 else { return .incomplete }
    guard bytes[end + 1] == HDLCHeader.flag else { return header.verdict(count: end) }
    // ISO/IEC 13239, 4.5: the sender aborts a frame with escape and flag.
    let error = DecodeError(
      .truncated, at: end, expected: UInt32(HDLCHeader.flag), found: UInt32(HDLCHeader.escape))
    return .damaged(error, count: end + 1)
  }
}

/// The header of a frame whose HCS is right (or whose FCS will say, where there is no information).
struct HDLCHeader: Equatable, BitwiseCopyable {
  /// What bytes behind a flag are.
  enum Parsed: Equatable {
    /// A header so far.
    case incomplete
    /// No header.
    case none
    /// A header by its form, and its checksum is wrong.
    case badChecksum(DecodeError)
    case header(HDLCHeader)
  }

  static let flag: UInt8 = 0x7E
  static let escape: UInt8 = 0x7D
  /// Format, two addresses, control and FCS at their shortest.
  private static let shortestLength = 7

  /// Bytes from the format field to the FCS.
  var length: Int
  /// Whether this is one segment of a longer message.
  var isSegmented: Bool
  /// Offset behind the control field.
  var headerEnd: Int

  /// Offset behind the FCS, where the closing flag stands.
  var end: Int { length + 1 }

  /// Where the information is; empty if there is none.
  var information: Range<Int> {
    let last = end - 2
    return min(headerEnd + 2, last)..<last
  }

  /// Both addresses, up to four bytes each, of the frame that begins with this header's flag.
  func addresses(in frame: Span<UInt8>) -> UInt64 {
    frame.bigEndian(at: 3, count: headerEnd - 4)
  }

  /// Reads the header behind the flag at `start`; its offsets count from that flag.
  static func parse(_ bytes: Span<UInt8>, at start: Int) -> Parsed {
    guard bytes.count > start + 1 else { return .incomplete }
    guard bytes[start] == flag, bytes[start + 1] & 0xF0 == 0xA0 else { return .none }
    guard bytes.count > start + 2 else { return .incomplete }
    let length = Int(bytes[start + 1] & 0x07) << 8 | Int(bytes[start + 2])
    guard length >= shortestLength else { return .none }
    var offset = start + 3
    for _ in 0..<2 {
      switch addressCount(bytes, at: offset) {
      case 0: return bytes.count - offset >= 4 ? .none : .incomplete
      case 3: return .none
      case let count: offset += count
      }
    }
    // The control field, then the checksum.
    let headerEnd = offset + 1 - start
    let rest = length + 1 - headerEnd
    guard rest == 2 || rest >= 4 else { return .none }
    guard bytes.count >= start + headerEnd + 2 else { return .incomplete }
    let header = HDLCHeader(
      length: length, isSegmented: bytes[start + 1] & 0x08 != 0, headerEnd: headerEnd)
    // Without information the FCS alone follows: it is the same sum over the same bytes.
    let first = start + 1
    let error = mismatch(
      .headerChecksumMismatch, bytes, covering: first..<(start + headerEnd), from: start)
    return error.map { .badChecksum($0) } ?? .header(header)
  }

  /// How the FCS of a frame whose bytes are all there differs; nil if it is right.
  func checksumError(in bytes: Span<UInt8>) -> DecodeError? {
    Self.mismatch(.checksumMismatch, bytes, covering: 1..<(end - 2), from: 0)
  }

  /// How many of the `held` bytes go with a damaged frame: those before the next plausible start.
  ///
  /// Where bytes were lost on the line the length reaches into the frame behind, which must not
  /// be lost too.
  func damagedCount(in bytes: Span<UInt8>, held: Int) -> Int {
    let extent = bytes.extracting(first: held)
    for index in 1..<held where extent[index] == Self.flag {
      switch Self.parse(extent, at: index) {
      case .incomplete, .header: return index
      case .none, .badChecksum: continue
      }
    }
    return held
  }

  /// The verdict on a frame of `count` bytes whose FCS is right.
  func verdict(count: Int) -> FramingVerdict { .complete(count: count, integrity: .ok) }

  /// Bytes of the address at `offset`: 0 if its last byte is not among the first four.
  private static func addressCount(_ bytes: Span<UInt8>, at offset: Int) -> Int {
    for count in 1...4 {
      guard offset + count <= bytes.count else { return 0 }
      if bytes[offset + count - 1] & 1 == 1 { return count }
    }
    return 0
  }

  /// Compares the checksum behind `range`, low byte first; 0 is a checksum like any other.
  private static func mismatch(
    _ code: DecodeError.Code, _ bytes: Span<UInt8>, covering range: Range<Int>, from start: Int
  ) -> DecodeError? {
    let place = range.upperBound
    let found = UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
    let expected = CRC16.x25(bytes, in: range)
    guard expected != found else { return nil }
    return DecodeError(
      code, at: place - start, expected: UInt32(expected), found: UInt32(found))
  }
}
