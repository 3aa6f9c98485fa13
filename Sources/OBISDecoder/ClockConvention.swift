/// How to take what a meter's clock says of summer time.
///
/// Meters differ, firmware by firmware, and the frame does not tell: Kamstrup's clock stays on
/// standard time all year, others change with the law and say neither offset nor season.
public enum ClockConvention: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// As the meter says: its offset from UTC where it sends one, else its season.
  case asSent
  /// The clock stays on standard time all year, whatever offset or season it says.
  case standardTime
  /// The clock changes with the European Union's summer time, whatever offset or season it says.
  case europeanSummerTime

  /// The convention's name in documents and in the configuration.
  public var name: StaticString {
    switch self {
    case .asSent: "as_sent"
    case .standardTime: "standard_time"
    case .europeanSummerTime: "european_summer_time"
    }
  }
}

extension MeterTime {
  /// The same reading of the clock with offset and season as `convention` has them.
  ///
  /// Where a convention sets the season the offset is none, so that
  /// `secondsSince1970(standardOffsetMinutes:)` counts from the standard time given to it.
  public func taken(as convention: ClockConvention) -> MeterTime {
    guard convention != .asSent else { return self }
    var time = self
    time.offsetMinutes = nil
    time.season = convention == .standardTime ? .standard : europeanSeason
    return time
  }

  /// The season that the law has at this wall-clock time.
  ///
  /// Directive 2000/84/EC: from 01:00 UTC of March's last Sunday to 01:00 UTC of October's. Which
  /// hour that is on the clock depends on the zone (Lisbon to Athens, 01 to 04): on those two days
  /// the season between these hours is unspecified.
  private var europeanSeason: Season {
    switch month {
    case 4...9: return .daylight
    case 3, 10: break
    default: return .standard
    }
    let before: Season = month == 3 ? .standard : .daylight
    let after: Season = month == 3 ? .daylight : .standard
    let first = MeterTime.daysSince1970(year: Int64(year), month: Int64(month), day: 31)
    // 1970-01-01 was a Thursday; 31 is the last day of both months.
    let lastSunday = 31 - Int((first + 4) % 7)
    if Int(day) != lastSunday { return Int(day) < lastSunday ? before : after }
    return hour < 1 ? before : hour >= 4 ? after : .unspecified
  }
}
