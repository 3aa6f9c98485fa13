/// Sums the energy of one slot after the other: hours, or quarter-hours.
///
/// Power holds until the next sample, 60 s at most. A gap of at most five minutes is filled with the
/// mean of its ends; what was not seen for longer makes the slot partial. Source: ev-charging.md
/// §6.5.
struct EnergyMeter: Equatable {
  /// Longest time that a power holds without a new one, ms.
  static let hold: Int64 = 60_000
  /// Longest gap that is filled with the mean of its ends, ms.
  static let gapLimit: Int64 = 300_000
  /// How long after its end a slot waits for the register that closes it, ms.
  static let closingWait: Int64 = 60_000
  /// How far the wall clock may go astray between two samples, ms, before the slot counts as partial.
  static let clockTolerance: Int64 = 2_000

  /// Powers and when they were sampled.
  struct Powers: Equatable, BitwiseCopyable {
    var imported: Int64
    var exported: Int64
    var utc: Int64
    /// Monotonic; nil when restored from before a restart.
    var monotonic: Int64?
  }

  let length: Int64
  /// The largest energy that registers may have moved in a slot, W·ms.
  let plausible: Int64
  private(set) var slot: EnergySlot?
  /// The slot before, while it waits for its closing register.
  private(set) var waiting: EnergySlot?
  private(set) var last: Powers?
  /// Slots that are over and were not taken yet, oldest first; at most a few.
  private(set) var closed: [ClosedSlot] = []

  init(length: Int64, plausiblePower: Int64) {
    self.length = length
    plausible = FixedPoint.multiply(plausiblePower, length)
  }

  /// Takes up where an earlier run stopped.
  mutating func restore(_ slot: EnergySlot, _ last: Powers) {
    self.slot = slot
    self.last = last
  }

  /// Takes up a slot that still waits for its closing register.
  mutating func restore(waiting slot: EnergySlot) { waiting = slot }

  /// Hands over the slots that are over.
  mutating func takeClosed() -> [ClosedSlot] {
    defer { closed.removeAll(keepingCapacity: true) }
    return closed
  }

  // MARK: - Samples

  /// Takes the powers of a frame; `assuming` is the mean that a long gap is taken to have had at least.
  mutating func take(imported: Int64, exported: Int64, assuming: Int64?, at now: Instant) {
    let powers = Powers(
      imported: imported, exported: exported, utc: now.utc, monotonic: now.monotonic)
    guard let before = last else {
      join(powers, now)
      return
    }
    let passed = before.monotonic.map { now.monotonic - $0 } ?? (now.utc - before.utc)
    let isSteady = abs(now.utc - before.utc - passed) <= Self.clockTolerance && passed >= 0
    if isSteady, passed <= Self.hold, before.monotonic != nil {
      run(from: before.utc, to: now, before.imported, before.exported, .integrated)
    } else if isSteady, passed <= Self.gapLimit {
      run(
        from: before.utc, to: now, (before.imported + imported) / 2,
        (before.exported + exported) / 2, .estimated)
    } else {
      bridge(from: before.utc, to: now, max(imported, assuming ?? 0))
    }
    last = powers
  }

  /// Lets time pass without a frame: the last power still holds.
  mutating func pass(to now: Instant) {
    if let before = last, let monotonic = before.monotonic, let slot, now.utc >= slot.end {
      let passed = now.monotonic - monotonic
      if passed >= 0, passed <= Self.hold,
        abs(now.utc - before.utc - passed) <= Self.clockTolerance
      {
        run(from: before.utc, to: now, before.imported, before.exported, .integrated)
        last = Powers(
          imported: before.imported, exported: before.exported, utc: now.utc,
          monotonic: now.monotonic)
      }
    }
    if let waiting, now.utc - waiting.end >= Self.closingWait { close(waiting, Registers()) }
  }

