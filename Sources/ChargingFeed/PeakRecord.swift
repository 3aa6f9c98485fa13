/// The highest slots of the billing period, as the tariff counts them.
public struct PeakRecord: Equatable, Sendable {
  /// The highest slot of one stretch (a day, a week, or the slot itself).
  public struct Peak: Equatable, Sendable, BitwiseCopyable {
    /// Number of the stretch.
    public var bucket: Int64
    /// First instant of the slot, milliseconds since 1970 UTC.
    public var start: Int64
    /// Local day of the slot.
    public var day: Int64
    /// Its mean as it counts, W.
    public var watts: Int64

    /// Makes a peak.
    public init(bucket: Int64, start: Int64, day: Int64, watts: Int64) {
      self.bucket = bucket
      self.start = start
      self.day = day
      self.watts = watts
    }
  }

  /// Stretches that are remembered at most: the weeks of a year and one.
  static let peakLimit = 54
  /// Days that a week's peak counts.
  static let memoryDays: Int64 = 365
  /// Closed months that are remembered.
  static let monthLimit = 12
  /// How long into a month the meter may still show the last month's peak, ms.
  static let monthGrace: Int64 = 120_000

  /// The month, year × 12 + month − 1; nil before the first slot.
  public internal(set) var month: Int64?
  /// Whether every slot of the month so far was seen from beginning to end.
  public internal(set) var isComplete = false
  /// The highest of each stretch, one a stretch.
  public internal(set) var peaks: [Peak] = []
  /// Local days of the month with a slot that counts.
  public internal(set) var dayCount = 0
  var lastDay: Int64?
  /// Where the last slot that was taken ended, milliseconds since 1970 UTC.
  var lastEnd: Int64?
  /// The month's highest quarter-hour as the meter says, W.
  public internal(set) var meterPeak: Int64 = 0
  /// What closed months came to, W, oldest first (highest quarter-hour).
  public internal(set) var closedMonths: [Int64] = []

  /// Makes an empty record.
  public init() {}

  // MARK: - Taking

  /// Moves to the month of a slot that begins.
  mutating func open(_ place: LocalPlace, _ settings: CapacitySettings) {
    guard month != place.month else { return }
    if month != nil, settings.model == .belgianQuarter {
      closedMonths.append(value(settings) / 1000)
      if closedMonths.count > Self.monthLimit { closedMonths.removeFirst() }
    }
    isComplete = month == place.month - 1 && place.isMonthStart
    month = place.month
    if settings.distinct == .week {
      peaks.removeAll { place.day - $0.day > Self.memoryDays }
    } else {
      peaks = []
    }
    dayCount = 0
    lastDay = nil
    meterPeak = 0
  }

  /// Takes a slot that is over; one of which a part was not seen counts with what was seen.
  mutating func take(_ slot: ClosedSlot, _ settings: CapacitySettings) {
    if let month, slot.place.month < month { return }
    open(slot.place, settings)
    if slot.imported == nil || (lastEnd != slot.start && !slot.place.isMonthStart) {
      isComplete = false
    }
    lastEnd = slot.start + slot.length
    guard let thousandths = settings.thousandths(at: slot.place) else { return }
    let mean = slot.mean ?? FixedPoint.nearest(slot.integrated, over: slot.length)
    let watts = FixedPoint.nearest(FixedPoint.multiply(mean, thousandths), over: 1000)
    if lastDay != slot.place.day {
      lastDay = slot.place.day
      dayCount += 1
    }
    let bucket = settings.bucket(of: slot.place, start: slot.start)
    let peak = Peak(bucket: bucket, start: slot.start, day: slot.place.day, watts: watts)
    if let index = peaks.firstIndex(where: { $0.bucket == bucket }) {
      if peaks[index].watts < watts { peaks[index] = peak }
    } else {
      peaks.append(peak)
    }
    let limit = settings.distinct == .none ? settings.peakCount : Self.peakLimit
    while peaks.count > limit, let least = peaks.indices.min(by: isLower) {
      peaks.remove(at: least)
    }
  }

  private func isLower(_ left: Int, _ right: Int) -> Bool {
    peaks[left].watts < peaks[right].watts
  }

  /// Takes the month's highest quarter-hour as the meter says, W.
  mutating func take(meterPeak watts: Int64, at now: Instant) {
    let place = LocalPlace(utc: now.utc, offsetSeconds: now.offsetSeconds)
    let before = LocalPlace(utc: now.utc - Self.monthGrace, offsetSeconds: now.offsetSeconds)
    guard place.month == month, before.month == month else { return }
    meterPeak = max(meterPeak, watts)
  }

  // MARK: - Asking

  /// The peaks that count, highest first.
  public func highest(_ settings: CapacitySettings) -> [Peak] {
    Array(
      peaks.sorted { ($0.watts, $1.start) > ($1.watts, $0.start) }
        .prefix(settings.model == .belgianQuarter ? 1 : settings.peakCount))
  }

  /// What is billed so far, mW: the mean of the peaks there are, or the highest quarter-hour.
  public func value(_ settings: CapacitySettings) -> Int64 {
    let top = highest(settings)
    if settings.isMaximum { return max(top.first?.watts ?? 0, meterPeak) * 1000 }
    guard !top.isEmpty else { return 0 }
    return FixedPoint.nearest(top.reduce(0) { $0 + $1.watts } * 1000, over: Int64(top.count))
  }

  /// How high the running slot may become; nil where it does not count.
  public func allowance(
    ofSlotAt place: LocalPlace, start: Int64, _ settings: CapacitySettings
  ) -> Allowance? {
    guard let thousandths = settings.thousandths(at: place) else { return nil }
    var allowance: Allowance
    if settings.isMaximum {
      allowance = Allowance(highest: max(highest(settings).first?.watts ?? 0, meterPeak), settings)
    } else {
      let bucket = settings.bucket(of: place, start: start)
      let others = peaks.filter { $0.bucket != bucket }.map(\.watts).sorted(by: >)
      let own = peaks.first { $0.bucket == bucket }?.watts ?? 0
      allowance = Allowance(others: others, today: own, settings)
    }
    allowance.allowed = allowance.allowed.map { $0 * 1000 / thousandths }
    return allowance
  }

  /// What Flanders bills for a year: the mean of twelve months, each at least `floor`; mW.
  ///
  /// Nil for no month at all.
  public static func yearlyMean(ofMonths watts: [Int64], floor: Int64) -> Int64? {
    guard !watts.isEmpty else { return nil }
    let sum = watts.reduce(0) { $0 + max(floor, $1) }
    return FixedPoint.nearest(sum * 1000, over: Int64(watts.count))
  }
}
