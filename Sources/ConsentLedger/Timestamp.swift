/// Times as the ledger and receipts write them: RFC 3339 in whole seconds with `Z`.
///
/// Everywhere else a time is an `Int64` of milliseconds since 1970 UTC.

/// A point in time, shown as RFC 3339 in whole seconds UTC (RFC 3339 section 5.6).
struct Timestamp: Equatable, Comparable {
  /// Whole seconds since 1970 UTC, within the years 0000 … 9999.
  let seconds: Int64

  static let earliest: Int64 = -62_167_219_200
  static let latest: Int64 = 253_402_300_799

  /// Rounds down to the second; times outside the years 0000 … 9999 become the nearest within.
  init(milliseconds: Int64) {
    let seconds = milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
    self.seconds = min(max(seconds, Self.earliest), Self.latest)
  }

  /// The exact form `YYYY-MM-DDTHH:MM:SSZ`; nil for anything else, also for days that do not exist.
  init?(parsing text: String) {
    let bytes = Array(text.utf8)
    let frame = Array("0000-00-00T00:00:00Z".utf8)
    guard bytes.count == frame.count else { return nil }
    for (byte, expected) in zip(bytes, frame) {
      guard expected == 0x30 ? (0x30...0x39).contains(byte) : byte == expected else { return nil }
    }
    func number(_ range: Range<Int>) -> Int64 {
      bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
    let date = (number(0..<4), number(5..<7), number(8..<10))
    let time = (number(11..<13), number(14..<16), number(17..<19))
    guard (1...12).contains(date.1), time.0 < 24, time.1 < 60, time.2 < 60 else { return nil }
    let days = Self.days(year: date.0, month: date.1, day: date.2)
    guard Self.civil(days: days) == date else { return nil }
    seconds = days * 86_400 + time.0 * 3_600 + time.1 * 60 + time.2
  }

  static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

  /// Milliseconds since 1970 UTC.
  var milliseconds: Int64 { seconds * 1000 }

  /// `YYYY-MM-DDTHH:MM:SSZ`, 20 characters.
  var text: String {
    let inDay = seconds - days * 86_400
    return day + "T" + Self.digits(inDay / 3_600, 2) + ":" + Self.digits(inDay / 60 % 60, 2) + ":"
      + Self.digits(inDay % 60, 2) + "Z"
  }

  /// The UTC day, `YYYY-MM-DD`.
  var day: String {
    let (year, month, day) = Self.civil(days: days)
    return Self.digits(year, 4) + "-" + Self.digits(month, 2) + "-" + Self.digits(day, 2)
  }

  /// Whole UTC days since 1970.
  var days: Int64 { seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400 }

  private static func digits(_ number: Int64, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }

  // The proleptic Gregorian calendar in 400-year eras that begin in March, so that the leap day is
  // the last day of a year. An era has 146,097 days; day 719,468 of era 0 is 1970-01-01.

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func civil(days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let civilMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
    return (year, civilMonth, dayOfYear - (153 * month + 2) / 5 + 1)
  }
}
