internal import OBISDecoder

/// The gates of every grant in force: what one frame said goes in, releases come out.
///
/// At most `capacity` gates, all storage in place, no heap. It asks no clock: `now` is an argument,
/// milliseconds since 1970 UTC. The closures called must not use the bank.
public struct GateBank: ~Copyable {
  /// Most gates at a time.
  public static let capacity = 32
  /// Most quantities that one gate collects over windows.
  static let slotsPerGate = 64
  /// A clock that falls back by more than this many milliseconds holds every dated grant.
  static let clockStepBound: Int64 = 300_000

  /// Readings that no quantity names, since the start: they never leave.
  public private(set) var unknownDropped: UInt64 = 0
  /// Whether dated grants are held because the clock fell back.
  public private(set) var isClockHeld = false

  var rows = InPlace<32, GateRow>(repeating: GateRow())
  /// What the gates collect, `slotsPerGate` for each, in the order of the ids that it allows.
  var slots = InPlace<2048, GateSlot>(repeating: GateSlot())
  /// What their windows came to, beside the slots.
  var results = InPlace<2048, SlotResult>(repeating: SlotResult())
  /// How many gates each row has had: what an earlier one released is stale.
  var epochs = InlineArray<32, UInt32>(repeating: 0)
  /// Bit n is set while row n has a gate.
  var installed: UInt32 = 0
  var dayStarts = InlineArray<8, Int64>(repeating: .max)
  var monthStarts = InlineArray<4, Int64>(repeating: .max)
  /// The identifier of each gate whose grant names one; empty until the meter has sent it.
  var identifiers = InlineArray<32, FixedText<32>>(repeating: FixedText<32>())
  /// Where topic and payload of the release in hand are written.
  var topic = ByteBuffer<128>()
  var payload = ByteBuffer<4096>()
  /// The last plain number of each quantity, a row of `Quantity.idBound` for each of `valueRows` gates.
  var shownValues = InlineArray<1096, Decimal>(repeating: Decimal(mantissa: 0))
  private var latest: Int64 = .min
  private var wasTrusted = false

  /// Makes a bank without gates: nothing leaves.
  public init() {}

  // MARK: - Gates

  /// Puts a gate in force; false, and nothing changes, if the index is taken or out of range.
  public mutating func install(_ gate: CompiledGate, at index: Int, now: Int64) -> Bool {
    guard index >= 0, index < GateBank.capacity, !isInstalled(index),
      gate.allowed.count <= GateBank.slotsPerGate || !gate.isWindowed && gate.isInHouse
    else { return false }
    let row = gate.publishesValues ? freeValueRow() : UInt8(GateBank.valueRows)
    rows[index].gate = gate
    rows[index].state = GateState()
    installed |= 1 << UInt32(index)
    rows[index].state.valueRow = row
    rows[index].counters = GateCounters()
    rows[index].enode = EnodeState()
    epochs[index] &+= 1
    setModes(index)
    if now >= gate.notBefore, now < gate.notAfter { open(index, at: now) }
    return true
  }

  private mutating func setModes(_ index: Int) {
    let gate = rows[index].gate
    var slot = index * GateBank.slotsPerGate
    let end = slot + GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id), slot < end {
      slots[slot].mode = SlotMode(quantity, gate.granularity)
      if slots[slot].mode == .mean { rows[index].averaged.insert(quantity) }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
  }

  /// Ends a gate at once: allows nothing, wipes what it collected, makes its queued releases stale.
  ///
  /// Returns how many windows had ended and waited to be published.
  @discardableResult
  public mutating func stop(_ index: Int, at now: Int64) -> UInt32 {
    guard isInstalled(index) else { return 0 }
    let state = rows[index].state
    var purged: UInt32 = 0
    if state.pending.0.isUsed { purged += 1 }
    if state.pending.1.isUsed { purged += 1 }
    if state.isOpen, state.windowEnd <= now, state.sampleCount > 0 { purged += 1 }
    installed &= ~(1 << UInt32(index))
    rows[index].gate = CompiledGate()
    rows[index].averaged = QuantitySet()
    rows[index].state = GateState()
    rows[index].enode = EnodeState()
    identifiers[index] = FixedText<32>()
    epochs[index] &+= 1
    let first = index * GateBank.slotsPerGate
    for slot in first..<first + GateBank.slotsPerGate {
      slots[slot] = GateSlot()
      results[slot] = SlotResult()
    }
    return purged
  }

  /// Whether a gate is in force at `index`.
  public func isInstalled(_ index: Int) -> Bool {
    index >= 0 && index < GateBank.capacity && installed & 1 << UInt32(index) != 0
  }

  /// The gate at `index`, nil if none is in force there.
  public mutating func gate(at index: Int) -> CompiledGate? {
    isInstalled(index) ? rows[index].gate : nil
  }

  /// Whether a queued release is still permitted to be sent: its gate runs and was not replaced.
  public func isCurrent(gateIndex: UInt8, epoch: UInt32) -> Bool {
    if gateIndex == Release.noGate { return true }
    return isInstalled(Int(gateIndex)) && epochs[Int(gateIndex)] == epoch
  }

  /// What the gate at `index` has let through since it was installed; kept after `stop`.
  public mutating func counters(at index: Int) -> GateCounters {
    index >= 0 && index < GateBank.capacity ? rows[index].counters : GateCounters()
  }

  // MARK: - Bases

  /// The register value, in thousandths of the unit, from which a gate counts; nil before the first.
  public mutating func base(of quantity: Quantity, at index: Int) -> Int64? {
    guard let slot = slotIndex(of: quantity, at: index),
      slots[slot].hasBase
    else { return nil }
    return slots[slot].base
  }

