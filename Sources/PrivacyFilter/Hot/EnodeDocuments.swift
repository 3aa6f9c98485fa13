internal import OBISDecoder

// Documents in the shape of Enode's `Meter` and of its webhooks (ev-charging.md §7.7): three more
// messages of a gate, made of the same window as its own stream, rounded and delayed as that is. No
// place, maker, model or number of a meter is ever filled in.

/// Who a gate's meter is in Enode's shape; not in use unless the household has asked for it.
struct EnodeIdentity: BitwiseCopyable {
  /// The meter's id: a UUID made under a key, as pseudonyms are, never from the meter.
  var meter = InlineArray<16, UInt8>(repeating: 0)
  /// The name that the household gave itself there; empty where it wants no such documents.
  var user = FixedText<16>()

  /// Whether the gate makes such documents.
  var isUsed: Bool { !user.isEmpty }

  /// Writes the id as text.
  func writeMeter(to out: inout ByteBuffer<4096>) {
    for index in 0..<16 {
      if index == 4 || index == 6 || index == 8 || index == 10 { out.append("-") }
      Self.writeDigit(meter[index] >> 4, to: &out)
      Self.writeDigit(meter[index] & 15, to: &out)
    }
  }

  private static func writeDigit(_ value: UInt8, to out: inout ByteBuffer<4096>) {
    out.append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
  }
}

/// What a gate's last documents in Enode's shape said, which the next ones are compared with.
struct EnodeState: BitwiseCopyable {
  /// How often a heartbeat says that nothing waits, in milliseconds.
  static let beatMilliseconds: Int64 = 300_000

  /// Whether the recipient has heard of the meter.
  var isKnown = false
  var isReachable = false
  /// Power in thousandths of a watt; nil while it is not known.
  var power: Int64?
  /// Start of the last window with a known power; nil before the first.
  var updatedAt: Int64?
  /// End of the last window in which the meter was heard, not the instant of a frame.
  var seenAt: Int64?
  /// When the next heartbeat is due; 0 while none is.
  var beatAt: Int64 = 0
  /// The hour that is being put together of its windows, and how many it has.
  var hourStart: Int64 = 0
  var hourWindows: Int64 = 0
  var hourImport: Int64?
  var hourExport: Int64?
}

/// An event of Enode's webhooks.
// With raw values, as a plain enumeration would bring a hasher and its random seed.
private enum EnodeEvent: UInt8 {
  case discovered, updated, deleted

  var name: StaticString {
    switch self {
    case .discovered: "user:meter:discovered"
    case .updated: "user:meter:updated"
    case .deleted: "user:meter:deleted"
    }
  }
}

/// Writes the documents.
private enum EnodeText {
  /// The API version whose shape it is.
  static let version: StaticString = "2024-10-01"

  static func writeTime(_ time: Int64?, to out: inout ByteBuffer<4096>) {
    guard let time else { return out.append("null") }
    out.append("\"")
    UTCTime.write(seconds: UTCTime.floorDivide(time, 1000), to: &out)
    out.append("\"")
  }

  /// Appends thousandths of a unit as thousands of it: kW of mW, kWh of mWh.
  static func writeKilo(_ thousandths: Int64?, to out: inout ByteBuffer<4096>) {
    guard let thousandths else { return out.append("null") }
    Decimal(mantissa: thousandths, exponent: Quantum.exponent - 3).write(to: &out)
  }

  static func writeMeter(
    _ identity: EnodeIdentity, _ state: EnodeState, to out: inout ByteBuffer<4096>
  ) {
    out.append("{\"id\":\"")
    identity.writeMeter(to: &out)
    out.append("\",\"userId\":\"")
    identity.user.write(to: &out)
    out.append("\",\"vendor\":\"LOCAL_HAN\",\"lastSeen\":")
    writeTime(state.seenAt, to: &out)
    out.append(",\"isReachable\":")
    out.append(state.isReachable ? "true" : "false")
    out.append(",\"information\":{\"brand\":null,\"model\":null,\"siteName\":null}")
    out.append(",\"energyState\":{\"power\":")
    writeKilo(state.power, to: &out)
    out.append(",\"lastUpdated\":")
    writeTime(state.updatedAt, to: &out)
    out.append("},\"location\":{\"id\":null,\"latitude\":null,\"longitude\":null")
    out.append(",\"lastUpdated\":null},\"scopes\":[\"meter:read:data\"]}")
  }

