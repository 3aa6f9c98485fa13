/// Writes instants as RFC 3339 text without heap; instants are milliseconds since 1970 UTC.
public enum UTCTime {
  /// Appends `2026-01-15T14:00:00Z`.
  public static func write<let size: Int>(seconds: Int64, to out: inout ByteBuffer<size>) {
    writeDateAndTime(seconds: seconds, to: &out)
    out.append(UInt8(ascii: "Z"))
  }

  /// Appends `2026-01-15T14:00:00.125Z`.
  public static func write<let size: Int>(milliseconds: Int64, to out: inout ByteBuffer<size>) {
    writeDateAndTime(seconds: floorDivide(milliseconds, 1000), to: &out)
    out.append(UInt8(ascii: "."))
    out.append(magnitude: floorRemainder(milliseconds, 1000).magnitude, minimumDigits: 3)
    out.append(UInt8(ascii: "Z"))
  }

  /// Appends the date of an instant, `2026-01-15`.
  public static func writeDate<let size: Int>(seconds: Int64, to out: inout ByteBuffer<size>) {
    writeMonth(seconds: seconds, to: &out)
    out.append(UInt8(ascii: "-"))
    let date = civilDate(day: floorDivide(seconds, 86_400))
    out.append(magnitude: date.day.magnitude, minimumDigits: 2)
  }

  /// Appends the month of an instant, `2026-01`.
  public static func writeMonth<let size: Int>(seconds: Int64, to out: inout ByteBuffer<size>) {
    let date = civilDate(day: floorDivide(seconds, 86_400))
    out.append(magnitude: date.year.magnitude, minimumDigits: 4)
    out.append(UInt8(ascii: "-"))
    out.append(magnitude: date.month.magnitude, minimumDigits: 2)
  }

  private static func writeDateAndTime<let size: Int>(
    seconds: Int64, to out: inout ByteBuffer<size>
  ) {
    writeDate(seconds: seconds, to: &out)
    let clock = floorRemainder(seconds, 86_400)
    out.append(UInt8(ascii: "T"))
    writeClock(hour: clock / 3600, minute: clock / 60 % 60, second: clock % 60, to: &out)
  }

  private static func writeClock<let size: Int>(
    hour: Int64, minute: Int64, second: Int64, to out: inout ByteBuffer<size>
  ) {
    out.append(magnitude: hour.magnitude, minimumDigits: 2)
    out.append(UInt8(ascii: ":"))
    out.append(magnitude: minute.magnitude, minimumDigits: 2)
    out.append(UInt8(ascii: ":"))
    out.append(magnitude: second.magnitude, minimumDigits: 2)
  }

  /// Year, month and day of a day counted from 1970-01-01.
  ///
  /// The inverse of `MeterTime.daysSince1970`: years begin in March, an era has 146 097 days.
  public static func civilDate(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * marchMonth + 2) / 5 + 1
    )
  }

  /// Quotient rounded towards minus infinity; `divisor` is positive.
  public static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// Remainder of `floorDivide`, 0 ..< divisor.
  public static func floorRemainder(_ value: Int64, _ divisor: Int64) -> Int64 {
    let remainder = value % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

extension MeterTime {
  /// Appends the meter's own time, `2026-01-15T14:30:07+01:00`.
  ///
  /// The offset is what the meter sent; else `standardOffsetMinutes`, one hour more in daylight
  /// saving time; where neither is known the text ends with the seconds.
  public func write<let size: Int>(
    standardOffsetMinutes: Int16?, to out: inout ByteBuffer<size>
  ) {
    out.append(magnitude: UInt64(year), minimumDigits: 4)
    out.append(UInt8(ascii: "-"))
    out.append(magnitude: UInt64(month), minimumDigits: 2)
    out.append(UInt8(ascii: "-"))
    out.append(magnitude: UInt64(day), minimumDigits: 2)
    out.append(UInt8(ascii: "T"))
    out.append(magnitude: UInt64(hour), minimumDigits: 2)
    out.append(UInt8(ascii: ":"))
    out.append(magnitude: UInt64(minute), minimumDigits: 2)
    out.append(UInt8(ascii: ":"))
    out.append(magnitude: UInt64(second), minimumDigits: 2)
    var offset: Int64
    if let offsetMinutes {
      offset = Int64(offsetMinutes)
    } else if let standardOffsetMinutes, season != .unspecified {
      offset = Int64(standardOffsetMinutes) + (season == .daylight ? 60 : 0)
    } else {
      return
    }
    out.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
    offset = offset.magnitude > 5999 ? 5999 : Int64(offset.magnitude)
    out.append(magnitude: (offset / 60).magnitude, minimumDigits: 2)
    out.append(UInt8(ascii: ":"))
    out.append(magnitude: (offset % 60).magnitude, minimumDigits: 2)
  }
}
