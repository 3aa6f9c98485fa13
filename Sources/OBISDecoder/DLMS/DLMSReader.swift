/// Reads a data-notification: header and list.
///
/// IEC 62056-5-3, "DataNotification" (DLMS UA Green Book, 9.3.10 and 9.5):
///
///     SIZE  MEANING
///     1     APDU tag: 0F data-notification
///     4     long-invoke-id-and-priority
///     1+n   date-time: 00 (none), 0C and 12 bytes, or, with a type tag, 09 0C or 19 and 12 bytes
///     n     notification-body: one A-XDR value (see AXDRElement)
enum DLMSReader {
  /// Reads the notification at `offset`, its tag, with `list`; what it says goes to `sink`.
  ///
  /// - Returns: where it ends, and the clock of its header.
  /// - Throws: what breaks the message; elements in front of that place have reached the sink.
  static func read<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, from offset: Int, to end: Int, with list: inout COSEMListReader,
    to sink: inout Sink
  ) throws(DecodeError) -> (end: Int, time: MeterTime?) {
    let header = try NotificationHeader(parsing: bytes, at: offset, to: end)
    var time: MeterTime?
    if let place = header.time {
      do throws(DecodeError) {
        time = try COSEMTime.read(bytes, at: place)
      } catch {
        sink.problem(error, in: bytes)
      }
    }
    let last = try list.read(
      bytes, from: header.end, to: end, hasTime: header.time != nil, to: &sink)
    return (last, time)
  }
}

/// What stands in front of a notification's list.
struct NotificationHeader: Equatable, BitwiseCopyable {
  /// Where the twelve bytes of its date-time are; nil if it has none.
  var time: Int?
  /// Where the list begins.
  var end: Int

  /// Reads the header at `offset`, its tag.
  ///
  /// - Throws: `truncated`, `malformedHeader` for a date-time of an unknown form.
  init(parsing bytes: Span<UInt8>, at offset: Int, to end: Int) throws(DecodeError) {
    var cursor = MessageCursor(offset: offset, end: end)
    try cursor.skip(5)
    let start = cursor.offset
    switch try cursor.byte(in: bytes) {
    case 0x00:
      self.end = cursor.offset
      return
    case UInt8(COSEMTime.byteCount), AXDRElement.Tag.dateTime: break
    case AXDRElement.Tag.octetString:
      let count = try cursor.byte(in: bytes)
      guard count == UInt8(COSEMTime.byteCount) else {
        throw DecodeError(
          .malformedHeader, at: cursor.offset - 1, expected: 12, found: UInt32(count))
      }
    case let other:
      throw DecodeError(.malformedHeader, at: start, found: UInt32(other))
    }
    time = cursor.offset
    try cursor.skip(COSEMTime.byteCount)
    self.end = cursor.offset
  }
}
