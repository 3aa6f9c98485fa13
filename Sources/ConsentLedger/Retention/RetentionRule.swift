/// How long something is kept: the rules that the published policies name (privacy design A4).
public enum RetentionRule: String, Sendable, CaseIterable {
  /// 3 years after the end.
  case threeYears = "R-3Y"
  /// 3 years and 3 months after the end.
  case threeYearsThreeMonths = "R-3Y3M"
  /// Accounting: 5 years after the financial year of the event.
  case fiveYearsAndCurrent = "R-5Y-CFY"
  /// Accounting: 5 years from the end of the financial year; the same date for a calendar year.
  case fiveYearsFromYearEnd = "R-5Y-FYE"
  /// 5 years after the event.
  case fiveYears = "R-5Y"
  /// Until the purpose is fulfilled, which is when the grant ends.
  case purpose = "R-PURPOSE"
  /// Deleted when consent is withdrawn.
  case withdrawal = "R-WITHDRAW"
  /// Deleted when the recipient, or the agent, goes.
  case uninstall = "R-UNINSTALL"
  /// No end but the withdrawal, with a reminder every year.
  case untilWithdrawn = "R-UNTIL"
  /// A dispute: kept until the owner lets go.
  case hold = "R-HOLD"
  /// Looked at every 12 months.
  case yearlyReview = "R-REVIEW-1Y"
  /// As long as the meter is there.
  case source = "R-SOURCE"
  /// 6 months after the event.
  case sixMonths = "R-6M"
  /// 5 years after the year of the event.
  case fiveYearsAfterYear = "R-5Y-YE"
  /// 1 year after the event.
  case oneYear = "R-1Y"
  /// 2 years after the year of the event.
  case twoYearsAfterYear = "R-2Y-YE"
  /// Not stored at all.
  case nothing = "R-ZERO"
  /// For a session at most.
  case brief = "R-BRIEF"

  /// The last day on which something may be kept whose event, or whose grant's end, was on `end`;
  /// nil where no date says so.
  public func lastDay(after end: CivilDate) -> CivilDate? {
    switch self {
    case .threeYears: end.adding(years: 3)
    case .threeYearsThreeMonths: end.adding(years: 3, months: 3)
    case .fiveYearsAndCurrent, .fiveYearsFromYearEnd, .fiveYearsAfterYear:
      end.endOfYear.adding(years: 5)
    case .fiveYears: end.adding(years: 5)
    case .sixMonths: end.adding(months: 6)
    case .oneYear: end.adding(years: 1)
    case .twoYearsAfterYear: end.endOfYear.adding(years: 2)
    case .purpose, .withdrawal, .uninstall, .untilWithdrawn, .nothing, .brief: end
    case .hold, .yearlyReview, .source: nil
    }
  }

  /// The first day after `since` on which something is to be looked at again; nil where nothing is.
  public func reviewDay(since: CivilDate) -> CivilDate? {
    switch self {
    case .yearlyReview, .untilWithdrawn, .hold: since.adding(years: 1)
    default: nil
    }
  }
}
