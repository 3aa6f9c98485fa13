// What a restart must not lose: the running slot and the record of the billing period.
//
//   gateway-ev 1
//   tariff  FINGERPRINT
//   hour    START LENGTH OFFSET IMPORTED EXPORTED ASSUMED QUALITY JOINED
//           OPENING-IMPORT OPENING-EXPORT LAST-IMPORT SINCE DEMAND SINCE-DEMAND
//           POWER-IN POWER-OUT UTC                  (one line; `quarter…` likewise)
//   hour-before                                     (the slot that waits for its closing register)
//   record  MONTH COMPLETE DAYS LAST-DAY LAST-END METER-PEAK
//   peak    BUCKET START DAY WATTS                  (none or more)
//   month   WATTS                                   (none or more, oldest first)
//   sum     FNV-1A                                  (of all bytes before this line)
//
// Whole numbers in decimal digits, `-` for nil, lines end with a line feed.

extension EVFeed {
  /// Longest state in bytes.
  public static let savedBytes = 16_384

  /// What is to be kept over a restart.
  public func saved() -> [UInt8] {
    var text = "gateway-ev 1\n"
    text += "tariff \(Self.fingerprint(settings.capacity))\n"
    text += Self.lines("hour", hours)
    if let quarters { text += Self.lines("quarter", quarters) }
    if let month = record.month {
      let numbers: [Int64?] = [
        month, record.isComplete ? 1 : 0, Int64(record.dayCount), record.lastDay, record.lastEnd,
        record.meterPeak,
      ]
      text += "record \(Self.joined(numbers))\n"
      for peak in record.peaks {
        text += "peak \(Self.joined([peak.bucket, peak.start, peak.day, peak.watts]))\n"
      }
      for watts in record.closedMonths { text += "month \(watts)\n" }
    }
    text += "sum \(Self.hash(text.utf8))\n"
    return Array(text.utf8)
  }

  /// Makes the feed that takes up what an earlier run kept; nil if the bytes are not whole.
  ///
  /// A record made under another tariff is left out, as is a slot from the future.
  public init?(_ settings: EVSettings, restoring bytes: [UInt8], at now: Instant) {
    guard bytes.count <= Self.savedBytes, let lines = Self.checkedLines(bytes) else { return nil }
    self.init(settings)
    var restored = PeakRecord()
    var isSameTariff = false
    for line in lines {
      guard let word = line.first else { return nil }
      let numbers = line.dropFirst().map { Self.number($0) }
      guard numbers.allSatisfy({ $0 != nil }) else { return nil }
      let values = numbers.map { $0 ?? nil }
      switch word {
      case "tariff":
        isSameTariff = values.first == Self.fingerprint(settings.capacity)
      case "hour", "hour-before": Self.restore(word, values, to: &hours, settings, now)
      case "quarter", "quarter-before":
        if var meter = quarters {
          Self.restore(word, values, to: &meter, settings, now)
          quarters = meter
        }
      default:
        guard Self.restore(word, values, to: &restored) else { return nil }
      }
    }
    if isSameTariff, settings.capacity != nil { record = restored }
    updateAllowance(isRecordNew: true)
  }

  /// Takes over what another feed of the same settings has summed and recorded.
  public mutating func takeUp(_ earlier: EVFeed) {
    hours = earlier.hours
    quarters = earlier.quarters
    record = earlier.record
    updateAllowance(isRecordNew: true)
  }

  // MARK: - Lines

  private static func lines(_ word: String, _ meter: EnergyMeter) -> String {
    guard let slot = meter.slot, let last = meter.last else { return "" }
    let before = meter.waiting.map { line("\(word)-before", $0, last) }
    return line(word, slot, last) + (before ?? "")
  }

  private static func line(
    _ word: String, _ slot: EnergySlot, _ last: EnergyMeter.Powers
  ) -> String {
    let offset = slot.place.day * 86_400 + slot.place.minute * 60 - slot.start / 1000
    let numbers: [Int64?] = [
      slot.start, slot.length, offset, slot.imported, slot.exported, slot.assumed,
      slot.quality.rawValue, slot.isJoined ? 1 : 0, slot.opening.imported, slot.opening.exported,
      slot.lastImported, slot.importedSince, slot.demand, slot.importedSinceDemand,
      last.imported, last.exported, last.utc,
    ]
    return "\(word) \(joined(numbers))\n"
  }

