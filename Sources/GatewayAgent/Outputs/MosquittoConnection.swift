internal import PrivacyFilter

/// One connection to a broker: made again whenever it is gone, and fed with releases only.
///
/// Nothing here waits: connecting happens in a helper thread, the rest on the loop, and what a slow
/// broker does not take is queued or dropped and counted. A class: callbacks and owner share it.
final class MosquittoConnection {
  /// Unwritten live packets that are left to the library before further ones are dropped.
  static let congestedPackets = 32
  /// Messages handed over and not acknowledged at a time; libmosquitto's own limit is 20.
  static let inFlightLimit = 16
  /// How long live data is kept, in milliseconds, while the very first attempt is under way.
  static let liveWaitMilliseconds: Int64 = 1_000
  /// A connection that lasted this long, in milliseconds, was a good one.
  static let goodConnectionMilliseconds: Int64 = 1_000

  /// Receives each change of state.
  var onState: (BrokerState) -> Void = { _ in }
  /// Receives messages of subscriptions.
  var onMessage: (_ topic: Span<UInt8>, _ payload: Span<UInt8>) -> Void = { _, _ in }
  /// Receives the gate of each message that the broker acknowledged.
  var onAcknowledged: (_ gateIndex: UInt8) -> Void = { _ in }
  /// Receives the gate and the bytes of each message handed to the library.
  var onSent: (_ gateIndex: UInt8, _ topic: Span<UInt8>, _ payload: Span<UInt8>) -> Void = {
    _, _, _ in
  }
  /// Receives the gate of each message that never left.
  var onDropped: (_ gateIndex: UInt8) -> Void = { _ in }
  /// Asked before each message leaves; to be set before `start()`.
  var mayLeave: OutboundCheck = { _, _, _ in true }
  /// How it is; nil while it is stopped.
  private(set) var state: BrokerState?
  /// What happened so far.
  private(set) var counters = Counters()
  /// What waits, and what was dropped.
  var queuedCount: Int { queue.count }
  /// Whether the message that `onMessage` is handling had been kept by the broker.
  var isMessageRetained: Bool { link?.handle.isMessageRetained ?? false }
  /// Messages that went because the queue was full.
  var overflowCount: Int { queue.droppedCount }
  /// Messages that went because they were too old when the broker came back.
  var expiredCount: Int { queue.expiredCount }

  private let settings: BrokerSettings
  private let loop: EventLoop
  private var link: BrokerLink?
  private var queue = PublishQueue()
  private var subscriptions: [String] = []
  private var versions: VersionChoice
  private var backoff = Backoff(firstMilliseconds: 200)
  private var retry: Timer?
  private var helper: HelperThread?
  private var patience: Timer?
  private var connectedAt: Int64 = 0
  private var pendingPackets = 0
  private var finish: Finish?
  private var generation = 0

  /// A connection that is not started.
  init(_ settings: BrokerSettings, on loop: EventLoop) {
    self.settings = settings
    self.loop = loop
    versions = VersionChoice(settings.version)
  }

  /// Asks for a topic now and after each connecting.
  func subscribe(_ topic: String) {
    subscriptions.append(topic)
    link?.handle.subscribe(topic)
  }

  /// Begins to connect.
  ///
  /// Not for a connection that is started.
  func start() {
    report(.connecting)
    attempt()
  }

  /// Ends it at once, with a DISCONNECT if it is connected; the queue is kept, no callback comes.
  func stop() {
    generation += 1
    retry?.cancel()
    patience?.cancel()
    helper?.interrupt()
    helper = nil
    let handle = link?.handle
    dropLink()
    handle?.disconnect()
    state = nil
  }

