/// Reads SML_Time, which is a choice.
///
///     SHAPE                                         MEANING
///     01                                            absent
///     list of 2: 1, unsigned                        seconds since the meter began to count
///     list of 2: 2, unsigned                        seconds since 1970-01-01T00:00:00Z
///     list of 2: 3, list of 3: unsigned,            the same, and minutes that local time is
///                integer, integer                   ahead, in winter and in summer on top
///     unsigned                                      as 1: Holley DTZ541 (libsml #75)
///
/// Source: BSI TR-03109-1 annex IV part b, 6.2 ("SML_Time"). Any other shape is skipped.
enum SMLTime {
  private static let timestamp: UInt32 = 2
  private static let localTimestamp: UInt32 = 3
  /// Seconds below this are no date: the clock was never set and counts from zero.
  ///
  /// 2001-09-09T01:46:40Z. No SML meter is that old, and none has run for 31 years.
  private static let earliest: UInt32 = 1_000_000_000

  /// Reads the next value; nil if it names no point in time.
  static func read(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> MeterTime? {
    let head = try cursor.next(in: bytes)
    guard head.kind == SMLElement.Kind.list else { return nil }
    guard head.count == 2 else {
      try cursor.skip(head.count, in: bytes)
      return nil
    }
    let tag = try cursor.value(in: bytes).unsigned(in: bytes)
    let value = try cursor.next(in: bytes)
    guard value.kind == SMLElement.Kind.list else {
      guard tag == timestamp, let seconds = value.unsigned(in: bytes) else { return nil }
      return time(seconds, offset: 0, season: .unspecified)
    }
    guard tag == localTimestamp, value.count == 3 else {
      try cursor.skip(value.count, in: bytes)
      return nil
    }
    let seconds = try cursor.value(in: bytes).unsigned(in: bytes)
    let standard = try minutes(&cursor, in: bytes)
    let summer = try minutes(&cursor, in: bytes)
    guard let seconds, let standard, let summer else { return nil }
    return time(seconds, offset: standard + summer, season: summer == 0 ? .standard : .daylight)
  }

  /// A difference to UTC of up to 15 hours, as in COSEM.
  private static func minutes(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> Int16? {
    let element = try cursor.value(in: bytes)
    guard element.kind == SMLElement.Kind.integer, element.isNumber,
      let number = element.number(in: bytes, isSigned: true), (-900...900).contains(number)
    else { return nil }
    return Int16(truncatingIfNeeded: number)
  }

  /// The civil time `offset` minutes ahead of UTC.
  private static func time(
    _ seconds: UInt32, offset: Int16, season: MeterTime.Season
  ) -> MeterTime? {
    guard seconds >= earliest else { return nil }
    let local = Int64(seconds) + Int64(offset) * 60
    let days = local / 86_400
    let second = local % 86_400
    // 366 days a year gives one that is not too late, and 136 years on at most one too early.
    var year = 1970 + days / 366
    while MeterTime.daysSince1970(year: year + 1, month: 1, day: 1) <= days { year += 1 }
    var day = days - MeterTime.daysSince1970(year: year, month: 1, day: 1)
    var month: UInt8 = 1
    let shortYear = UInt16(truncatingIfNeeded: year)
    while day >= Int64(MeterTime.days(in: month, of: shortYear)), month < 12 {
      day -= Int64(MeterTime.days(in: month, of: shortYear))
      month += 1
    }
    return MeterTime(
      year: shortYear, month: month, day: UInt8(truncatingIfNeeded: day + 1),
      hour: UInt8(truncatingIfNeeded: second / 3600),
      minute: UInt8(truncatingIfNeeded: second / 60 % 60),
      second: UInt8(truncatingIfNeeded: second % 60), season: season, offsetMinutes: offset)
  }
}
