/// A civil date and time as the meter's clock stated it.
///
/// Months and days count from 1. Whether it is daylight saving time is what the meter said, never
/// looked up; `offsetMinutes` is only present where the meter sent it.
public struct MeterTime: Equatable, Sendable, BitwiseCopyable {
  /// What the meter says of daylight saving time.
  public enum Season: UInt8, Sendable, BitwiseCopyable {
    /// Nothing.
    case unspecified
    /// Standard time: `W` in P1.
    case standard
    /// Daylight saving time: `S` in P1, status bit 0x80 in COSEM.
    case daylight
  }

  /// Full year, such as 2026.
  public var year: UInt16
  /// 1…12.
  public var month: UInt8
  /// 1…31.
  public var day: UInt8
  /// 0…23.
  public var hour: UInt8
  /// 0…59.
  public var minute: UInt8
  /// 0…59.
  public var second: UInt8
  /// What the meter says of daylight saving time.
  public var season: Season
  /// Minutes that local time is ahead of UTC (ISO sign: Oslo in winter is 60), nil if not sent.
  ///
  /// A COSEM deviation has the opposite sign: UTC = local + deviation (Blue Book, "date-time").
  public var offsetMinutes: Int16?

  /// Makes a time; nil if no calendar has that date or no clock that time.
  public init?(
    year: UInt16, month: UInt8, day: UInt8, hour: UInt8, minute: UInt8, second: UInt8,
    season: Season, offsetMinutes: Int16?
  ) {
    guard (1...12).contains(month), hour < 24, minute < 60, second < 60,
      day >= 1, day <= MeterTime.days(in: month, of: year)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.season = season
    self.offsetMinutes = offsetMinutes
  }

  /// Seconds since 1970-01-01T00:00:00Z.
  ///
  /// Uses the offset that the meter sent; else `standardOffsetMinutes`, one hour more in daylight
  /// saving time. Nil where neither is known.
  public func secondsSince1970(standardOffsetMinutes: Int16?) -> Int64? {
    let offset: Int64
    if let offsetMinutes {
      offset = Int64(offsetMinutes)
    } else if let standardOffsetMinutes, season != .unspecified {
      offset = Int64(standardOffsetMinutes) + (season == .daylight ? 60 : 0)
    } else {
      return nil
    }
    let days = MeterTime.daysSince1970(year: Int64(year), month: Int64(month), day: Int64(day))
    let clock = Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
    return days * 86_400 + clock - offset * 60
  }

  /// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
  ///
  /// Counts years from March, so that the leap day is the last of its year; an era has 146 097 days.
  public static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let marchMonth = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// Days of a month, 0 for a month that does not exist.
  public static func days(in month: UInt8, of year: UInt16) -> UInt8 {
    switch month {
    case 1, 3, 5, 7, 8, 10, 12: 31
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 0
    }
  }
}
