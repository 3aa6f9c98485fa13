import OBISDecoder
import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// What happens when a gate lets an identifier through, which none does: the test puts it there.
struct AcceptanceTripwireTests {
  private static let number = "E0042001234567890"
  private static let hex = "4530303432303031323334353637383930"

  /// The bodies of the ledger's tripwire records.
  private func records(of bench: AgentBench) throws -> [String] {
    var rows = try bench.agent.store.database.prepare(
      "SELECT body FROM bodies JOIN ledger USING (bh) WHERE type = 'TRIPWIRE'")
    var bodies: [String] = []
    while try rows.step() { bodies.append(rows.text(0)) }
    return bodies
  }

  private func state(_ id: String, of bench: AgentBench) -> String? {
    bench.answer(.grantList).grants?.first { $0.id == id }?.state
  }

  private func number(of bench: AgentBench, _ id: String) throws -> UInt8 {
    let grant = try #require(bench.agent.running.compactMap { $0 }.first { $0.id.text == id })
    return UInt8(try #require(grant.gates.first))
  }

  @Test("C13.37: a user name that is a meter's number closes the connection at the first frame")
  func closesConnectionNamedAfterMeter() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    bench.configuration.brokers[0].username = Self.number
    try bench.start()
    let id = try bench.grant(.minutePower())
    try bench.connect()
    #expect(wire.clients.count == 1)
    try bench.telegram(at: at("13:00:05"))
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    #expect(state(id, of: bench) == "invalidated")
    try bench.telegrams(from: at("13:00:10"), to: at("13:05:00"))
    bench.idle()
    #expect(wire.publishes.allSatisfy { $0.topic.hasSuffix("/status") })
    let records = try records(of: bench)
    #expect(records.count == 1)
    #expect(records.allSatisfy { !$0.contains(Self.number) })
  }

  @Test("with more identifiers than can be looked for nothing leaves the house, which reads on")
  func holdsRecipientsWhenTheVaultIsFull() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    _ = try bench.grant(.house())
    _ = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:03:30"))
    func released() throws -> (recipients: Int, house: Int) {
      bench.idle()
      return (
        wire.publishes.count { $0.topic.hasPrefix("gateway/") },
        wire.publishes.count { $0.topic == "meter/home/state" }
      )
    }
    let before = try released()
    #expect(before.recipients >= 2)
    // One too many is enough, and comes last.
    while bench.agent.vault.vault.refusedCount == 0 {
      let number = bench.agent.vault.vault.revision
      let bytes = Array("NUMBER-\(1_000_000_000 + number)".utf8)
      let code = OBISCode(0, UInt8(number >> 8), 96, 1, UInt8(number & 255), 255)
      bench.agent.vault.insert(
        Secret(kind: .meterNumber, code: code, offset: 0, count: bytes.count, isHex: false),
        in: bytes.span, source: 0)
      // Made anew when the vault is full, and so before the one that is refused.
      if bench.agent.vault.vault.count == IdentifierVault.capacity {
        _ = bench.agent.vault.withTripwire { $0.isComplete }
      }
    }
    try bench.telegrams(from: at("13:04:00"), to: at("13:08:30"))
    let after = try released()
    #expect(after.recipients == before.recipients)
    #expect(after.house > before.house)
  }

  @Test("C13.38: a number in hexadecimal is not sent, and its grant is over")
  func stopsHexadecimalNumber() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    let id = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegram(at: at("13:00:05"))
    let gate = try number(of: bench, id)
    let payload = #"{"v":1,"x":"\#(Self.hex)"}"#
    for qos in [UInt8(0), 1] {
      bench.agent.publish(.made("gateway/x/e1", payload, gate: gate, qos: qos, isExternal: true))
    }
    try bench.expect { state(id, of: bench) == "invalidated" }
    try bench.telegrams(from: at("13:00:10"), to: at("13:05:00"))
    try bench.expect { wire.publishes.contains { $0.topic.hasSuffix("/status") } }
    #expect(wire.publishes.allSatisfy { $0.topic.hasSuffix("/status") })
    #expect(wire.publishes.last?.payload.contains(#""state":"invalidated""#) == true)
    let records = try records(of: bench)
    #expect(records.count == 1)
    #expect(
      records.first == #"{"by":"agent","form":"hex","grant":"\#(id)","offset":12}"#)
    #expect(records.first?.contains(Self.hex) == false)
  }

  @Test("C13.39: the number that a grant names passes as it is, and not reversed")
  func letsOnlyPlainNumberThrough() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    let id = try bench.grant(
      .made("supplier-billing-check", "supplier") {
        $0.legalName = "Example Supply A/S"
        $0.country = "DK"
        $0.basis = "b"
      }, ticked: ["I1"])
    try bench.connect()
    try bench.telegram(at: at("13:00:05"))
    let gate = try number(of: bench, id)
    func send(_ number: String) {
      bench.agent.publish(
        .made("gateway/x/day", #"{"v":1,"meter":"\#(number)"}"#, gate: gate, isExternal: true))
    }
    send(Self.number)
    try bench.expect { wire.publishes.contains { $0.payload.contains(Self.number) } }
    #expect(state(id, of: bench) == "active")
    send(String(Self.number.reversed()))
    try bench.expect { state(id, of: bench) == "invalidated" }
    #expect(!wire.publishes.contains { $0.payload.contains(String(Self.number.reversed())) })
  }

  @Test("a document of the agent that holds a number is dropped; the house goes on")
  func dropsOwnDocument() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    let id = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(at: at("13:00:05"))
    let before = wire.publishes.count
    bench.agent.publish(.made("meter/x", Self.number, kind: .health, gate: Release.noGate))
    try bench.telegram(at: at("13:00:15"))
    try bench.expect { wire.publishes.count > before }
    #expect(!wire.publishes.contains { $0.topic == "meter/x" })
    #expect(state(id, of: bench) == "active")
  }
}
