import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// The household's rights on a running grant, from the telegram to the broker.
struct AcceptanceRightsTests {
  private let bench: AgentBench
  private let wire: WireBroker

  init() throws {
    bench = try AgentBench(at: at("13:00:00"))
    wire = bench.addWire()
    try bench.start()
  }

  private func state(_ id: String) throws -> String? {
    bench.answer(.grantList).grants?.first { $0.id == id }?.state
  }

  private func ask(
    _ verb: ControlRequest.Verb, _ grant: String? = nil,
    _ change: (inout ControlRequest) -> Void = { _ in }
  ) -> ControlResponse {
    var request = ControlRequest(verb: verb, grant: grant)
    change(&request)
    return bench.agent.answer(request, by: AgentBench.owner)
  }

  /// Starts the windows' values of the data that left: `13:00 500`.
  private var minutes: [String] {
    bench.externalData.map { sent in
      let time = sent.payload.split(separator: "T")[1].prefix(5)
      let tail = sent.payload.split(separator: #"import_w":"#).last ?? ""
      return "\(time) \(tail.prefix { $0 != "," && $0 != "}" })"
    }
  }

  @Test("C13.25: restricted for two hours nothing leaves, and lifted nothing of them is told")
  func restrictsWithoutBackfill() throws {
    let id = try bench.grant(
      .minutePower {
        $0.categories = ["P1", "E3"]
      })
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:02:31")) { $0.power = 100 + Int($1 % 7) }
    #expect(bench.externalData.count == 2)
    #expect(ask(.restrict, id).grant?.state == "restricted")
    #expect(ask(.restrict, id).code == "E_STATE")
    try bench.telegrams(from: at("13:03:00"), to: at("15:03:00")) { telegram, instant in
      telegram.importTariff1 = 1_234_567 + Int((instant - at("13:03:00")) / 10_000)
    }
    #expect(bench.externalData.count == 2)
    #expect(bench.agent.feeds[0].frames > 240)
    #expect(ask(.grantLift, id).grant?.state == "active")
    try bench.expect { bench.agent.links.contains { $0?.isConnected == true } }
    try bench.telegrams(from: at("15:03:00"), to: at("15:05:31")) { telegram, _ in
      telegram.importTariff1 = 1_234_567 + 720
    }
    let late = bench.externalData.dropFirst(2)
    #expect(late.count == 2)
    #expect(late.allSatisfy { $0.payload.contains(#""time":"2026-01-15T15:0"#) })
    // Counted from the lifting on: the 720 Wh of the two hours are in no message.
    #expect(late.allSatisfy { $0.payload.contains(#""energy_import_since_start_wh":0"#) })
    bench.idle()
    let notices = wire.publishes.filter { $0.topic.hasSuffix("/status") }
    #expect(notices.count == 1)
    #expect(notices.first?.payload.contains(#""state":"restricted""#) == true)
  }

