internal import OBISDecoder

// Windows of a gate: opening, collecting, closing. Windows of 10 s to an hour lie at multiples of
// their length since 1970 UTC; civil days lie between the starts that the bank was given.

extension GateBank {
  /// How long a closed window waits for the first value behind its end.
  func grace(_ index: Int) -> Int64 {
    min(Int64(gates[index].delay) + Int64(gates[index].phase), 60_000)
  }

  /// Opens the window around `time`, as the first one.
  mutating func open(_ index: Int, at time: Int64) {
    guard gates[index].isWindowed, let bounds = bounds(index, around: time) else { return }
    states[index].isOpen = true
    states[index].isFresh = true
    states[index].startedAt = time
    beginWindow(index, bounds)
  }

  private mutating func beginWindow(_ index: Int, _ bounds: (start: Int64, end: Int64)) {
    states[index].windowStart = bounds.start
    states[index].windowEnd = bounds.end
    states[index].covered = 0
    states[index].sampleCount = 0
  }

  private func bounds(_ index: Int, around time: Int64) -> (start: Int64, end: Int64)? {
    let length = Int64(gates[index].granularity.windowSeconds) * 1000
    if length > 0 {
      let start = UTCTime.floorDivide(time, length) * length
      return (start, start + length)
    }
    if gates[index].granularity == .g6 {
      for month in 0..<3 where monthStarts[month] <= time && time < monthStarts[month + 1] {
        return monthStarts[month + 1] == .max ? nil : (monthStarts[month], monthStarts[month + 1])
      }
      return nil
    }
    for day in 0..<7 where dayStarts[day] <= time && time < dayStarts[day + 1] {
      return dayStarts[day + 1] == .max ? nil : (dayStarts[day], dayStarts[day + 1])
    }
    return nil
  }

  /// Holds a gate: what it collected is dropped, and what happens meanwhile is never told.
  mutating func suspend(_ index: Int) {
    guard gates[index].isWindowed, states[index].isOpen || hasPending(index) else { return }
    let old = states[index]
    if old.pending.0.isUsed { counters[index].dropped &+= 1 }
    if old.pending.1.isUsed { counters[index].dropped &+= 1 }
    states[index] = GateState()
    states[index].isInstalled = true
    states[index].lastSent = old.lastSent
    for slot in 0..<GateBank.slotsPerGate { slots[index * GateBank.slotsPerGate + slot].restart() }
  }

  private func hasPending(_ index: Int) -> Bool {
    states[index].pending.0.isUsed || states[index].pending.1.isUsed
  }

  // MARK: - Collecting

  /// Adds a frame to a gate's windows.
  mutating func collect(_ index: Int, _ snapshot: borrowing Snapshot, at time: Int64) {
    if !states[index].isOpen { open(index, at: time) }
    guard states[index].isOpen else { return }
    if time >= states[index].windowEnd { roll(index, to: time, snapshot) }
    guard states[index].isOpen else { return }
    states[index].observe(at: time)
    let gate = gates[index]
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      add(quantity, to: slot, index, snapshot, at: time)
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
  }

  private mutating func add(
    _ quantity: Quantity, to slot: Int, _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64
  ) {
    let mode = SlotMode(quantity, gates[index].granularity)
    guard let value = Self.thousandths(of: quantity, mode, snapshot) else { return }
    let tolerance = toleranceAfter(index)
    switch mode {
    case .mean: slots[slot].add(value)
    case .lastHour:
      slots[slot].takeHour(
        value, at: time, tolerance: tolerance, step: Quantum.step(gates[index].quantum, quantity))
    case .last, .register, .interval, .sinceStart:
      if mode.isRegister, snapshot.totalsRestarted { slots[slot].isBroken = true }
      if slots[slot].waiting > 0 { complete(quantity, slot, index, value, mode, at: time) }
      // The first value soon behind the window's start stands for the value at the start.
      let start = states[index].windowStart
      slots[slot].take(
        value, at: time, isRegister: mode.isRegister,
        start: time - start <= tolerance ? start : time)
    }
  }

