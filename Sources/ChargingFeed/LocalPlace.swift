internal import OBISDecoder

/// Where a moment stands in the household's calendar.
public struct LocalPlace: Equatable, Sendable, BitwiseCopyable {
  /// Local days since 1970-01-01.
  public let day: Int64
  /// Year × 12 + month − 1.
  public let month: Int64
  /// Minute of the local day, 0…1439.
  public let minute: Int64

  /// The place of an instant, given in milliseconds since 1970 UTC, where the wall clock is so far
  /// ahead of UTC.
  public init(utc: Int64, offsetSeconds: Int64) {
    let local = FixedPoint.floor(utc, over: 1000) + offsetSeconds
    day = FixedPoint.floor(local, over: 86_400)
    minute = (local - day * 86_400) / 60
    let date = UTCTime.civilDate(day: day)
    month = date.year * 12 + date.month - 1
  }

  /// 1…12.
  public var monthOfYear: Int64 { month % 12 + 1 }
  /// 1 Monday … 7 Sunday; 1970-01-01 was a Thursday.
  public var weekday: Int64 { UTCTime.floorRemainder(day + 3, 7) + 1 }
  /// Weeks from Monday to Sunday, counted from the one that holds 1970-01-01.
  public var week: Int64 { FixedPoint.floor(day + 3, over: 7) }
  /// Whether the moment is the first minute of a month.
  var isMonthStart: Bool { minute == 0 && UTCTime.civilDate(day: day).day == 1 }
}

/// Hours of a tariff: of some months, of some weekdays, from one minute of the day to another.
public struct TariffHours: Equatable, Sendable {
  /// Months 1…12; empty for all.
  public var months: [Int64]
  /// Weekdays 1 Monday … 7 Sunday; empty for all.
  public var weekdays: [Int64]
  /// First minute of the day, 0…1439.
  public var from: Int64
  /// First minute after it, 1…1440; not above `from` for hours that pass midnight.
  public var to: Int64

  /// Makes hours.
  public init(months: [Int64] = [], weekdays: [Int64] = [], from: Int64 = 0, to: Int64 = 1440) {
    self.months = months
    self.weekdays = weekdays
    self.from = from
    self.to = to
  }

  /// Whether a moment is among them.
  ///
  /// Holidays are not known: who has them free of charge pays with a little lost charging.
  public func contains(_ place: LocalPlace) -> Bool {
    guard months.isEmpty || months.contains(place.monthOfYear),
      weekdays.isEmpty || weekdays.contains(place.weekday)
    else { return false }
    return from < to
      ? place.minute >= from && place.minute < to : place.minute >= from || place.minute < to
  }
}
