import PrivacyFilter
import Testing

@testable import GatewayAgent

/// What brokers see: names, retained messages, repetitions.
struct AcceptanceBrokerTests {
  @Test("C13.2: an unknown text changes no byte that leaves, and stays in the vault")
  func unknownTextLeavesNoTrace() throws {
    let plain = try bytesByClient(of: .f1) { bench in
      #expect(bench.agent.feeds[0].unknownDropped == 0)
      #expect(!isInVault("ABCD1234", bench))
    }
    let unknown = try bytesByClient(of: .f4) { bench in
      #expect(bench.agent.feeds[0].unknownDropped == 1)
      #expect(bench.answer(.status).status?.meters[0].unknownDropped == 1)
      #expect(isInVault("ABCD1234", bench))
    }
    #expect(plain.count == 3)
    #expect(plain == unknown)
    for text in ["ABCD1234", "4142434431323334", "E0042001234567890", "KUNDE 12345678"] {
      for bytes in unknown.values {
        #expect(!String(decoding: bytes, as: UTF8.self).contains(text))
      }
    }
  }

  private func isInVault(_ text: String, _ bench: AgentBench) -> Bool {
    bench.agent.vault.vault.occurs(in: text)
  }

  /// What each client sends for one telegram in a window of a minute, and at the hour's end.
  private func bytesByClient(
    of telegram: Telegram, _ check: (AgentBench) -> Void
  ) throws -> [String: [UInt8]] {
    let bench = try AgentBench(at: at("13:59:50"))
    let wire = bench.addWire()
    try Seed.prepare(bench) { seed in
      try seed.eliq()
      try seed.minutePower(salt: 0xB1)
      try seed.minutePower(salt: 0xB2) {
        $0.categories = [.e3, .p1, .p2, .p3, .v1, .a1]
        $0.granularity = .g1
      }
    }
    try bench.start()
    try bench.connect()
    try bench.telegram(at: at("13:59:50"))
    try bench.telegram(telegram, at: at("14:00:10"))
    check(bench)
    try bench.telegrams(from: at("14:00:20"), to: at("15:02:00"))
    // An hour, 61 minutes and as many ten-second windows as had a telegram.
    try bench.expect { wire.publishes.count == bench.externalData.count }
    #expect(bench.externalData.count > 180)
    var result: [String: [UInt8]] = [:]
    for client in wire.clients { result[client.id] = client.bytes }
    return result
  }

