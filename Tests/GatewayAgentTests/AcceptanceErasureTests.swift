import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// Erasure and retention in the running agent.
struct AcceptanceErasureTests {
  private func erase(_ bench: AgentBench, _ change: (inout ControlRequest) -> Void)
    -> ControlResponse
  {
    var request = ControlRequest(verb: .erase)
    change(&request)
    return bench.agent.answer(request, by: AgentBench.owner)
  }

  @Test("C13.46: a grant in force is ended and erased, and a letter names what its recipient has")
  func endsAndErases() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    var grant = ""
    try Seed.prepare(bench) { grant = try $0.eliq() }
    try bench.start()
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("14:02:00"))
    try bench.expect { wire.publishes.contains { $0.topic == Seed.eliqPlace + "/e60" } }
    let answer = erase(bench) { $0.grant = grant }
    let erasure = try #require(answer.erasure, "\(answer.message ?? "")")
    #expect(erasure.grants == [grant] && erasure.recipients.isEmpty)
    #expect(erasure.letters.map(\.legalName) == ["Eliq AB"])
    #expect(erasure.letters.first?.messages == 1)
    #expect(Erase.lines(erasure).contains { $0.contains("GDPR article 17") })
    try bench.expect { wire.publishes.last?.topic == Seed.eliqPlace + "/status" }
    #expect(wire.publishes.last?.payload.contains("withdrawn") == true)
    #expect(bench.answer(.grantAccept, grant).code == "E_STATE")
    #expect(bench.answer(.withdraw, grant).code == "E_STATE")
    let traces = try #require(bench.answer(.verifyErasure).traces)
    #expect(traces.isClean && traces.chain.verdict == "sound")
    try bench.stop()
    let bytes = try AgentCapture.files(in: bench.configuration.stateDirectory)
    #expect(!bytes.contains(Array("m-jdj2mreiudcxubv2".utf8)))
  }

  @Test("what a broker keeps of the house is cleared before it is erased")
  func waitsForTheBroker() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    wire.acknowledges = false
    try bench.start()
    let house = try bench.grant(.house())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:00"))
    let early = erase(bench) { $0.grant = house }
    #expect(early.code == "E_STATE" && early.message?.hasPrefix("the broker") == true)
    #expect(bench.answer(.grantList).grants?.first?.state == "withdrawn")
    let answer = erase(bench) {
      $0.grant = house
      $0.erasure = ErasureRequest(leavesRetained: true)
    }
    #expect(answer.erasure?.kept.count == 1)
    #expect(try bench.agent.store.verifyErasure().isClean)
  }

  @Test("all is erased: grants in force, proposals, recipients; it takes a fresh proof")
  func erasesEverything() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    _ = bench.addWire()
    try bench.start()
    _ = try bench.grant(.minutePower())
    let proposal = ControlRequest(verb: .grantPropose, proposal: .minutePower("second-app"))
    #expect(bench.agent.answer(proposal, by: AgentBench.owner).ok)
    let stale = erase(bench) {
      $0.erasure = ErasureRequest(all: true)
      $0.provenSecondsAgo = 301
    }
    #expect(stale.code == "E_REAUTH")
    let unknown = erase(bench) { $0.erasure = ErasureRequest(recipient: "nobody") }
    #expect(unknown.code == "E_GRANT_UNKNOWN")
    let answer = erase(bench) { $0.erasure = ErasureRequest(all: true) }
    #expect(answer.erasure?.grants.count == 2)
    #expect(answer.erasure?.recipients == ["first-app", "second-app"])
    #expect(bench.answer(.grantList).grants?.isEmpty == true)
    #expect(bench.answer(.verifyErasure).traces?.isClean == true)
    #expect(bench.agent.running.allSatisfy { $0 == nil })
  }

  @Test("C13.47: the agent sweeps after 03:15, once a day, and not while its clock is in doubt")
  func sweepsOnceADay() throws {
    let bench = try AgentBench(at: at("2026-01-15T10:00:00Z"))
    _ = bench.addWire()
    bench.configuration.clockTrust = .networkOrMeter
    bench.time.isSynchronised = true
    try bench.start()
    let grant = try bench.grant(.minutePower { $0.validDays = 1 })
    #expect(bench.answer(.withdraw, grant).ok)
    bench.agent.everyMinute()
    #expect(bench.agent.retentionDue == at("2026-01-16T03:15:00Z"))
    bench.time.milliseconds = at("2029-01-16T03:00:00Z")
    bench.time.isSynchronised = false
    bench.agent.everyMinute()
    #expect(bench.answer(.grantList).grants?.count == 1)
    #expect(bench.agent.retentionDue == at("2026-01-16T03:15:00Z"))
    bench.time.milliseconds += 60_000
    bench.time.isSynchronised = true
    bench.agent.everyMinute()
    #expect(bench.answer(.grantList).grants?.isEmpty == true)
    #expect(bench.agent.retentionDue == at("2029-01-16T03:15:00Z"))
    let asked = bench.agent.answer(ControlRequest(verb: .report), by: AgentBench.owner)
    #expect(asked.report?.chain.verdict == "sound")
  }

  @Test("a hold is laid at once and let go with a fresh proof only")
  func holdsEvidence() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    _ = bench.addWire()
    try bench.start()
    let grant = try bench.grant(.minutePower())
    #expect(bench.answer(.hold, grant).ok)
    let report = bench.agent.answer(ControlRequest(verb: .report), by: AgentBench.owner).report
    #expect(report?.grants.first?.holdUntil == "2027-01-15")
    let refused = erase(bench) { $0.grant = grant }
    #expect(refused.code == "E_STATE" && refused.message?.contains("hold") == true)
    var release = ControlRequest(verb: .hold, grant: grant)
    release.release = true
    release.provenSecondsAgo = 301
    #expect(bench.agent.answer(release, by: AgentBench.owner).code == "E_REAUTH")
    release.provenSecondsAgo = 300
    #expect(bench.agent.answer(release, by: AgentBench.owner).ok)
    #expect(erase(bench) { $0.grant = grant }.ok)
  }
}
