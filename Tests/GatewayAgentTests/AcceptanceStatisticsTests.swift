import ConsentLedger
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Contributions to research: a total a day, without a name, at a moment drawn by chance.
struct AcceptanceStatisticsTests {
  private static let day: Int64 = 86_400_000

  private func bench(
    from start: Int64
  ) throws -> (bench: AgentBench, wire: WireBroker, grant: String) {
    let bench = try AgentBench(at: start)
    let wire = bench.addWire()
    try bench.start()
    func propose(_ homes: Int) -> ControlResponse {
      bench.agent.answer(
        ControlRequest(
          verb: .grantPropose,
          proposal: .made("research-aggregate", "research") {
            $0.legalName = "Example University"
            $0.country = "DK"
            $0.basis = "f"
            $0.categories = ["E3"]
            $0.kMin = homes
            $0.maxSharePercent = 15
            $0.undertaking = String(repeating: "0f", count: 32)
          }), by: AgentBench.owner)
    }
    #expect(propose(10).code == "E_AGG_RULE")
    let id = try #require(propose(15).grant?.id)
    #expect(bench.answer(.grantAccept, id).ok)
    return (bench, wire, id)
  }

  /// A telegram every five minutes, the register growing by 1 kWh an hour.
  private func run(_ bench: AgentBench, from start: Int64, to end: Int64) throws {
    for instant in stride(from: start, to: end, by: 300_000) {
      advance(bench, to: instant)
      if instant % 3_600_000 == 0 { bench.agent.everyMinute() }
      var telegram = Telegram(gas: false)
      telegram.importTariff1 = 1_234_567 + Int((instant - at("00:00:00")) / 3600)
      try bench.frame(telegram.bytes)
    }
  }

  /// Moves the clock by way of every deadline, those of contributions too.
  private func advance(_ bench: AgentBench, to instant: Int64) {
    while let due = bench.agent.nextContribution, due <= instant {
      bench.time.milliseconds = max(bench.time.milliseconds, due)
      bench.agent.tick()
    }
    bench.advance(to: instant)
  }

  @Test("C13.35: two days make two messages without a name, each by a client of its own")
  func contributesWithoutAName() throws {
    let start = at("00:00:00")
    let (bench, wire, grant) = try bench(from: start)
    #expect(bench.agent.links.allSatisfy { $0 == nil })
    try run(bench, from: start, to: start + 3 * Self.day + 60_000)
    advance(bench, to: start + 4 * Self.day - 1)
    try bench.expect { wire.publishes.count == 3 && bench.agent.contributions.isEmpty }
    let payloads = wire.publishes.map(\.payload).sorted()
    #expect(
      payloads == [
        // Five minutes before midnight it was 23.9 kWh; what is cut off comes with the next day.
        #"{"v":1,"day":"2026-01-15","energy_import_wh":23000}"#,
        #"{"v":1,"day":"2026-01-16","energy_import_wh":24000}"#,
        #"{"v":1,"day":"2026-01-17","energy_import_wh":24000}"#,
      ])
    #expect(wire.publishes.allSatisfy { $0.topic == "gateway/research/day" && $0.qos == 1 })
    #expect(wire.publishes.allSatisfy { !$0.isRetained })
    #expect(Set(wire.clients.map(\.id)).count == wire.publishes.count)
    try bench.expect { wire.clients.allSatisfy { !$0.isOpen && $0.will == nil } }
    #expect(!payloads.joined().contains("3580245"))
    #expect(bench.answer(.grantList).grants?.first { $0.id == grant }?.messages == 3)
  }

  @Test func drawsTheMomentWithinADay() throws {
    let start = at("00:00:00")
    let (bench, _, _) = try bench(from: start)
    try run(bench, from: start, to: start + Self.day)
    bench.time.milliseconds = start + Self.day + 90_000
    bench.agent.tick()
    let due = try #require(bench.agent.nextContribution)
    let closed = start + Self.day
    #expect(due >= closed && due <= closed + Self.day + 90_000)
  }

  @Test func forgetsWhatWaitsWhenItIsWithdrawn() throws {
    let start = at("00:00:00")
    let (bench, wire, grant) = try bench(from: start)
    try run(bench, from: start, to: start + Self.day)
    bench.time.milliseconds = start + Self.day + 90_000
    bench.agent.tick()
    let waits = bench.agent.contributions.filter { !$0.isSending }.count
    let receipt = bench.answer(.withdraw, grant).receipt
    #expect(receipt?.contains(#""purged":\#(waits),"#) == true)
    bench.advance(to: start + 3 * Self.day)
    bench.idle()
    #expect(wire.publishes.count <= 1 - waits)
    // Nobody is told: a notice would say that this home contributed.
    #expect(wire.publishes.allSatisfy { !$0.topic.hasSuffix("/status") })
  }
}