  /// Takes the registers of a frame, after its powers.
  mutating func take(_ registers: Registers, at now: Instant) {
    guard !registers.isEmpty, var current = slot else { return }
    let sinceStart = now.utc - current.start
    if let waiting, waiting.end == current.start, sinceStart <= Self.closingWait {
      close(waiting, isPlausible(registers, after: waiting) ? registers : Registers())
    }
    guard let imported = registers.imported else {
      if current.opening.isEmpty, sinceStart <= Self.closingWait { current.opening = registers }
      slot = current
      return
    }
    if let opening = current.opening.imported {
      if imported >= opening, imported - opening <= plausible {
        current.lastImported = imported
        current.importedSince = 0
      } else {
        // Another meter, or a register that turned over: what was before says nothing any more.
        current.opening = Registers()
        current.lastImported = nil
      }
    } else if sinceStart <= Self.closingWait {
      // The first register of a slot opens it; a later one would hide what came before. What has
      // flowed in these seconds stays counted: an hourly register is that of the full hour.
      current.opening = registers
      current.lastImported = imported
    }
    slot = current
  }

  /// Takes the meter's own running mean, W over the whole slot.
  mutating func take(demand watts: Int64) {
    slot?.demand = FixedPoint.multiply(watts, length)
    slot?.importedSinceDemand = 0
  }

  /// Import of the running slot at `now`, with the last power still holding.
  func energy(at now: Instant) -> (energy: Int64, quality: EnergyQuality)? {
    guard let slot, let last, now.utc >= slot.start, now.utc < slot.end else { return nil }
    let (energy, quality) = slot.importSoFar
    let since = min(max(now.utc - last.utc, 0), Self.hold)
    return (FixedPoint.add(energy, last.imported * since), quality)
  }

  // MARK: - Slots

  private func start(of utc: Int64, _ now: Instant) -> Int64 {
    let offset = now.offsetSeconds * 1000
    return FixedPoint.floor(utc + offset, over: length) * length - offset
  }

  private func opened(at utc: Int64, _ now: Instant) -> EnergySlot {
    let start = start(of: utc, now)
    return EnergySlot(
      start: start, length: length,
      place: LocalPlace(utc: start, offsetSeconds: now.offsetSeconds))
  }

  /// The first sample of all: what the slot has had before is not known.
  private mutating func join(_ powers: Powers, _ now: Instant) {
    var first = opened(at: now.utc, now)
    let missed = now.utc - first.start
    if missed <= Self.hold {
      first.add(
        imported: powers.imported * missed, exported: powers.exported * missed,
        missed <= 10_000 ? .integrated : .estimated)
    } else {
      first.quality = .partial
      first.isJoined = true
    }
    slot = first
    last = powers
  }

  /// Power that held from one time to another, five minutes at most, over the ends of slots.
  private mutating func run(
    from: Int64, to now: Instant, _ imported: Int64, _ exported: Int64, _ quality: EnergyQuality
  ) {
    var at = from
    while at < now.utc {
      var current = slot ?? opened(at: at, now)
      let until = min(now.utc, max(current.end, at))
      current.add(
        imported: imported * (until - at), exported: exported * (until - at), quality)
      slot = current
      at = until
      if at >= current.end { roll(to: opened(at: at, now)) }
    }
  }

  /// A gap too long to be filled.
  private mutating func bridge(from: Int64, to now: Instant, _ assumed: Int64) {
    let current = opened(at: now.utc, now)
    guard var old = slot, old.start == current.start else {
      if var old = slot {
        old.quality = .partial
        slot = old
      }
      roll(to: current)
      slot?.addGap(assuming: FixedPoint.multiply(assumed, now.utc - current.start))
      return
    }
    let unseen = min(max(now.utc - max(from, old.start), 0), length)
    old.addGap(assuming: FixedPoint.multiply(assumed, unseen))
    slot = old
  }

  private mutating func roll(to next: EnergySlot) {
    if let waiting { close(waiting, Registers()) }
    waiting = slot
    slot = next
  }

  private func isPlausible(_ registers: Registers, after slot: EnergySlot) -> Bool {
    guard let from = slot.opening.imported, let to = registers.imported else { return true }
    return to >= from && to - from <= plausible
  }

  private mutating func close(_ slot: EnergySlot, _ registers: Registers) {
    waiting = nil
    closed.append(ClosedSlot(slot, closing: registers))
  }
}
