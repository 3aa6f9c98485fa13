internal import OBISDecoder

/// A message that may leave: topic, payload, and how to publish it.
///
/// Only PrivacyFilter can make one, and outputs accept nothing else. It owns its bytes; handing it
/// on moves them.
public struct Release: ~Copyable {
  /// What it is.
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// Measured values that a grant permits.
    case data
    /// Whether the process or a meter is there.
    case status
    /// States with their reasons.
    case health
    /// What Home Assistant needs to show a value.
    case discovery
    /// An empty retained message, which removes the retained one.
    case clear
    /// The notice to a recipient that a grant has ended.
    case notice
    /// What the charging feed says now: worthless, or worse, once it is late.
    case charging
    /// The same in the words of another system, on its own topic.
    case sink
    /// A dated fact of the charging feed: an hour, a billing period.
    case record

    /// Whether it must go out now or not at all.
    public var isMomentary: Bool {
      switch self {
      case .data, .charging, .sink: true
      case .status, .health, .discovery, .clear, .notice, .record: false
      }
    }
  }

  /// `gateIndex` of documents that come from the agent itself and carry no measured value.
  public static let noGate: UInt8 = 255
  /// Longest topic in bytes.
  public static let topicBytes = 128
  /// Longest payload in bytes; for recipients outside `externalPayloadBytes`.
  public static let payloadBytes = 4096
  /// Longest payload for a recipient outside the house.
  public static let externalPayloadBytes = 2048

  /// What it is.
  public let kind: Kind
  /// The gate that released it, `noGate` for documents of the agent.
  public let gateIndex: UInt8
  /// The gate's epoch then: a queue drops what `GateBank.isCurrent` no longer confirms.
  public let epoch: UInt32
  /// Which connection publishes it; the number is the caller's.
  public let connection: UInt8
  /// MQTT quality of service, 0…2.
  public private(set) var qos: UInt8
  /// Whether the broker keeps it.
  public private(set) var retain: Bool
  /// MQTT 5 message expiry interval in seconds; 0 is none.
  public private(set) var expirySeconds: UInt32
  /// Whether it goes to a recipient outside the house.
  public let isExternal: Bool

  private var topicStorage = InlineArray<128, UInt8>(repeating: 0)
  private var payloadStorage = InlineArray<4096, UInt8>(repeating: 0)
  /// Number of topic bytes.
  public private(set) var topicCount: Int
  /// Number of payload bytes.
  public private(set) var payloadCount: Int

  /// Makes a release of a gate or of the agent.
  ///
  /// It copies topic and payload, which must not have overflowed.
  init(
    _ delivery: Delivery, topic: borrowing ByteBuffer<128>, payload: borrowing ByteBuffer<4096>
  ) {
    kind = delivery.kind
    gateIndex = delivery.gateIndex
    epoch = delivery.epoch
    connection = delivery.connection
    qos = delivery.qos
    retain = delivery.retain
    expirySeconds = delivery.expirySeconds
    isExternal = delivery.isExternal
    topicCount = topic.count
    payloadCount = payload.count
    topic.withBytes { for index in $0.indices { topicStorage[index] = $0[index] } }
    payload.withBytes { for index in $0.indices { payloadStorage[index] = $0[index] } }
  }

  /// Lends the topic's bytes.
  public borrowing func withTopic<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(topicStorage.span.extracting(first: topicCount))
  }

  /// Lends the payload's bytes.
  public borrowing func withPayload<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(payloadStorage.span.extracting(first: payloadCount))
  }

  /// Lets the broker forget it earlier: a message that was held back must not outlive its grant.
  public mutating func shortenExpiry(to seconds: UInt32) {
    if expirySeconds == 0 || seconds < expirySeconds { expirySeconds = seconds }
  }

  /// Forces what a broker without message expiry (MQTT 3.1.1) requires of external data.
  ///
  /// QoS 0 and not retained, so that no broker keeps it; messages inside the house are not touched,
  /// nor is a clear, which must be retained to take effect and carries nothing.
  ///
  /// A limit of the charging feed is not retained either: without expiry it would hold for ever.
  public mutating func forbidStorage() {
    if kind == .charging {
      retain = false
      expirySeconds = 0
    }
    guard isExternal, kind != .clear else { return }
    qos = 0
    retain = false
    expirySeconds = 0
  }
}

/// How a release is to be published.
struct Delivery: BitwiseCopyable {
  var kind: Release.Kind
  var gateIndex: UInt8 = Release.noGate
  var epoch: UInt32 = 0
  var connection: UInt8
  var qos: UInt8
  var retain: Bool
  var expirySeconds: UInt32 = 0
  var isExternal: Bool
}

/// A release that is being written, outside the bank.
struct Draft: ~Copyable {
  var topic = ByteBuffer<128>()
  var payload = ByteBuffer<4096>()
  let delivery: Delivery

  init(_ delivery: Delivery) { self.delivery = delivery }

  /// The finished release.
  consuming func release() -> Release { Release(delivery, topic: topic, payload: payload) }
}

#if !hasFeature(Embedded)
  extension Release {
    /// The topic as text, for tests and local display.
    public var topicText: String { withTopic(Self.text) }
    /// The payload as text, for tests and local display.
    public var payloadText: String { withPayload(Self.text) }

    private static func text(_ bytes: Span<UInt8>) -> String {
      var units: [UInt8] = []
      units.reserveCapacity(bytes.count)
      for index in bytes.indices { units.append(bytes[index]) }
      return String(decoding: units, as: UTF8.self)
    }
  }
#endif
