import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// What the house is told: values, states with their reasons, discovery.
struct PipelineHouseTests {
  private static let start = at("13:30:00")

  private func bench(
    meters: [String] = ["home"], _ change: (inout Configuration) -> Void = { _ in }
  ) throws -> (bench: AgentBench, wire: WireBroker) {
    let bench = try AgentBench(at: Self.start, meters: meters)
    change(&bench.configuration)
    let wire = bench.addWire()
    try bench.start()
    return (bench, wire)
  }

  /// The last payload on each topic that its broker keeps.
  private func retained(_ wire: WireBroker) -> [String: String] {
    var kept: [String: String] = [:]
    for message in wire.publishes where message.isRetained {
      kept[message.topic] = message.payload.isEmpty ? nil : message.payload
    }
    return kept
  }

  @Test("the state document of F1 holds each granted value exactly, QoS 0 and not retained")
  func publishesTheState() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    try bench.connect()
    bench.time.milliseconds = at("13:30:07") + 125
    try bench.frame(Telegram.f1.bytes)
    try bench.expect { wire.publishes.contains { $0.topic == "meter/home/state" } }
    let state = try #require(wire.publishes.first { $0.topic == "meter/home/state" })
    #expect(
      state.payload
        == #"{"v":1,"seq":1,"meter_time":"2026-01-15T14:30:07+01:00","#
        + #""received_at":"2026-01-15T13:30:07.125Z","energy_import_wh":3580245,"#
        + #""energy_import_tariff1_wh":1234567,"energy_import_tariff2_wh":2345678,"#
        + #""energy_export_wh":111222,"energy_export_tariff1_wh":111222,"#
        + #""energy_export_tariff2_wh":0,"active_power_import_w":473,"active_power_export_w":0,"#
        + #""voltage_l1_v":231.4,"current_l1_a":2,"long_power_failures":0,"power_failures":13,"#
        + #""tariff":2,"gas_volume_m3":123.456}"#)
    #expect(state.qos == 0 && !state.isRetained && state.properties.isEmpty)
  }

  @Test("value topics carry plain numbers once they are switched on")
  func publishesPlainValues() throws {
    let (bench, wire) = try bench { $0.inHouse.valueTopics = true }
    _ = try bench.grant(.house { $0.categories = ["P1", "V1", "E1"] })
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    try bench.expect { wire.publishes.filter { $0.topic.contains("/value/") }.count == 5 }
    let values = wire.publishes.filter { $0.topic.contains("/value/") }
    #expect(
      values.map { "\($0.topic.dropFirst(17)) \($0.payload)" } == [
        "energy_import 3580245", "energy_import_tariff1 1234567", "energy_import_tariff2 2345678",
        "active_power_import 473", "voltage_l1 231.4",
      ])
  }

  @Test("status and health are retained, with reason and since when")
  func tellsStatusAndHealth() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.expect { retained(wire).count == 4 }
    #expect(retained(wire)["meter/status"] == "online")
    #expect(retained(wire)["meter/home/status"] == "offline")
    try bench.telegram(at: at("13:30:07"))
    try bench.expect { retained(wire)["meter/home/status"] == "online" }
    let began = #""since":"2026-01-15T13:30:00Z"}"#
    let process = #"{"process":{"state":"running","reason":"start_up",\#(began),"#
    let broker = #""broker":{"state":"connected","reason":"accepted",\#(began)"#
    #expect(retained(wire)["meter/health"] == process + broker + "}")
    try bench.expect { retained(wire)["meter/home/health"]?.contains("fresh") == true }
    #expect(
      retained(wire)["meter/home/health"]
        == process + broker + #","port":{"state":"open","reason":"none",\#(began),"#
        + #""meter":{"state":"fresh","reason":"none","since":"2026-01-15T13:30:07Z"}}"#)
    #expect(wire.publishes.filter(\.isRetained).allSatisfy { $0.qos == 1 })
  }

  @Test("a silent meter becomes stale without old values or zeroes, and fresh with its next frame")
  func tellsThatTheMeterIsStale() throws {
    let (bench, wire) = try bench { $0.meters[0].staleAfterSeconds = 1 }
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    bench.time.milliseconds = at("13:30:09")
    try bench.expect { retained(wire)["meter/home/status"] == "offline" && states(wire) == 2 }
    #expect(
      wire.publishes.last { $0.topic == "meter/home/state" }?.payload
        == #"{"v":1,"seq":1,"quality":"stale","meter_time":"2026-01-15T14:30:07+01:00","#
        + #""received_at":"2026-01-15T13:30:07.000Z"}"#)
    try bench.expect {
      retained(wire)["meter/home/health"]?.contains(
        #""meter":{"state":"stale","reason":"no_frame","since":"2026-01-15T13:30:09Z"}"#) == true
    }
    try bench.telegram(at: at("13:30:12"))
    try bench.expect { retained(wire)["meter/home/status"] == "online" && states(wire) == 3 }
    #expect(bench.answer(.status).status?.meters.first?.meter.state == "fresh")
  }

  @Test("a meter whose frames are all damaged from the start is said to be so")
  func tellsThatOnlyDamagedFramesCome() throws {
    let (bench, wire) = try bench { $0.meters[0].staleAfterSeconds = 1 }
    _ = try bench.grant(.house())
    try bench.connect()
    var bytes = Telegram.f1.bytes
    bytes[300] ^= 1
    try bench.frame(bytes)
    try bench.expect {
      retained(wire)["meter/home/health"]?.contains(
        #""meter":{"state":"silent","reason":"checksum_errors""#) == true
    }
    #expect(states(wire) == 0)
  }

  private func states(_ wire: WireBroker) -> Int {
    wire.publishes.filter { $0.topic == "meter/home/state" }.count
  }

  @Test("an unplugged port is told at once, and its return without help")
  func tellsThatThePortIsGone() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    try bench.expect { retained(wire)["meter/home/status"] == "online" }
    bench.meters[0].unplug()
    try bench.expect { retained(wire)["meter/home/status"] == "offline" }
    try bench.expect {
      retained(wire)["meter/home/health"]?.contains("\"port\":{\"state\":\"absent\"") == true
    }
    #expect(wire.publishes.last { $0.topic == "meter/home/state" }?.payload.contains("_w") == false)
    bench.plug(0)
    try bench.expect { bench.agent.feeds[0].portState == .open }
    try bench.telegram(at: at("13:30:20"))
    try bench.expect { retained(wire)["meter/home/status"] == "online" && states(wire) == 3 }
  }

  @Test("a line that cannot be read is counted, and the others are published")
  func countsALineThatCannotBeRead() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(Telegram(extra: ["1-0:21.7.0(00.1x1*kW)"]), at: at("13:30:07"))
    try bench.expect { states(wire) == 1 }
    #expect(bench.answer(.status).status?.meters.first?.problems == 1)
    #expect(bench.answer(.status).status?.meters.first?.rejected == 0)
  }

  @Test("a damaged frame is counted and says nothing")
  func publishesNothingOfADamagedFrame() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    try bench.connect()
    var bytes = Telegram.f1.bytes
    bytes[300] ^= 1
    try bench.frame(bytes)
    #expect(bench.agent.feeds[0].rejected == 1)
    bench.idle()
    #expect(states(wire) == 0)
  }

  @Test("C13.58: discovery names the pseudonym only, is repeated at a birth, cleared at withdrawal")
  func announcesToHomeAssistant() throws {
    let broker = Broker()
    broker.start()
    let bench = try AgentBench(at: Self.start)
    bench.configuration.homeAssistant.enabled = true
    bench.addBroker(broker.port)
    try bench.start()
    let subscriber = try #require(RawSubscriber(port: broker.port))
    let grant = try bench.grant(.house())
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    func announcements() -> [RawSubscriber.Packet] {
      subscriber.poll()
      return subscriber.packets.filter { $0.topic.hasPrefix("homeassistant/sensor/") }
    }
    try bench.expect { announcements().count == 14 }
    let first = announcements()
    let topics = Set(first.map(\.topic))
    #expect(topics.count == 14)
    for packet in first {
      let id = packet.topic.split(separator: "/")[2]
      #expect(id.hasPrefix("m-") && id.dropFirst(18).hasPrefix("_"))
      #expect(packet.payload.contains(#""unique_id":"\#(id)""#))
      #expect(!packet.payload.contains("E0042001234567890"))
    }
    try bench.telegram(at: at("13:30:08"))
    bench.idle()
    #expect(announcements().count == 14)
    let homeAssistant = try #require(TestSocket.connect(port: broker.port))
    defer { close(homeAssistant) }
    let birth = "\u{0}\u{14}homeassistant/status\u{0}online"
    TestSocket.send(
      [0x10, 14, 0, 4] + Array("MQTT".utf8) + [5, 2, 0, 60, 0, 0, 1, 104], to: homeAssistant)
    TestSocket.send([0x30, UInt8(birth.utf8.count)] + Array(birth.utf8), to: homeAssistant)
    try bench.expect { announcements().count == 28 }
    #expect(announcements().suffix(14).map(\.payload).sorted() == first.map(\.payload).sorted())
    #expect(bench.answer(.withdraw, grant).receipt?.contains(#""retainedCleared":18,"#) == true)
    try bench.expect { announcements().count == 42 }
    #expect(announcements().suffix(14).allSatisfy { $0.payload.isEmpty })
    #expect(Set(announcements().suffix(14).map(\.topic)) == topics)
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    let late = try #require(RawSubscriber(port: broker.port, name: "late"))
    bench.idle()
    late.poll()
    #expect(late.packets.isEmpty)
  }

  @Test("the house's connection leaves a will, and a stopping agent says goodbye itself")
  func saysThatItIsGone() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    _ = try bench.grant(.minutePower())
    try bench.connect()
    let wills = wire.clients.map(\.will)
    #expect(
      wills.compactMap { $0 } == [
        WireBroker.Publish(
          topic: "meter/status", payload: "offline", qos: 1, isRetained: true, isDuplicate: false,
          properties: [])
      ])
    try bench.telegram(at: at("13:30:07"))
    try bench.stop()
    try bench.expect { wire.clients.allSatisfy { !$0.isOpen } }
    #expect(retained(wire)["meter/status"] == "offline")
    #expect(retained(wire)["meter/home/status"] == "offline")
    #expect(
      retained(wire)["meter/health"]?.contains(#""state":"stopping","reason":"signal""#) == true)
    // DISCONNECT, so that no will follows.
    #expect(wire.clients.allSatisfy { $0.bytes.suffix(2) == [0xE0, 0] })
  }

  @Test("two grants of the house under one root: the end of one takes nothing from the other")
  func sharesItsTopics() throws {
    let (bench, wire) = try bench()
    let first = try bench.grant(.house())
    _ = try bench.grant(.house { $0.recipient = "charger" })
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    try bench.expect { retained(wire)["meter/home/status"] == "online" }
    #expect(bench.answer(.withdraw, first).ok)
    bench.idle()
    #expect(wire.clients.count == 1)
    #expect(
      Set(retained(wire).keys) == [
        "meter/status", "meter/health", "meter/home/status", "meter/home/health",
      ])
    let second = try #require(bench.answer(.grantList).grants?.first { $0.state == "active" })
    #expect(bench.answer(.withdraw, second.id).receipt?.contains(#""retainedCleared":4,"#) == true)
    try bench.expect { retained(wire).isEmpty }
  }

  @Test("grants of the house under two roots each have their own status and will")
  func keepsRootsApart() throws {
    let (bench, wire) = try bench()
    _ = try bench.grant(.house())
    _ = try bench.grant(
      .house {
        $0.recipient = "charger"
        $0.topicRoot = "garage"
      })
    try bench.connect()
    try bench.telegram(at: at("13:30:07"))
    try bench.expect { retained(wire).count == 8 }
    #expect(Set(wire.clients.compactMap(\.will?.topic)) == ["meter/status", "garage/status"])
    #expect(retained(wire)["garage/status"] == "online")
  }

  @Test("a grant that cannot be put in force wholly leaves neither gates nor connections behind")
  func undoesWhatItCannotFinish() throws {
    // The second meter's nickname turns out to be the number that a meter sends.
    let (bench, wire) = try bench(meters: ["home", "e0042001234567890"])
    try bench.telegram(at: at("13:30:07"))
    let proposal = ControlRequest(verb: .grantPropose, proposal: .house())
    let id = try #require(bench.agent.answer(proposal, by: AgentBench.owner).grant?.id)
    #expect(bench.answer(.grantAccept, id).code == "E_LABEL_PERSONAL")
    #expect(bench.answer(.grantList).grants?.map(\.state) == ["withdrawn"])
    #expect((0..<GateBank.capacity).allSatisfy { !bench.agent.bank.isInstalled($0) })
    try bench.expect { bench.agent.links.allSatisfy { $0 == nil } }
    #expect(bench.agent.houses.isEmpty)
    #expect(wire.publishes.isEmpty)
  }
}