  /// Restores a base that was kept over a restart.
  public mutating func restoreBase(_ thousandths: Int64, of quantity: Quantity, at index: Int) {
    guard let slot = slotIndex(of: quantity, at: index),
      thousandths.magnitude < Quantum.bound.magnitude
    else { return }
    slots[slot].base = thousandths
    slots[slot].hasBase = true
    // It has run before this process: its recipient knows the meter.
    rows[index].enode.isKnown = true
  }

  private mutating func slotIndex(of quantity: Quantity, at index: Int) -> Int? {
    guard isInstalled(index) else { return nil }
    let allowed = rows[index].gate.allowed
    var slot = 0
    var id = 0
    while let next = allowed.next(from: id), slot < GateBank.slotsPerGate {
      if next == quantity { return index * GateBank.slotsPerGate + slot }
      slot += 1
      id = Int(next.rawValue) + 1
    }
    return nil
  }

  // MARK: - Clock and calendar

  /// Sets the starts of the household's civil days, ascending, at most 8, today's included.
  ///
  /// Day windows lie between two of them; without them a daily grant releases nothing.
  public mutating func setDayStarts(_ starts: Span<Int64>) {
    dayStarts = InlineArray(repeating: .max)
    for index in 0..<min(starts.count, 8) { dayStarts[index] = starts[index] }
  }

  /// Sets the starts of the household's civil months, ascending, at most 4, this one's included.
  public mutating func setMonthStarts(_ starts: Span<Int64>) {
    monthStarts = InlineArray(repeating: .max)
    for index in 0..<min(starts.count, 4) { monthStarts[index] = starts[index] }
  }

  /// Gives a gate the identifier that its grant names, or takes it away; for the vault alone.
  mutating func setIdentifier(_ identifier: FixedText<32>?, of index: Int) {
    guard isInstalled(index), rows[index].gate.identifier != .none else { return }
    identifiers[index] = identifier ?? FixedText<32>()
  }

  /// Accepts `now` after the clock fell back: dated grants run again, from windows not yet sent.
  public mutating func acceptClock(_ now: Int64) {
    isClockHeld = false
    latest = now
    for index in 0..<GateBank.capacity where isInstalled(index) { suspend(index) }
  }

  /// The time to work with: never earlier than before, unless the clock is held.
  mutating func advanceClock(to now: Int64, isTrusted: Bool) -> Int64 {
    if isTrusted, !wasTrusted, now < latest { acceptClock(now) }
    wasTrusted = isTrusted
    if now < latest, latest - now > GateBank.clockStepBound { isClockHeld = true }
    if now >= latest {
      latest = now
      isClockHeld = false
    }
    return latest
  }

  /// Whether a gate may work at `time`.
  mutating func admits(_ index: Int, at time: Int64) -> Bool {
    if rows[index].gate.needsClock, !wasTrusted || isClockHeld { return false }
    return time >= rows[index].gate.notBefore
      && time < rows[index].gate.notAfter
  }

  // MARK: - Frames and time

  /// Takes a completed frame: live releases at once, windows as they fall due.
  public mutating func process(
    _ snapshot: borrowing Snapshot, at now: Int64, clockTrusted: Bool,
    _ emit: (consuming Release) -> Void
  ) {
    let time = advanceClock(to: now, isTrusted: clockTrusted)
    unknownDropped &+= UInt64(snapshot.unknownCount)
    // Lent once for all gates: to lend it is to copy it.
    let values = snapshot.thousandths.span
    for index in 0..<GateBank.capacity
    where isInstalled(index) && rows[index].gate.source == snapshot.source {
      guard admits(index, at: time) else {
        suspend(index)
        continue
      }
      if rows[index].gate.isWindowed {
        collect(index, snapshot, values, at: time)
        emitDue(index, at: time, emit)
        beat(index, at: time, emit)
      } else if rows[index].gate.isInHouse {
        emitState(index, snapshot, at: time, emit)
      } else {
        emitLive(index, snapshot, at: time, emit)
      }
    }
  }

  /// Closes and publishes the windows that are due, whether or not a frame came.
  public mutating func tick(
    at now: Int64, clockTrusted: Bool, _ emit: (consuming Release) -> Void
  ) {
    let time = advanceClock(to: now, isTrusted: clockTrusted)
    for index in 0..<GateBank.capacity
    where isInstalled(index) && rows[index].gate.isWindowed {
      guard admits(index, at: time) else {
        suspend(index)
        continue
      }
      if !rows[index].state.isOpen { open(index, at: time) }
      if rows[index].state.isOpen,
        time >= rows[index].state.windowEnd + grace(index)
      {
        roll(index, to: time)
      }
      emitDue(index, at: time, emit)
      beat(index, at: time, emit)
    }
  }

  /// When `tick` next has work, possibly in the past; nil if no window is open.
  public mutating func nextDeadline() -> Int64? {
    var earliest = Int64.max
    for index in 0..<GateBank.capacity
    where isInstalled(index) && rows[index].gate.isWindowed {
      if rows[index].state.pending.0.isUsed {
        earliest = min(earliest, rows[index].state.pending.0.due)
      }
      if rows[index].state.pending.1.isUsed {
        earliest = min(earliest, rows[index].state.pending.1.due)
      }
      if rows[index].enode.beatAt > 0 { earliest = min(earliest, rows[index].enode.beatAt) }
      if rows[index].state.isOpen {
        earliest = min(earliest, rows[index].state.windowEnd + grace(index))
      } else if rows[index].gate.notBefore > latest,
        rows[index].gate.notBefore != .max
      {
        earliest = min(earliest, rows[index].gate.notBefore)
      }
    }
    return earliest == .max ? nil : earliest
  }
}
