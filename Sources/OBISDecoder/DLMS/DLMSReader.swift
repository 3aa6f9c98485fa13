/// Reads the DLMS message in an HDLC frame: LLC header, data-notification, list.
///
/// IEC 62056-46 annex A (LLC); IEC 62056-5-3, "DataNotification" (DLMS UA Green Book, 9.3.19):
///
///     SIZE  MEANING
///     3     LLC: E6 E7 00; some bridges take it away
///     1     APDU tag: 0F data-notification
///     4     long-invoke-id-and-priority
///     1+n   date-time: 00 (none), 0C and 12 bytes, or, with a type tag, 09 0C or 19 and 12 bytes
///     n     notification-body: one A-XDR value (see AXDRElement)
///
/// Several such messages may follow one another in a frame. A ciphered message is reported with
/// its tag and read no further.
enum DLMSReader {
  private enum APDU {
    static let dataNotification: UInt8 = 0x0F
    static let llcDestination: UInt8 = 0xE6
    static let generalGloCiphering: UInt8 = 0xDB
    static let generalDedCiphering: UInt8 = 0xDC
    static let generalCiphering: UInt8 = 0xDD
    static let generalSigning: UInt8 = 0xDF
  }

  /// Brings what `frame` says to `sink`, `frameEnded` last.
  ///
  /// `frame` is a whole HDLC frame, opening flag first, whose checksums are right.
  static func read<S: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary,
    _ options: DecoderOptions = DecoderOptions(), to sink: inout S
  ) {
    var result = summary
    if case .header(let header) = HDLCHeader.parse(frame, at: 0), header.end <= frame.count {
      result.meterTime = readMessages(frame, in: header.information, options, to: &sink)
    } else {
      sink.problem(DecodeError(.malformedHeader, at: 0), in: frame)
    }
    sink.frameEnded(result, in: frame)
  }

  /// Reads message after message and returns the meter's clock: from a list, else from a header.
  private static func readMessages<S: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, in range: Range<Int>, _ options: DecoderOptions, to sink: inout S
  ) -> MeterTime? {
    var list = COSEMListReader(options)
    var messageTime: MeterTime?
    var offset = range.lowerBound
    do throws(DecodeError) {
      while offset < range.upperBound {
        let start = try bodyOffset(frame, from: offset, to: range.upperBound, to: &sink)
        let time = try readTime(frame, from: start, to: range.upperBound, to: &sink)
        messageTime = messageTime ?? time.value
        offset = try list.read(
          frame, from: time.end, to: range.upperBound, hasTime: time.isPresent, to: &sink)
        guard offset == range.upperBound || beginsMessage(frame[offset]) else {
          throw DecodeError(.trailingBytes, at: offset, found: UInt32(frame[offset]))
        }
      }
    } catch {
      sink.problem(error, in: frame)
    }
    return (list.clock ?? messageTime)?.taken(as: options.clock)
  }

  private static func beginsMessage(_ byte: UInt8) -> Bool {
    byte == APDU.llcDestination || byte == APDU.dataNotification
  }

  /// Where the date-time of the data-notification at `offset` begins.
  private static func bodyOffset<S: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, from offset: Int, to end: Int, to sink: inout S
  ) throws(DecodeError) -> Int {
    var start = offset
    if frame[start] == APDU.llcDestination {
      try require(3, from: start, to: end)
      // 0xE7 is the server's answer, 0xE6 a command; both stand before pushes.
      guard frame[start + 1] | 1 == 0xE7, frame[start + 2] == 0 else {
        throw DecodeError(.malformedHeader, at: start, found: UInt32(frame[start + 1]))
      }
      start += 3
    }
    try require(1, from: start, to: end)
    let tag = frame[start]
    guard tag == APDU.dataNotification else {
      reportTitle(frame, at: start, to: end, sink: &sink)
      throw DecodeError(
        isCiphered(tag) ? .encrypted : .unsupportedAPDU, at: start, found: UInt32(tag))
    }
    try require(6, from: start, to: end)
    return start + 5
  }

  /// Reads the date-time in any of its forms; `end` is where the body begins.
  private static func readTime<S: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, from offset: Int, to end: Int, to sink: inout S
  ) throws(DecodeError) -> (value: MeterTime?, isPresent: Bool, end: Int) {
    var start = offset + 1
    switch frame[offset] {
    case 0x00: return (nil, false, start)
    case UInt8(COSEMTime.byteCount), AXDRElement.Tag.dateTime: break
    case AXDRElement.Tag.octetString:
      try require(2, from: offset, to: end)
      guard frame[start] == UInt8(COSEMTime.byteCount) else {
        throw DecodeError(.malformedHeader, at: start, expected: 12, found: UInt32(frame[start]))
      }
      start += 1
    default:
      throw DecodeError(.malformedHeader, at: offset, found: UInt32(frame[offset]))
    }
    try require(COSEMTime.byteCount, from: start, to: end)
    var value: MeterTime?
    do throws(DecodeError) {
      value = try COSEMTime.read(frame, at: start)
    } catch {
      sink.problem(error, in: frame)
    }
    return (value, true, start + COSEMTime.byteCount)
  }

  private static func isCiphered(_ tag: UInt8) -> Bool {
    switch tag {
    case APDU.generalGloCiphering, APDU.generalDedCiphering, APDU.generalCiphering,
      APDU.generalSigning:
      true
    // The glo- and ded- services for get, set, action and event.
    case 0xC8...0xD7: true
    default: false
    }
  }

  /// Reports the system title in front of a ciphered message: tag, count, title of up to 8 bytes.
  private static func reportTitle<S: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, at offset: Int, to end: Int, sink: inout S
  ) {
    guard frame[offset] == APDU.generalGloCiphering, end - offset > 2 else { return }
    let count = Int(frame[offset + 1])
    guard (1...8).contains(count), count <= end - offset - 2 else { return }
    sink.secret(
      Secret(kind: .keyMaterial, code: nil, offset: offset + 2, count: count, isHex: false),
      in: frame)
  }

  private static func require(_ count: Int, from offset: Int, to end: Int) throws(DecodeError) {
    guard count <= end - offset else {
      throw DecodeError(
        .truncated, at: end, expected: UInt32(count), found: UInt32(end - offset))
    }
  }
}