  /// Appends what every event begins with.
  static func begin(_ name: StaticString, at now: Int64, to out: inout ByteBuffer<4096>) {
    out.append("[{\"event\":\"")
    out.append(name)
    out.append("\",\"createdAt\":")
    writeTime(now, to: &out)
    out.append(",\"version\":\"")
    out.append(version)
    out.append("\"")
  }

  static func writeEvent(
    _ event: EnodeEvent, _ identity: EnodeIdentity, _ state: EnodeState, since old: EnodeState,
    at now: Int64, to out: inout ByteBuffer<4096>
  ) {
    begin(event.name, at: now, to: &out)
    out.append(",\"user\":{\"id\":\"")
    identity.user.write(to: &out)
    out.append("\"},\"meter\":")
    writeMeter(identity, state, to: &out)
    out.append(",\"updatedFields\":[")
    if event == .updated { writeChanges(from: old, to: state, &out) }
    out.append("]}]")
  }

  private static func writeChanges(
    from old: EnodeState, to new: EnodeState, _ out: inout ByteBuffer<4096>
  ) {
    var isFirst = true
    func note(_ field: StaticString, _ hasChanged: Bool, _ out: inout ByteBuffer<4096>) {
      guard hasChanged else { return }
      out.append(isFirst ? "\"" : ",\"")
      out.append(field)
      out.append("\"")
      isFirst = false
    }
    note("isReachable", old.isReachable != new.isReachable, &out)
    note("lastSeen", old.seenAt != new.seenAt, &out)
    note("energyState.power", old.power != new.power, &out)
    note("energyState.lastUpdated", old.updatedAt != new.updatedAt, &out)
  }
}

extension GateBank {
  /// Publishes a closed window in Enode's shape: the meter, the event if anything changed, and the
  /// hour that it completes.
  mutating func emitEnode(
    _ index: Int, _ window: GateState.Pending, _ parity: Int, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let identity = rows[index].gate.enode
    guard identity.isUsed else { return }
    let old = rows[index].enode
    var new = old
    new.isReachable = window.quality != .gap
    new.power = new.isReachable ? netPower(index, parity) : nil
    if new.isReachable { new.seenAt = window.end }
    if new.power != nil { new.updatedAt = window.start }
    new.isKnown = true
    rows[index].enode = new

    begin(index)
    topic.append("/enode/meter")
    EnodeText.writeMeter(identity, new, to: &payload)
    send(index, at: time, isKept: false, emit)

    // As with Enode: nothing has changed, nothing is said.
    let hasChanged =
      old.isReachable != new.isReachable || old.power != new.power || old.seenAt != new.seenAt
    if !old.isKnown || hasChanged {
      begin(index)
      topic.append("/enode/events")
      EnodeText.writeEvent(
        old.isKnown ? .updated : .discovered, identity, new, since: old, at: time, to: &payload)
      send(index, at: time, isKept: false, emit)
    }
    addToHour(index, window, parity)
    emitHour(index, window, at: time, emit)
  }

  /// Import less export, in thousandths of a watt; a meter that sends no export is taken to import.
  private mutating func netPower(_ index: Int, _ parity: Int) -> Int64? {
    guard let imported = result(of: .activePowerImport, index, parity) else { return nil }
    guard let exported = result(of: .activePowerExport, index, parity) else { return imported }
    let (net, overflow) = imported.subtractingReportingOverflow(exported)
    return overflow ? nil : net
  }

