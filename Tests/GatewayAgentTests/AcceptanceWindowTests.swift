import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Hourly windows: what is in them, when they go, and when they do not go any more.
struct AcceptanceWindowTests {
  private static let hour: Int64 = 3_600_000

  /// A bench with the Eliq grant of C5 in force and its broker.
  private func bench(
    at start: Int64, base: Int64? = nil, _ change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> (bench: AgentBench, wire: WireBroker, grant: String) {
    let bench = try AgentBench(at: start)
    let wire = bench.addWire()
    var grant = ""
    try Seed.prepare(bench) { grant = try $0.eliq(base: base, change) }
    try bench.start()
    try bench.connect()
    return (bench, wire, grant)
  }

  @Test("C13.4, C13.7: the hour's energy under the names of C6, at 15:01:21 and no earlier")
  func publishesTheHoursEnergy() throws {
    let start = at("14:00:00")
    let (bench, wire, _) = try bench(at: start, base: 3_579_000_000) { $0.categories = .e3 }
    try bench.telegrams(from: start, to: start + Self.hour) { telegram, instant in
      telegram.importTariff1 = 1_234_094 + Int((instant - start) * 400 / Self.hour)
    }
    try bench.telegram(at: start + Self.hour)
    bench.advance(to: at("15:01:21") - 1)
    #expect(bench.sent.isEmpty)
    bench.advance(to: at("15:01:21"))
    try bench.expect { wire.publishes.count == 1 }
    #expect(wire.clients.map(\.id) == [Seed.eliqClient])
    #expect(wire.publishes.first?.topic == Seed.eliqPlace + "/e60")
    #expect(
      wire.publishes.first?.payload
        == #"{"v":1,"time":"2026-01-15T14:00:00Z","window_s":3600,"quality":"ok","#
        + #""energy_import_wh":470}"#)
  }

  @Test("C13.14: withdrawn at 10:00:00.000, the window 09-10 is purged and never sent")
  func purgesThePendingWindow() throws {
    let (bench, wire, grant) = try bench(at: at("08:00:00"))
    try bench.telegrams(from: at("08:00:00"), to: at("10:00:00"))
    #expect(bench.externalData.map(\.at) == [at("09:01:21")])
    bench.time.milliseconds = at("10:00:00")
    let answer = bench.answer(.withdraw, grant)
    #expect(answer.ok)
    #expect(answer.receipt?.contains(#""purged":1,"#) == true)
    #expect(answer.receipt?.contains(#""messages":1,"#) == true)
    #expect(answer.receipt?.contains(#""lastMessage":"2026-01-15T09:01:21Z""#) == true)
    try bench.telegrams(from: at("10:00:10"), to: at("11:02:00"))
    bench.agent.everyMinute()
    bench.idle()
    #expect(bench.externalData.count == 1)
    #expect(wire.publishes.map(\.topic) == ["e60", "status"].map { Seed.eliqPlace + "/" + $0 })
    #expect(wire.publishes.last?.payload.contains(#""state":"withdrawn""#) == true)
    #expect(wire.publishes.last?.payload.contains("energy") == false)
  }

  @Test("C13.14: a window that the frame at 10:00:00.000 closed is purged as well")
  func purgesTheClosedWindow() throws {
    let (bench, wire, grant) = try bench(at: at("08:59:30"))
    try bench.telegrams(from: at("08:59:30"), to: at("10:00:01"))
    #expect(bench.answer(.withdraw, grant).receipt?.contains(#""purged":1,"#) == true)
    bench.advance(to: at("10:02:00"))
    bench.idle()
    #expect(wire.publishes.map(\.topic) == [Seed.eliqPlace + "/status"])
  }

  @Test("C13.19: valid until 10:00, the window ending 09:00 goes, the one ending 10:00 never does")
  func endsWithItsLastInstant() throws {
    let (bench, wire, grant) = try bench(at: at("08:00:00")) { $0.validUntil = at("10:00:00") }
    try bench.telegrams(from: at("08:00:00"), to: at("09:59:59"))
    #expect(bench.externalData.map(\.at) == [at("09:01:21")])
    try bench.telegrams(from: at("10:00:00"), to: at("10:05:00"))
    bench.advance(to: at("11:05:00"))
    #expect(bench.externalData.count == 1)
    bench.agent.everyMinute()
    try bench.expect { wire.publishes.count == 2 }
    #expect(wire.publishes.last?.payload.contains(#""state":"expired""#) == true)
    #expect(bench.answer(.grantList).grants?.first { $0.id == grant }?.state == "expired")
    #expect(bench.answer(.receipt, grant).receipt?.contains(#""messages":1,"#) == true)
  }

  @Test("C13.20: a message of a grant with 120 s left expires at the broker after 120 s")
  func messagesOutliveNoGrant() throws {
    let (bench, wire, _) = try bench(at: at("08:00:00")) { $0.validUntil = at("09:03:21") }
    try bench.telegrams(from: at("08:00:00"), to: at("09:01:40"))
    try bench.expect { wire.publishes.count == 1 }
    #expect(wire.publishes.first?.properties == [2, 0, 0, 0, 120])
  }
}
