import OBISDecoder

/// Mean import of the quarter-hours and its monthly highest values (Belgium's capacity tariff).
struct DemandRecord: Sendable {
  private let clock: CivilClock
  private var quarterStart: Int64
  private var quarterMillijoules: Int64 = 0
  private(set) var monthPeak: DemandPeak
  /// Closed months, oldest first, 13 at most (e-MUCS P1).
  private(set) var closed: [DemandPeak] = []

  init(start: Int64, random: inout RandomSource, clock: CivilClock) {
    self.clock = clock
    quarterStart = start - start % 900_000
    monthPeak = DemandPeak(closed: nil, reached: nil, watts: 0)
    closed = pastMonths(before: start, random: &random)
  }

  /// Mean power of the running quarter-hour so far, counted over its whole length, in watts.
  var running: Int64 { quarterMillijoules / 900_000 }

  mutating func add(watts: Int64, from: Int64, to: Int64) {
    if to - quarterStart >= 900_000 {
      // `add` is called for a second at most, and quarters end on full seconds.
      quarterMillijoules += watts * (to - from)
      close(at: quarterStart + 900_000)
      quarterStart += 900_000
    } else {
      quarterMillijoules += watts * (to - from)
    }
  }

  private mutating func close(at end: Int64) {
    if running > monthPeak.watts || monthPeak.reached == nil {
      monthPeak = DemandPeak(closed: nil, reached: clock.time(at: end), watts: running)
    }
    quarterMillijoules = 0
    guard let time = clock.time(at: end), time.day == 1, time.hour == 0, time.minute == 0 else {
      return
    }
    closed.append(DemandPeak(closed: time, reached: monthPeak.reached, watts: monthPeak.watts))
    if closed.count > 13 { closed.removeFirst() }
    monthPeak = DemandPeak(closed: nil, reached: nil, watts: 0)
  }

  /// Invented peaks of the three months before the start.
  private func pastMonths(before start: Int64, random: inout RandomSource) -> [DemandPeak] {
    guard let now = clock.time(at: start) else { return [] }
    var peaks: [DemandPeak] = []
    for back in (0...2).reversed() {
      let months = Int64(now.year) * 12 + Int64(now.month) - 1 - Int64(back)
      let closing = MeterTime.daysSince1970(year: months / 12, month: months % 12 + 1, day: 1)
      let midnight = (closing * 86_400 - Int64(clock.standardOffsetMinutes) * 60) * 1000
      let reached = midnight - random.integer(in: 1...2600) * 900_000
      let watts = random.integer(in: 1800...9900)
      let closed = MeterTime(
        year: UInt16(months / 12), month: UInt8(months % 12 + 1), day: 1, hour: 0, minute: 0,
        second: 0, season: clock.isDaylight(at: midnight / 1000) ? .daylight : .standard,
        offsetMinutes: nil)
      peaks.append(
        DemandPeak(closed: closed, reached: clock.time(at: reached), watts: watts))
    }
    return peaks
  }
}
