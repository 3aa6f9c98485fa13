internal import PrivacyFilter

/// Messages that are worth keeping until the broker has them: retained ones, QoS 1 and 2, notices.
///
/// Bounded in number and bytes; at the limit the oldest goes and is counted. The order of sending is
/// the order of arrival, except that clears come first. It lies in memory only.
struct PublishQueue: ~Copyable {
  /// One message and what has become of it.
  struct Message {
    let kind: Release.Kind
    let gateIndex: UInt8
    let isExternal: Bool
    fileprivate(set) var qos: UInt8
    fileprivate(set) var isRetained: Bool
    /// When the broker is to forget it, in monotonic milliseconds; nil for never.
    let expiresAt: Int64?
    /// When it is of no more use here; at `expiresAt` at the latest.
    fileprivate let usefulUntil: Int64
    /// The id libmosquitto gave it; nil while it waits.
    fileprivate(set) var id: Int32?
    /// Topic, a zero byte, payload.
    let bytes: [UInt8]
    let topicCount: Int
  }

  /// Messages held at most: four minutes of one a second.
  static let messageLimit = 256
  /// Bytes held at most.
  static let byteLimit = 256 << 10

  private var messages: [Message] = []
  /// Bytes held.
  private(set) var byteCount = 0
  /// Messages handed over and not acknowledged.
  private(set) var inFlightCount = 0
  /// Messages that went because the queue was full.
  private(set) var droppedCount = 0
  /// Messages that went because they were too old.
  private(set) var expiredCount = 0
  /// The gates of those that went unsent since they were last asked for.
  private var lost: [UInt8] = []

  /// Messages held.
  var count: Int { messages.count }
  /// Whether nothing waits to be handed over.
  var isSettled: Bool { messages.count == inFlightCount }

  /// Keeps a message, for `milliseconds` at most.
  ///
  /// An older one of the same topic that waits is replaced if both are retained.
  mutating func append(
    _ release: borrowing Release, at now: Int64, forMilliseconds milliseconds: Int64 = .max
  ) {
    var bytes: [UInt8] = []
    let topicCount = release.topicCount
    bytes.reserveCapacity(topicCount + 1 + release.payloadCount)
    release.withTopic { topic in for index in topic.indices { bytes.append(topic[index]) } }
    bytes.append(0)
    release.withPayload { payload in
      for index in payload.indices { bytes.append(payload[index]) }
    }
    let expiresAt = release.expirySeconds == 0 ? nil : now + Int64(release.expirySeconds) * 1000
    let message = Message(
      kind: release.kind, gateIndex: release.gateIndex, isExternal: release.isExternal,
      qos: release.qos, isRetained: release.retain,
      expiresAt: expiresAt,
      usefulUntil: min(expiresAt ?? .max, milliseconds == .max ? .max : now + milliseconds),
      id: nil, bytes: bytes, topicCount: topicCount)
    if message.isRetained { removeWaiting(withTopicOf: message) }
    makeRoom(for: bytes.count)
    byteCount += bytes.count
    guard message.kind == .clear else { return messages.append(message) }
    // Behind the other clears: what was promised to be removed goes before anything new.
    messages.insert(message, at: messages.firstIndex { $0.kind != .clear } ?? messages.count)
  }

  private mutating func removeWaiting(withTopicOf new: Message) {
    let topic = new.bytes[...new.topicCount]
    remove { old in
      old.isRetained && old.id == nil && old.topicCount == new.topicCount
        && (old.kind != .clear || new.kind == .clear) && old.bytes[...old.topicCount] == topic
    }
  }

  /// Clears are never dropped: they carry nothing and are bounded by the topics ever retained.
  private mutating func makeRoom(for byteCount: Int) {
    while messages.count >= Self.messageLimit || self.byteCount + byteCount > Self.byteLimit {
      guard let oldest = messages.firstIndex(where: { $0.kind != .clear }) else { return }
      lost.append(messages[oldest].gateIndex)
      remove(at: oldest)
      droppedCount += 1
    }
  }

  /// The gates of the messages that went unsent, full queue or too old, since the last asking.
  mutating func takeLost() -> [UInt8] {
    if lost.isEmpty { return [] }
    defer { lost.removeAll() }
    return lost
  }

  // MARK: - Sending

  /// The place of the next message to hand over, nil if none waits.
  ///
  /// Drops what is too old.
  mutating func nextWaiting(at now: Int64) -> Int? {
    var index = 0
    while index < messages.count {
      let message = messages[index]
      if message.id != nil {
        index += 1
      } else if message.usefulUntil <= now {
        lost.append(message.gateIndex)
        remove(at: index)
        expiredCount += 1
      } else {
        return index
      }
    }
    return nil
  }

  /// The message at a place that `nextWaiting` gave.
  subscript(index: Int) -> Message { messages[index] }

  /// The message was handed over and its acknowledgement is awaited.
  mutating func markInFlight(at index: Int, id: Int32) {
    messages[index].id = id
    inFlightCount += 1
  }

  /// Takes a message out: it was sent, or cannot be.
  mutating func remove(at index: Int) {
    let message = messages.remove(at: index)
    byteCount -= message.bytes.count
    if message.id != nil { inFlightCount -= 1 }
  }

  /// Takes out the message with this id and returns its gate; nil if none is in flight under it.
  mutating func acknowledge(_ id: Int32) -> UInt8? {
    guard inFlightCount > 0, let index = messages.firstIndex(where: { $0.id == id }) else {
      return nil
    }
    let gate = messages[index].gateIndex
    remove(at: index)
    return gate
  }

  /// The connection is gone: what was not acknowledged waits again, in its old place.
  ///
  /// But for the charging feed's: only the next sample may speak then.
  mutating func rewind() {
    remove { $0.kind == .charging || $0.kind == .sink }
    for index in messages.indices { messages[index].id = nil }
    inFlightCount = 0
  }

  /// Forgets every message of a gate, in flight or not, except clears; returns how many.
  mutating func purge(gateIndex: UInt8) -> Int {
    let before = messages.count
    remove { $0.gateIndex == gateIndex && $0.kind != .clear }
    return before - messages.count
  }

  private mutating func remove(where isUnwanted: (Message) -> Bool) {
    var index = messages.count
    while index > 0 {
      index -= 1
      if isUnwanted(messages[index]) { remove(at: index) }
    }
  }
}