  /// Gives a closed window the register's value at its end, which has only now arrived.
  private mutating func complete(
    _ quantity: Quantity, _ slot: Int, _ index: Int, _ value: Int64, _ mode: SlotMode,
    at time: Int64
  ) {
    let parity = Int(slots[slot].waiting) - 1
    var pending = states[index].pending(parity)
    guard pending.isUsed else {
      slots[slot].waiting = 0
      return
    }
    let window = SlotWindow(
      start: pending.start, end: pending.end, isCovered: true,
      toleranceBefore: states[index].reach + 1000, toleranceAfter: toleranceAfter(index),
      candidateAt: time)
    let verdict = slots[slot].complete(
      mode, window, value: value, step: Quantum.step(gates[index].quantum, quantity))
    guard pending.quality == .ok else { return }
    if verdict == .bridged { pending.quality = .bridged }
    if verdict == .part { pending.quality = .part }
    states[index].setPending(pending, parity)
  }

  static func thousandths(
    of quantity: Quantity, _ mode: SlotMode, _ snapshot: borrowing Snapshot
  ) -> Int64? {
    guard let value = snapshot.value(of: quantity.measured) else { return nil }
    return Quantum.thousandths(value, floor: mode.isRegister)
  }

  private func toleranceAfter(_ index: Int) -> Int64 { max(states[index].reach, 30_000) }

  // MARK: - Closing

  /// Closes the open window, whose end has passed, and opens the one around `time`.
  mutating func roll(_ index: Int, to time: Int64) {
    let empty = Snapshot()
    roll(index, to: time, empty, hasCandidate: false)
  }

  private mutating func roll(_ index: Int, to time: Int64, _ snapshot: borrowing Snapshot) {
    roll(index, to: time, snapshot, hasCandidate: true)
  }

  private mutating func roll(
    _ index: Int, to time: Int64, _ snapshot: borrowing Snapshot, hasCandidate: Bool
  ) {
    close(index, snapshot, candidateAt: hasCandidate ? time : nil)
    let end = states[index].windowEnd
    guard let next = bounds(index, around: time) else {
      states[index].isOpen = false
      return
    }
    // Whole windows in which nobody called, as after a sleep, are not told afterwards.
    if next.start > end { counters[index].dropped &+= 1 }
    states[index].isFresh = false
    beginWindow(index, next)
  }

  private mutating func close(
    _ index: Int, _ snapshot: borrowing Snapshot, candidateAt: Int64?
  ) {
    let gate = gates[index]
    states[index].cover(until: states[index].windowEnd)
    let state = states[index]
    let length = state.windowEnd - state.windowStart
    let isCovered = state.covered * 2 >= length
    let parity = state.parity
    let window = SlotWindow(
      start: state.windowStart, end: state.windowEnd, isCovered: isCovered,
      toleranceBefore: state.reach + 1000, toleranceAfter: toleranceAfter(index),
      candidateAt: candidateAt)
    var quality = isCovered ? GateState.Quality.ok : .gap
    if isCovered, state.isFresh, state.startedAt > state.windowStart { quality = .part }
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      let mode = SlotMode(quantity, gate.granularity)
      let candidate = candidateAt == nil ? nil : Self.thousandths(of: quantity, mode, snapshot)
      let verdict = slots[slot].close(
        mode, window, candidate: candidate, step: Quantum.step(gate.quantum, quantity),
        parity: parity)
      if quality == .ok {
        if verdict == .bridged { quality = .bridged }
        if verdict == .part { quality = .part }
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    if state.isFresh, !isCovered { return }
    if gate.granularity == .g1, state.sampleCount == 0 { return }
    if state.pending(parity).isUsed { counters[index].dropped &+= 1 }
    states[index].setPending(
      GateState.Pending(
        start: state.windowStart, end: state.windowEnd,
        due: state.windowEnd + Int64(gate.delay) + Int64(gate.phase), quality: quality,
        isUsed: true), parity)
    states[index].parity = 1 - parity
  }
}
