/// Checks every promise that `FrameSink` and `MeterDecoder` make about one stream, and folds all
/// events into one number.
///
/// Keeps no event, so that it allocates nothing either: the fuzz driver counts allocations around it.
struct CheckedSink: FrameSink {
  /// The first promise that was broken.
  private(set) var fault: StaticString?
  /// All events, as one number: two runs said the same if theirs are equal.
  private(set) var fold: UInt64 = 0xCBF2_9CE4_8422_2325
  /// Whether a message may come in several frames, with other things between them: then only the sum
  /// of all counts can be checked, else the place of each.
  private let mayBeInParts: Bool
  /// Where the next part of the stream must begin.
  private var position: UInt64 = 0
  /// Bytes accounted for, flags that two frames share twice.
  private var sum: UInt64 = 0
  /// Readings of frames that ended.
  private(set) var readings = 0
  /// How far the pieces of the message in hand reach in it.
  private var pieceEnd = 0
  /// How far any piece reaches in the stream.
  private var lastPosition: UInt64 = 0
  private var isAfterFrame = false
  private var isWithinFrame = false

  init(mayBeInParts: Bool) { self.mayBeInParts = mayBeInParts }

  mutating func piece(_ piece: MessagePiece) {
    isWithinFrame = true
    take(UInt64(bitPattern: Int64(piece.offset)))
    take(UInt64(bitPattern: Int64(piece.count)))
    take(piece.position)
    if piece.offset != pieceEnd || piece.count <= 0 { fail("pieces that do not join") }
    pieceEnd = piece.offset &+ piece.count
    lastPosition = max(lastPosition, piece.position &+ UInt64(clamping: piece.count))
  }

  mutating func deciphered(_ part: CipheredPart) {
    isWithinFrame = true
    take(part.header.systemTitle)
    take(UInt64(part.header.securityControl) << 32 | UInt64(part.header.invocationCounter))
    take(UInt64(bitPattern: Int64(part.ciphertext.lowerBound)))
    take(UInt64(bitPattern: Int64(part.ciphertext.upperBound)))
    take(UInt64(bitPattern: Int64(part.tag.lowerBound)))
    take(UInt64(bitPattern: Int64(part.tag.upperBound)))
    if part.ciphertext.lowerBound < 0 || part.tag.lowerBound < 0 {
      fail("a ciphered part in front of its message")
    }
  }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    isWithinFrame = true
    readings += 1
    take(reading.code.rawValue)
    take(UInt64(bitPattern: reading.value.mantissa))
    take(UInt64(UInt8(bitPattern: reading.value.exponent)))
    take(UInt64(reading.unit.rawValue) << 8 | UInt64(reading.medium.rawValue))
    take(reading.time)
    if reading.count <= 0 { fail("a reading without bytes") }
    take(bytes, reading.offset, reading.count, "a reading outside of its bytes")
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    isWithinFrame = true
    take(UInt64(secret.kind.rawValue) << 1 | (secret.isHex ? 1 : 0))
    take(secret.code?.rawValue ?? .max)
    if secret.count <= 0 { fail("a secret without bytes") }
    take(bytes, secret.offset, secret.count, "a secret outside of its bytes")
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    isWithinFrame = true
    take(error)
    if error.offset > bytes.count { fail("a problem outside of its bytes") }
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    take(summary)
    if summary.integrity == .bad { fail("a frame with a wrong checksum ended") }
    if bytes.isEmpty { fail("a frame without bytes") }
    isWithinFrame = false
    pieceEnd = 0
    account(summary.offset, summary.count, mayShare: summary.dialect == .hdlc)
    isAfterFrame = summary.dialect == .hdlc
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    take(summary)
    take(error)
    if isWithinFrame { fail("a rejected frame with readings") }
    if summary.integrity != .bad { fail("a rejected frame that is sound") }
    account(summary.offset, summary.count, mayShare: summary.dialect == .hdlc)
    isAfterFrame = false
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {
    take(UInt64(count))
    if isWithinFrame { fail("a discarded run within a frame") }
    if count > Limits.frameBytes { fail("a discarded run longer than a frame") }
    account(offset, count, mayShare: false)
    isAfterFrame = false
  }

  /// Checks the end of a stream of `count` bytes, `flags` of them 0x7E.
  mutating func end(of count: Int, flags: Int) {
    if isWithinFrame { fail("a frame without end") }
    if lastPosition > UInt64(count) { fail("a piece outside of the stream") }
    if mayBeInParts {
      let isPlausible = sum >= UInt64(count) && sum <= UInt64(count + flags)
      if !isPlausible { fail("the bytes accounted for are not those of the stream") }
    } else if position != UInt64(count) {
      fail("the bytes accounted for are not all")
    }
  }

  /// The next part of the stream: where the last one ended, or at the flag that both frames share.
  private mutating func account(_ offset: UInt64, _ count: Int, mayShare: Bool) {
    if count <= 0 { return fail("a part of the stream without bytes") }
    sum &+= UInt64(count)
    if mayBeInParts { return }
    let isShared = mayShare && isAfterFrame && offset &+ 1 == position
    if offset != position, !isShared { fail("a byte accounted for twice or never") }
    position = offset &+ UInt64(count)
  }

  private mutating func fail(_ text: StaticString) { fault = fault ?? text }

  private mutating func take(_ value: UInt64) {
    fold = (fold ^ value) &* 0x100_0000_01B3
    fold ^= fold >> 29
  }

  private mutating func take(_ error: DecodeError) {
    take(UInt64(error.code.rawValue))
    take(UInt64(bitPattern: Int64(error.offset)))
    take(error.expected.map(UInt64.init) ?? .max)
    take(error.found.map(UInt64.init) ?? .max)
    if error.offset < 0 { fail("an error in front of its bytes") }
  }

  private mutating func take(_ summary: FrameSummary) {
    take(UInt64(summary.dialect.rawValue) << 8 | UInt64(summary.integrity.rawValue))
    take(UInt64(summary.trust.rawValue) << 1 | (summary.isReplay ? 1 : 0))
    take(summary.offset)
    take(UInt64(bitPattern: Int64(summary.count)))
    take(summary.meterTime)
  }

  private mutating func take(_ time: MeterTime?) {
    guard let time else { return take(0) }
    take(UInt64(time.year) << 32 | UInt64(time.month) << 24 | UInt64(time.day) << 16)
    take(UInt64(time.hour) << 16 | UInt64(time.minute) << 8 | UInt64(time.second))
    take(UInt64(time.season.rawValue))
    take(time.offsetMinutes.map { UInt64(UInt16(bitPattern: $0)) } ?? .max)
    let made = MeterTime(
      year: time.year, month: time.month, day: time.day, hour: time.hour, minute: time.minute,
      second: time.second, season: time.season, offsetMinutes: time.offsetMinutes)
    if made == nil { fail("a time that no calendar has") }
  }

  private mutating func take(
    _ bytes: Span<UInt8>, _ offset: Int, _ count: Int, _ text: StaticString
  ) {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      return fail(text)
    }
    take(UInt64(offset))
    for index in offset..<offset + count { take(UInt64(bytes[index])) }
  }
}
