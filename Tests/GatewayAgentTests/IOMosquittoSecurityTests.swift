import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

@Suite(.enabled(if: Broker.isInstalled && Certificates.isPossible, "mosquitto is not installed"))
struct IOMosquittoSecurityTests {
  private let loop: EventLoop

  init() throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
  }

  private func connect(
    _ port: UInt16, _ change: (inout BrokerSettings) -> Void
  ) -> MosquittoConnection {
    var settings = BrokerSettings(
      host: "localhost", port: port, clientID: "gateway", isDedicated: true)
    change(&settings)
    let connection = MosquittoConnection(settings, on: loop)
    connection.start()
    #expect(LoopHarness.run(loop) { connection.state != .connecting })
    return connection
  }

  @Test func publishesOverTLSWithItsOwnCertificate() {
    let certificates = Certificates(brokerName: "localhost")
    let broker = Broker(lines: certificates.brokerLines)
    broker.start()
    let connection = connect(broker.port) {
      $0.tls = BrokerSettings.TLS(
        caFile: certificates.authority, certificateFile: certificates.client.certificate,
        keyFile: certificates.client.key)
    }
    #expect(connection.state == .connected(.five))
    var echoes = 0
    connection.onMessage = { _, payload in echoes += payload.count }
    connection.subscribe("echo")
    LoopHarness.idle(loop, milliseconds: 50)
    let payload = String(repeating: "x", count: 3000)
    for _ in 0..<50 { connection.publish(.made("echo", payload, qos: 1)) }
    #expect(LoopHarness.run(loop) { echoes == 50 * 3000 })
    #expect(LoopHarness.run(loop) { connection.counters.acknowledged == 50 })
    connection.stop()
  }

  @Test func refusesABrokerWithAnotherName() {
    let certificates = Certificates(brokerName: "elsewhere.invalid")
    let broker = Broker(lines: certificates.brokerLines)
    broker.start()
    let connection = connect(broker.port) {
      $0.tls = BrokerSettings.TLS(
        caFile: certificates.authority, certificateFile: certificates.client.certificate,
        keyFile: certificates.client.key)
    }
    #expect(connection.state == .waiting(.tls))
    connection.stop()
  }

  @Test func refusesABrokerOfAnotherAuthority() {
    let certificates = Certificates(brokerName: "localhost")
    let broker = Broker(lines: certificates.brokerLines)
    broker.start()
    let other = Certificates(brokerName: "localhost")
    for authority in [other.authority, nil] {
      let connection = connect(broker.port) {
        $0.tls = BrokerSettings.TLS(
          caFile: authority, certificateFile: other.client.certificate,
          keyFile: other.client.key)
      }
      #expect(connection.state == .waiting(.tls))
      connection.stop()
    }
  }

  @Test func isRefusedWithoutItsCertificate() {
    let certificates = Certificates(brokerName: "localhost")
    let broker = Broker(lines: certificates.brokerLines)
    broker.start()
    let connection = connect(broker.port) {
      $0.tls = BrokerSettings.TLS(caFile: certificates.authority)
    }
    guard case .waiting = connection.state else {
      Issue.record("connected without a certificate: \(String(describing: connection.state))")
      return
    }
    connection.stop()
  }

  @Test func reportsFilesThatAreNotThere() {
    let connection = connect(TestSocket.freePort()) {
      $0.tls = BrokerSettings.TLS(caFile: "/nonexistent/ca.crt")
    }
    guard case .waiting(.unusableSettings) = connection.state else {
      Issue.record("\(String(describing: connection.state))")
      return
    }
    connection.stop()
  }

  @Test func logsInWithUserAndPassword() throws {
    let directory = LoopHarness.temporaryDirectory()
    let make = "mosquitto_passwd -c -b \(directory)/users gateway correct-horse"
    #expect(unsafe system("\(make) && chmod 755 \(directory) && chmod 644 \(directory)/users") == 0)
    let broker = Broker(lines: ["allow_anonymous false", "password_file \(directory)/users"])
    broker.start()
    let good = connect(broker.port) {
      $0.username = "gateway"
      $0.password = "correct-horse"
    }
    #expect(good.state == .connected(.five))
    good.stop()
    for (version, code) in [(BrokerSettings.Version.five, Int32(0x87)), (.threeOneOne, 5)] {
      let bad = connect(broker.port) {
        $0.username = "gateway"
        $0.password = "wrong"
        $0.version = version
      }
      #expect(bad.state == .waiting(.notAuthorised(code)))
      bad.stop()
    }
  }
}
