internal import OBISDecoder

/// How a grant has ended, as its recipient is told: without any reason.
public enum EndOfGrant: UInt8, Sendable, BitwiseCopyable {
  case withdrawn, objected, expired, paused, restricted, replaced, suspended, superseded, revoked
  case invalidated

  /// Whether nothing comes under the same names any more.
  public var isFinal: Bool {
    switch self {
    case .paused, .restricted, .suspended: false
    case .withdrawn, .objected, .expired, .replaced, .superseded, .revoked, .invalidated: true
    }
  }

  /// The word in the notice.
  public var name: StaticString {
    switch self {
    case .withdrawn: "withdrawn"
    case .objected: "objected"
    case .expired: "expired"
    case .paused: "paused"
    case .restricted: "restricted"
    case .replaced: "replaced"
    case .suspended: "suspended"
    case .superseded: "superseded"
    case .revoked: "revoked"
    case .invalidated: "invalidated"
    }
  }
}

/// What a recipient is told when its gate has ended.
///
/// Take it from the gate before `GateBank.stop`; the message carries no measured value.
public struct GateEpilogue: Sendable, BitwiseCopyable {
  let gate: CompiledGate

  /// Makes the epilogue of a gate.
  public init(_ gate: CompiledGate) { self.gate = gate }

  /// Tells the recipient that the grant has ended: `{place}/status`, not retained.
  public func notice(receipt: FixedText<36>, _ end: EndOfGrant, at now: Int64) -> Release {
    var draft = Draft(
      Delivery(
        kind: .notice, connection: gate.connection, qos: 1, retain: false,
        isExternal: !gate.isInHouse))
    gate.place.write(to: &draft.topic)
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
