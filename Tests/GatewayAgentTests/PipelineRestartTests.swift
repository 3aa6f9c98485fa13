import ConsentLedger
import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// What outlives the process, what does not, and that brokers and meters do not mix.
struct PipelineRestartTests {
  private static let start = at("13:00:00")

  @Test("grants, pseudonyms and bases outlive the process", arguments: [true, false])
  func survivesARestart(isKilled: Bool) throws {
    let bench = try AgentBench(at: Self.start)
    let wire = bench.addWire()
    try bench.start()
    let grant = try bench.grant(.minutePower { $0.categories = ["E3", "P1"] })
    let withdrawn = try bench.grant(.minutePower("second-app"))
    #expect(bench.answer(.withdraw, withdrawn).ok)
    try bench.connect()
    try bench.telegrams(from: Self.start, to: at("13:03:00")) { $0.importTariff1 += growth($1) }
    bench.agent.everyMinute()
    let before = try #require(bench.externalData.last)
    // 2345678 and 1234567 Wh at the beginning count as nothing.
    #expect(before.payload.contains(#""energy_import_since_start_wh":90,"#))
    if isKilled { bench.kill() } else { try bench.stop() }
    let clients = wire.clients.count
    bench.time.milliseconds = at("13:10:00")
    try bench.start()
    try bench.connect()
    try bench.telegrams(from: at("13:10:00"), to: at("13:12:00")) {
      $0.importTariff1 += growth($1)
    }
    let after = try #require(bench.externalData.last)
    #expect(after.topic == before.topic)
    #expect(after.payload.contains(#""energy_import_since_start_wh":630,"#))
    #expect(wire.clients.count == clients + 1)
    #expect(wire.clients.last?.id == wire.clients.first?.id)
    let states = bench.answer(.grantList).grants?.map { "\($0.id == grant) \($0.state)" }
    #expect(states?.sorted() == ["false withdrawn", "true active"])
  }

  /// A watt-hour a second since the start.
  private func growth(_ instant: Int64) -> Int { Int((instant - Self.start) / 1000) }

  @Test(
    "telegrams write nothing but the quarter-hour's history, and the counts hold no value",
    arguments: [false, true])
  func dataTouchesNoFile(keepsHistory: Bool) throws {
    let bench = try AgentBench(at: Self.start)
    _ = bench.addWire()
    bench.configuration.keepsHistory = keepsHistory
    bench.configuration.homeAssistant.enabled = true
    try bench.start()
    _ = try bench.grant(.house())
    _ = try bench.grant(.minutePower { $0.categories = ["E3", "P1", "V1"] })
    try bench.connect()
    try bench.telegram(at: Self.start)
    let before = Self.files(in: bench.configuration.stateDirectory)
    #expect(before.keys.contains("state.sqlite3") && before.keys.contains("denylist.bin"))
    func isUntouched() -> Bool {
      Self.files(in: bench.configuration.stateDirectory) == before
    }
    try bench.telegrams(from: Self.start + 30_000, to: at("13:14:30"))
    let isUntouchedWithin = isUntouched()
    #expect(isUntouchedWithin)
    try bench.telegrams(from: at("13:15:00"), to: at("13:30:00"))
    #expect(bench.externalData.count == 29)
    let isUntouchedBehind = isUntouched()
    #expect(isUntouchedBehind == !keepsHistory)
    bench.agent.everyMinute()
    let isStillUntouched = Self.files(in: bench.configuration.stateDirectory) == before
    #expect(!isStillUntouched, "the counts of the minute")
    try bench.stop()
    for (name, bytes) in Self.files(in: bench.configuration.stateDirectory) {
      for text in [
        "E0042001234567890", "4530303432303031323334353637383930", "G0042009876543210",
        "KUNDE 12345678", "TST5", "active_power_import_w",
      ] {
        let isThere = Self.contains(bytes, Array(text.utf8))
        #expect(!isThere, "\(text) in \(name)")
      }
    }
  }

