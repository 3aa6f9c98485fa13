internal import OBISDecoder

// Payloads for recipients: the fields of the privacy design §C5 and no others. The keys of a grant
// are always the same, in the order of quantity ids, null where there is no value.

extension GateBank {
  /// Publishes the windows of a gate that are due.
  mutating func emitDue(_ index: Int, at time: Int64, _ emit: (consuming Release) -> Void) {
    let first = rows[index].state.pending.0
    let second = rows[index].state.pending.1
    guard first.isUsed && time >= first.due || second.isUsed && time >= second.due else { return }
    let isSwapped = first.isUsed && second.isUsed && second.start < first.start
    emitPending(index, isSwapped ? 1 : 0, at: time, emit)
    emitPending(index, isSwapped ? 0 : 1, at: time, emit)
  }

  private mutating func emitPending(
    _ index: Int, _ parity: Int, at time: Int64, _ emit: (consuming Release) -> Void
  ) {
    let window = rows[index].state.pending(parity)
    guard window.isUsed, time >= window.due else { return }
    rows[index].state.setPending(GateState.Pending(), parity)
    guard window.start > rows[index].state.lastSent else {
      rows[index].counters.dropped &+= 1
      return
    }
    rows[index].state.lastSent = window.start
    begin(index)
    topic.append("/")
    topic.append(rows[index].gate.granularity.stream)
    writeWindow(index, window, parity)
    send(index, at: time, emit)
    emitEnode(index, window, parity, at: time, emit)
  }

