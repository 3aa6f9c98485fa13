import OBISDecoder
import Testing

@testable import PrivacyFilter

struct InHouseTests {
  private func gates(
    _ categories: CategorySet = CategorySet(rawValue: 0x001D_FFFF), values: Bool = false
  ) throws -> [CompiledGate] {
    try compiled(
      terms(localProfile, house) {
        $0.categories = categories
        $0.destination.qos = 0
      }, role: .inHouse, publishesValues: values)
  }

  private func place() throws -> InHousePlace {
    try InHousePlace(root: "meter", nickname: "home", connection: 3, vault: IdentifierVault())
  }

  private let readings = [
    reading(OBISCode(1, 0, 1, 8, 1), 1_234_567, .wattHour),
    reading(OBISCode(1, 0, 1, 8, 2), 2_345_678, .wattHour), importPower(473), exportPower(0),
    reading(OBISCode(1, 0, 32, 7, 0), 2314, -1, .volt),
    reading(OBISCode(0, 0, 96, 14, 0), 2, .one), reading(OBISCode(0, 0, 99, 9, 9), 7, .one),
  ]

  private let meterTime = MeterTime(
    year: 2026, month: 1, day: 15, hour: 14, minute: 30, second: 7, season: .standard,
    offsetMinutes: nil)

  private func frame(_ bench: inout Bench) {
    bench.snapshot.begin(source: 0, sequence: 42, receivedAt: at("13:30:07") + 125)
    bench.snapshot.standardOffsetMinutes = 60
    bench.snapshot.meterTime = meterTime
    for reading in readings { bench.snapshot.record(reading) }
    bench.snapshot.end()
    var out: [Sent] = []
    bench.bank.process(bench.snapshot, at: at("13:30:07") + 125, clockTrusted: true) {
      out.append(Sent($0))
    }
    bench.sent += out
  }