  private mutating func result(of wanted: Quantity, _ index: Int, _ parity: Int) -> Int64? {
    let allowed = rows[index].gate.allowed
    guard allowed.contains(wanted) else { return nil }
    var slot = index * GateBank.slotsPerGate
    var id = 0
    while let quantity = allowed.next(from: id), quantity != wanted {
      slot += 1
      id = Int(quantity.rawValue) + 1
    }
    return results[slot].value(parity)
  }

  // MARK: - Hours

  private mutating func addToHour(_ index: Int, _ window: GateState.Pending, _ parity: Int) {
    let start = UTCTime.floorDivide(window.start, 3_600_000) * 3_600_000
    let imported = result(of: .intervalImport, index, parity)
    let exported = result(of: .intervalExport, index, parity)
    var state = rows[index].enode
    if start != state.hourStart || state.hourWindows == 0 {
      state.hourStart = start
      state.hourWindows = 1
      state.hourImport = imported
      state.hourExport = exported
    } else {
      state.hourWindows += 1
      state.hourImport = Self.sum(state.hourImport, imported)
      state.hourExport = Self.sum(state.hourExport, exported)
    }
    rows[index].enode = state
  }

  /// A sum of which a part is not known is not known.
  private static func sum(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left, let right else { return nil }
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? nil : sum
  }

  /// Publishes the hour if `window` was the last of all its windows; one that was joined late is not
  /// told.
  private mutating func emitHour(
    _ index: Int, _ window: GateState.Pending, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let state = rows[index].enode
    let length = window.end - window.start
    guard length > 0, window.end == state.hourStart + 3_600_000,
      state.hourWindows * length == 3_600_000
    else { return }
    let allowed = rows[index].gate.allowed
    let hasImport = allowed.contains(.intervalImport)
    let hasExport = allowed.contains(.intervalExport)
    guard hasImport || hasExport else { return }
    begin(index)
    topic.append("/enode/hour")
    payload.append("{\"v\":1,\"start\":")
    EnodeText.writeTime(state.hourStart, to: &payload)
    payload.append(",\"end\":")
    EnodeText.writeTime(window.end, to: &payload)
    if hasImport {
      payload.append(",\"import_kwh\":")
      EnodeText.writeKilo(state.hourImport, to: &payload)
    }
    if hasExport {
      payload.append(",\"export_kwh\":")
      EnodeText.writeKilo(state.hourExport, to: &payload)
    }
    payload.append("}")
    send(index, at: time, isKept: false, emit)
  }

  // MARK: - Heartbeat

  /// Says that nothing waits, if it is time to; the first comes 300 s after the gate has begun.
  mutating func beat(_ index: Int, at time: Int64, _ emit: (consuming Release) -> Void) {
    guard rows[index].gate.enode.isUsed, time >= rows[index].enode.beatAt else { return }
    let isDue = rows[index].enode.beatAt > 0
    rows[index].enode.beatAt = time + EnodeState.beatMilliseconds
    guard isDue else { return }
    begin(index)
    topic.append("/enode/events")
    EnodeText.begin("system:heartbeat", at: time, to: &payload)
    payload.append(",\"pendingEvents\":0}]")
    send(index, at: time, isKept: false, emit)
  }
}

extension GateEpilogue {
  /// Tells who reads Enode's events that the meter is gone for good; nil unless the gate told them.
  public func deletion(at now: Int64) -> Release? {
    guard gate.enode.isUsed else { return nil }
    var draft = Draft(
      Delivery(
        kind: .notice, connection: gate.connection, qos: 1, retain: false,
        isExternal: !gate.isInHouse))
    gate.place.write(to: &draft.topic)
    draft.topic.append("/enode/events")
    let nothing = EnodeState()
    EnodeText.writeEvent(
      .deleted, gate.enode, nothing, since: nothing, at: now, to: &draft.payload)
    return draft.release()
  }
}