  /// Stops once everything queued has been sent and acknowledged, or after `milliseconds`.
  ///
  /// Asked twice, it takes the shorter time and calls both completions.
  func finish(withinMilliseconds milliseconds: Int, _ completion: @escaping () -> Void) {
    let deadline = GatewayClock.monotonicMilliseconds() + Int64(milliseconds)
    let earlier = finish
    if let earlier, earlier.deadline <= deadline {
      finish?.completion = {
        earlier.completion()
        completion()
      }
    } else {
      earlier?.timer.cancel()
      let timer = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
        self?.finishNow()
      }
      finish = Finish(timer: timer, deadline: deadline) {
        earlier?.completion()
        completion()
      }
    }
    finishIfSettled()
  }

  /// An end that waits for what is queued.
  private struct Finish {
    let timer: Timer
    /// In monotonic milliseconds.
    let deadline: Int64
    var completion: () -> Void
  }

  /// Takes back a `finish` that is not done: the connection goes on.
  func keepOn() {
    finish?.timer.cancel()
    finish = nil
  }

  private func finishIfSettled() {
    guard finish != nil, queue.count == 0, link?.handle.wantsWrite != true else { return }
    finishNow()
  }

  private func finishNow() {
    guard let ending = finish else { return }
    finish = nil
    ending.timer.cancel()
    stop()
    ending.completion()
  }

  private func report(_ new: BrokerState) {
    guard new != state else { return }
    state = new
    onState(new)
  }

  // MARK: - Connecting

  private func attempt() {
    guard helper == nil, link == nil else { return }
    let attempt = BrokerAttempt(settings, version: versions.next)
    let generation = generation
    do throws(SystemError) {
      helper = try HelperThread(on: loop) {
        attempt.run()
      } completion: { [weak self] in
        guard let self, self.generation == generation else { return }
        helper = nil
        patience?.cancel()
        if let handle = attempt.handle {
          connected(handle, attempt.version)
        } else {
          failed(attempt.trouble ?? .closedEarly, attempt.version)
        }
      }
      losePatience(afterMilliseconds: settings.connectTimeoutMilliseconds)
    } catch {
      failed(.unreachable(error.number), attempt.version)
    }
  }

  /// A host that does not answer would hold the helper for two minutes.
  private func losePatience(afterMilliseconds milliseconds: Int) {
    patience = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
      self?.helper?.interrupt()
      self?.losePatience(afterMilliseconds: 1_000)
    }
  }

  private func failed(_ trouble: BrokerTrouble, _ version: MQTTVersion) {
    let isSwitching = versions.failed(version, trouble)
    let milliseconds = isSwitching ? 0 : backoff.next(cap: trouble.retryCapMilliseconds)
    if !isSwitching { report(.waiting(trouble)) }
    retryLater(afterMilliseconds: milliseconds)
  }

  private func retryLater(afterMilliseconds milliseconds: Int) {
    let generation = generation
    retry = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
      guard let self, self.generation == generation else { return }
      attempt()
    }
  }

  private func connected(_ handle: MosquittoHandle, _ version: MQTTVersion) {
    let generation = generation
    handle.onPublished = { [unowned self] id in acknowledged(id) }
    handle.onMessage = { [unowned self] topic, payload in onMessage(topic, payload) }
    do throws(SystemError) {
      link = try BrokerLink(
        handle, version, keepAliveSeconds: settings.keepAliveSeconds, on: loop
      ) { [weak self] code in
        guard let self, self.generation == generation else { return }
        if let code { lost(.lost(code)) } else { drained() }
      }
    } catch {
      return failed(.unreachable(error.number), version)
    }
    link?.mayLeave = mayLeave
    connectedAt = GatewayClock.monotonicMilliseconds()
    counters.connections += 1
    versions.worked(version)
    for topic in subscriptions { handle.subscribe(topic) }
    drain()
    report(.connected(version))
  }

  /// The socket has become free, or something has come in.
  private func drained() {
    if link?.handle.wantsWrite != true { pendingPackets = 0 }
    drain()
    finishIfSettled()
  }

  private func lost(_ trouble: BrokerTrouble) {
    guard link != nil else { return }
    dropLink()
    let age = GatewayClock.monotonicMilliseconds() - connectedAt
    if age >= Self.goodConnectionMilliseconds { backoff.reset() }
    retryLater(afterMilliseconds: backoff.next(cap: trouble.retryCapMilliseconds))
    report(.waiting(trouble))
  }

  private func dropLink() {
    link?.close()
    link = nil
    pendingPackets = 0
    queue.rewind()
  }

  // MARK: - Publishing

  /// Publishes a release, or keeps it until it can be: retained ones, QoS 1 and 2 and notices.
  ///
  /// Live data (QoS 0, not retained) is dropped and counted where it cannot go out now; only the
  /// first attempt, right after the start, is waited for a moment. With MQTT 3.1.1, which knows no
  /// expiry, external data goes with QoS 0 and unretained (privacy.md C7).
  @discardableResult
  func publish(_ release: consuming Release) -> Verdict {
    let isKept = release.qos > 0 || release.retain || !release.kind.isMomentary
    guard let link else { return keepOrDrop(release, isKept) }
    if link.version == .threeOneOne, release.kind == .charging { release.forbidStorage() }
    if isKept {
      let isDirect = release.qos == 0 && queue.isSettled && !link.handle.wantsWrite
      if !isDirect {
        queue.append(release, at: GatewayClock.monotonicMilliseconds())
        reportLost()
        drain()
        return .queued
      }
    } else if pendingPackets >= Self.congestedPackets {
      counters.droppedCongested += 1
      onDropped(release.gateIndex)
      return .dropped
    }
    if link.version == .threeOneOne { release.forbidStorage() }
    let outcome = release.withPayload { payload in
      release.withTopic { topic in
        link.publish(
          topic: topic, payload: payload, qos: release.qos, retain: release.retain,
          expirySeconds: release.expirySeconds, ofGate: release.gateIndex)
      }
    }
    let isSent = release.withPayload { payload in
      release.withTopic { topic in
        settle(outcome.outcome, release.gateIndex, topic, payload)
      }
    }
    if !isSent { onDropped(release.gateIndex) }
    return isSent ? .sent : .dropped
  }

  private func keepOrDrop(
    _ release: borrowing Release, _ isKept: Bool
  ) -> Verdict {
    // An old limit must not be the first thing that a broker gets after its absence.
    let isFeed = release.kind == .charging || release.kind == .sink
    guard !isFeed, isKept || state == .connecting else {
      counters.droppedOffline += 1
      onDropped(release.gateIndex)
      return .dropped
    }
    queue.append(
      release, at: GatewayClock.monotonicMilliseconds(),
      forMilliseconds: isKept ? .max : Self.liveWaitMilliseconds)
    reportLost()
    return .queued
  }

  /// Tells of the messages that the queue let go.
  private func reportLost() {
    for gate in queue.takeLost() { onDropped(gate) }
  }

  /// Counts a message that was handed over; false if it was not taken.
  private func settle(
    _ outcome: MosquittoHandle.Outcome, _ gateIndex: UInt8, _ topic: Span<UInt8>,
    _ payload: Span<UInt8>
  ) -> Bool {
    if outcome.isSuccess {
      counters.sent += 1
      counters.sentBytes += topic.count + payload.count
      onSent(gateIndex, topic, payload)
      if link?.noteWritten() == true { pendingPackets += 1 } else { pendingPackets = 0 }
      return true
    }
    if outcome.isRejectedMessage { counters.rejected += 1 } else { lostSoon(outcome.code) }
    return false
  }

  /// The caller is in the middle of publishing: the state changes on the next turn.
  private func lostSoon(_ code: Int32) {
    let generation = generation
    let failing = link
    loop.schedule(afterMilliseconds: 0) { [weak self] in
      guard let self, self.generation == generation, link === failing else { return }
      lost(.lost(code))
    }
  }

  /// Hands over what waits, as far as socket and broker take it.
  private func drain() {
    guard let link else { return }
    let now = GatewayClock.monotonicMilliseconds()
    while queue.inFlightCount < Self.inFlightLimit, !link.handle.wantsWrite,
      let index = queue.nextWaiting(at: now)
    {
      let message = queue[index]
      let isBare = link.version == .threeOneOne && message.isExternal && message.kind != .clear
      let seconds = message.expiresAt.map { UInt32(clamping: ($0 - now + 999) / 1000) } ?? 0
      let (outcome, id) = link.publish(
        message, qos: isBare ? 0 : message.qos, retain: message.isRetained && !isBare,
        expirySeconds: seconds)
      let bytes = message.bytes.span
      let isTaken = settle(
        outcome, message.gateIndex, bytes.extracting(first: message.topicCount),
        bytes.extracting(droppingFirst: message.topicCount + 1))
      guard isTaken || outcome.isRejectedMessage else { break }
      if isTaken && id != 0 {
        queue.markInFlight(at: index, id: id)
      } else {
        queue.remove(at: index)
        if !isTaken { onDropped(message.gateIndex) }
      }
    }
    reportLost()
  }

  private func acknowledged(_ id: Int32) {
    guard let gate = queue.acknowledge(id) else { return }
    counters.acknowledged += 1
    onAcknowledged(gate)
  }

  // MARK: - Withdrawal

  /// Forgets everything of a gate that has not left: privacy.md C7, steps 1 and 4.
  ///
  /// Nothing of it is sent again. If bytes wait in the library, or on a dedicated connection in the
  /// kernel, the connection is cut; a dedicated one with RST, so that the kernel drops them too.
  func purge(gateIndex: UInt8) -> Purge {
    let count = queue.purge(gateIndex: gateIndex)
    guard let link else { return Purge(messageCount: count, tailBytes: 0, isCut: false) }
    let tail = link.unsentBytes
    guard link.handle.wantsWrite || (settings.isDedicated && tail > 0) else {
      return Purge(messageCount: count, tailBytes: settings.isDedicated ? 0 : tail, isCut: false)
    }
    if settings.isDedicated { link.resetOnClose() }
    lost(.cut)
    return Purge(messageCount: count, tailBytes: tail, isCut: true)
  }
}