  @Test func stateHoldsWhatIsPresentAndGranted() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    frame(&bench)
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"seq":42,"meter_time":"2026-01-15T14:30:07+01:00","#
          + #""received_at":"2026-01-15T13:30:07.125Z","energy_import_wh":3580245,"#
          + #""energy_import_tariff1_wh":1234567,"energy_import_tariff2_wh":2345678,"#
          + #""active_power_import_w":473,"active_power_export_w":0,"voltage_l1_v":231.4,"#
          + #""tariff":2}"#
      ])
    #expect(bench.sent.first?.topic == "meter/home/state")
    #expect(bench.sent.first?.retain == false)
    let unknown = bench.bank.unknownDropped
    #expect(unknown == 1)
  }

  @Test func stateHoldsGrantedCategoriesOnly() throws {
    var bench = Bench(try gates(.p1), at: at("13:30:00"))
    frame(&bench)
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"seq":42,"meter_time":null,"received_at":"2026-01-15T13:30:07.125Z","#
          + #""active_power_import_w":473}"#
      ])
  }

  @Test func plainValuesHaveTheirOwnTopics() throws {
    var bench = Bench(try gates([.p1, .v1], values: true), at: at("13:30:00"))
    frame(&bench)
    #expect(
      bench.sent.dropFirst().map { "\($0.topic) \($0.payload)" } == [
        "meter/home/value/active_power_import 473", "meter/home/value/voltage_l1 231.4",
      ])
  }

  @Test func plainValuesComeWhenTheyChangeAndAllWithEachMinute() throws {
    var bench = Bench(try gates([.p1, .v1], values: true), at: at("13:30:00"))
    let volts = reading(OBISCode(1, 0, 32, 7, 0), 2314, -1, .volt)
    let finer = reading(OBISCode(1, 0, 32, 7, 0), 23140, -2, .volt)
    func values(_ now: Int64, _ readings: [Reading]) -> [String] {
      bench.sent = []
      bench.frame(at: now, readings)
      return bench.sent.filter { $0.topic.contains("/value/") }.map {
        "\($0.topic.dropFirst("meter/home/value/".count)) \($0.payload)"
      }
    }
    let both = ["active_power_import 473", "voltage_l1 231.4"]
    #expect(values(at("13:30:01"), [importPower(473), volts]) == both)
    #expect(values(at("13:30:02"), [importPower(473), volts]) == [])
    #expect(values(at("13:30:03"), [importPower(0), volts]) == ["active_power_import 0"])
    #expect(values(at("13:30:04"), [volts]) == [])
    #expect(values(at("13:30:05"), [importPower(473), finer]) == both)
    #expect(values(at("13:31:00"), [importPower(473), finer]) == both)
    #expect(values(at("13:31:01"), [importPower(473), finer]) == [])
    bench.bank.refreshValues(ofConnection: 0)
    #expect(values(at("13:31:02"), [importPower(473), finer]) == both)
  }

  @Test func everyGateThatRemembersPlainValuesHasRoomForEachQuantity() throws {
    #expect(GateBank().shownValues.count == GateBank.valueRows * Quantity.idBound)
    #expect(QuantityTable.entries.count == Quantity.idBound)
    let last = Quantity(Quantity.idBound - 1)
    let code = OBISCode(1, 0, 70, 7, 0)
    let highest = reading(code, 5, last.unit)
    try #require(Quantity.of(highest) == last)
    // One more than can remember: it tells every value with every frame.
    let many = try (0...GateBank.valueRows).flatMap { _ in try gates([.v1, .q1], values: true) }
    var bench = Bench(many, at: at("13:30:00"))
    for now in [at("13:30:01"), at("13:30:02")] {
      bench.sent = []
      bench.frame(at: now, [highest, reading(OBISCode(1, 0, 72, 7, 0), 2320, -1, .volt)])
      let values = bench.sent.filter { $0.topic.contains("/value/") }
      let speaking = now == at("13:30:01") ? many.count : 1
      #expect(values.count == speaking * 2)
    }
  }

  @Test func staleDocumentHasNoValue() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    frame(&bench)
    var out: [Sent] = []
    bench.bank.emitStale(bench.snapshot, at: at("13:31:00")) { out.append(Sent($0)) }
    #expect(
      out.map(\.payload) == [
        #"{"v":1,"seq":42,"quality":"stale","meter_time":"2026-01-15T14:30:07+01:00","#
          + #""received_at":"2026-01-15T13:30:07.125Z"}"#
      ])
    bench.bank.stop(0, at: at("13:32:00"))
    out = []
    bench.bank.emitStale(bench.snapshot, at: at("13:32:00")) { out.append(Sent($0)) }
    #expect(out.isEmpty)
  }

  @Test func meterInUseHasThePlainKeyAndEachOfSeveralItsOwn() throws {
    var bench = Bench(try gates([.m1, .m2]), at: at("13:30:00"))
    func gas(_ channel: UInt8, _ value: Int64, year: UInt16) -> Reading {
      let time = MeterTime(
        year: year, month: 1, day: 15, hour: 14, minute: 0, second: 0, season: .standard,
        offsetMinutes: nil)
      return reading(
        OBISCode(0, channel, 24, 2, 1), value, -3, .cubicMetre, medium: .gas, time: time)
    }
    let water = reading(OBISCode(0, 3, 24, 2, 1), 5, -3, .cubicMetre, medium: .water)
    bench.frame(at: at("13:30:10"), [gas(1, 100_000, year: 2024), gas(2, 7000, year: 2026), water])
    let tail = bench.sent.first?.payload.split(separator: "Z\",", maxSplits: 1).last ?? ""
    #expect(
      tail == #""gas_volume_channel1_m3":100,"water_volume_m3":0.005,"gas_volume_m3":7,"#
        + #""gas_volume_channel2_m3":7}"#
        || tail == #""gas_volume_channel1_m3":100,"#
          + #""gas_volume_m3":7,"gas_volume_channel2_m3":7,"water_volume_m3":0.005}"#
    )
  }

  @Test func statusAndHealthAreRetainedWordsFromLists() throws {
    let home = try place()
    #expect(Sent(home.processStatus(isOnline: true)).topic == "meter/status")
    #expect(Sent(home.processStatus(isOnline: false)).payload == "offline")
    let status = Sent(home.meterStatus(isOnline: true))
    #expect(status.topic == "meter/home/status" && status.payload == "online" && status.retain)
    let since = at("13:30:00")
    let health = Sent(
      home.meterHealth(
        process: PartHealth(.running, .startUp, since: since),
        broker: PartHealth(.connected, .accepted, since: since),
        port: PartHealth(.absent, .deviceMissing, since: since),
        meter: PartHealth(.stale, .noFrame, since: since)))
    #expect(health.topic == "meter/home/health" && health.retain)
    let time = #""since":"2026-01-15T13:30:00Z"}"#
    let parts = [
      #"{"process":{"state":"running","reason":"start_up",\#(time),"#,
      #""broker":{"state":"connected","reason":"accepted",\#(time),"#,
      #""port":{"state":"absent","reason":"device_missing",\#(time),"#,
      #""meter":{"state":"stale","reason":"no_frame",\#(time)}"#,
    ]
    #expect(health.payload == parts.joined())
    let process = Sent(
      home.processHealth(
        process: PartHealth(.running, .none, since: since),
        broker: PartHealth(.disconnected, .refused, since: since)))
    #expect(process.topic == "meter/health")
    #expect(process.payload.hasSuffix("}}"))
  }

  @Test(arguments: ["status", "health", "a/b", "a+b", "", "571313999000000010"])
  func unusableNicknamesAreRefused(nickname: String) {
    #expect(throws: ConsentError.self) {
      try InHousePlace(root: "meter", nickname: nickname, connection: 0, vault: IdentifierVault())
    }
  }

  @Test("C13.58: discovery names the pseudonym only") func c58DiscoveryNamesThePseudonymOnly()
    throws
  {
    let gate = try gates()[0]
    let assistant = try HomeAssistant(prefix: "homeassistant", place: place())
    let power = assistant.announcement(of: Quantity(22), for: gate, expireAfterSeconds: 60)
    let sentCopy = copied(power)
    let sent = try #require(sentCopy)
    let name = gate.pseudonym.string
    #expect(sent.topic == "homeassistant/sensor/\(name)_active_power_import/config")
    let parts = [
      #"{"name":"Active power import","unique_id":"\#(name)_active_power_import","#,
      #""state_topic":"meter/home/state","#,
      #""value_template":"{{ value_json.active_power_import_w | default('') }}","#,
      #""unit_of_measurement":"W","device_class":"power","state_class":"measurement","#,
      #""availability_mode":"all","availability":[{"topic":"meter/status"},"#,
      #"{"topic":"meter/home/status"}],"expire_after":60,"#,
      #""device":{"identifiers":["\#(name)"],"name":"home"}}"#,
    ]
    #expect(sent.payload == parts.joined())
    #expect(sent.retain && sent.kind == .discovery)
    let removal = Release.clear(topic: sent.topic, connection: 3)
    let clearCopy = copied(removal)
    let clear = try #require(clearCopy)
    #expect(clear.topic == sent.topic && clear.payload.isEmpty && clear.retain)
  }

  @Test(arguments: [
    (0, "Wh", "energy", "total_increasing"), (31, "V", "voltage", "measurement"),
    (35, "A", "current", "measurement"), (40, "var", "reactive_power", "measurement"),
    (46, "varh", "", "total_increasing"), (52, "Hz", "frequency", "measurement"),
    (53, "", "power_factor", "measurement"), (70, "", "", ""),
    (80, "m³", "gas", "total_increasing"), (81, "m³", "water", "total_increasing"),
    (82, "J", "energy", "total_increasing"), (101, "VA", "apparent_power", "measurement"),
  ])
  func homeAssistantClassesFollowTheRegistry(
    id: Int, unit: String, device: String, state: String
  ) {
    #expect("\(Quantity(id).homeAssistantUnit)" == unit)
    #expect("\(Quantity(id).deviceClass)" == device)
    #expect("\(Quantity(id).stateClass)" == state)
  }

  @Test func discoveryIsForGrantedQuantitiesOfTheHouse() throws {
    let assistant = try HomeAssistant(prefix: "homeassistant", place: place())
    let narrow = try gates(.v1)[0]
    let outside = try compiled(terms(customProfile) { $0.categories = .p1 })[0]
    let isRefused =
      assistant.announcement(of: Quantity(22), for: narrow, expireAfterSeconds: 1) == nil
    let isRefusedOutside =
      assistant.announcement(of: Quantity(22), for: outside, expireAfterSeconds: 1) == nil
    #expect(isRefused && isRefusedOutside)
    var count = 0
    for quantity in Quantity.all {
      guard
        let release = assistant.announcement(
          of: quantity, for: try gates()[0], expireAfterSeconds: 60)
      else { continue }
      let payload = release.payloadText
      #expect(payload.hasSuffix("\"name\":\"home\"}}"))
      count += 1
    }
    #expect(count > 90)
  }

  @Test func endOfGrantIsToldWithoutReasonAndRetainedIsCleared() throws {
    let gate = try compiled(terms(eliqProfile) { $0.destination.retain = true })[0]
    let epilogue = GateEpilogue(gate)
    let receipt = try #require(FixedText<36>(grantID.text))
    let told = Sent(epilogue.notice(receipt: receipt, .withdrawn, at: at("10:00:00")))
    #expect(told.topic == "gateway/eliq/m-jdj2mreiudcxubv2/status" && !told.retain)
    #expect(
      told.payload == #"{"v":1,"grant":"5f0e2d3c-0000-4000-8000-000000000001","#
        + #""state":"withdrawn","at":"2026-01-15T10:00:00Z"}"#)
  }
}
