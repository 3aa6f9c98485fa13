internal import OBISDecoder

// In-house documents of a frame, for the gate of a local grant: `place/state` with the quantities
// that are present and granted, and `place/value/{quantity}` with plain numbers.

extension GateBank {
  /// Publishes a frame in the house.
  mutating func emitState(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let gate = rows[index].gate
    begin(index)
    topic.append("/state")
    Self.writeHead(gate, snapshot, to: &payload)
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      id = Int(quantity.rawValue) + 1
      if quantity.channel > 0 {
        writeSubMeter(quantity, gate, snapshot)
      } else if let value = snapshot.value(of: quantity) {
        payload.append(",\"")
        quantity.writeKey(to: &payload)
        payload.append("\":")
        Self.write(value, of: quantity, .init(quantity, .g0), gate, to: &payload)
      }
    }
    payload.append("}")
    send(index, at: time, emit)
    if gate.publishesValues { emitValues(index, snapshot, at: time, emit) }
  }

  /// The meter in use of each medium has the plain key; where there are several, each has its own.
  private mutating func writeSubMeter(
    _ quantity: Quantity, _ gate: CompiledGate, _ snapshot: borrowing Snapshot
  ) {
    guard let value = snapshot.value(of: quantity) else { return }
    if snapshot.standing(for: quantity) == quantity {
      payload.append(",\"")
      quantity.writeKey(to: &payload)
      payload.append("\":")
      Self.write(value, of: quantity, .register, gate, to: &payload)
    }
    guard snapshot.hasSeveral(like: quantity) else { return }
    payload.append(",\"")
    quantity.writeKey(.channel, to: &payload)
    payload.append("\":")
    Self.write(value, of: quantity, .register, gate, to: &payload)
  }

  /// Tells the house that a meter has gone silent: a state without any value.
  ///
  /// `snapshot` is the last frame of that meter; its times and number are named, its values are not.
  public mutating func emitStale(
    _ snapshot: borrowing Snapshot, at now: Int64, _ emit: (consuming Release) -> Void
  ) {
    for index in 0..<GateBank.capacity
    where isInstalled(index) && rows[index].gate.isInHouse
      && !rows[index].gate.isWindowed
      && rows[index].gate.source == snapshot.source
      && now < rows[index].gate.notAfter
    {
      begin(index)
      topic.append("/state")
      Self.writeHead(rows[index].gate, snapshot, isStale: true, to: &payload)
      payload.append("}")
      send(index, at: now, emit)
    }
  }

  private static func writeHead(
    _ gate: CompiledGate, _ snapshot: borrowing Snapshot, isStale: Bool = false,
    to out: inout ByteBuffer<4096>
  ) {
    out.append("{\"v\":1,\"seq\":")
    out.append(magnitude: snapshot.sequence, minimumDigits: 1)
    if isStale { out.append(",\"quality\":\"stale\"") }
    out.append(",\"meter_time\":")
    if let time = snapshot.meterTime, gate.allowed.contains(.meterTime) {
      out.append("\"")
      time.write(standardOffsetMinutes: snapshot.standardOffsetMinutes, to: &out)
      out.append("\"")
    } else {
      out.append("null")
    }
    out.append(",\"received_at\":\"")
    UTCTime.write(milliseconds: snapshot.receivedAt, to: &out)
    out.append("\"")
  }
}