  private static func restore(
    _ word: Substring, _ values: [Int64?], to meter: inout EnergyMeter, _ settings: EVSettings,
    _ now: Instant
  ) {
    // Bounds that no real slot leaves, and below which no sum of two overflows.
    let bound: Int64 = 1 << 61
    guard values.count == 17, values.allSatisfy({ abs(($0 ?? 0) / 2) < bound / 2 }),
      let start = values[0], start >= 0, values[1] == meter.length, let offset = values[2],
      abs(offset) <= 86_400, let imported = values[3], imported >= 0, let exported = values[4],
      exported >= 0, let assumed = values[5], assumed >= 0,
      let quality = values[6].flatMap({ EnergyQuality(rawValue: $0) }), let joined = values[7],
      let since = values[11], since >= 0, let sinceDemand = values[13], sinceDemand >= 0,
      let powerIn = values[14], let powerOut = values[15], let utc = values[16],
      (0...settings.plausiblePower).contains(powerIn),
      (0...settings.plausiblePower).contains(powerOut), utc >= start, utc <= now.utc
    else { return }
    var slot = EnergySlot(
      start: start, length: meter.length,
      place: LocalPlace(utc: start, offsetSeconds: offset))
    slot.imported = imported
    slot.exported = exported
    slot.assumed = assumed
    slot.quality = quality
    slot.isJoined = joined == 1
    slot.opening = Registers(imported: values[8], exported: values[9])
    slot.lastImported = values[10]
    slot.importedSince = since
    slot.demand = values[12]
    slot.importedSinceDemand = sinceDemand
    guard word == "hour" || word == "quarter" else { return meter.restore(waiting: slot) }
    meter.restore(
      slot, EnergyMeter.Powers(imported: powerIn, exported: powerOut, utc: utc, monotonic: nil))
  }

  private static func restore(
    _ word: Substring, _ values: [Int64?], to record: inout PeakRecord
  ) -> Bool {
    switch (word, values.count) {
    case ("record", 6):
      guard let month = values[0], let days = values[2], (0...366).contains(days),
        let peak = values[5], (0...1_000_000_000).contains(peak)
      else { return false }
      record.month = month
      record.isComplete = values[1] == 1
      record.dayCount = Int(days)
      record.lastDay = values[3]
      record.lastEnd = values[4]
      record.meterPeak = peak
    case ("peak", 4):
      guard let bucket = values[0], let start = values[1], let day = values[2],
        let watts = values[3], (0...1_000_000_000).contains(watts), abs(day / 2) < 1 << 30,
        record.peaks.count < PeakRecord.peakLimit
      else { return false }
      record.peaks.append(
        PeakRecord.Peak(bucket: bucket, start: start, day: day, watts: watts))
    case ("month", 1):
      guard let watts = values[0], (0...1_000_000_000).contains(watts),
        record.closedMonths.count < PeakRecord.monthLimit
      else { return false }
      record.closedMonths.append(watts)
    default: return false
    }
    return true
  }

  // MARK: - Text

  private static func joined(_ numbers: [Int64?]) -> String {
    numbers.map { $0.map(String.init) ?? "-" }.joined(separator: " ")
  }

  /// The number of a word, `.some(nil)` for `-`; nil if it is none.
  private static func number(_ word: Substring) -> Int64?? {
    if word == "-" { return .some(nil) }
    return Int64(word).map { .some($0) }
  }

  /// The words of each line between head and sum; nil if either does not fit.
  private static func checkedLines(_ bytes: [UInt8]) -> [[Substring]]? {
    guard let text = String(validating: bytes, as: UTF8.self), text.hasPrefix("gateway-ev 1\n"),
      text.hasSuffix("\n")
    else { return nil }
    var lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    guard let last = lines.popLast(), last.hasPrefix("sum "),
      let body = text.range(ofSuffixLine: last),
      last.dropFirst(4) == "\(hash(text[body].utf8))"
    else { return nil }
    return lines.dropFirst().map { $0.split(separator: " ") }
  }

  /// FNV-1a, 63 bits: against half-written files, not against an adversary.
  private static func hash(_ bytes: some Sequence<UInt8>) -> Int64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return Int64(hash >> 1)
  }

  /// A number of the tariff's own: peaks of another one mean something else.
  private static func fingerprint(_ capacity: CapacitySettings?) -> Int64 {
    guard let capacity else { return 0 }
    func text(_ hours: TariffHours) -> String {
      "\(hours.months)\(hours.weekdays)\(hours.from)-\(hours.to)"
    }
    let windows = capacity.windows.map(text).joined()
    let weights = capacity.weights.map { "\(text($0.hours))*\($0.thousandths)" }.joined()
    let what = "\(capacity.model.rawValue) \(capacity.distinct.rawValue) \(capacity.peakCount)"
    return hash("\(what) \(windows) \(weights)".utf8)
  }
}

extension String {
  /// What stands before the last line, which is `last` and a line feed.
  fileprivate func range(ofSuffixLine last: Substring) -> Range<String.Index>? {
    let end = utf8.index(endIndex, offsetBy: -(last.utf8.count + 1))
    return startIndex..<end
  }
}
