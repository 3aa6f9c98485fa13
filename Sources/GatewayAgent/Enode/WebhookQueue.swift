/// Events that wait for their receiver, in order; bounded in number, bytes and age.
///
/// Time is an argument. The first one is tried until it is taken or too old; then the next.
struct WebhookQueue {
  /// One message and the name under which it is delivered, the same at each try.
  struct Delivery {
    let id: String
    let body: [UInt8]
    fileprivate var failedSince: Int64?
  }

  /// What became of a message that was handed in.
  enum Verdict: Equatable {
    case kept
    /// Kept in place of the oldest one that waited.
    case displaced
    /// Of no use: a heartbeat behind events, or no list of events.
    case refused
  }

  /// Messages held at most: more than two days of quarter-hours.
  static let messageLimit = 256
  static let byteLimit = 256 << 10
  /// Bytes of one message; a hundred events of Enode's take half of it.
  static let bodyLimit = 64 << 10
  /// How long one message is tried: as long as Enode tries (§1.1).
  static let patienceMilliseconds: Int64 = 26 * 3_600_000
  /// Longest wait between two tries.
  static let waitMilliseconds = 3_600_000

  private var deliveries: [Delivery] = []
  private var byteCount = 0
  private var backoff: Backoff
  private var isUnderWay = false

  /// An empty queue; `retryMilliseconds` is the first wait at most, doubled from try to try.
  init(retryMilliseconds: Int) { backoff = Backoff(firstMilliseconds: retryMilliseconds) }

  /// Messages held.
  var count: Int { deliveries.count }

  /// Takes a message in.
  mutating func append(_ body: [UInt8], id: String) -> Verdict {
    guard body.count <= Self.bodyLimit, body.first == UInt8(ascii: "["),
      body.last == UInt8(ascii: "]")
    else { return .refused }
    if !deliveries.isEmpty, body.starts(with: Self.heartbeat) { return .refused }
    var verdict = Verdict.kept
    // What is under way is not taken from under the receiver's hands.
    let oldest = isUnderWay ? 1 : 0
    while deliveries.count > oldest,
      deliveries.count >= Self.messageLimit || byteCount + body.count > Self.byteLimit
    {
      byteCount -= deliveries.remove(at: oldest).body.count
      verdict = .displaced
    }
    deliveries.append(Delivery(id: id, body: body))
    byteCount += body.count
    return verdict
  }

  private static let heartbeat = Array("[{\"event\":\"system:heartbeat\"".utf8)

  /// The message to deliver now, nil if there is none; it is under way until `settle`.
  mutating func next() -> Delivery? {
    guard !isUnderWay, let first = deliveries.first else { return nil }
    isUnderWay = true
    return first
  }

  /// What follows a try.
  enum Outcome: Equatable {
    case delivered
    /// To be tried again after so many milliseconds.
    case again(afterMilliseconds: Int)
    /// Tried for too long, and forgotten.
    case givenUp
  }

  /// Notes how the message under way fared.
  mutating func settle(isTaken: Bool, at now: Int64) -> Outcome {
    guard isUnderWay, !deliveries.isEmpty else { return .delivered }
    isUnderWay = false
    if isTaken {
      removeFirst()
      return .delivered
    }
    let since = deliveries[0].failedSince ?? now
    guard now - since < Self.patienceMilliseconds else {
      removeFirst()
      return .givenUp
    }
    deliveries[0].failedSince = since
    return .again(afterMilliseconds: backoff.next(cap: Self.waitMilliseconds))
  }

  private mutating func removeFirst() {
    byteCount -= deliveries.removeFirst().body.count
    backoff.reset()
  }
}
