import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// Clocks that are wrong, grants that are over, a chain that is broken.
struct AcceptanceClockTests {
  private func bench(
    at start: Int64, _ prepare: (Seed) throws -> Void = { _ in }
  ) throws -> (bench: AgentBench, wire: WireBroker) {
    let bench = try AgentBench(at: start, isSynchronised: false)
    bench.configuration.clockTrust = .networkOrMeter
    let wire = bench.addWire()
    try Seed.prepare(bench, prepare)
    try bench.start()
    return (bench, wire)
  }

  /// Changes the time of record 1 by a second.
  private func tamper(_ bench: AgentBench) throws {
    try Database(
      path: bench.configuration.stateDirectory + "/state.sqlite3", busyMilliseconds: 1000
    ).execute(
      """
      DROP TRIGGER ledger_refuses_update;
      UPDATE ledger SET ts = '2026-01-01T00:05:01Z' WHERE seq = 1;
      """)
  }

  private func states(_ bench: AgentBench) -> Int {
    bench.sent.filter { $0.topic == "meter/home/state" }.count
  }

  @Test("C13.21: booted in 1970 the house runs on and outside hears nothing until the clock is set")
  func holdsOutsideUntilTheClockIsSet() throws {
    let (bench, wire) = try bench(at: 0) { try $0.minutePower(salt: 0xA0) }
    _ = try bench.grant(.house())
    try bench.connect()
    #expect(bench.answer(.status).status?.clock == "untrusted")
    try bench.telegrams(from: 0, to: 300_000)
    #expect(states(bench) == 10)
    #expect(bench.externalData.isEmpty)
    bench.time.isSynchronised = true
    bench.time.milliseconds = at("13:00:00")
    try bench.telegrams(from: at("13:00:00"), to: at("13:03:01"))
    #expect(bench.answer(.status).status?.clock == "trusted")
    #expect(bench.externalData.count == 2)
    try bench.expect { wire.publishes.filter { $0.topic.hasSuffix("/e1") }.count == 2 }
  }

