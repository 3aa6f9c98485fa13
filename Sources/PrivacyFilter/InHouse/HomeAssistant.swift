internal import OBISDecoder

/// Home Assistant's discovery documents for the gate of an in-house grant, one for each quantity.
///
/// Ids come from the pseudonym only, texts from the registry only. Source: Home Assistant, MQTT
/// integration, "MQTT discovery" and "MQTT sensor".
public struct HomeAssistant: Sendable, BitwiseCopyable {
  let place: InHousePlace
  let prefix: FixedText<32>

  /// The document that announces a quantity, retained at `{prefix}/sensor/{pseudonym}_{quantity}/config`.
  ///
  /// Nil if `gate` is not an in-house gate that lets the quantity through. `expireAfterSeconds` is
  /// how long a value holds without a new message.
  public func announcement(
    of quantity: Quantity, for gate: CompiledGate, expireAfterSeconds: UInt32
  ) -> Release? {
    guard gate.isInHouse, gate.allowed.contains(quantity), quantity.isKnown,
      quantity != .meterTime
    else { return nil }
    var draft = make(quantity, gate)
    write(quantity, gate, expireAfterSeconds, to: &draft.payload)
    return draft.release()
  }

  private func make(
    _ quantity: Quantity, _ gate: CompiledGate
  ) -> Draft {
    var draft = Draft(
      Delivery(
        kind: .discovery, connection: gate.connection, qos: 1,
        retain: true, isExternal: false))
    prefix.write(to: &draft.topic)
    draft.topic.append("/sensor/")
    writeID(quantity, gate, to: &draft.topic)
    draft.topic.append("/config")
    return draft
  }

  private func writeID<let size: Int>(
    _ quantity: Quantity, _ gate: CompiledGate, to out: inout ByteBuffer<size>
  ) {
    gate.pseudonym.write(to: &out)
    out.append("_")
    out.append(quantity.name)
  }

  private func write(
    _ quantity: Quantity, _ gate: CompiledGate, _ expireAfterSeconds: UInt32,
    to out: inout ByteBuffer<4096>
  ) {
    out.append("{\"name\":\"")
    writeName(quantity, to: &out)
    out.append("\",\"unique_id\":\"")
    writeID(quantity, gate, to: &out)
    out.append("\",\"state_topic\":\"")
    gate.place.write(to: &out)
    out.append("/")
    out.append(gate.isWindowed ? gate.granularity.stream : "state")
    out.append("\",\"value_template\":\"{{ value_json.")
    quantity.writeKey(to: &out)
    out.append(" | default('') }}\"")
    writeClasses(quantity, to: &out)
    writeAvailability(to: &out)
    if expireAfterSeconds > 0 {
      out.append(",\"expire_after\":")
      out.append(integer: Int64(expireAfterSeconds))
    }
    out.append(",\"device\":{\"identifiers\":[\"")
    gate.pseudonym.write(to: &out)
    out.append("\"],\"name\":\"")
    place.meter.write(to: &out)
    out.append("\"}}")
  }

  private func writeClasses(_ quantity: Quantity, to out: inout ByteBuffer<4096>) {
    writeText("unit_of_measurement", quantity.homeAssistantUnit, to: &out)
    writeText("device_class", quantity.deviceClass, to: &out)
    writeText("state_class", quantity.stateClass, to: &out)
  }

  private func writeText(
    _ key: StaticString, _ value: StaticString, to out: inout ByteBuffer<4096>
  ) {
    guard value.utf8CodeUnitCount > 0 else { return }
    out.append(",\"")
    out.append(key)
    out.append("\":\"")
    out.append(value)
    out.append("\"")
  }

  private func writeAvailability(to out: inout ByteBuffer<4096>) {
    out.append(",\"availability_mode\":\"all\",\"availability\":[{\"topic\":\"")
    place.root.write(to: &out)
    out.append("/status\"},{\"topic\":\"")
    place.root.write(to: &out)
    out.append("/")
    place.meter.write(to: &out)
    out.append("/status\"}]")
  }

  /// The quantity's name as a person reads it: `Active power import L1`.
  private func writeName(_ quantity: Quantity, to out: inout ByteBuffer<4096>) {
    let name = quantity.name
    let start = unsafe name.utf8Start
    let count = name.utf8CodeUnitCount
    for index in 0..<count {
      let byte = unsafe start[index]
      let isPhase =
        byte == UInt8(ascii: "l") && index + 2 == count
        && (unsafe start[index + 1]) <= UInt8(ascii: "9")
      if byte == UInt8(ascii: "_") {
        out.append(UInt8(ascii: " "))
      } else {
        out.append(index == 0 || isPhase ? byte & 0xDF : byte)
      }
    }
  }
}