  @Test("C13.8: two grants to one recipient share neither name, client id nor connection")
  func keepsGrantsOfOneRecipientApart() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    _ = try bench.grant(.minutePower())
    _ = try bench.grant(.minutePower { $0.purpose = "faultFinding" })
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:02:00"))
    try bench.expect { wire.clients.allSatisfy { $0.publishes.count == 1 } }
    #expect(wire.clients.count == 2)
    #expect(Set(wire.clients.map(\.id)).count == 2)
    #expect(wire.clients.allSatisfy { $0.id.hasPrefix("ga-") && $0.id.utf8.count == 19 })
    let topics = wire.publishes.map(\.topic)
    #expect(Set(topics).count == 2)
    for topic in topics {
      let levels = topic.split(separator: "/")
      #expect(levels.count == 4 && levels[2].hasPrefix("m-") && levels[2].utf8.count == 18)
    }
    #expect(wire.publishes[0].payload == wire.publishes[1].payload)
  }

  @Test("C13.15: what waited for an absent broker is purged; back, it only hears of the end")
  func purgesWhatWaitedForTheBroker() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let port = TestSocket.freePort()
    bench.addBroker(port)
    try bench.start()
    let grant = try bench.grant(.minutePower())
    // Five hours of minutes: more than the queue holds, the oldest go.
    try bench.telegrams(from: at("13:00:00"), to: at("18:00:45"))
    let link = try #require(bench.agent.links.compactMap { $0 }.first)
    #expect(link.connection.queuedCount == PublishQueue.messageLimit)
    let answer = bench.answer(.withdraw, grant)
    #expect(answer.receipt?.contains(#""purged":256,"#) == true)
    #expect(answer.receipt?.contains(#""messages":0,"#) == true)
    let wire = WireBroker(port: port)
    bench.wires.append(wire)
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    bench.idle()
    #expect(wire.publishes.count == 1)
    #expect(wire.publishes.first?.topic.hasSuffix("/status") == true)
    #expect(wire.clients.allSatisfy { !$0.isOpen })
  }

  @Test("C13.16: three retained topics are cleared by exactly three empty messages")
  func clearsWhatIsRetained() throws {
    let names = ["one", "two", "three"]
    let bench = try AgentBench(at: at("13:00:00"), meters: names)
    let wire = bench.addWire()
    let (grant, _) = try publishRetained(bench)
    try bench.expect { wire.publishes.count == 3 }
    #expect(wire.publishes.allSatisfy { $0.isRetained && !$0.payload.isEmpty })
    let answer = bench.answer(.withdraw, grant)
    #expect(answer.receipt?.contains(#""retainedCleared":3,"#) == true)
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    let clears = wire.publishes.filter { $0.isRetained && $0.payload.isEmpty }
    #expect(clears.count == 3)
    #expect(Set(clears.map(\.topic)) == Set(wire.publishes.prefix(3).map(\.topic)))
    #expect(clears.allSatisfy { $0.qos == 1 && $0.properties.isEmpty })
    // The rest are the three notices, one for each meter, which nobody keeps.
    #expect(wire.publishes.count == 9)
    #expect(wire.publishes.suffix(3).allSatisfy { !$0.isRetained && !$0.payload.isEmpty })
  }

  @Test("C13.16: a subscriber that comes after the withdrawal receives nothing")
  func newSubscriberReceivesNothing() throws {
    let broker = Broker()
    broker.start()
    let bench = try AgentBench(at: at("13:00:00"), meters: ["one", "two", "three"])
    bench.addBroker(broker.port)
    let (grant, count) = try publishRetained(bench)
    #expect(count == 3)
    let early = try #require(RawSubscriber(port: broker.port, name: "early"))
    try bench.expect { early.packets(of: "#").isEmpty && early.packets.count == 3 }
    #expect(early.packets.allSatisfy { $0.isRetained })
    #expect(bench.answer(.withdraw, grant).ok)
    try bench.expect { early.packets(of: "#").isEmpty && early.packets.count == 9 }
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    let late = try #require(RawSubscriber(port: broker.port, name: "late"))
    bench.idle()
    late.poll()
    #expect(late.packets.isEmpty)
  }

  /// Three meters under one grant that has its broker keep the last message.
  private func publishRetained(_ bench: AgentBench) throws -> (grant: String, count: Int) {
    try bench.start()
    let grant = try bench.grant(.minutePower { $0.retain = true })
    try bench.connect()
    for instant in stride(from: at("13:00:00"), to: at("13:01:31"), by: 30_000) {
      for meter in bench.meters.indices {
        try bench.telegram(Telegram(gas: false), at: instant, meter: meter)
      }
    }
    try bench.expect {
      bench.agent.links.compactMap { $0 }.allSatisfy { $0.connection.queuedCount == 0 }
    }
    return (grant, bench.externalData.count)
  }

  @Test(
    "C13.18: what was not acknowledged is not sent again after a withdrawal",
    arguments: [
      true, false,
    ])
  func sendsNothingAgain(isWithdrawn: Bool) throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    wire.acknowledges = false
    try bench.start()
    let grant = try bench.grant(.minutePower())
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:02:00"))
    try bench.expect { wire.publishes.count == 1 }
    #expect(wire.publishes.first?.qos == 1)
    if isWithdrawn { #expect(bench.answer(.withdraw, grant).ok) }
    wire.hangUp(0)
    try bench.expect { wire.clients.count == 2 && wire.clients[1].publishes.count == 1 }
    bench.idle()
    // The control: without a withdrawal the same message comes again.
    let again = wire.clients[1].publishes.map { $0.topic.hasSuffix("/status") ? "end" : "data" }
    #expect(again == [isWithdrawn ? "end" : "data"])
    #expect(wire.clients[1].publishes.allSatisfy { !$0.isDuplicate })
  }
}
