/// Reads a COSEM date-time.
///
/// DLMS UA Blue Book, "Date and time notations" (IEC 62056-6-2, 4.1.6.1):
///
///     OFFSET  SIZE  MEANING                      UNSPECIFIED
///     0       2     year                         0xFFFF
///     2       1     month 1 … 12                 0xFF (0xFD, 0xFE: change of season)
///     3       1     day 1 … 31                   0xFF (0xFD, 0xFE: last days of the month)
///     4       1     weekday 1 … 7                0xFF
///     5       1     hour                         0xFF
///     6       1     minute                       0xFF
///     7       1     second                       0xFF
///     8       1     hundredths                   0xFF
///     9       2     deviation: UTC − local, min  0x8000
///     11      1     clock status, 0x80 = DST     0xFF
enum COSEMTime {
  /// Bytes of a date-time.
  static let byteCount = 12

  /// The time at `offset`, where 12 bytes are; nil where the meter says that its clock is not set.
  ///
  /// Without seconds it is the minute's beginning. A year of zero is taken as not set, as meters
  /// send it before they are given the time.
  ///
  /// - Throws: `invalidTime` for a date that no calendar has or a deviation beyond 15 hours.
  static func read(_ bytes: Span<UInt8>, at offset: Int) throws(DecodeError) -> MeterTime? {
    let year = UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    let month = bytes[offset + 2]
    let day = bytes[offset + 3]
    let hour = bytes[offset + 5]
    let minute = bytes[offset + 6]
    let second = bytes[offset + 7]
    guard year != 0xFFFF, year != 0, month < 0xFD, day < 0xFD, hour != 0xFF, minute != 0xFF else {
      return nil
    }
    let deviation = Int16(
      bitPattern: UInt16(bytes[offset + 9]) << 8 | UInt16(bytes[offset + 10]))
    let status = bytes[offset + 11]
    let season: MeterTime.Season =
      status == 0xFF ? .unspecified : status & 0x80 != 0 ? .daylight : .standard
    let isDeviationKnown = deviation != Int16.min
    guard !isDeviationKnown || (-900...900).contains(deviation),
      let time = MeterTime(
        year: year, month: month, day: day, hour: hour, minute: minute,
        second: second == 0xFF ? 0 : second, season: season,
        offsetMinutes: isDeviationKnown ? -deviation : nil)
    else { throw DecodeError(.invalidTime, at: offset) }
    return time
  }
}
