import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// What left, counted: the report against what a broker captured.
struct AcceptanceEvidenceTests {
  private func report(
    _ bench: AgentBench, _ request: ReportRequest = ReportRequest()
  ) throws -> ReportView {
    var asked = ControlRequest(verb: .report)
    asked.report = request
    let answer = bench.agent.answer(asked, by: AgentBench.owner)
    return try #require(answer.report, "\(answer.code ?? "") \(answer.message ?? "")")
  }

  @Test("C13.48: counts, bytes, first and last time and the last three messages are the broker's")
  func reportsWhatTheBrokerGot() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    var grant = ""
    try Seed.prepare(bench) { grant = try $0.minutePower(salt: 0xA0) }
    try bench.start()
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:20:00"))
    let count = bench.externalData.count
    #expect(count >= 15)
    try bench.expect { wire.publishes.count == count }
    try bench.expect { try report(bench).rows.first?.acknowledged == UInt64(count) }
    let view = try report(bench)
    let row = try #require(view.rows.first)
    #expect(view.rows.count == 1)
    #expect(row.grant == grant && row.recipient == "first-app" && row.country == "NO")
    #expect(row.categories == ["P1", "P3"] && row.granularity == "G2" && row.day == "2026-01-15")
    #expect(row.messages == UInt64(count) && row.dropped == 0)
    let bytes = wire.publishes.reduce(0) { $0 + $1.topic.utf8.count + $1.payload.utf8.count }
    #expect(row.bytes == UInt64(bytes))
    #expect(row.first == bench.externalData.first.map { Timestamp.text($0.at) })
    #expect(row.last == bench.externalData.last.map { Timestamp.text($0.at) })
    let shown = try #require(view.grants.first)
    #expect(shown.samples.map(\.payload) == wire.publishes.suffix(3).map(\.payload))
    #expect(shown.samples.map(\.topic) == wire.publishes.suffix(3).map(\.topic))
    #expect(shown.history.map(\.type) == ["PROPOSE", "GRANT"])
    #expect(view.chain.verdict == "sound" && view.chain.contradictedDays.isEmpty)
  }

  @Test("C13.49: killed 30 s after a flush, the report warns, and nothing before is lost")
  func warnsAfterAKill() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try Seed.prepare(bench) { try $0.minutePower(salt: 0xA0) }
    try bench.start()
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:05:00"))
    try bench.expect { wire.publishes.count == bench.externalData.count }
    bench.agent.everyMinute()
    let before = try report(bench).rows.map(\.messages)
    let flushed = bench.time.milliseconds
    try bench.telegrams(from: flushed + 1000, to: flushed + 30_000)
    bench.kill()
    bench.time.milliseconds = flushed + 40_000
    try bench.start()
    let view = try report(bench)
    #expect(view.rows.map(\.messages) == before)
    #expect(view.gaps.map(\.code) == ["W_EGRESS_GAP"])
    #expect(view.gaps.map(\.after) == [Timestamp.text(flushed)])
    #expect(view.gaps.allSatisfy { $0.seconds <= 60 })
    try bench.stop()
    try bench.start()
    #expect(try report(bench).gaps.count == 1)
  }

  @Test("what never left is counted apart, and the rows come in parts")
  func countsWhatNeverLeft() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    bench.addBroker(TestSocket.freePort())
    try Seed.prepare(bench) { seed in
      try seed.minutePower(salt: 0xA0) { $0.destination.qos = 0 }
    }
    try bench.start()
    try bench.expect {
      bench.agent.links.contains { $0?.health.state == .disconnected }
    }
    try bench.telegrams(from: at("13:00:00"), to: at("13:05:00"))
    let view = try report(bench)
    #expect(view.rows.map(\.dropped) == [UInt64(bench.externalData.count)])
    #expect(view.rows.map(\.messages) == [0])
    #expect(view.rows.first?.first == nil)
    #expect(view.next == nil)
    #expect(try report(bench, ReportRequest(offset: 1)).rows.isEmpty)
    #expect(try report(bench, ReportRequest(from: "2026-01-16")).rows.isEmpty)
    #expect(try report(bench, ReportRequest(to: "2026-01-15")).rows.count == 1)
    #expect(try report(bench, ReportRequest(recipient: "first-app")).grants.count == 1)
    for request in [ReportRequest(recipient: "nobody"), ReportRequest(from: "15.1.2026")] {
      var asked = ControlRequest(verb: .report)
      asked.report = request
      #expect(!bench.agent.answer(asked, by: AgentBench.owner).ok)
    }
  }

  @Test("a chain that breaks while the agent runs stops what goes outside, and can be accepted")
  func goesOnBehindABreak() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try Seed.prepare(bench) { try $0.minutePower(salt: 0xA0) }
    try bench.start()
    let house = try bench.grant(.house())
    bench.agent.everyMinute()
    let sound = try #require(bench.answer(.verify).chain)
    #expect(sound.verdict == "sound" && sound.checkpoint?.head == sound.head)
    let kept = try #require(sound.checkpoint)
    try bench.stop()
    try Database(
      path: bench.configuration.stateDirectory + "/state.sqlite3", busyMilliseconds: 1000
    ).execute("DROP TRIGGER ledger_refuses_delete; DELETE FROM ledger WHERE seq >= \(kept.seq)")
    try bench.start()
    let cut = try #require(bench.answer(.verify).chain)
    #expect(cut.verdict == "E_LEDGER_TRUNCATED" || cut.verdict == "E_LEDGER_BROKEN")
    #expect(bench.agent.running.compactMap { $0?.isInHouse } == [true])
    var request = ControlRequest(verb: .acceptBreak)
    request.provenSecondsAgo = 301
    request.confirmation = String(cut.head.prefix(8))
    #expect(bench.agent.answer(request, by: AgentBench.owner).code == "E_REAUTH")
    request.provenSecondsAgo = nil
    request.confirmation = nil
    #expect(bench.agent.answer(request, by: AgentBench.owner).code == "E_STATE")
    request.confirmation = String(cut.head.prefix(8))
    let accepted = bench.agent.answer(request, by: AgentBench.owner)
    #expect(accepted.chain?.verdict == "sound")
    #expect(accepted.grants?.map(\.state).sorted() == ["active", "invalidated"])
    #expect(accepted.grants?.first { $0.id == house }?.isInForce == true)
    var known = ControlRequest(verb: .verify)
    known.known = KnownHead(checkpoint: String(decoding: kept.text, as: UTF8.self))
    #expect(
      bench.agent.answer(known, by: AgentBench.owner).chain?.verdict == "E_LEDGER_TRUNCATED")
    known.known = KnownHead(checkpoint: "{}")
    #expect(bench.agent.answer(known, by: AgentBench.owner).code == "E_STATE")
    #expect(wire.clients.isEmpty == false)
  }

  @Test("the page of a report loads nothing and takes no text for markup")
  func writesAPageOfItsOwn() throws {
    let grant = ReportView.Grant(
      id: "5f0e2d3c", recipient: "eliq", legalName: "<script>alert(1)</script> & \"Co\"",
      country: "SE", authority: "imy.se", profile: "custom", purpose: "insight", basis: "a",
      state: "active", categories: ["P1"], granularity: "G2", validFrom: "", validUntil: nil,
      endedAt: nil, retention: "R-WITHDRAW", history: [], samples: [])
    let rows = ["2026-01-15", "2026-01-16"].map { day in
      ReportView.Row(
        day: day, grant: "5f0e2d3c", recipient: "=cmd", country: "SE", categories: ["P1", "P3"],
        granularity: "G2", messages: 3, bytes: 9, acknowledged: 2, dropped: 1, first: nil, last: nil
      )
    }
    let view = ReportView(
      madeAt: "2026-01-17T00:00:00Z",
      chain: .init(verdict: "sound", records: 2, head: "00", contradictedDays: []), grants: [grant],
      rows: rows, gaps: [], meters: [], identifiersHeld: 0, isUnwritten: false, next: nil)
    let page = String(decoding: ReportPage.bytes(view), as: UTF8.self)
    #expect(!page.contains("<script") && page.contains("&lt;script&gt;"))
    #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("src="))
    #expect(page.split(separator: "<rect").count == 3)
    let csv = String(decoding: ReportCSV.bytes(view), as: UTF8.self).split(separator: "\r\n")
    #expect(csv.count == 3)
    #expect(csv[1] == "2026-01-15,5f0e2d3c,'=cmd,SE,P1 P3,G2,3,9,2,1,,")
    #expect(ReportTable.lines(view).contains { $0.hasPrefix("  2026-01-15  G2") })
  }
}
