public import PrivacyFilter

/// A message as it was sent.
public struct EgressSample: Equatable, Sendable {
  /// When, ms since 1970 UTC.
  public var at: Int64
  /// Its topic.
  public var topic: String
  /// Its payload.
  public var payload: String
}

/// The last messages of one grant as sent: in memory only, because they hold the meter's values.
///
/// Its storage is used again, so that a message costs a copy and no heap.
struct SampleRing {
  /// How many are kept (privacy design C11).
  static let count = 3

  private struct Slot {
    var at: Int64 = 0
    var topicCount = 0
    var bytes: [UInt8] = []
  }

  private var slots: [Slot] = []
  private var next = 0

  mutating func keep(_ topic: Span<UInt8>, _ payload: Span<UInt8>, at now: Int64) {
    if slots.count < Self.count {
      next = slots.count
      slots.append(Slot())
    }
    slots[next].at = now
    slots[next].topicCount = topic.count
    slots[next].bytes.removeAll(keepingCapacity: true)
    for index in topic.indices { slots[next].bytes.append(topic[index]) }
    for index in payload.indices { slots[next].bytes.append(payload[index]) }
    next = (next + 1) % Self.count
  }

  /// The messages, oldest first.
  var samples: [EgressSample] {
    let start = slots.count < Self.count ? 0 : next
    return slots.indices.map { index in
      let slot = slots[(start + index) % slots.count]
      return EgressSample(
        at: slot.at, topic: String(decoding: slot.bytes[..<slot.topicCount], as: UTF8.self),
        payload: String(decoding: slot.bytes[slot.topicCount...], as: UTF8.self))
    }
  }
}

extension ConsentStore {
  /// Keeps a message that left among the last of its grant, in memory only.
  public func keepSample(
    of id: UniqueID, topic: Span<UInt8>, payload: Span<UInt8>, at system: Int64
  ) {
    journal.samples[id, default: SampleRing()].keep(topic, payload, at: time(atLeast: system))
  }

  /// The last messages of a grant since the agent's start, oldest first; none once it has ended.
  public func samples(of id: UniqueID) -> [EgressSample] { journal.samples[id]?.samples ?? [] }
}
