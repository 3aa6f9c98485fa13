import Glibc
import PrivacyFilter

/// Civil days of the household's zone.
///
/// Calls `localtime_r` and `mktime`, which know the zone's rules.
enum LocalDays {
  /// Makes an IANA zone the process's own; to be called once, before any thread starts.
  static func use(zone name: String) {
    if name != "system" { _ = unsafe setenv("TZ", name, 1) }
    tzset()
  }

  /// Seconds that the zone is ahead of UTC at `instant` (ms since 1970 UTC).
  static func offsetSeconds(at instant: Int64) -> Int64 {
    var seconds = time_t(instant / 1000)
    var local = unsafe tm()
    guard unsafe localtime_r(&seconds, &local) != nil else { return 0 }
    return Int64(unsafe local.tm_gmtoff)
  }

  /// The starts of `count` days in a row, the first of which holds `instant` (ms since 1970 UTC).
  static func starts(around instant: Int64, count: Int) -> [Int64] {
    unsafe midnights(around: instant, count: count) { midnight, day in
      unsafe midnight.tm_mday += day
    }
  }

  /// The starts of `count` months in a row, the first of which holds `instant`.
  static func monthStarts(around instant: Int64, count: Int) -> [Int64] {
    unsafe midnights(around: instant, count: count) { midnight, month in
      unsafe midnight.tm_mon += month
      unsafe midnight.tm_mday = 1
    }
  }

  /// The beginnings of the day that holds `instant`, each moved by `move`, which is told its number.
  private static func midnights(
    around instant: Int64, count: Int, _ move: (_ midnight: inout tm, _ number: Int32) -> Void
  ) -> [Int64] {
    var seconds = time_t(instant / 1000)
    var local = unsafe tm()
    _ = unsafe localtime_r(&seconds, &local)
    return (0..<count).map { number in
      var midnight = unsafe tm()
      unsafe midnight.tm_year = local.tm_year
      unsafe midnight.tm_mon = local.tm_mon
      unsafe midnight.tm_mday = local.tm_mday
      // The library decides whether daylight saving time is in force then.
      unsafe midnight.tm_isdst = -1
      unsafe move(&midnight, Int32(number))
      return Int64(unsafe mktime(&midnight)) * 1000
    }
  }
}

extension Agent {
  /// Tells the gates where the household's days and months begin, a week and two months ahead.
  func setDayStarts() {
    let starts = LocalDays.starts(around: clock.now(), count: 8)
    bank.setDayStarts(starts.span)
    let months = LocalDays.monthStarts(around: clock.now(), count: 3)
    bank.setMonthStarts(months.span)
  }
}