  private static func files(in directory: String) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in ["state.sqlite3", "state.sqlite3-wal", "denylist.bin", "install.secret"] {
      files[name] = try? FileAccess.read(directory + "/" + name, limit: 1 << 24)
    }
    return files
  }

  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...(bytes.count - part.count)).contains { start in
      bytes[start] == part[0] && bytes[start..<(start + part.count)].elementsEqual(part)
    }
  }

  @Test("a withdrawal with the broker away is cleared after a restart, and then forgotten")
  func clearsAfterARestart() throws {
    let bench = try AgentBench(at: Self.start)
    let port = TestSocket.freePort()
    bench.addBroker(port)
    bench.wires = [WireBroker(port: port)]
    try bench.start()
    let outside = try bench.grant(.minutePower { $0.retain = true })
    let house = try bench.grant(.house())
    _ = try bench.grant(.house { $0.recipient = "charger" })
    try bench.connect()
    try bench.telegrams(from: Self.start, to: at("13:02:00"))
    try bench.expect {
      bench.wires[0].publishes.contains { $0.isRetained && $0.topic.hasSuffix("/e1") }
    }
    bench.wires = []
    try bench.expect { bench.agent.links.allSatisfy { $0?.isConnected != true } }
    for grant in [outside, house] { #expect(bench.answer(.withdraw, grant).ok) }
    #expect(try bench.agent.store.unclearedEnds().count == 2)
    bench.kill()
    let wire = WireBroker(port: port)
    bench.wires = [wire]
    try bench.start()
    try bench.expect { try bench.agent.store.unclearedEnds().isEmpty }
    let clears = wire.publishes.filter { $0.isRetained && $0.payload.isEmpty }
    #expect(clears.count == 1)
    #expect(clears.first?.topic.hasSuffix("/e1") == true)
    try bench.connect()
    // What the other grant of the house says stays.
    #expect(wire.publishes.contains { $0.topic == "meter/status" && $0.payload == "online" })
  }

  @Test("meters and brokers do not mix, and a broker that is away holds up nobody")
  func keepsMetersAndBrokersApart() throws {
    let bench = try AgentBench(at: Self.start, meters: ["house", "barn"])
    let home = bench.addWire()
    let cloud = bench.addWire(name: "cloud")
    bench.addBroker(TestSocket.freePort(), name: "away")
    try bench.start()
    _ = try bench.grant(.house())
    _ = try bench.grant(
      .house {
        $0.recipient = "charger"
        $0.broker = "cloud"
        $0.meters = ["barn"]
        $0.categories = ["P1"]
      })
    _ = try bench.grant(
      .minutePower {
        $0.broker = "cloud"
        $0.meters = ["house"]
      })
    _ = try bench.grant(.minutePower("second-app") { $0.broker = "away" })
    try bench.expect { bench.agent.links.compactMap { $0 }.filter(\.isConnected).count == 3 }
    for instant in stride(from: Self.start, to: at("13:01:31"), by: 30_000) {
      try bench.telegram(Telegram(power: 100, gas: false), at: instant, meter: 0)
      try bench.telegram(Telegram(power: 200, gas: false), at: instant, meter: 1)
    }
    try bench.expect {
      cloud.clients.contains { $0.publishes.first?.topic.hasSuffix("/e1") == true }
    }
    #expect(bench.agent.feeds.map(\.frames) == [4, 4])
    #expect(powers(home, "meter/house/state") == [100, 100, 100, 100])
    #expect(powers(home, "meter/barn/state") == [200, 200, 200, 200])
    #expect(powers(cloud, "meter/house/state").isEmpty)
    #expect(powers(cloud, "meter/barn/state") == [200, 200, 200, 200])
    #expect(home.clients.count == 1 && cloud.clients.count == 2)
    let minutes = cloud.publishes.filter { $0.topic.hasSuffix("/e1") }
    #expect(minutes.count == 1)
    #expect(minutes.first?.payload.contains(#""active_power_import_w":100,"#) == true)
    let links = bench.answer(.status).status?.brokers.map {
      "\($0.name) \($0.recipient) \($0.link.state)"
    }
    #expect(
      links == [
        "home in-house connected", "cloud in-house connected", "cloud first-app connected",
        "away second-app disconnected",
      ])
  }

  private func powers(_ wire: WireBroker, _ topic: String) -> [Int] {
    wire.publishes.filter { $0.topic == topic }.compactMap { message in
      let tail = message.payload.split(separator: #""active_power_import_w":"#).dropFirst().first
      return tail.flatMap { Int($0.prefix { $0.isNumber }) }
    }
  }

  @Test("C13.9: after 90 days another pseudonym and a new base, on the same connection")
  func changesThePseudonym() throws {
    let bench = try AgentBench(at: at("2026-03-31T23:59:00Z"))
    let wire = bench.addWire()
    let begin = at("2026-01-01T00:05:00Z")
    try Seed.prepare(bench) {
      try $0.eliq(base: 3_580_000_000) {
        $0.validFrom = begin
        $0.granularity = .g3
      }
    }
    bench.time.milliseconds = begin + 90 * 86_400_000 - 3_600_000
    try bench.start()
    try bench.connect()
    let turn = begin + 90 * 86_400_000
    try bench.telegrams(from: turn - 3_600_000, to: turn)
    bench.time.milliseconds = turn
    bench.agent.everyMinute()
    try bench.telegrams(from: turn, to: turn + 3_600_000)
    bench.agent.everyMinute()
    let places = bench.externalData.map { String($0.topic.split(separator: "/")[2]) }
    #expect(Array(Set(places)).sorted() == ["m-enz3a7ic26dwl6wg", "m-jdj2mreiudcxubv2"])
    #expect(places == places.sorted(by: >))
    try bench.expect { wire.publishes.count == bench.sent.count }
    bench.idle()
    #expect(wire.clients.map(\.id) == [Seed.eliqClient])
    let notices = wire.publishes.filter { $0.topic.hasSuffix("/status") }
    #expect(notices.map(\.topic) == [Seed.eliqPlace + "/status"])
    #expect(notices.first?.payload.contains(#""state":"replaced""#) == true)
  }
}
