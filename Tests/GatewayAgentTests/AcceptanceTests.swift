import ConsentLedger
import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Default deny and exact payloads, at the broker.
struct AcceptanceTests {
  @Test("C13.1: without a grant no connection is opened and no gate exists")
  func opensNothingWithoutAGrant() throws {
    let bench = try AgentBench(at: at("13:30:07"))
    let wire = bench.addWire()
    try bench.start()
    #expect(Telegram.f1.bytes.count == 530)
    for second in 0..<100 {
      try bench.telegram(at: at("13:30:07") + Int64(second) * 1000)
    }
    bench.idle()
    #expect(bench.agent.feeds[0].frames == 100)
    #expect(wire.clients.isEmpty)
    #expect(bench.agent.links.allSatisfy { $0 == nil })
    #expect((0..<GateBank.capacity).allSatisfy { !bench.agent.bank.isInstalled($0) })
    #expect(bench.sent.isEmpty)
  }

  @Test("C13.3: a minute's mean goes out rounded under the grant's keys")
  func publishesTheMinutesMean() throws {
    let broker = Broker()
    broker.start()
    let bench = try AgentBench(at: at("13:00:00"))
    bench.addBroker(broker.port)
    try bench.start()
    _ = try bench.grant(.minutePower())
    try bench.connect()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    bench.time.milliseconds = at("13:30:00")
    for (index, power) in [473, 480, 1990, 2010, 500, 473].enumerated() {
      let instant = at("13:30:00") + Int64(index) * 10_000
      bench.time.milliseconds = instant
      try bench.frame(Telegram(power: power).bytes)
    }
    bench.advance(to: at("13:31:30"))
    try bench.expect {
      subscriber.packets.isEmpty == false
        || {
          subscriber.poll(); return false
        }()
    }
    #expect(
      subscriber.packets.map(\.payload) == [
        #"{"v":1,"time":"2026-01-15T13:30:00Z","window_s":60,"quality":"ok","#
          + #""active_power_import_w":990,"active_power_export_w":0}"#
      ])
  }
}
