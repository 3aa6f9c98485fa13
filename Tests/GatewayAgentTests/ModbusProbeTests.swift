import MeterSimulator
import ModbusMeters
import OBISDecoder
import Testing

@testable import GatewayAgent

/// Simulated meters as the probe sees them: they answer at one setting only.
private struct SimulatedProbeLine: ModbusProbeLine {
  var candidates: [ModbusProbeSettings]
  let right: ModbusProbeSettings
  var responder: ModbusResponder
  var asked = 0

  init(
    _ profile: MeterProfile, units: [UInt8], _ right: ModbusProbeSettings,
    among candidates: [ModbusProbeSettings] = ModbusProbeSettings.serialLines
  ) {
    self.candidates = candidates
    self.right = right
    responder = ModbusResponder(
      profile, units: units, framing: right.framing, seed: 1, start: 1_768_478_400_000)
  }

  mutating func ask(
    _ block: ReadBlock, of unit: UInt8, _ settings: ModbusProbeSettings
  ) throws(SystemError) -> ReplyReceiver.Reply? {
    asked += 1
    guard settings == right else { return nil }
    let request = ModbusRequest(block, unit: unit, transaction: 7)
    var receiver = ReplyReceiver(right.framing)
    receiver.expect(request)
    let pieces = responder.take(request.bytes(right.framing), at: 0)
    return receiver.take(pieces.flatMap(\.bytes))
  }
}

/// `probe --modbus`: who is there, which profile fits, what to paste.
@Suite struct ModbusProbeTests {
  private let catalogue = MeterCatalogue(own: [])

  private func profile(_ id: String) throws -> MeterProfile { try #require(catalogue.profile(id)) }

  private func report(_ line: SimulatedProbeLine, units: [UInt8]) throws -> ModbusProbeReport {
    var line = line
    let probe = ModbusProbe(units: units, catalogue: catalogue)
    return ModbusProbeReport(port: "/dev/ttyUSB0", units: try probe.run(&line))
  }

  @Test func findsSpeedParityUnitAndProfile() throws {
    let line = SimulatedProbeLine(
      try profile("inepro-pro380"), units: [3], ModbusProbeSettings.serialLines[1])
    let report = try report(line, units: Array(1...8))
    let unit = try #require(report.units.first)
    #expect(report.units.count == 1)
    #expect(unit.unit == 3)
    #expect(unit.settings.text == "9600 8E1")
    #expect(unit.matches.prefix(3).contains { $0.profile == "inepro-pro380" })
    let text = try #require(report.configuration)
    #expect(text.hasPrefix("[[meters]]\nname = \"meter-3\"\nport = \"/dev/ttyUSB0\"\nprofile = \""))
    #expect(text.contains("unit = 3\n"))
    guard case .usable = ConfigurationReader.test.read(Array(text.utf8), file: "c.toml") else {
      Issue.record("\(ConfigurationReader.test.lines(text))")
      return
    }
  }

  @Test func findsEachMeterOfALineAndASpeedThatIsNotTheFactorys() throws {
    let line = SimulatedProbeLine(
      try profile("eastron-sdm630"), units: [1, 2], ModbusProbeSettings.serialLines[3])
    let report = try report(line, units: [1, 2, 3])
    #expect(report.units.map(\.unit) == [1, 2])
    let text = try #require(report.configuration)
    #expect(text.contains("speed = 2400\n"))
  }

  @Test func isCertainOfAModelNumber() throws {
    let line = SimulatedProbeLine(
      try profile("carlo-gavazzi-em24"), units: [1], ModbusProbeSettings.serialLines[0])
    let unit = try #require(report(line, units: [1]).units.first)
    #expect(unit.matches.first?.profile == "carlo-gavazzi-em24")
    #expect(unit.matches.first?.isCertain == true)
  }

  @Test func findsSunSpecBehindAGatewayOfSerialFrames() throws {
    let line = SimulatedProbeLine(
      try profile("sunspec-203"), units: [1], ModbusProbeSettings.network[1],
      among: ModbusProbeSettings.network)
    let report = try report(line, units: [1])
    #expect(report.units.first?.matches.first?.profile.hasPrefix("sunspec") == true)
    #expect(report.configuration?.contains("framing = \"rtu\"\n") == true)
  }

  @Test func proposesTheWordOrderOfAMeterThatNoProfileFits() throws {
    let text = """
      [meter]
      vendor = "Ours"
      model = "Swapped"
      function = 4
      word_order = "low-first"
      [serial]
      [values]
      voltage_l1 = { at = 0, type = "float32", unit = "V" }
      power = { at = 2, type = "float32", unit = "W" }
      """
    let swapped = try #require(ProfileReader.read(text, id: "ours", file: "ours.toml").profile)
    let line = SimulatedProbeLine(swapped, units: [1], ModbusProbeSettings.serialLines[0])
    let report = try report(line, units: [1])
    #expect(!report.isFound)
    #expect(report.sentences.joined().contains("word_order = \"low-first\""))
  }

  @Test func saysWhatToTryWhereNobodyAnswers() throws {
    let line = SimulatedProbeLine(
      try profile("eastron-sdm630"), units: [99], ModbusProbeSettings.serialLines[0])
    let report = try report(line, units: Array(1...8))
    #expect(!report.isFound)
    #expect(report.configuration == nil)
    #expect(report.sentences.joined().contains("exchange A and B"))
  }
}
