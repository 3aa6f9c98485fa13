import ConsentLedger
import Glibc
import PrivacyFilter

/// Takes events from a broker and posts them, signed, one after another and in order.
///
/// A class: the connection's callbacks, the helper thread's and the loop's timer share it.
final class WebhookBridge {
  private let loop: EventLoop
  private let connection: MosquittoConnection
  private let address: WebhookAddress
  private let authorities: String?
  private let secret: [UInt8]
  private var queue: WebhookQueue
  private var retry: Timer?
  private var post: HelperThread?
  private var lastTrouble: WebhookTrouble?
  private var wasConnected: Bool?
  private var displacedCount = 0

  init(
    _ settings: BrokerSettings, topic: String, to address: WebhookAddress, authorities: String?,
    secret: [UInt8], retryMilliseconds: Int
  ) throws(CommandFailure) {
    do throws(SystemError) {
      loop = try EventLoop()
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    connection = MosquittoConnection(settings, on: loop)
    self.address = address
    self.authorities = authorities
    self.secret = secret
    queue = WebhookQueue(retryMilliseconds: retryMilliseconds)
    connection.subscribe(topic)
    retry = loop.timer { [unowned self] in deliver() }
  }

  /// Runs until SIGTERM or SIGINT.
  func run() throws(CommandFailure) {
    do throws(SystemError) {
      try loop.handleSignals([SIGTERM, SIGINT]) { [unowned self] _ in stop() }
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    connection.onState = { [unowned self] in note($0) }
    connection.onMessage = { [unowned self] _, payload in heard(payload) }
    connection.start()
    loop.run()
  }

  private func stop() {
    connection.stop()
    post?.interrupt()
    if queue.count > 0 { Terminal.note("ended with \(queue.count) message(s) undelivered") }
    loop.stop()
  }

  private func note(_ state: BrokerState) {
    switch state {
    case .connecting: return
    case .connected:
      if wasConnected != true { Terminal.note("broker: connected") }
      wasConnected = true
    case .waiting(let trouble):
      if wasConnected != false { Terminal.note("broker: \(trouble.name); trying again") }
      wasConnected = false
    }
  }

  private func heard(_ payload: Span<UInt8>) {
    // What a broker had kept is of another time.
    guard !connection.isMessageRetained, payload.count <= WebhookQueue.bodyLimit else { return }
    var body: [UInt8] = []
    body.reserveCapacity(payload.count)
    for index in payload.indices { body.append(payload[index]) }
    guard let id = UniqueID(random: Crypto.random(16)) else { return }
    if queue.append(body, id: id.text) == .displaced {
      displacedCount += 1
      // At 1, 2, 4, 8, …: what is full stays full.
      if displacedCount & (displacedCount - 1) == 0 {
        Terminal.note("queue full: \(displacedCount) message(s) lost so far")
      }
    }
    if lastTrouble == nil { deliver() }
  }

  private func deliver() {
    guard post == nil, let delivery = queue.next() else { return }
    let attempt = WebhookPost(
      address, authorities: authorities,
      headers: [
        "x-enode-delivery: \(delivery.id)",
        "x-enode-signature: \(EnodeSignature.value(of: delivery.body, secret: secret))",
      ], body: delivery.body)
    do throws(SystemError) {
      post = try HelperThread(on: loop, { attempt.run() }) { [unowned self] in
        post = nil
        settle(attempt.trouble)
      }
    } catch {
      settle(.unreachable(error.number))
    }
  }

  private func settle(_ trouble: WebhookTrouble?) {
    let outcome = queue.settle(
      isTaken: trouble == nil, at: GatewayClock.monotonicMilliseconds())
    if let trouble, trouble != lastTrouble {
      Terminal.note("receiver: \(trouble.text); \(queue.count) waiting")
    } else if trouble == nil, lastTrouble != nil {
      Terminal.note("receiver: takes events again; \(queue.count) waiting")
    }
    lastTrouble = trouble
    switch outcome {
    case .delivered: deliver()
    case .again(let milliseconds): retry?.arm(afterMilliseconds: milliseconds)
    case .givenUp:
      Terminal.note("receiver: a message was given up after 26 hours")
      // Its successor must not wait for another event.
      deliver()
    }
  }
}
