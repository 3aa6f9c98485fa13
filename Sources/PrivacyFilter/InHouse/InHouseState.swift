internal import OBISDecoder

// In-house documents of a frame, for the gate of a local grant: `place/state` with the quantities
// that are present and granted, and `place/value/{quantity}` with plain numbers.

extension GateBank {
  /// Publishes a frame in the house.
  mutating func emitState(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let gate = gates[index]
    var release = makeInHouse(index, at: time)
    release.topic.append("/state")
    Self.writeHead(gate, snapshot, to: &release.payload)
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      id = Int(quantity.rawValue) + 1
      if quantity.channel > 0 {
        writeSubMeter(quantity, gate, snapshot, to: &release.payload)
      } else if let value = snapshot.value(of: quantity) {
        release.payload.append(",\"")
        quantity.writeKey(to: &release.payload)
        release.payload.append("\":")
        Self.write(value, of: quantity, .init(quantity, .g0), gate, to: &release.payload)
      }
    }
    release.payload.append("}")
    finish(index, release, at: time, emit)
    if gate.publishesValues { emitValues(index, snapshot, at: time, emit) }
  }

  /// The meter in use of each medium has the plain key; where there are several, each has its own.
  private func writeSubMeter(
    _ quantity: Quantity, _ gate: CompiledGate, _ snapshot: borrowing Snapshot,
    to out: inout ByteBuffer<4096>
  ) {
    guard let value = snapshot.value(of: quantity) else { return }
    if snapshot.standing(for: quantity) == quantity {
      out.append(",\"")
      quantity.writeKey(to: &out)
      out.append("\":")
      Self.write(value, of: quantity, .register, gate, to: &out)
    }
    guard snapshot.hasSeveral(like: quantity) else { return }
    out.append(",\"")
    quantity.writeKey(.channel, to: &out)
    out.append("\":")
    Self.write(value, of: quantity, .register, gate, to: &out)
  }

  private mutating func emitValues(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let gate = gates[index]
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      id = Int(quantity.rawValue) + 1
      guard let value = snapshot.value(of: quantity),
        snapshot.standing(for: quantity) == quantity
      else { continue }
      var release = makeInHouse(index, at: time)
      release.topic.append("/value/")
      release.topic.append(quantity.name)
      Self.write(value, of: quantity, .init(quantity, .g0), gate, to: &release.payload)
      finish(index, release, at: time, emit)
    }
  }

  /// Tells the house that a meter has gone silent: a state without any value.
  ///
  /// `snapshot` is the last frame of that meter; its times and number are named, its values are not.
  public mutating func emitStale(
    _ snapshot: borrowing Snapshot, at now: Int64, _ emit: (consuming Release) -> Void
  ) {
    for index in 0..<GateBank.capacity
    where states[index].isInstalled && gates[index].isInHouse && !gates[index].isWindowed
      && gates[index].source == snapshot.source && now < gates[index].notAfter
    {
      var release = makeInHouse(index, at: now)
      release.topic.append("/state")
      Self.writeHead(gates[index], snapshot, isStale: true, to: &release.payload)
      release.payload.append("}")
      finish(index, release, at: now, emit)
    }
  }

  private func makeInHouse(_ index: Int, at time: Int64) -> Release {
    let gate = gates[index]
    let release = Release(
      kind: .data, gateIndex: UInt8(index), epoch: epochs[index], connection: gate.connection,
      qos: gate.qos, retain: gate.retain, expirySeconds: 0, isExternal: false)
    return Self.placed(release, gate)
  }

  private static func placed(_ release: consuming Release, _ gate: CompiledGate) -> Release {
    var result = release
    gate.place.write(to: &result.topic)
    return result
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
