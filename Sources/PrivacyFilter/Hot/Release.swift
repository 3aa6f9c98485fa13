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

  var topic: ByteBuffer<128>
  var payload: ByteBuffer<4096>

  init(
    kind: Kind, gateIndex: UInt8, epoch: UInt32, connection: UInt8, qos: UInt8, retain: Bool,
    expirySeconds: UInt32, isExternal: Bool
  ) {
    self.kind = kind
    self.gateIndex = gateIndex
    self.epoch = epoch
    self.connection = connection
    self.qos = qos
    self.retain = retain
    self.expirySeconds = expirySeconds
    self.isExternal = isExternal
    topic = ByteBuffer()
    payload = ByteBuffer()
  }

  /// Number of payload bytes.
  public var payloadCount: Int { payload.count }
  /// Number of topic bytes.
  public var topicCount: Int { topic.count }

  /// Lends the topic's bytes.
  public borrowing func withTopic<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try topic.withBytes(body)
  }

  /// Lends the payload's bytes.
  public borrowing func withPayload<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try payload.withBytes(body)
  }

  /// Forces what a broker without message expiry (MQTT 3.1.1) requires of external data.
  ///
  /// QoS 0 and not retained, so that no broker keeps it; messages inside the house are not touched,
  /// nor is a clear, which must be retained to take effect and carries nothing.
  public mutating func forbidStorage() {
    guard isExternal, kind != .clear else { return }
    qos = 0
    retain = false
    expirySeconds = 0
  }

  /// Whether topic and payload fitted; the bank drops and counts what did not.
  var isComplete: Bool {
    !topic.overflowed && !payload.overflowed
      && (!isExternal || payload.count <= Release.externalPayloadBytes)
  }
}

#if !hasFeature(Embedded)
  extension Release {
    /// The topic as text, for tests and local display.
    public var topicText: String { topic.text }
    /// The payload as text, for tests and local display.
    public var payloadText: String { payload.text }
  }
#endif
