public import OBISDecoder

/// How a meter's clock turns UTC into the local time that it shows.
public struct CivilClock: Sendable {
  /// Whether the clock follows daylight saving time.
  public enum DaylightSaving: Sendable {
    /// Directive 2000/84/EC: from 01:00 UTC on March's last Sunday to 01:00 UTC on October's.
    case european
    /// Stays on standard time, as Swedish and Kamstrup meters do.
    case never
  }

  /// Minutes that standard time is ahead of UTC.
  public var standardOffsetMinutes: Int16
  /// Whether the clock follows daylight saving time.
  public var daylightSaving: DaylightSaving

  /// Makes a clock.
  public init(standardOffsetMinutes: Int16, daylightSaving: DaylightSaving) {
    self.standardOffsetMinutes = standardOffsetMinutes
    self.daylightSaving = daylightSaving
  }

  /// Whether daylight saving time holds at `seconds` since 1970 UTC.
  public func isDaylight(at seconds: Int64) -> Bool {
    guard daylightSaving == .european else { return false }
    let year = CivilClock.date(ofDay: CivilClock.day(of: seconds)).year
    return seconds >= CivilClock.lastSunday(of: 3, year: year) * 86_400 + 3600
      && seconds < CivilClock.lastSunday(of: 10, year: year) * 86_400 + 3600
  }

  /// Seconds since 1970 of the local wall clock, as if it were UTC.
  public func localSeconds(at seconds: Int64) -> Int64 {
    seconds + Int64(standardOffsetMinutes) * 60 + (isDaylight(at: seconds) ? 3600 : 0)
  }

  /// The clock's reading at `milliseconds` since 1970 UTC, nil outside the years 0…65535.
  ///
  /// Its season is `daylight` or `standard`, its offset is left out: each dialect sends its own.
  public func time(at milliseconds: Int64) -> MeterTime? {
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    let local = localSeconds(at: seconds)
    let day = CivilClock.day(of: local)
    let date = CivilClock.date(ofDay: day)
    let clock = local - day * 86_400
    guard let year = UInt16(exactly: date.year) else { return nil }
    return MeterTime(
      year: year, month: UInt8(date.month), day: UInt8(date.day), hour: UInt8(clock / 3600),
      minute: UInt8(clock / 60 % 60), second: UInt8(clock % 60),
      season: isDaylight(at: seconds) ? .daylight : .standard, offsetMinutes: nil)
  }

  /// Whole days since 1970-01-01, rounded down.
  static func day(of seconds: Int64) -> Int64 {
    seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
  }

  /// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
  static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Days from 0000-03-01; an era is 400 years and its last day is a leap day.
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  /// Day number of a month's last Sunday (March and October have 31 days).
  private static func lastSunday(of month: Int64, year: Int64) -> Int64 {
    let last = MeterTime.daysSince1970(year: year, month: month, day: 31)
    // 1970-01-01 was a Thursday, so Sundays are the days with (day + 4) mod 7 = 0.
    return last - (last + 4) % 7
  }

  /// COSEM day of week of a date: 1 Monday … 7 Sunday.
  static func weekday(year: Int64, month: Int64, day: Int64) -> UInt8 {
    let days = MeterTime.daysSince1970(year: year, month: month, day: day)
    return UInt8(((days + 3) % 7 + 7) % 7 + 1)
  }
}
