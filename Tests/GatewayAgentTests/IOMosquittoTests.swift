import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

@Suite(.enabled(if: Broker.isInstalled, "mosquitto is not installed"))
struct IOMosquittoTests {
  private let loop: EventLoop

  init() throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
  }

  private func connection(
    _ port: UInt16, isDedicated: Bool = false, _ change: (inout BrokerSettings) -> Void = { _ in }
  ) -> MosquittoConnection {
    var settings = BrokerSettings(
      host: "localhost", port: port, clientID: "gateway-\(port)", isDedicated: isDedicated)
    change(&settings)
    return MosquittoConnection(settings, on: loop)
  }

  private func isConnected(_ connection: MosquittoConnection) -> Bool {
    if case .connected = connection.state { true } else { false }
  }

  @Test(arguments: [UInt8(0), 1, 2]) func publishesWithExpiryOverMQTT5(qos: UInt8) throws {
    let broker = Broker()
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    let connection = connection(broker.port)
    connection.start()
    #expect(LoopHarness.run(loop) { isConnected(connection) })
    #expect(connection.state == .connected(.five))
    for seconds: UInt32 in [300, 300, 7] {
      connection.publish(.made("a/b", "{}", qos: qos, expirySeconds: seconds))
    }
    connection.publish(.made("a/b", "", qos: qos))
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "a/b").count == 4 })
    let expected: [[UInt8]] = [[2, 0, 0, 1, 44], [2, 0, 0, 1, 44], [2, 0, 0, 0, 7], []]
    #expect(subscriber.packets.map(\.properties) == expected)
    #expect(subscriber.packets.map(\.payload) == ["{}", "{}", "{}", ""])
    #expect(subscriber.packets.allSatisfy { $0.qos == Int(qos) && !$0.isRetained })
    #expect(LoopHarness.run(loop) { connection.counters.acknowledged == (qos == 0 ? 0 : 4) })
    #expect(connection.queuedCount == 0)
    #expect(connection.counters.sent == 4)
    connection.stop()
  }

  @Test func forcesExternalDataOffTheBrokersDiskWith311() throws {
    let broker = Broker()
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port, isVersion5: false))
    let connection = connection(broker.port) { $0.version = .threeOneOne }
    connection.publish(.made("out/queued", "1", kind: .notice, qos: 1, isExternal: true))
    connection.start()
    #expect(LoopHarness.run(loop) { connection.state == .connected(.threeOneOne) })
    connection.publish(
      .made("out/data", "1", qos: 1, retain: true, expirySeconds: 9, isExternal: true))
    connection.publish(.made("in/data", "1", qos: 1, retain: true, expirySeconds: 9))
    #expect(LoopHarness.run(loop) { connection.queuedCount == 0 })
    #expect(connection.publish(.made("out/data", "2", retain: true, isExternal: true)) == .sent)
    connection.publish(.made("out/clear", "", kind: .clear, qos: 1, retain: true, isExternal: true))
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "out/clear").count == 1 })
    #expect(subscriber.packets(of: "out/queued").map(\.qos) == [0])
    #expect(subscriber.packets(of: "out/data").map(\.qos) == [0, 0])
    #expect(subscriber.packets(of: "in/data").map(\.qos) == [1])
    let late = try #require(RawSubscriber(port: broker.port, isVersion5: false, name: "late"))
    #expect(LoopHarness.run(loop) { late.packets(of: "in/data").count == 1 })
    #expect(late.packets.allSatisfy { $0.isRetained })
    #expect(late.packets(of: "out/data").isEmpty)
    connection.stop()
  }

  @Test(arguments: [[UInt8]([0x20, 2, 0, 1]), [0x20, 3, 0, 0x84, 0], []])
  func fallsBackTo311(refusal: [UInt8]) {
    let server = FakeServer()
    server.answer = { connect in connect[8] == 5 ? refusal : [0x20, 2, 0, 0] }
    let connection = connection(server.port)
    var states: [BrokerState] = []
    connection.onState = { states.append($0) }
    connection.start()
    let isDone = LoopHarness.run(loop) {
      server.turn()
      return isConnected(connection)
    }
    #expect(isDone)
    #expect(states == [.connecting, .connected(.threeOneOne)])
    #expect(server.received.map { $0[8] } == [5, 4])
    connection.stop()
  }

  @Test func waitsForABrokerThatIsAbsentAtStart() throws {
    let broker = Broker()
    let connection = connection(broker.port)
    connection.start()
    #expect(LoopHarness.run(loop) { connection.state == .waiting(.refused) })
    LoopHarness.idle(loop, milliseconds: 500)
    #expect(connection.publish(.made("a", "live")) == .dropped)
    #expect(connection.counters.droppedOffline == 1)
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    #expect(LoopHarness.run(loop, withinMilliseconds: 5000) { isConnected(connection) })
    #expect(connection.publish(.made("a", "again")) == .sent)
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "a").count == 1 })
    connection.stop()
  }

  @Test func keepsLiveDataForTheFirstConnection() throws {
    let broker = Broker()
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    let connection = connection(broker.port)
    #expect(connection.publish(.made("live", "before the start")) == .dropped)
    connection.start()
    #expect(connection.publish(.made("live", "waited", expirySeconds: 9)) == .queued)
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "live").count == 1 })
    #expect(subscriber.packets.map(\.payload) == ["waited"])
    #expect(subscriber.packets.map(\.properties) == [[2, 0, 0, 0, 9]])
    connection.stop()
  }

  @Test func mayBeStoppedByItsOwnHandler() {
    let server = FakeServer()
    server.answer = { _ in [0x20, 3, 0, 0, 0] }
    var connection: MosquittoConnection? = connection(server.port)
    var messages = 0
    connection?.onMessage = { _, _ in
      messages += 1
      connection?.stop()
      connection = nil
    }
    connection?.start()
    #expect(run(server) { connection?.state == .connected(.five) })
    let message: [UInt8] = [0x30, 5, 0, 1, UInt8(ascii: "t"), 0, UInt8(ascii: "x")]
    TestSocket.send(message + message + message, to: server.clients[0])
    #expect(run(server) { connection == nil })
    LoopHarness.idle(loop, milliseconds: 50)
    #expect(messages == 1)
  }

  @Test func setsTCPNoDelay() throws {
    let broker = Broker()
    broker.start()
    let connection = connection(broker.port)
    connection.start()
    #expect(LoopHarness.run(loop) { isConnected(connection) })
    let number = try #require(Self.socket(to: broker.port))
    var value: Int32 = 0
    var size = socklen_t(4)
    #expect(unsafe getsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size) == 0)
    #expect(value == 1)
    connection.stop()
  }

  @Test func sendsWhatWaitedInOrderAfterTheBrokersReturn() throws {
    let broker = Broker()
    broker.start()
    let connection = connection(broker.port)
    connection.start()
    #expect(LoopHarness.run(loop) { isConnected(connection) })
    broker.kill()
    #expect(LoopHarness.run(loop) { !isConnected(connection) })
    for number in 0..<40 {
      #expect(connection.publish(.made("w", "\(number)", qos: 1, expirySeconds: 60)) == .queued)
    }
    connection.publish(.made("old", "1", qos: 1, expirySeconds: 1))
    connection.publish(.made("state", "old", retain: true))
    connection.publish(.made("state", "new", retain: true))
    connection.publish(.made("gone", "", kind: .clear, retain: true))
    LoopHarness.idle(loop, milliseconds: 1100)
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    #expect(
      LoopHarness.run(loop, withinMilliseconds: 5000) {
        subscriber.packets(of: "state").count == 1
      })
    #expect(subscriber.packets.first?.topic == "gone")
    #expect(subscriber.packets(of: "w").map(\.payload) == (0..<40).map(String.init))
    #expect(subscriber.packets(of: "state").map(\.payload) == ["new"])
    #expect(subscriber.packets(of: "old").isEmpty)
    #expect(connection.expiredCount == 1)
    let left = subscriber.packets(of: "w").map { $0.properties.last ?? 0 }
    #expect(left.allSatisfy { $0 < 60 && $0 > 50 }, "the time in the queue counts: \(left)")
    connection.stop()
  }

  @Test func resendsWhatWasNotAcknowledgedButNotWhatWasPurged() {
    let server = FakeServer()
    server.answer = { _ in [0x20, 3, 0, 0, 0] }
    let connection = connection(server.port)
    connection.start()
    #expect(run(server) { isConnected(connection) })
    connection.publish(.made("keep", "K", gate: 1, qos: 1))
    connection.publish(.made("drop", "D", gate: 2, qos: 2))
    #expect(run(server) { count("drop", server.received[0]) == 1 })
    #expect(connection.queuedCount == 2)
    #expect(connection.purge(gateIndex: 2).messageCount == 1)
    server.closeClient(0)
    #expect(run(server) { server.received.count == 2 && count("keep", server.received[1]) == 1 })
    LoopHarness.idle(loop, milliseconds: 50)
    server.turn()
    #expect(count("drop", server.received[1]) == 0)
    connection.stop()
  }

  @Test(arguments: [true, false]) func neverBlocksOnASlowBroker(isDedicated: Bool) {
    let server = FakeServer()
    server.answer = { _ in [0x20, 3, 0, 0, 0] }
    let connection = connection(server.port, isDedicated: isDedicated)
    connection.start()
    #expect(run(server) { isConnected(connection) })
    let payload = String(repeating: "x", count: 4000)
    // The server reads nothing from here on and the buffers fill up: blocking would be for ever.
    var number = 0
    while connection.overflowCount == 0 || connection.counters.droppedCongested == 0 {
      connection.publish(.made("live", payload, gate: 1))
      connection.publish(.made("w", payload, gate: 1, qos: number.isMultiple(of: 2) ? 1 : 0))
      if number.isMultiple(of: 100) { loop.turn(waitingAtMost: 0) }
      number += 1
      if number > 20_000 { break }
    }
    #expect(connection.counters.droppedCongested > 0)
    #expect(connection.overflowCount > 0)
    #expect(connection.queuedCount <= PublishQueue.messageLimit)
    let purge = connection.purge(gateIndex: 1)
    #expect(purge.isCut && purge.tailBytes > 0 && purge.messageCount > 0)
    #expect(connection.queuedCount == 0)
    #expect(connection.state == .waiting(.cut))
    // RST drops what the kernel still held; a shared connection ends after it, with FIN.
    #expect(TestSocket.drain(server.clients[0]) == (isDedicated ? ECONNRESET : 0))
    connection.publish(.made("w/clear", "", kind: .clear, gate: 1, retain: true))
    #expect(run(server) { server.received.count == 2 && count("w/clear", server.received[1]) == 1 })
    #expect(count("xxxx", server.received[1]) == 0)
    connection.stop()
  }

  @Test func leavesAWillThatTheBrokerPublishes() throws {
    let broker = Broker()
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    let will = BrokerSettings.Will(
      .made("m/status", "offline", kind: .status, qos: 1, retain: true))
    let connection = connection(broker.port, isDedicated: true) { $0.will = will }
    connection.start()
    #expect(LoopHarness.run(loop) { isConnected(connection) })
    connection.publish(.made("m/status", "online", kind: .status, qos: 1, retain: true))
    #expect(LoopHarness.run(loop) { connection.counters.acknowledged == 1 })
    // A goodbye leaves no will; a dead process does: its socket just closes.
    connection.finish(withinMilliseconds: 2000) {}
    #expect(LoopHarness.run(loop) { connection.state == nil })
    connection.start()
    #expect(LoopHarness.run(loop) { isConnected(connection) })
    #expect(subscriber.packets(of: "m/status").map(\.payload) == ["online"])
    let killed = try #require(Self.socket(to: broker.port))
    shutdown(killed, Int32(SHUT_RDWR))
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "m/status").count == 2 })
    #expect(subscriber.packets.last?.payload == "offline")
    connection.stop()
  }

  @Test func receivesMessagesItSubscribedTo() throws {
    let broker = Broker()
    broker.start()
    let connection = connection(broker.port)
    var births: [String] = []
    connection.subscribe("ha/status")
    connection.onMessage = { topic, payload in
      var text: [UInt8] = []
      for index in topic.indices { text.append(topic[index]) }
      text.append(UInt8(ascii: "="))
      for index in payload.indices { text.append(payload[index]) }
      births.append(String(decoding: text, as: UTF8.self))
      connection.publish(.made("discovery", "\(births.count)", kind: .discovery, retain: true))
    }
    for round in 1...2 {
      connection.start()
      #expect(LoopHarness.run(loop) { isConnected(connection) })
      LoopHarness.idle(loop, milliseconds: 50)
      connection.publish(.made("ha/status", "online"))
      #expect(LoopHarness.run(loop) { births.count == round })
      #expect(LoopHarness.run(loop) { connection.queuedCount == 0 })
      connection.stop()
    }
    #expect(births == ["ha/status=online", "ha/status=online"])
    let late = try #require(RawSubscriber(port: broker.port))
    #expect(LoopHarness.run(loop) { late.packets(of: "discovery").map(\.payload) == ["2"] })
  }

  @Test func finishesOnlyOnceTheBrokerHasEverything() throws {
    let broker = Broker()
    broker.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    let connection = connection(broker.port)
    for number in 0..<100 { connection.publish(.made("t", "\(number)", qos: 1)) }
    connection.start()
    var isFinished = false
    connection.finish(withinMilliseconds: 10_000) { isFinished = true }
    #expect(LoopHarness.run(loop) { isFinished })
    #expect(connection.counters.acknowledged == 100)
    #expect(LoopHarness.run(loop) { subscriber.packets(of: "t").count == 100 })
  }

  @Test(arguments: [(100, 60_000), (60_000, 100)])
  func tellsEverybodyWhoAskedForTheEnd(_ first: Int, _ second: Int) throws {
    // Nobody is there to take the message, so only the shorter time ends it.
    let connection = connection(TestSocket.freePort())
    connection.publish(.made("t", "1", qos: 1))
    connection.start()
    var told: [Int] = []
    connection.finish(withinMilliseconds: first) { told.append(1) }
    connection.finish(withinMilliseconds: second) { told.append(2) }
    #expect(LoopHarness.run(loop) { told == [1, 2] })
  }

  @Test func keepsASilentConnectionAlive() {
    let broker = Broker()
    broker.start()
    let connection = connection(broker.port) { $0.keepAliveSeconds = 5 }
    var states: [BrokerState] = []
    connection.onState = { states.append($0) }
    connection.start()
    // The broker cuts after 1.5 times the keep-alive.
    LoopHarness.idle(loop, milliseconds: 8_500)
    #expect(states == [.connecting, .connected(.five)])
    connection.stop()
  }

  @Test func noticesABrokerThatAnswersNoPing() {
    let server = FakeServer()
    server.answer = { _ in [0x20, 3, 0, 0, 0] }
    let connection = connection(server.port) { $0.keepAliveSeconds = 5 }
    connection.start()
    #expect(run(server) { isConnected(connection) })
    #expect(
      LoopHarness.run(loop, withinMilliseconds: 15_000) {
        server.turn()
        return !isConnected(connection)
      })
    #expect(server.received[0].suffix(2) == [0xC0, 0])
    connection.stop()
  }

  @Test func givesUpOnABrokerThatNeverAnswers() {
    let server = FakeServer()
    let connection = connection(server.port) { $0.connectTimeoutMilliseconds = 200 }
    connection.start()
    #expect(run(server) { connection.state == .waiting(.timedOut) })
    connection.stop()
  }

  private func run(_ server: FakeServer, until condition: () -> Bool) -> Bool {
    LoopHarness.run(loop) {
      server.turn()
      return condition()
    }
  }

  /// How often a text occurs in bytes.
  private func count(_ text: String, _ bytes: [UInt8]) -> Int {
    let wanted = Array(text.utf8)
    guard bytes.count >= wanted.count else { return 0 }
    return (0...bytes.count - wanted.count).count { bytes[$0..<$0 + wanted.count] == wanted[...] }
  }

  /// Our own socket to a port, as a killed process would leave it.
  private static func socket(to port: UInt16) -> Int32? {
    (3..<Int32(256)).last { number in
      var address = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe getpeername(number, $0, &size)
        }
      }
      return result == 0 && UInt16(bigEndian: address.sin_port) == port
    }
  }
}