  private mutating func writeWindow(
    _ index: Int, _ window: GateState.Pending, _ parity: Int
  ) {
    let gate = rows[index].gate
    payload.append("{\"v\":1,")
    writeIdentifier(index)
    writeSpan(gate, window)
    if !gate.isAggregate {
      payload.append(",\"quality\":\"")
      payload.append(window.quality.name)
      payload.append("\"")
    }
    // In statistics nobody would see that a total is of less or more than its window.
    let isTold = !gate.isAggregate || window.quality == .ok
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      let mode = slots[slot].mode
      writeKey(quantity, mode)
      if isTold, let value = results[slot].value(parity) {
        Decimal(mantissa: value, exponent: Quantum.exponent).write(to: &payload)
      } else {
        payload.append("null")
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    payload.append("}")
  }

  /// The day, the month, or beginning and length of a window.
  private mutating func writeSpan(_ gate: CompiledGate, _ window: GateState.Pending) {
    // Local midnight plus twelve hours lies on the same date in UTC for every zone with a meter.
    let noon = (window.start / 1000) + 43_200
    switch gate.granularity {
    case .g5:
      payload.append("\"day\":\"")
      UTCTime.writeDate(seconds: noon, to: &payload)
      payload.append("\"")
    case .g6:
      payload.append("\"month\":\"")
      UTCTime.writeMonth(seconds: noon, to: &payload)
      payload.append("\"")
    case .g0, .g1, .g2, .g3, .g4:
      payload.append("\"time\":\"")
      writeTime(gate, window.start)
      payload.append("\",\"window_s\":")
      payload.append(integer: (window.end - window.start) / 1000)
    }
  }

  /// The identifier that the grant names, `null` until the meter has sent it.
  private mutating func writeIdentifier(_ index: Int) {
    guard rows[index].gate.identifier != .none else { return }
    payload.append("\"")
    payload.append(rows[index].gate.identifier.key)
    payload.append("\":")
    if identifiers[index].isEmpty {
      payload.append("null,")
    } else {
      payload.append("\"")
      identifiers[index].write(to: &payload)
      payload.append("\",")
    }
  }

  /// Publishes a frame as it came, for a recipient that was granted every frame.
  mutating func emitLive(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let gate = rows[index].gate
    guard time >= rows[index].state.lastSent else {
      rows[index].counters.dropped &+= 1
      return
    }
    rows[index].state.lastSent = time
    begin(index)
    topic.append("/")
    topic.append(gate.granularity.stream)
    payload.append("{\"v\":1,")
    writeIdentifier(index)
    payload.append("\"time\":\"")
    writeTime(gate, time)
    payload.append("\"")
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      let mode = SlotMode(quantity, gate.granularity)
      writeKey(quantity, mode)
      if mode == .sinceStart {
        writeSinceStart(quantity, slot, index, snapshot)
      } else if let value = snapshot.value(of: quantity.measured), mode != .lastHour {
        Self.write(value, of: quantity, mode, gate, to: &payload)
      } else {
        payload.append("null")
      }
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    payload.append("}")
    send(index, at: time, emit)
  }

  private mutating func writeSinceStart(
    _ quantity: Quantity, _ slot: Int, _ index: Int, _ snapshot: borrowing Snapshot
  ) {
    guard let value = snapshot.thousandths(of: quantity) else {
      payload.append("null")
      return
    }
    // A register that went back, as at a meter's exchange, counts on from what was counted.
    if slots[slot].hasBase,
      slots[slot].hasLast,
      value < slots[slot].last
        || snapshot.totalsRestarted
    {
      let (moved, overflow) = value.subtractingReportingOverflow(
        slots[slot].last
          &- slots[slot].base)
      slots[slot].base = overflow ? value : moved
    }
    slots[slot].take(
      value, at: 0, isRegister: true, start: 0)
    let step = Quantum.step(rows[index].gate.quantum, quantity)
    if let growth = Quantum.since(
      slots[slot].base, value, step: step)
    {
      Decimal(mantissa: growth, exponent: Quantum.exponent).write(to: &payload)
    } else {
      payload.append("null")
    }
  }

  private mutating func writeKey(_ quantity: Quantity, _ mode: SlotMode) {
    payload.append(",\"")
    quantity.writeKey(mode.keyForm, to: &payload)
    payload.append("\":")
  }

  /// Sub-meter times are rounded to the hour: the minute of capture would name the meter.
  private mutating func writeTime(_ gate: CompiledGate, _ time: Int64) {
    let seconds = UTCTime.floorDivide(time, 1000)
    let rounded = gate.channel > 0 ? UTCTime.floorDivide(seconds, 3600) * 3600 : seconds
    UTCTime.write(seconds: rounded, to: &payload)
  }

  // MARK: - Shared with the in-house documents

  /// Appends a value as sent, or rounded to the grant's quantum.
  static func write<let size: Int>(
    _ value: Decimal, of quantity: Quantity, _ mode: SlotMode, _ gate: CompiledGate,
    to out: inout ByteBuffer<size>
  ) {
    guard gate.quantum > 0 else {
      value.write(to: &out)
      return
    }
    let step = Quantum.step(gate.quantum, quantity)
    let exact = Quantum.thousandths(value, floor: mode.isRegister)
    let rounded: Int64?
    switch mode {
    case .mean: rounded = exact.flatMap { Quantum.mean(sum: $0, count: 1, step: step) }
    case .last: rounded = exact
    default: rounded = exact.flatMap { Quantum.floor($0, step: step) }
    }
    if let rounded {
      Decimal(mantissa: rounded, exponent: Quantum.exponent).write(to: &out)
    } else {
      out.append("null")
    }
  }

  /// Begins a release of a gate: its place as the topic, no payload yet.
  mutating func begin(_ index: Int) {
    topic.removeAll()
    payload.removeAll()
    rows[index].gate.place.write(to: &topic)
  }

  /// min(end of the grant − now, max(2 windows, 300 s)); none in the house.
  private func expirySeconds(_ gate: CompiledGate, at time: Int64) -> UInt32 {
    guard !gate.isInHouse else { return 0 }
    let window: Int64 =
      switch gate.granularity {
      case .g5: 90_000
      case .g6: 32 * 86_400
      case .g0, .g1, .g2, .g3, .g4: Int64(gate.granularity.windowSeconds)
      }
    let longest = max(2 * window, 300)
    let (rest, overflow) = gate.notAfter.subtractingReportingOverflow(time)
    let seconds = overflow || gate.notAfter == .max ? longest : min(rest / 1000, longest)
    return UInt32(clamping: max(seconds, 1))
  }

  /// Hands the release in hand on and counts it; drops and counts what did not fit.
  ///
  /// Where it may be kept, the grant says whether the broker does.
  mutating func send(
    _ index: Int, at time: Int64, isKept: Bool = true, _ emit: (consuming Release) -> Void
  ) {
    let gate = rows[index].gate
    let limit = gate.isInHouse ? Release.payloadBytes : Release.externalPayloadBytes
    guard !topic.overflowed, !payload.overflowed, payload.count <= limit else {
      rows[index].counters.dropped &+= 1
      return
    }
    rows[index].counters.noteReleased(payload.count, at: time)
    let delivery = Delivery(
      kind: .data, gateIndex: UInt8(index), epoch: epochs[index], connection: gate.connection,
      qos: gate.qos, retain: gate.retain && isKept,
      expirySeconds: expirySeconds(gate, at: time),
      isExternal: !gate.isInHouse)
    emit(Release(delivery, topic: topic, payload: payload))
  }
}
