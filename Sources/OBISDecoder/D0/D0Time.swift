/// Date and time as readouts print them, each in a line of its own or together.
///
///     hh:mm:ss  hh:mm  hhmmss              0.9.1, local time
///     YY-MM-DD  YYYY-MM-DD  YYMMDD         0.9.2, local date
///     date, '&' or blank, time             heat meters (9.36), moments of peaks
///     YYMMDDhhmm  YYMMDDhhmmss             0.9.4, moments of peaks
///
/// Source: Blue Book, "Date and time" (1-b:0.9.x); VDEW specification 2.1, "Lastenheft", 4.7. Dates
/// with '.' or '/' are not read: nobody knows whether the day or the month comes first.
struct D0Time {
  private var year: UInt16 = 0
  private var month: UInt8 = 0
  private var day: UInt8 = 0
  private var hour: UInt8 = 0
  private var minute: UInt8 = 0
  private var second: UInt8 = 0
  private var hasDate = false
  private var hasTime = false

  init() {}

  /// The moment, nil as long as date or time are missing or are none that a calendar has.
  var moment: MeterTime? {
    guard hasDate, hasTime else { return nil }
    return MeterTime(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second,
      season: .unspecified, offsetMinutes: nil)
  }

  /// The moment that date and time in `bytes[range]` say; nil for anything else.
  static func moment(parsing bytes: Span<UInt8>, in range: Range<Int>) -> MeterTime? {
    var time = D0Time()
    return time.readMoment(bytes, in: range) ? time.moment : nil
  }

  /// Reads a date and a time that stand together; false if `bytes[range]` is none.
  mutating func readMoment(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    let start = range.lowerBound
    switch range.count {
    case 10, 12:
      return readDate(bytes, in: start..<start + 6)
        && readTime(bytes, in: start + 6..<range.upperBound)
    case 14, 16...19:
      var split = start
      while split < range.upperBound, bytes[split] != UInt8(ascii: "&"),
        bytes[split] != UInt8(ascii: " ")
      { split += 1 }
      return split < range.upperBound && readDate(bytes, in: start..<split)
        && readTime(bytes, in: split + 1..<range.upperBound)
    default: return false
    }
  }

  /// Reads a date; false, and nothing is changed, if `bytes[range]` is none.
  mutating func readDate(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    var parts = InlineArray<3, UInt8>(repeating: 0)
    var start = range.lowerBound
    var century: UInt16 = 2000
    if range.count == 10 {
      guard let high = Self.pair(bytes, at: start) else { return false }
      century = UInt16(high) * 100
      start += 2
    }
    guard Self.read(bytes, in: start..<range.upperBound, by: UInt8(ascii: "-"), into: &parts) == 3,
      parts[1] >= 1, parts[1] <= 12, parts[2] >= 1, parts[2] <= 31
    else { return false }
    (year, month, day, hasDate) = (century + UInt16(parts[0]), parts[1], parts[2], true)
    return true
  }

  /// Reads a time of day; false, and nothing is changed, if `bytes[range]` is none.
  mutating func readTime(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    var parts = InlineArray<3, UInt8>(repeating: 0)
    let count = Self.read(bytes, in: range, by: UInt8(ascii: ":"), into: &parts)
    guard count >= 2, parts[0] < 24, parts[1] < 60, parts[2] < 60 else { return false }
    (hour, minute, second, hasTime) = (parts[0], parts[1], parts[2], true)
    return true
  }

  /// Reads two or three pairs of digits, with `separator` between all of them or none; how many.
  private static func read(
    _ bytes: Span<UInt8>, in range: Range<Int>, by separator: UInt8,
    into parts: inout InlineArray<3, UInt8>
  ) -> Int {
    let stride: Int
    switch range.count {
    case 4, 6: stride = 2
    case 5, 8: stride = 3
    default: return 0
    }
    let count = (range.count + stride - 2) / stride
    for index in 0..<count {
      let start = range.lowerBound + index * stride
      guard let value = pair(bytes, at: start) else { return 0 }
      if stride == 3, index > 0, bytes[start - 1] != separator { return 0 }
      parts[index] = value
    }
    return count
  }

  private static func pair(_ bytes: Span<UInt8>, at index: Int) -> UInt8? {
    guard index + 1 < bytes.count, isDigit(bytes[index]), isDigit(bytes[index + 1]) else {
      return nil
    }
    return (bytes[index] - UInt8(ascii: "0")) * 10 + (bytes[index + 1] - UInt8(ascii: "0"))
  }
}
