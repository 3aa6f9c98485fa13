import Glibc

/// One attempt to reach a broker, up to its CONNACK; it blocks, so a helper thread runs it.
final class BrokerAttempt {
  /// The version that is tried.
  let version: MQTTVersion
  /// The connected client, nil if the attempt failed.
  private(set) var handle: MosquittoHandle?
  /// Why it failed, nil if it did not.
  private(set) var trouble: BrokerTrouble?

  private let settings: BrokerSettings

  /// An attempt that has not begun.
  init(_ settings: BrokerSettings, version: MQTTVersion) {
    self.settings = settings
    self.version = version
  }

  /// Resolves, connects, and shakes hands: TLS and MQTT.
  func run() {
    do throws(BrokerTrouble) {
      let made = try MosquittoHandle(settings, version: version)
      errno = 0
      let outcome = made.connect(settings)
      guard outcome.isSuccess else { throw BrokerTrouble(connecting: outcome, errno: errno) }
      try shakeHands(made)
      // A broker that vanishes with data under way is noticed after 20 s, not after 15 minutes.
      SocketOption.set(made.socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 20_000)
      handle = made
    } catch {
      trouble = error
    }
  }

  private func shakeHands(_ handle: MosquittoHandle) throws(BrokerTrouble) {
    let deadline =
      GatewayClock.monotonicMilliseconds() + Int64(settings.connectTimeoutMilliseconds)
    while handle.connack == nil {
      let left = deadline - GatewayClock.monotonicMilliseconds()
      guard left > 0 else { throw .timedOut }
      let events = handle.wantsWrite ? POLLIN | POLLOUT : POLLIN
      var entry = pollfd(fd: handle.socket, events: Int16(events), revents: 0)
      // EINTR is `HelperThread.interrupt()`: nobody waits for this attempt any more.
      guard unsafe poll(&entry, 1, Int32(left)) >= 0 else { throw .timedOut }
      let ready = Int32(entry.revents)
      // While TLS shakes hands the library writes in `read()` too.
      let reading = ready != 0 ? handle.read() : nil
      let writing = handle.socket >= 0 && handle.wantsWrite ? handle.write() : nil
      if handle.connack != nil { break }
      for outcome in [reading, writing] {
        guard let outcome, !outcome.isSuccess else { continue }
        let trouble = BrokerTrouble(connecting: outcome, errno: 0)
        throw trouble == .tls ? .tls : .closedEarly
      }
      if handle.socket < 0 { throw .closedEarly }
    }
    guard let code = handle.connack, code == 0 else {
      throw BrokerTrouble(connack: handle.connack ?? 0)
    }
  }
}