  @Test("C13.21: the meter's clock vouches as well as the network's")
  func trustsTheMetersClock() throws {
    let (bench, _) = try bench(at: at("13:30:00")) { try $0.minutePower(salt: 0xA0) }
    try bench.telegrams(from: at("13:30:00"), to: at("13:35:00")) { telegram, instant in
      telegram.time = instant < at("13:32:00") ? "260115133000W" : "260115143230W"
    }
    // An hour wrong, nothing goes; the first window that is whole again is 13:32.
    #expect(
      bench.externalData.map { $0.payload.prefix(34) } == [
        #"{"v":1,"time":"2026-01-15T13:32:00Z"#.prefix(34),
        #"{"v":1,"time":"2026-01-15T13:33:00Z"#.prefix(34),
      ])
  }

  @Test("one meter with a wrong clock does not hold what another meter's clock vouches for")
  func oneMeterIsEnough() throws {
    let bench = try AgentBench(
      at: at("13:30:00"), meters: ["right", "wrong"], isSynchronised: false)
    bench.configuration.clockTrust = .networkOrMeter
    _ = bench.addWire()
    try bench.start()
    try bench.telegram(at: at("13:30:00"), meter: 0)
    _ = try bench.grant(.minutePower())
    for instant in stride(from: at("13:30:00"), to: at("13:32:31"), by: 30_000) {
      try bench.telegram(at: instant, meter: 0)
      try bench.telegram(Telegram(time: "250115143007W"), at: instant, meter: 1)
    }
    #expect(bench.externalData.count == 4)
  }

  @Test("nothing is proposed or accepted for outside while the clock is not trusted")
  func promisesNothingWithoutAClock() throws {
    let (bench, _) = try bench(at: at("13:30:00"))
    let proposal = ControlRequest(verb: .grantPropose, proposal: .minutePower())
    #expect(bench.agent.answer(proposal, by: AgentBench.owner).code == "E_CLOCK_UNTRUSTED")
    #expect(bench.answer(.grantList).grants?.isEmpty == true)
    _ = try bench.grant(.house())
  }

  @Test("status answers before the first frame while the clock is not trusted")
  func answersStatusBeforeTheFirstFrame() throws {
    let (bench, _) = try bench(at: at("13:30:00"))
    #expect(bench.answer(.status).status?.clock == "untrusted")
    bench.time.isSynchronised = true
    bench.time.milliseconds += 10_001
    #expect(bench.answer(.status).status?.clock == "trusted")
  }

  @Test("C13.22: stepped back an hour outside is held, and no time is told twice or backwards")
  func holdsOutsideAfterAStepBack() throws {
    let (bench, _) = try bench(at: at("10:00:00")) { try $0.minutePower(salt: 0xA0) }
    bench.time.isSynchronised = true
    _ = try bench.grant(.house())
    try bench.telegrams(from: at("10:00:00"), to: at("10:05:00"))
    let before = (outside: bench.externalData.count, house: states(bench))
    #expect(before == (4, 10))
    try bench.telegrams(from: at("09:05:00"), to: at("10:04:00")) { telegram, _ in
      telegram.power = 9000
    }
    bench.agent.everyMinute()
    #expect(bench.externalData.count == before.outside)
    #expect(states(bench) == before.house + 118)
    try bench.telegrams(from: at("10:05:00"), to: at("10:09:00"))
    let times = bench.externalData.map { String($0.payload.dropFirst(15).prefix(20)) }
    #expect(times.count > before.outside)
    #expect(times == Array(Set(times)).sorted())
    // Nor does any window hold what was measured while the clock was held.
    #expect(
      bench.externalData.allSatisfy { $0.payload.contains(#""active_power_import_w":470,"#) })
  }

  @Test("C13.23: an ended grant cannot be accepted, and trying leaves the ledger as it was")
  func acceptsNoEndedGrant() throws {
    let bench = try AgentBench(at: at("10:00:00"))
    _ = bench.addWire()
    try bench.start()
    let withdrawn = try bench.grant(.minutePower { $0.validDays = 1 })
    let expired = try bench.grant(.minutePower("second-app") { $0.validDays = 1 })
    #expect(bench.answer(.withdraw, withdrawn).grant?.state == "withdrawn")
    bench.time.milliseconds = at("2026-01-16T10:00:00Z")
    bench.agent.everyMinute()
    #expect(bench.answer(.grantList).grants?.map(\.state).sorted() == ["expired", "withdrawn"])
    let head = try bench.agent.store.ledgerHead()
    for grant in [withdrawn, expired] {
      for verb in [ControlRequest.Verb.grantAccept, .grantRefuse, .withdraw] {
        #expect(bench.answer(verb, grant).code == "E_STATE")
      }
    }
    #expect(try bench.agent.store.ledgerHead() == head)
    #expect((0..<GateBank.capacity).allSatisfy { !bench.agent.bank.isInstalled($0) })
  }

  @Test(
    "C13.43: with a broken chain outside is silent, the house runs and every grant can be ended")
  func holdsOutsideWithABrokenChain() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try Seed.prepare(bench) { try $0.minutePower(salt: 0xA0) }
    try bench.start()
    let house = try bench.grant(.house())
    #expect(bench.answer(.status).status?.ledger == "sound")
    try bench.stop()
    try tamper(bench)
    let (clients, publishes) = (wire.clients.count, wire.publishes.count)
    try bench.start()
    try bench.connect()
    #expect(bench.answer(.status).status?.ledger == "broken")
    try bench.telegrams(from: at("13:00:00"), to: at("13:05:00"))
    #expect(states(bench) == 10)
    #expect(bench.externalData.isEmpty)
    try bench.expect { wire.publishes.count > publishes + 10 }
    #expect(wire.clients.count == clients + 1)
    #expect(wire.publishes.allSatisfy { $0.topic.hasPrefix("meter/") })
    let proposal = ControlRequest(verb: .grantPropose, proposal: .minutePower("second-app"))
    #expect(bench.agent.answer(proposal, by: AgentBench.owner).code == "E_LEDGER_BROKEN")
    _ = bench.answer(.withdraw, house)
    let count = states(bench)
    try bench.telegram(at: at("13:06:00"))
    #expect(states(bench) == count)
  }
}
