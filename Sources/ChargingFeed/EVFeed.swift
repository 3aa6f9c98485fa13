/// What a household's supply can bear now, from what its meter says: the state behind the `ev` topics.
///
/// Samples and time come in; documents are written from it (`write…`). It asks no clock, opens no
/// file and keeps nothing but numbers. Call `pass` when `waitMilliseconds` is over, and after `take`.
public struct EVFeed {
  /// Whether what it says can be relied on.
  public enum State: Equatable, Sendable {
    /// No sample yet.
    case initial
    /// The newest sample is fresh.
    case ok
    /// Fresh samples are missing: everybody goes to a failsafe.
    case stale
  }

  /// What is to be published.
  public struct Due: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Makes a set from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// State, limit, chargers and plain numbers.
    public static let documents = Due(rawValue: 1)
    /// The running slot.
    public static let interval = Due(rawValue: 2)
    /// Closed hours: see `takeHour`.
    public static let hours = Due(rawValue: 4)
    /// The record of the billing period.
    public static let capacity = Due(rawValue: 8)
  }

  /// What became of samples.
  public struct Counters: Equatable, Sendable {
    /// Current samples that counted.
    public var samples: UInt64 = 0
    /// Samples that cannot be.
    public var implausible: UInt64 = 0
    /// Samples with currents that lacked a line.
    public var incomplete: UInt64 = 0
  }

  /// Implausible samples in a row that make the feed stale.
  static let implausibleLimit = 3
  /// Milliseconds between documents of the running slot, and between failsafe messages.
  static let repeatMilliseconds: Int64 = 10_000
  /// Closed hours that wait to be published; older ones are dropped.
  static let hourLimit = 48

  /// What it was made for.
  public let settings: EVSettings
  /// Whether it can be relied on.
  public private(set) var state = State.initial
  /// What became of samples.
  public private(set) var counters = Counters()
  /// Number of current samples since the start, 0 before the first.
  public private(set) var sequence: UInt64 = 0
  /// The newest current sample and when it came; nil before the first.
  public private(set) var measured: (sample: MeterSample, lines: LineCurrents, at: Instant)?
  /// The newest power of the house and when it came, W.
  public private(set) var power: (net: Int64?, imported: Int64, at: Instant)?
  /// The record of the billing period.
  public internal(set) var record = PeakRecord()
  /// Since when the feed is stale.
  public private(set) var staleSince: Instant?

  var period = SamplePeriod()
  var hours: EnergyMeter
  var quarters: EnergyMeter?
  /// How high the running slot may become; nil where no tariff asks.
  private(set) var allowance: Allowance?
  private var allowanceStart: Int64?
  private var allowancePeak: Int64 = 0
  /// What was computed for each charger from the newest sample.
  private(set) var results: [ChargerResult]
  private var closedHours: [ClosedSlot] = []
  private var implausibleInRow = 0
  private var lastExport: Int64 = 0
  private(set) var sendsExport = false
  private var startedAt: Instant?
  private var repeatAt: Int64?
  private var intervalAt: Int64?
  private var slotStart: Int64?

  /// Makes the feed of a supply.
  public init(_ settings: EVSettings) {
    self.settings = settings
    hours = EnergyMeter(length: 3_600_000, plausiblePower: settings.plausiblePower)
    if let capacity = settings.capacity, capacity.slotMilliseconds != 3_600_000 {
      quarters = EnergyMeter(
        length: capacity.slotMilliseconds, plausiblePower: settings.plausiblePower)
    }
    results = settings.chargers.map { _ in ChargerResult(settings) }
  }

  /// The energy of the slots that the tariff counts, hours without a tariff.
  var slots: EnergyMeter { quarters ?? hours }

  /// Seconds after which a sample is stale.
  public var staleAfterSeconds: Int64 { settings.staleAfterSeconds ?? period.staleAfterSeconds }

  /// The oldest closed hour that was not taken yet.
  public mutating func takeHour() -> ClosedSlot? {
    closedHours.isEmpty ? nil : closedHours.removeFirst()
  }

  // MARK: - Samples

  /// Takes what a frame said, and tells what is to be published.
  public mutating func take(_ sample: MeterSample, at now: Instant) -> Due {
    if startedAt == nil { startedAt = now }
    var sample = sample
    guard isPlausible(&sample) else {
      counters.implausible &+= 1
      implausibleInRow += 1
      breakWindows()
      guard implausibleInRow >= Self.implausibleLimit, state != .stale else { return [] }
      return goStale(now)
    }
    implausibleInRow = 0
    takePower(sample, now)
    var due = closeSlots()
    guard !sample.currents.isEmpty else { return due }
    if sample.importPower == nil, let power, now.monotonic - power.at.monotonic <= 10_000 {
      sample.importPower = power.imported
    }
    guard let lines = LineCurrents(sample, settings) else {
      counters.incomplete &+= 1
      return due
    }
    counters.samples &+= 1
    sequence &+= 1
    period.take(now.monotonic)
    measured = (sample, lines, now)
    if state != .ok { breakWindows() }
    state = .ok
    staleSince = nil
    repeatAt = nil
    computeChargers(now)
    due.insert(.documents)
    return due
  }

  /// Refuses what cannot be: spikes of a disturbed line must not move a charger.
  private func isPlausible(_ sample: inout MeterSample) -> Bool {
    guard !sample.hasUnusable else { return false }
    for line in 0..<3 {
      if let current = sample.currents[line], current > 4 * settings.fuse { return false }
      if let volts = sample.voltages[line] {
        // Meters that do not measure L2 send 0 for it.
        if volts == 0, line == 1, !settings.grid.hasNeutral {
          sample.voltages[line] = nil
        } else if volts < 100_000 || volts > 300_000 {
          return false
        }
      }
      for power in [sample.lineImports[line], sample.lineExports[line]] {
        if let power, power > settings.plausiblePower { return false }
      }
    }
    for power in [
      sample.importPower, sample.exportPower, sample.reactiveImport, sample.reactiveExport,
    ] {
      if let power, power > settings.plausiblePower { return false }
    }
    return true
  }

  private mutating func takePower(_ sample: MeterSample, _ now: Instant) {
    if let exported = sample.exportPower {
      lastExport = exported
      sendsExport = true
    }
    if let imported = sample.importPower {
      power = (sample.netPower, imported, now)
    }
    // Which hour it is must be known to count energy by the hour.
    if now.isSynchronised { takeEnergy(sample, now) }
  }

  private mutating func takeEnergy(_ sample: MeterSample, _ now: Instant) {
    if let imported = sample.importPower {
      // Short lists carry import alone; while there is some, nothing is exported.
      let exported = sample.exportPower ?? (imported > 0 ? 0 : lastExport)
      let assumed = allowance?.allowed
      hours.take(imported: imported, exported: exported, assuming: assumed, at: now)
      quarters?.take(imported: imported, exported: exported, assuming: assumed, at: now)
    }
    let registers = Registers(imported: sample.importEnergy, exported: sample.exportEnergy)
    hours.take(registers, at: now)
    quarters?.take(registers, at: now)
    if let demand = sample.demand, demand <= settings.plausiblePower {
      quarters?.take(demand: demand)
    }
    if let peak = sample.demandPeak, peak <= settings.plausiblePower {
      record.take(meterPeak: peak, at: now)
    }
  }

  /// Notes what a charger draws, tenths of an ampere; a number that cannot be is forgotten.
  public mutating func note(draw: Int64, ofCharger index: Int, at now: Instant) {
    guard results.indices.contains(index), draw >= 0, draw <= settings.fuse / 25 else { return }
    results[index].draw = (draw, now.monotonic)
  }

  // MARK: - Time

  /// Lets time pass, and tells what is to be published.
  public mutating func pass(to now: Instant) -> Due {
    if startedAt == nil { startedAt = now }
    if now.isSynchronised {
      hours.pass(to: now)
      quarters?.pass(to: now)
    }
    var due = closeSlots()
    if state != .stale, now.monotonic >= staleDeadline(now) {
      due.formUnion(goStale(now))
    } else if let repeatAt, now.monotonic >= repeatAt {
      self.repeatAt = now.monotonic + Self.repeatMilliseconds
      due.insert(.documents)
    }
    let isNewSlot = slots.slot?.start != slotStart
    if state == .ok, isNewSlot || intervalAt.map({ now.monotonic >= $0 }) ?? true {
      intervalAt = now.monotonic + Self.repeatMilliseconds
      due.insert(.interval)
    }
    slotStart = slots.slot?.start
    return due
  }

  /// Milliseconds until `pass` has something to do, 1 at least.
  public func waitMilliseconds(from now: Instant) -> Int64 {
    var wait: Int64 = 60_000
    if state != .stale { wait = min(wait, staleDeadline(now) - now.monotonic) }
    if let repeatAt { wait = min(wait, repeatAt - now.monotonic) }
    if state == .ok, let intervalAt { wait = min(wait, intervalAt - now.monotonic) }
    for meter in [hours, slots] {
      // What has passed without ending waits for a sample, not for time.
      for end in [meter.slot?.end, meter.waiting.map { $0.end + EnergyMeter.closingWait }] {
        if let end, end > now.utc { wait = min(wait, end - now.utc) }
      }
    }
    return max(1, wait)
  }

  private func staleDeadline(_ now: Instant) -> Int64 {
    (measured?.at ?? startedAt ?? now).monotonic + staleAfterSeconds * 1000
  }

  private mutating func goStale(_ now: Instant) -> Due {
    state = .stale
    staleSince = now
    breakWindows()
    for index in results.indices { results[index].forget() }
    repeatAt = now.monotonic + Self.repeatMilliseconds
    return .documents
  }

  private mutating func breakWindows() {
    for index in results.indices { results[index].window.breakOff() }
  }

  /// Whole seconds since the newest sample, or since the start.
  public func age(at now: Instant) -> Int64 {
    max(0, now.monotonic - (measured?.at ?? startedAt ?? now).monotonic) / 1000
  }

  // MARK: - Slots

  private mutating func closeSlots() -> Due {
    var due: Due = []
    let hoursClosed = hours.takeClosed()
    for hour in hoursClosed {
      closedHours.append(hour)
      if closedHours.count > Self.hourLimit { closedHours.removeFirst() }
      due.insert(.hours)
    }
    guard let capacity = settings.capacity else { return due }
    let closed = quarters == nil ? hoursClosed : quarters?.takeClosed() ?? []
    for slot in closed {
      record.take(slot, capacity)
      due.insert(.capacity)
    }
    // The month changes once its last slot has been counted.
    let month = record.month
    if let slot = slots.slot, slots.waiting == nil { record.open(slot.place, capacity) }
    updateAllowance(isRecordNew: !closed.isEmpty || record.month != month)
    return due
  }

  /// Works the allowance out anew where slot or record are others than those it was made for.
  mutating func updateAllowance(isRecordNew: Bool) {
    guard let capacity = settings.capacity, let slot = slots.slot else { return }
    guard isRecordNew || allowanceStart != slot.start || allowancePeak != record.meterPeak else {
      return
    }
    allowanceStart = slot.start
    allowancePeak = record.meterPeak
    allowance = record.allowance(ofSlotAt: slot.place, start: slot.start, capacity)
  }

  private mutating func computeChargers(_ now: Instant) {
    let limits = limits(at: now)
    for (index, charger) in settings.chargers.enumerated() {
      results[index].update(charger, measured?.lines, limits, settings, at: now)
    }
  }
}
