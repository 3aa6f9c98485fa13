import Glibc
import ModbusMeters
import Testing

@testable import GatewayAgent

/// The household's own profiles, and what `gateway-agent meters` says of a meter.
@Suite struct OwnMetersTests {
  private let directory = LoopHarness.temporaryDirectory()

  private static let sound = """
    [meter]
    vendor = "Ours"
    model = "Pump"
    function = 3
    word_order = "high-first"
    [tcp]
    port = 502
    [values]
    power = { at = 7, type = "int16", unit = "W" }
    """

  private func write(_ text: String, to name: String) throws {
    let bytes = Array(text.utf8)
    let file = try FileDescriptor(
      unsafe open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600), from: "open")
    let count = unsafe Glibc.write(file.number, bytes, bytes.count)
    #expect(count == bytes.count)
  }

  @Test func takesAnOwnProfileInFrontOfABuiltInOne() throws {
    try write(OwnMetersTests.sound, to: "eastron-sdm630.toml")
    try write(OwnMetersTests.sound, to: "pump.toml")
    try write("not read", to: "README")
    let own = OwnMeters(directory)
    #expect(own.findings == [])
    #expect(own.ids == ["eastron-sdm630", "pump"])
    #expect(own.catalogue.profile("eastron-sdm630")?.vendor == "Ours")
    #expect(own.catalogue.isOwn("pump"))
    #expect(own.catalogue.ids.contains("pump"))
    #expect(own.catalogue.profile("eastron-sdm120")?.vendor == "Eastron")
  }

  @Test func leavesAFaultyProfileOutAndNamesFileAndLine() throws {
    try write(OwnMetersTests.sound + "\nfrequency = { at = 8, type = \"float\" }", to: "a.toml")
    try write(OwnMetersTests.sound, to: "b.toml")
    try write("\u{FF}", to: "c.toml")
    let own = OwnMeters(directory)
    #expect(own.hasError)
    #expect(own.ids == ["b"])
    #expect(own.catalogue.profile("a") == nil)
    let first = try #require(own.findings.first)
    #expect(first.description.hasPrefix("\(directory)/a.toml:10: values.frequency"))
  }

  @Test func takesADirectoryThatIsNotThereAsEmpty() {
    let own = OwnMeters(directory + "/none")
    #expect(own.findings == [])
    #expect(own.catalogue.ids == MeterCatalogue(own: []).ids)
  }

  @Test func looksBesideTheConfiguration() {
    #expect(
      OwnMeters.directory(beside: "/etc/gateway-agent/config.toml") == OwnMeters.directory)
    #expect(OwnMeters.directory(beside: "config.toml") == "meters")
  }

  @Test func showsAMeterWithItsReadPlan() throws {
    let profile = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
    let page = MeterPage(profile, isOwn: false)
    let text = String(decoding: page.text, as: UTF8.self)
    #expect(text.contains("0x0000 ×80 + 0x0156 ×22"))
    #expect(text.contains("active_power_import_w, active_power_export_w"))
    #expect(text.contains("not published"))
    #expect(page.row.contains("38 values, 2 requests"))
    let json = String(decoding: page.json(isWhole: true), as: UTF8.self)
    #expect(json.contains(#""fast":[{"function":4,"address":0,"count":80}"#))
  }
}
