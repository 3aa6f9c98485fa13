internal import OBISDecoder

/// How a grant has ended, as its recipient is told: without any reason.
public enum EndOfGrant: UInt8, Sendable, BitwiseCopyable {
  case withdrawn, objected, expired, paused, restricted, replaced

  /// The word in the notice.
  public var name: StaticString {
    switch self {
    case .withdrawn: "withdrawn"
    case .objected: "objected"
    case .expired: "expired"
    case .paused: "paused"
    case .restricted: "restricted"
    case .replaced: "replaced"
    }
  }
}

/// Messages about a gate that has ended: clearing what the broker kept, and the recipient's notice.
///
/// Take it from the gate before `GateBank.stop`; the messages carry no measured value.
public struct GateEpilogue: Sendable, BitwiseCopyable {
  private let gate: CompiledGate

  /// Makes the epilogue of a gate.
  public init(_ gate: CompiledGate) { self.gate = gate }

  /// Removes the data message that the broker kept; nil if the grant keeps none.
  public func dataClear() -> Release? {
    guard gate.retain else { return nil }
    var draft = make(.clear, retain: true)
    draft.topic.append("/")
    draft.topic.append(gate.isInHouse && !gate.isWindowed ? "state" : gate.granularity.stream)
    return draft.release()
  }

  /// Removes a retained plain value of an in-house gate; nil if none was published.
  public func valueClear(of quantity: Quantity) -> Release? {
    guard gate.retain, gate.publishesValues, gate.allowed.contains(quantity) else { return nil }
    var draft = make(.clear, retain: true)
    draft.topic.append("/value/")
    draft.topic.append(quantity.name)
    // A topic that is too long was never published on.
    return draft.topic.overflowed ? nil : draft.release()
  }

  /// Removes a retained status message: an earlier notice, or the meter's status in the house.
  public func statusClear() -> Release {
    var draft = make(.clear, retain: true)
    draft.topic.append("/status")
    return draft.release()
  }

  /// Tells the recipient that the grant has ended: `{place}/status`, not retained.
  public func notice(receipt: FixedText<36>, _ end: EndOfGrant, at now: Int64) -> Release {
    var draft = make(.notice, retain: false)
    draft.topic.append("/status")
    draft.payload.append("{\"v\":1,\"grant\":\"")
    receipt.write(to: &draft.payload)
    draft.payload.append("\",\"state\":\"")
    draft.payload.append(end.name)
    draft.payload.append("\",\"at\":\"")
    UTCTime.write(seconds: UTCTime.floorDivide(now, 1000), to: &draft.payload)
    draft.payload.append("\"}")
    return draft.release()
  }

  private func make(_ kind: Release.Kind, retain: Bool) -> Draft {
    var draft = Draft(
      Delivery(
        kind: kind, connection: gate.connection, qos: 1,
        retain: retain, isExternal: !gate.isInHouse))
    gate.place.write(to: &draft.topic)
    return draft
  }
}

#if !hasFeature(Embedded)
  extension Release {
    /// Removes what a broker keeps on a topic that an earlier release was retained on.
    ///
    /// Nil if the topic is empty or longer than `topicBytes`. The message is empty: it carries nothing.
    public static func clear(topic: String, connection: UInt8) -> Release? {
      var draft = Draft(
        Delivery(
          kind: .clear, connection: connection, qos: 1, retain: true,
          isExternal: false))
      guard !topic.isEmpty else { return nil }
      for byte in topic.utf8 { draft.topic.append(byte) }
      if draft.topic.overflowed { return nil }
      return draft.release()
    }
  }

  extension CompiledGate {
    /// The first levels of its topics, up to the stream, as text.
    public var topicText: String { place.string }
  }
#endif
