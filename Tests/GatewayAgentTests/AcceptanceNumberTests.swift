import ConsentLedger
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Numbers that a grant names, sub-meters, and what no grant can name.
struct AcceptanceNumberTests {
  private static let number = "E0042001234567890"

  /// Every form of `text` that a careless agent could let out: as it is, reversed, in hexadecimal.
  private func isClean(_ wire: WireBroker, of text: String) -> Bool {
    let bytes = wire.clients.flatMap(\.bytes).map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }
    let plain = Array(text.lowercased().utf8)
    let hex = plain.flatMap { Array(String($0, radix: 16).utf8) }
    let upper = text.utf8.flatMap { Array(String($0, radix: 16).utf8) }
    return [plain, plain.reversed(), hex, upper].allSatisfy { form in
      bytes.count < form.count
        || !(0...(bytes.count - form.count)).contains {
          bytes[$0] == form[0] && Array(bytes[$0..<($0 + form.count)]) == form
        }
    }
  }

  @Test("C13.6: the number goes with the day's register to who was granted it, and to nobody else")
  func namesTheMeterToWhomItWasGranted() throws {
    let start = at("00:00:00")
    let bench = try AgentBench(at: start)
    let hourly = bench.addWire(name: "eliq")
    let daily = bench.addWire(name: "supplier")
    try bench.start()
    _ = try bench.grant(
      .made("eliq-disaggregation", "eliq") {
        $0.legalName = "Eliq AB"
        $0.country = "SE"
        $0.basis = "f"
        $0.granularity = "G4"
        $0.categories = ["E3"]
        $0.broker = "eliq"
      })
    _ = try bench.grant(
      .made("supplier-billing-check", "supplier") {
        $0.legalName = "Example Supply A/S"
        $0.country = "DK"
        $0.basis = "b"
        $0.granularity = "G5"
        $0.broker = "supplier"
      }, ticked: ["I1", "E1"])
    try bench.connect()
    let end = start + 86_400_000
    for instant in stride(from: start, through: end, by: 120_000) {
      bench.advance(to: instant)
      if instant % 3_600_000 == 0 { bench.agent.everyMinute() }
      try bench.frame(Telegram(gas: false).bytes)
    }
    bench.advance(to: end + 3_600_000 + 45_000)
    try bench.expect { daily.publishes.contains { $0.topic.hasSuffix("/day") } }
    #expect(hourly.publishes.count == 24)
    #expect(hourly.publishes.allSatisfy { $0.topic.hasSuffix("/e60") })
    #expect(isClean(hourly, of: Self.number))
    let day = try #require(daily.publishes.first { $0.topic.hasSuffix("/day") })
    #expect(day.payload.hasPrefix(#"{"v":1,"meter":"E0042001234567890","day":"2026-01-15","#))
    #expect(day.payload.contains(#""energy_import_register_wh":3580245"#))
    #expect(!day.payload.contains("window_s"))
    #expect(daily.publishes.allSatisfy { !$0.topic.contains(Self.number) })
    #expect(daily.clients.allSatisfy { !$0.id.contains(Self.number) })
  }

  @Test func saysNothingUntilTheMeterHasSentItsNumber() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    _ = try bench.grant(
      .made("supplier-billing-check", "supplier") {
        $0.legalName = "Example Supply A/S"
        $0.country = "DK"
        $0.basis = "b"
      }, ticked: ["I2"])
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("15:05:00"))
    bench.advance(to: at("15:02:00") + 3_600_000)
    try bench.expect { !wire.publishes.isEmpty }
    // This meter sends the number of no metering point: its own is not sent in its place.
    #expect(wire.publishes.first?.payload.hasPrefix(#"{"v":1,"metering_point":null,"#) == true)
    #expect(isClean(wire, of: Self.number))
  }

  @Test("C13.10: a grant of every category that can be granted lets no message text out")
  func grantsNoMessages() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    let every = try #require(Profiles.named("custom")).profile.categories.codes
    _ = try bench.grant(
      .made("custom", "first-app") {
        $0.legalName = "Example Power AS"
        $0.country = "NO"
        $0.categories = every
        $0.channels = [1, 2, 3, 4]
        $0.granularity = "G0"
        $0.absolute = true
      })
    try bench.connect()
    for second in 0..<20 { try bench.telegram(at: at("13:00:00") + Int64(second) * 1000) }
    try bench.expect { wire.publishes.count >= 20 }
    #expect(
      wire.publishes.contains { $0.payload.contains(#""energy_import_register_wh":3580245"#) })
    for text in ["KUNDE 12345678", Self.number, "G0042009876543210", "HANP-0001", "TST5"] {
      #expect(isClean(wire, of: text))
    }
  }

  @Test(
    "C13.11: gas goes under its own name and by the hour where its channel is granted, else not",
    arguments: [[1], [2]])
  func releasesChannelsThatAreGranted(_ channels: [Int]) throws {
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    _ = try bench.grant(
      .made("custom", "first-app") {
        $0.legalName = "Example Power AS"
        $0.country = "NO"
        $0.categories = ["E3", "M1"]
        $0.channels = channels
        $0.granularity = "G4"
      })
    try bench.connect()
    for instant in stride(from: at("13:00:00"), through: at("15:02:00"), by: 60_000) {
      try bench.telegram(at: instant)
    }
    bench.advance(to: at("15:05:00"))
    try bench.expect { wire.publishes.count == bench.externalData.count }
    let gas = wire.publishes.filter { $0.payload.contains("gas") }
    let names = Set(wire.publishes.map { $0.topic.split(separator: "/")[2] })
    if channels == [1] {
      #expect(gas.count == 2 && names.count == 2)
      #expect(gas.allSatisfy { $0.payload.contains(":00:00Z") && !$0.payload.contains("energy") })
    } else {
      // The meter on channel 1 is nobody's; the one on channel 2 is not there.
      #expect(gas.allSatisfy { $0.payload.contains(#""gas_volume_m3":null"#) })
    }
    #expect(isClean(wire, of: "G0042009876543210"))
  }
}
