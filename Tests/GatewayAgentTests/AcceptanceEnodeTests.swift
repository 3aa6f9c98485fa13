import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Grants in Enode's shape through the whole agent: journal, withdrawal, tripwire, old brokers.
struct AcceptanceEnodeTests {
  private func bench(
    _ change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> (bench: AgentBench, wire: WireBroker, grant: String) {
    let bench = try AgentBench(at: at("13:30:00"))
    bench.configuration.enodeUser = "home"
    let wire = bench.addWire()
    var grant = ""
    try Seed.prepare(bench) { grant = try $0.enode(salt: 0xB1, change) }
    try bench.start()
    try bench.connect()
    return (bench, wire, grant)
  }

  private static let place = "gateway/enode/m-ilvudwohxemqbfxz"

  @Test func theJournalCountsThemAndAWithdrawalDeletesTheMeter() throws {
    let (bench, wire, grant) = try bench()
    try bench.telegrams(from: at("13:30:00"), to: at("13:46:30"))
    try bench.expect { wire.publishes.contains { $0.topic == Self.place + "/enode/events" } }
    let topics = Set(wire.publishes.map(\.topic))
    #expect(
      topics == Set(["/e15", "/enode/meter", "/enode/events"].map { Self.place + $0 }))
    let released = wire.publishes.count
    let answer = bench.answer(.withdraw, grant)
    #expect(answer.ok)
    #expect(answer.receipt?.contains("\"messages\":\(released),") == true)
    try bench.expect { wire.publishes.last?.topic == Self.place + "/status" }
    let last = wire.publishes.suffix(2)
    #expect(last.first?.topic == Self.place + "/enode/events")
    #expect(last.first?.payload.contains("user:meter:deleted") == true)
    try bench.telegrams(from: at("13:47:00"), to: at("14:16:30"))
    bench.idle()
    #expect(wire.publishes.count == released + 2)
  }

  @Test func aPauseDoesNotDeleteTheMeter() throws {
    let (bench, wire, grant) = try bench()
    try bench.telegrams(from: at("13:30:00"), to: at("13:46:30"))
    #expect(bench.answer(.pause, grant).ok)
    try bench.expect { wire.publishes.last?.topic == Self.place + "/status" }
    #expect(!wire.publishes.contains { $0.payload.contains("user:meter:deleted") })
  }
}
