/// A day of the civil (Gregorian) calendar, wherever the household lives.
public struct CivilDate: Equatable, Hashable, Comparable, Sendable {
  /// The year.
  public var year: Int
  /// The month, 1…12.
  public var month: Int
  /// The day of the month, 1…31.
  public var day: Int

  /// A day; nil if the calendar has none of that date.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...Self.dayCount(ofMonth: month, in: year)).contains(day)
    else { return nil }
    self.init(checked: year, month, day)
  }

  private init(checked year: Int, _ month: Int, _ day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The day that holds an instant (ms since 1970 UTC) where clocks are `offsetSeconds` ahead of UTC.
  ///
  /// After Howard Hinnant, <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
  public init(of instant: Int64, offsetSeconds: Int64) {
    let seconds = Self.floorDivide(Int(clamping: instant), 1000) + Int(clamping: offsetSeconds)
    let days = Self.floorDivide(seconds, 86_400) + 719_468
    let era = Self.floorDivide(days, 146_097)
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    month = shifted < 10 ? shifted + 3 : shifted - 9
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  private static func floorDivide(_ number: Int, _ divisor: Int) -> Int {
    number / divisor - (number % divisor < 0 ? 1 : 0)
  }

  /// The last day of the year.
  public var endOfYear: CivilDate { CivilDate(checked: year, 12, 31) }

  /// The date so many years and months later, in one step; a day that the month does not have
  /// becomes its last.
  public func adding(years: Int = 0, months: Int = 0) -> CivilDate {
    let total = (year + years) * 12 + (month - 1) + months
    let later = (
      year: Self.floorDivide(total, 12), month: total - Self.floorDivide(total, 12) * 12 + 1
    )
    let last = Self.dayCount(ofMonth: later.month, in: later.year)
    return CivilDate(checked: later.year, later.month, min(day, last))
  }

  /// As `2026-01-15`.
  public var text: String {
    Self.digits(year, 4) + "-" + Self.digits(month, 2) + "-" + Self.digits(day, 2)
  }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  private static func dayCount(ofMonth month: Int, in year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Earlier is less.
  public static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}
