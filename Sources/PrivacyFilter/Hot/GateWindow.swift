internal import OBISDecoder

// Windows of a gate: opening, collecting, closing. Windows of 10 s to an hour lie at multiples of
// their length since 1970 UTC; civil days lie between the starts that the bank was given.

extension GateBank {
  /// How long a closed window waits for the first value behind its end.
  mutating func grace(_ index: Int) -> Int64 {
    min(
      Int64(rows[index].gate.delay) + Int64(rows[index].gate.phase), 60_000)
  }

  /// Opens the window around `time`, as the first one.
  mutating func open(_ index: Int, at time: Int64) {
    guard rows[index].gate.isWindowed, let bounds = bounds(index, around: time) else {
      return
    }
    rows[index].state.isOpen = true
    rows[index].state.isFresh = true
    rows[index].state.startedAt = time
    beginWindow(index, bounds)
  }

  private mutating func beginWindow(_ index: Int, _ bounds: (start: Int64, end: Int64)) {
    rows[index].state.windowStart = bounds.start
    rows[index].state.windowEnd = bounds.end
    rows[index].state.covered = 0
    rows[index].state.sampleCount = 0
  }

  private mutating func bounds(_ index: Int, around time: Int64) -> (start: Int64, end: Int64)? {
    let length = Int64(rows[index].gate.granularity.windowSeconds) * 1000
    if length > 0 {
      let start = UTCTime.floorDivide(time, length) * length
      return (start, start + length)
    }
    if rows[index].gate.granularity == .g6 {
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
    rows[index].enode.beatAt = 0
    rows[index].enode.hourWindows = 0
    guard rows[index].gate.isWindowed,
      rows[index].state.isOpen || hasPending(index)
    else { return }
    let old = rows[index].state
    if old.pending.0.isUsed { rows[index].counters.dropped &+= 1 }
    if old.pending.1.isUsed { rows[index].counters.dropped &+= 1 }
    rows[index].state = GateState()
    rows[index].state.lastSent = old.lastSent
    let first = index * GateBank.slotsPerGate
    for slot in first..<first + GateBank.slotsPerGate { slots[slot].restart() }
  }

  private mutating func hasPending(_ index: Int) -> Bool {
    rows[index].state.pending.0.isUsed || rows[index].state.pending.1.isUsed
  }

  // MARK: - Collecting

  /// Adds a frame to a gate's windows.
  ///
  /// `values` are the thousandths of `snapshot`.
  mutating func collect(
    _ index: Int, _ snapshot: borrowing Snapshot, _ values: Span<Int64>, at time: Int64
  ) {
    if !rows[index].state.isOpen { open(index, at: time) }
    if rows[index].state.isOpen, time >= rows[index].state.windowEnd {
      roll(index, to: time, snapshot)
    }
    guard rows[index].state.isOpen else { return }
    rows[index].state.observe(at: time)
    if snapshot.totalsRestarted { breakRegisters(index, snapshot) }
    if rows[index].state.isWaiting { completeWaiting(index, snapshot, at: time) }
    let tolerance = toleranceAfter(index)
    // The first value soon behind the window's start stands for the value at the start.
    let start = rows[index].state.windowStart
    let sample = SlotSample(
      time: time, start: time - start <= tolerance ? start : time, tolerance: tolerance,
      quantum: rows[index].gate.quantum)
    add(values, of: snapshot.countable, index, sample)
  }

  /// Gives every slot its value of the frame, where there is one.
  private mutating func add(
    _ values: Span<Int64>, of countable: QuantitySet, _ index: Int, _ sample: SlotSample
  ) {
    let allowed = rows[index].gate.allowed
    let averaged = rows[index].averaged
    var slot = index * GateBank.slotsPerGate
    for word in 0..<4 {
      var bits = allowed.word(word)
      let known = countable.word(word)
      let means = averaged.word(word)
      while bits != 0 {
        let bit = bits & (0 &- bits)
        if known & bit != 0 {
          let value = values[word * 64 + bits.trailingZeroBitCount]
          if means & bit != 0 { slots[slot].add(value) } else { slots[slot].take(value, sample) }
        }
        slot += 1
        bits &= bits &- 1
      }
    }
  }

  /// Totals began anew: what grew over this frame is not known.
  private mutating func breakRegisters(_ index: Int, _ snapshot: borrowing Snapshot) {
    let allowed = rows[index].gate.allowed
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = allowed.next(from: id) {
      let mode = slots[slot].mode
      if mode.isRegister, mode != .lastHour, snapshot.countable.contains(quantity) {
        slots[slot].isBroken = true
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
  }

  /// Gives the closed windows the register's value at their end where it has only now arrived.
  private mutating func completeWaiting(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64
  ) {
    let allowed = rows[index].gate.allowed
    var isWaiting = false
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = allowed.next(from: id) {
      if slots[slot].waiting > 0 {
        if let value = snapshot.thousandths(of: quantity) {
          complete(quantity, slot, index, value, at: time)
        } else {
          isWaiting = true
        }
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    rows[index].state.isWaiting = isWaiting
  }

  private mutating func complete(
    _ quantity: Quantity, _ slot: Int, _ index: Int, _ value: Int64, at time: Int64
  ) {
    let parity = Int(slots[slot].waiting) - 1
    var pending = rows[index].state.pending(parity)
    guard pending.isUsed else {
      slots[slot].waiting = 0
      return
    }
    let window = SlotWindow(
      start: pending.start, end: pending.end, isCovered: true,
      toleranceBefore: rows[index].state.reach + 1000,
      toleranceAfter: toleranceAfter(index),
      candidateAt: time)
    let verdict = slots[slot].complete(
      window, value: value, step: Quantum.step(rows[index].gate.quantum, quantity),
      into: &results[slot])
    guard pending.quality == .ok else { return }
    if verdict == .bridged { pending.quality = .bridged }
    if verdict == .part { pending.quality = .part }
    rows[index].state.setPending(pending, parity)
  }

  private mutating func toleranceAfter(_ index: Int) -> Int64 {
    max(rows[index].state.reach, 30_000)
  }

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
    let end = rows[index].state.windowEnd
    guard let next = bounds(index, around: time) else {
      rows[index].state.isOpen = false
      return
    }
    // Whole windows in which nobody called, as after a sleep, are not told afterwards.
    if next.start > end { rows[index].counters.dropped &+= 1 }
    rows[index].state.isFresh = false
    beginWindow(index, next)
  }

  private mutating func close(
    _ index: Int, _ snapshot: borrowing Snapshot, candidateAt: Int64?
  ) {
    let gate = rows[index].gate
    rows[index].state.cover(until: rows[index].state.windowEnd)
    let state = rows[index].state
    let length = state.windowEnd - state.windowStart
    let isCovered = state.covered * 2 >= length
    let parity = state.parity
    let window = SlotWindow(
      start: state.windowStart, end: state.windowEnd, isCovered: isCovered,
      toleranceBefore: state.reach + 1000, toleranceAfter: toleranceAfter(index),
      candidateAt: candidateAt)
    var quality = isCovered ? GateState.Quality.ok : .gap
    if isCovered, state.isFresh, state.startedAt > state.windowStart { quality = .part }
    var isWaiting = state.isWaiting
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      let candidate = candidateAt == nil ? nil : snapshot.thousandths(of: quantity)
      let verdict = slots[slot].close(
        window, candidate: candidate, step: Quantum.step(gate.quantum, quantity), parity: parity,
        into: &results[slot])
      if slots[slot].waiting > 0 { isWaiting = true }
      if quality == .ok {
        if verdict == .bridged { quality = .bridged }
        if verdict == .part { quality = .part }
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    rows[index].state.isWaiting = isWaiting
    if state.isFresh, !isCovered { return }
    if gate.granularity == .g1, state.sampleCount == 0 { return }
    if state.pending(parity).isUsed { rows[index].counters.dropped &+= 1 }
    rows[index].state.setPending(
      GateState.Pending(
        start: state.windowStart, end: state.windowEnd,
        due: state.windowEnd + Int64(gate.delay) + Int64(gate.phase), quality: quality,
        isUsed: true), parity)
    rows[index].state.parity = 1 - parity
  }
}
