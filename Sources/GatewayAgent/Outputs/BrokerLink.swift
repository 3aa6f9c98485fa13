import Glibc

/// Whether a message with this topic and payload, of this gate, may leave.
typealias OutboundCheck = (_ topic: Span<UInt8>, _ payload: Span<UInt8>, _ gate: UInt8) -> Bool

/// An established connection on the loop: when to read, write and ping.
final class BrokerLink {
  /// The client.
  let handle: MosquittoHandle
  /// The version it speaks.
  let version: MQTTVersion

  /// Asked before each message whether it may leave, with the gate that it comes from.
  var mayLeave: OutboundCheck = { _, _, _ in true }

  private let loop: EventLoop
  private let keepAlive: Int64
  private let event: (Int32?) -> Void
  private var watch: EventLoop.Watch?
  private var timer: Timer?
  private var lastRead = GatewayClock.monotonicMilliseconds()
  private var lastWritten = GatewayClock.monotonicMilliseconds()
  private var topicBytes = InlineArray<257, CChar>(repeating: 0)

  /// Drives `handle` from now on; `event` is called with the code when the connection has ended,
  /// and with nil after anything else happened on it.
  init(
    _ handle: MosquittoHandle, _ version: MQTTVersion, keepAliveSeconds: Int, on loop: EventLoop,
    _ event: @escaping (Int32?) -> Void
  ) throws(SystemError) {
    self.handle = handle
    self.version = version
    self.loop = loop
    self.event = event
    // The library counts in whole seconds; a little later than due is due.
    keepAlive = Int64(keepAliveSeconds) * 1000 + 50
    // libmosquitto leaves it to every child process, which would keep the connection open.
    _ = fcntl(handle.socket, F_SETFD, FD_CLOEXEC)
    watch = try loop.watch(handle.socket, for: interest) { [weak self] ready in
      self?.handleReadiness(ready)
    }
    timer = loop.timer { [weak self] in self?.handleTimer() }
    timer?.arm(afterMilliseconds: Int(keepAlive))
  }

  /// Ends it; nothing is called any more.
  ///
  /// The socket closes with the client.
  func close() {
    if let watch { loop.unwatch(watch) }
    watch = nil
    timer?.cancel()
    timer = nil
    // A packet read together with the one whose handler ends it here must find nobody.
    handle.onPublished = { _ in }
    handle.onMessage = { _, _ in }
    mayLeave = { _, _, _ in false }
  }

  private var interest: Readiness { handle.wantsWrite ? [.readable, .writable] : .readable }

  private func handleReadiness(_ ready: Readiness) {
    var outcome = MosquittoHandle.Outcome(code: 0)
    if ready.contains(.writable) { outcome = handle.write() }
    if outcome.isSuccess && ready != .writable {
      outcome = handle.read()
      lastRead = GatewayClock.monotonicMilliseconds()
    }
    conclude(outcome)
  }

  /// Pings when nothing was sent or heard for the keep-alive time; one wake-up for each at most.
  private func handleTimer() {
    let now = GatewayClock.monotonicMilliseconds()
    var due = min(lastRead, lastWritten) + keepAlive
    var outcome = MosquittoHandle.Outcome(code: 0)
    if due <= now {
      outcome = handle.keepAlive()
      lastRead = now
      lastWritten = now
      due = now + keepAlive
    }
    timer?.arm(afterMilliseconds: Int(due - now))
    conclude(outcome)
  }

  private func conclude(_ outcome: MosquittoHandle.Outcome) {
    if let code = handle.ended ?? (outcome.isSuccess ? nil : outcome.code) { return event(code) }
    guard handle.socket >= 0 else { return event(0) }
    watchForWriting()
    event(nil)
    watchForWriting()
  }

  private func watchForWriting() {
    if let watch { loop.change(watch, to: interest) }
  }

  /// Notes that the library was given a packet; true if the socket did not take all of it.
  func noteWritten() -> Bool {
    lastWritten = GatewayClock.monotonicMilliseconds()
    watchForWriting()
    return handle.wantsWrite
  }

  // MARK: - Messages

  /// Hands a message over whose topic is still without its zero byte; 256 bytes at most.
  ///
  /// Every message passes here, and none that `mayLeave` refuses: it is rejected like one that
  /// cannot be sent.
  func publish(
    topic: Span<UInt8>, payload: Span<UInt8>, qos: UInt8, retain: Bool, expirySeconds: UInt32,
    ofGate gate: UInt8
  ) -> (outcome: MosquittoHandle.Outcome, id: Int32) {
    guard mayLeave(topic, payload, gate) else { return (.refused, 0) }
    precondition(topic.count <= 256, "a release's topic is at most 128 bytes")
    for index in topic.indices { topicBytes[index] = CChar(bitPattern: topic[index]) }
    topicBytes[topic.count] = 0
    return handle.publish(
      topic: topicBytes.span.extracting(first: topic.count + 1), payload: payload, qos: qos,
      retain: retain, expirySeconds: expirySeconds)
  }

  /// Hands a queued message over.
  func publish(
    _ message: PublishQueue.Message, qos: UInt8, retain: Bool, expirySeconds: UInt32
  ) -> (outcome: MosquittoHandle.Outcome, id: Int32) {
    let bytes = message.bytes.span
    return publish(
      topic: bytes.extracting(first: message.topicCount),
      payload: bytes.extracting(droppingFirst: message.topicCount + 1), qos: qos, retain: retain,
      expirySeconds: expirySeconds, ofGate: message.gateIndex)
  }

  // MARK: - Cutting

  /// Bytes that the broker has not confirmed yet.
  ///
  /// Calls `ioctl` with `TIOCOUTQ` (`SIOCOUTQ`).
  var unsentBytes: Int {
    var count: Int32 = 0
    guard unsafe ioctl(handle.socket, UInt(TIOCOUTQ), &count) == 0 else { return 0 }
    return Int(max(0, count))
  }

  /// Closing will send RST and drop what waits in the kernel.
  ///
  /// Calls `setsockopt` with `SO_LINGER`.
  func resetOnClose() {
    var option = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    _ = unsafe setsockopt(handle.socket, SOL_SOCKET, SO_LINGER, &option, size)
  }
}