  @Test("C13.26: paused for an hour outside is silent across a restart, the house goes on")
  func pausesEverybodyOutside() throws {
    _ = try bench.grant(.house())
    _ = try bench.grant(.minutePower())
    _ = try bench.grant(
      .made("family-view", "anna") {
        $0.legalName = "Anna"
        $0.role = "person"
        $0.country = "DK"
        $0.basis = "a"
        $0.granularity = "G2"
      })
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    #expect(bench.externalData.count == 2)
    let paused = ask(.pause) {
      $0.scope = "external"
      $0.seconds = 3600
    }
    #expect(paused.ok)
    // Who is accepted meanwhile waits like everybody else.
    _ = try bench.grant(.minutePower("second-app"))
    #expect(bench.agent.links.compactMap { $0 }.allSatisfy { $0.isInHouse || $0.isEnding })
    try bench.telegrams(from: at("13:02:00"), to: at("13:10:00"))
    bench.kill()
    try bench.start()
    #expect(bench.answer(.status).status?.pause == "external")
    try bench.telegrams(from: at("13:10:00"), to: at("14:01:00"))
    bench.agent.everyMinute()
    #expect(bench.externalData.count == 2)
    #expect(
      bench.sent.filter { $0.topic == "meter/home/state" && $0.at > at("13:10:00") }.count > 90)
    bench.advance(to: at("14:02:00"))
    bench.agent.everyMinute()
    #expect(bench.answer(.status).status?.pause == nil)
    try bench.telegrams(from: at("14:02:00"), to: at("14:04:31"))
    #expect(bench.externalData.count == 8)
    #expect(bench.externalData.dropFirst(2).allSatisfy { $0.payload.contains("T14:0") })
  }

  @Test func pausesTheHouseTooIfEverythingIsPaused() throws {
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(at: at("13:00:00"))
    let before = bench.sent.filter { $0.topic == "meter/home/state" }.count
    #expect(before == 1)
    #expect(ask(.pause) { $0.scope = "everything" }.ok)
    try bench.telegram(at: at("13:00:10"))
    #expect(bench.sent.filter { $0.topic == "meter/home/state" }.count == before)
    #expect(ask(.grantResume) { $0.scope = "everything" }.ok)
    try bench.telegram(at: at("13:00:20"))
    try bench.expect {
      wire.publishes.contains { $0.payload.contains(#""received_at":"2026-01-15T13:00:20"#) }
    }
    #expect(wire.clients.count == 1)
  }

  @Test func resumesOnTheConnectionThatWasAboutToGo() throws {
    let id = try bench.grant(.minutePower { $0.retain = true })
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    try bench.expect { wire.publishes.count == 1 }
    #expect(ask(.pause, id).grant?.state == "paused")
    #expect(ask(.grantResume, id).grant?.state == "active")
    try bench.telegrams(from: at("13:02:00"), to: at("13:04:31"))
    bench.idle()
    #expect(wire.clients.count == 1)
    #expect(ask(.withdraw, id).receipt?.contains(#""retainedCleared":1,"#) == true)
    try bench.expect { wire.publishes.last?.topic.hasSuffix("/status") == true }
    let data = wire.publishes.filter { $0.topic.hasSuffix("/e1") }
    #expect(data.last?.payload == "" && data.last?.isRetained == true)
  }

  @Test("C13.55: a material change of the text stops, renewing makes version 2")
  func waitsForRenewal() throws {
    let id = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    #expect(bench.externalData.count == 1)
    let changed = ask(.grantNotice, id) {
      $0.notice = NoticeRequest(text: "We also sell it now.", language: "en", isMaterial: true)
    }
    #expect(changed.grant?.state == "reviewRequired")
    try bench.telegrams(from: at("13:02:00"), to: at("13:10:00"))
    #expect(bench.externalData.count == 1)
    let renewed = ask(.grantRenew, id)
    #expect(renewed.grant?.state == "active" && renewed.grant?.version == 2)
    #expect(renewed.grant?.notice == "We also sell it now.")
    #expect(renewed.receipt?.contains("dpv:RenewedConsentGiven") == true)
    try bench.telegrams(from: at("13:10:00"), to: at("13:12:31"))
    #expect(bench.externalData.count == 3)
  }

  @Test("C13.56: edited to a finer rung it is refused, to a coarser one it holds at once")
  func narrowsAtOnce() throws {
    let id = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    func narrow(_ granularity: String, _ categories: [String]? = nil) -> ControlResponse {
      ask(.grantNarrow, id) {
        $0.narrowing = NarrowingRequest(categories: categories, granularity: granularity)
      }
    }
    #expect(narrow("G1").code == "E_PROFILE_EXCEEDED")
    #expect(narrow("G2", ["P1", "V1"]).code == "E_PROFILE_EXCEEDED")
    #expect(narrow("G3", ["P1"]).grant?.granularity == "G3")
    try bench.telegrams(from: at("13:01:40"), to: at("13:31:31"))
    let late = bench.externalData.dropFirst()
    #expect(late.map { $0.topic.hasSuffix("/e15") } == [true, true])
    #expect(late.allSatisfy { !$0.payload.contains("export") })
    let finer = bench.agent.answer(
      ControlRequest(verb: .grantPropose, proposal: .minutePower { $0.supersedes = id }),
      by: AgentBench.owner)
    let accepted = ask(.grantAccept, finer.grant?.id)
    #expect(accepted.ok)
    #expect(try state(id) == "superseded")
    #expect(ask(.receipt, id).receipt?.contains(#""gw:effect""#) == true)
    try bench.telegrams(from: at("13:32:00"), to: at("13:34:31"))
    #expect(bench.externalData.last?.topic.hasSuffix("/e1") == true)
  }

  @Test("C13.59: what waited under the old terms is dropped, not sent, when the broker is back")
  func dropsWhatWaitedUnderTheOldTerms() throws {
    let port = TestSocket.freePort()
    bench.addBroker(port, name: "away")
    bench.kill()
    try bench.start()
    let id = try bench.grant(.minutePower { $0.broker = "away" })
    try bench.telegrams(from: at("13:00:00"), to: at("13:05:45"))
    let link = try #require(bench.agent.links.compactMap { $0 }.first)
    #expect(link.connection.queuedCount == 5)
    let narrowed = ask(.grantNarrow, id) {
      $0.narrowing = NarrowingRequest(granularity: "G4")
    }
    #expect(narrowed.ok)
    let late = WireBroker(port: port)
    bench.wires.append(late)
    try bench.expect { late.clients.contains { !$0.publishes.isEmpty } }
    bench.idle()
    #expect(late.publishes.allSatisfy { $0.topic.hasSuffix("/status") })
  }

  @Test("C13.60: an installer's grant of 24 hours is silent at +24 h 0 s")
  func endsWithTheDay() throws {
    func propose(_ days: Int) -> ControlResponse {
      bench.agent.answer(
        ControlRequest(
          verb: .grantPropose,
          proposal: .made("installer-fault", "installer") {
            $0.legalName = "Example Elektro AS"
            $0.country = "NO"
            $0.basis = "a"
            $0.validDays = days
          }), by: AgentBench.owner)
    }
    #expect(propose(2).code == "E_PROFILE_EXCEEDED")
    let id = try #require(propose(1).grant?.id)
    #expect(ask(.grantAccept, id).code == "E_PROFILE_EXCEEDED")
    #expect(ask(.grantAccept, id) { $0.confirmed = ConfirmedRequest(fine: true) }.ok)
    try bench.connect()
    let end = at("13:00:00") + 86_400_000
    try bench.telegrams(from: end - 120_000, to: end)
    bench.advance(to: end - 1)
    let before = bench.externalData.count
    #expect(before > 0)
    #expect(bench.externalData.allSatisfy { $0.topic == "gateway/installer/s10" })
    try bench.telegrams(from: end, to: end + 120_000)
    bench.agent.everyMinute()
    #expect(bench.externalData.count == before)
    #expect(try state(id) == "expired")
  }

  @Test("C13.24: objected is over, and a recipient that says resume is not heard")
  func objectsForGood() throws {
    let id = try bench.grant(
      .made("eliq-disaggregation", "eliq") {
        $0.legalName = "Eliq AB"
        $0.country = "SE"
        $0.basis = "f"
        $0.granularity = "G3"
      })
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:17:01"))
    #expect(bench.externalData.count == 1)
    #expect(ask(.object, id).grant?.state == "objected")
    for text in ["resume", #"{"v":1,"resume":true}"#, #"{"v":1,"end":"all","resume":true}"#] {
      let message = RemoteMessage(Array(text.utf8))
      #expect(message == .command)
      bench.agent.attend(message, of: "eliq", over: "home")
    }
    try bench.telegrams(from: at("13:18:00"), to: at("14:17:01"))
    #expect(bench.externalData.count == 1)
    #expect(try state(id) == "objected")
    #expect(ask(.grantResume, id).code == "E_STATE")
  }

  @Test("C13.28: a proof of 301 s ago lets nobody accept, but withdraw")
  func asksForAFreshProof() throws {
    let proposed = bench.agent.answer(
      ControlRequest(verb: .grantPropose, proposal: .minutePower()), by: AgentBench.owner)
    let id = try #require(proposed.grant?.id)
    func asked(_ verb: ControlRequest.Verb, _ seconds: Int) -> ControlResponse {
      ask(verb, id) { $0.provenSecondsAgo = seconds }
    }
    #expect(asked(.grantAccept, 301).code == "E_REAUTH")
    #expect(asked(.grantAccept, -1).code == "E_REAUTH")
    #expect(try state(id) == "proposed")
    #expect(asked(.grantAccept, 300).ok)
    #expect(asked(.restrict, 100_000).ok)
    #expect(asked(.grantLift, 301).code == "E_REAUTH")
    #expect(asked(.withdraw, 301).ok)
    // Whom the kernel names outside the group is nobody here, whatever the socket's mode.
    let outside = ControlPeer(uid: 1234, groups: [1234, 5])
    #expect(!outside.isPermitted(owner: 990, group: 77))
    #expect(ControlPeer(uid: 1234, groups: [5, 77]).isPermitted(owner: 990, group: 77))
    #expect(ControlPeer(uid: 990, groups: []).isPermitted(owner: 990, group: 77))
  }

  @Test func staysSuspendedWhileTheLedgerCannotBeWritten() throws {
    let id = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    #expect(bench.externalData.count == 1)
    let database = bench.agent.store.database
    try database.execute("PRAGMA query_only = ON")
    #expect(ask(.restrict, id).code == "E_LEDGER_WRITE")
    #expect(try state(id) == "active")
    try bench.telegrams(from: at("13:02:00"), to: at("13:05:00"))
    bench.agent.everyMinute()
    #expect(ask(.grantLift, id).code == "E_LEDGER_WRITE")
    try bench.telegrams(from: at("13:05:00"), to: at("13:08:00"))
    #expect(bench.externalData.count == 1)
    try database.execute("PRAGMA query_only = OFF")
    bench.agent.everyMinute()
    #expect(try state(id) == "restricted")
    #expect(ask(.grantLift, id).ok)
    try bench.telegrams(from: at("13:08:00"), to: at("13:11:31"))
    #expect(minutes.dropFirst() == ["13:08 470", "13:09 470", "13:10 470"])
  }

  @Test func endsAConnectionThatWasLostWhileEnding() throws {
    let id = try bench.grant(.minutePower())
    try bench.connect()
    wire.acknowledges = false
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    #expect(ask(.withdraw, id).ok)
    try bench.expect { wire.publishes.contains { $0.topic.hasSuffix("/status") } }
    #expect(bench.agent.links.contains { $0?.isEnding == true })
    wire.acknowledges = true
    wire.hangUp(0)
    try bench.expect { wire.clients.count == 2 && bench.agent.links.allSatisfy { $0 == nil } }
  }

  @Test func suspendsAGrantWhoseBrokerIsAnother() throws {
    let id = try bench.grant(.minutePower())
    bench.kill()
    bench.configuration.brokers[0].host = "localhost"
    try bench.start()
    #expect(try state(id) == "reviewRequired")
    #expect(bench.agent.links.allSatisfy { $0 == nil })
    #expect(ask(.grantRenew, id).ok)
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:01:31"))
    #expect(bench.externalData.count == 1)
  }
}
