/// A date and time as P1 prints it.
///
///     YYMMDDhhmmssX          X is W (standard time) or S (daylight saving time); DSMR 5.0.2, 6.4
///     YYMMDDhhmmss           DSMR 2.2 and 3, and Belgian Iskra MIE5T
///     24 hexadecimal digits  a COSEM date-time in octets (ESMR 5 meters): Blue Book, 4.1.6.1
enum P1Time: Equatable {
  /// A time that the meter's clock stated.
  case time(MeterTime)
  /// A clock that was never set, or a sub-meter that was never read: year 2000 or 1970.
  case unset
  /// Shaped like a time and none that a calendar has.
  case invalid

  /// Reads `bytes[range]`; nil if that is not shaped like a time at all.
  init?(parsing bytes: Span<UInt8>, in range: Range<Int>) {
    switch range.count {
    case 12 where Self.areDigits(bytes, range):
      self = Self.stamp(bytes, at: range.lowerBound, season: .unspecified)
    case 13 where Self.areDigits(bytes, range.dropLast()):
      switch bytes[range.upperBound - 1] {
      case UInt8(ascii: "W"):
        self = Self.stamp(bytes, at: range.lowerBound, season: .standard)
      case UInt8(ascii: "S"):
        self = Self.stamp(bytes, at: range.lowerBound, season: .daylight)
      default: return nil
      }
    case 24:
      guard let time = Self.cosem(bytes, at: range.lowerBound) else { return nil }
      self = time
    default: return nil
    }
  }

  private static func areDigits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    // Twelve digits are two words that overlap.
    guard range.count == 12 else { return false }
    let words =
      bytes.paddedWord(at: range.lowerBound).noDigits
      | bytes.paddedWord(at: range.lowerBound + 4).noDigits
    return words == 0
  }

  private static func stamp(
    _ bytes: Span<UInt8>, at start: Int, season: MeterTime.Season
  ) -> P1Time {
    let date = bytes.paddedWord(at: start)
    let clock = bytes.paddedWord(at: start + 4)
    let year = pair(date, 0)
    guard year != 0, year != 70 else { return .unset }
    let time = MeterTime(
      year: 2000 + UInt16(year), month: pair(date, 1), day: pair(date, 2), hour: pair(date, 3),
      minute: pair(clock, 2), second: pair(clock, 3), season: season, offsetMinutes: nil)
    return time.map { .time($0) } ?? .invalid
  }

  /// The number that two digits of a word print, pair 0…3.
  private static func pair(_ word: UInt64, _ index: Int) -> UInt8 {
    (word.byte(2 * index) & 15) &* 10 &+ word.byte(2 * index + 1) & 15
  }

  /// Year, month, day, weekday, hour, minute, second, hundredths, deviation (minutes that UTC is
  /// ahead of local time, 0x8000 if not specified), status (0x80 is daylight saving time).
  private static func cosem(_ bytes: Span<UInt8>, at start: Int) -> P1Time? {
    var octets = InlineArray<12, UInt8>(repeating: 0)
    for index in 0..<12 {
      guard let high = hexDigit(bytes[start + 2 * index]),
        let low = hexDigit(bytes[start + 2 * index + 1])
      else { return nil }
      octets[index] = high << 4 | low
    }
    let year = UInt16(octets[0]) << 8 | UInt16(octets[1])
    guard year != 2000, year != 1970, year != 0, year != 0xFFFF else { return .unset }
    let deviation = Int16(bitPattern: UInt16(octets[9]) << 8 | UInt16(octets[10]))
    let isKnown = deviation != .min
    let time = MeterTime(
      year: year, month: octets[2], day: octets[3], hour: octets[5], minute: octets[6],
      second: octets[7] == 0xFF ? 0 : octets[7],
      season: octets[11] == 0xFF
        ? .unspecified : octets[11] & 0x80 != 0 ? .daylight : .standard,
      offsetMinutes: isKnown ? -deviation : nil)
    return time.map { .time($0) } ?? .invalid
  }
}
