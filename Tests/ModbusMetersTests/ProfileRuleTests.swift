import ModbusMeters
import OBISDecoder
import Testing

/// The rules of modbus.md §8.1 by their numbers.
///
/// Rules 23 and 24 need more than one file, or a meter: see `RuntimeRuleTests`.
@Suite("Rules of profile files")
struct ProfileRuleTests {
  /// A file without a fault, value lines last: what a test adds stands from line 24 on.
  static let sound = """
    [meter]
    vendor = "Test"
    model = "Bench"
    function = 4
    addressing = "wire"
    word_order = "high-first"
    max_registers = 80
    max_gap = 20
    min_gap_ms = 100
    timeout_ms = 1000
    barriers = []
    [serial]
    baud = 9600
    parity = "none"
    stop_bits = 1
    unit = 1
    [identify]
    at = 0x0000
    type = "float32"
    between = [80, 300]
    [values]
    voltage_l1 = { at = 0x0000, type = "float32", unit = "V" }
    power = { at = 0x0034, type = "float32", unit = "W", group = "fast" }
    """

  /// What is found in the sound file with one line more, or with some text exchanged.
  private func found(
    _ line: String = "", replacing old: String = "", with new: String = ""
  ) -> [String] {
    var text = ProfileRuleTests.sound + "\n" + line
    if !old.isEmpty, let range = text.firstRange(of: old) {
      text.replaceSubrange(range, with: new)
    }
    return read(text)
  }

  private func read(_ text: String) -> [String] {
    let outcome = ProfileReader.read(text, id: "a", file: "meters/a.toml")
    let isUsable = !outcome.findings.contains { $0.severity == .error }
    #expect((outcome.profile != nil) == isUsable)
    return outcome.findings.map { String($0.description.dropFirst("meters/".count)) }
  }

  @Test func acceptsASoundFile() { #expect(found() == []) }

  @Test func rule1RejectsAnUnknownKey() {
    #expect(
      found(#"energy_import = { at = 72, type = "float32", unit = "kWh", scal = 0.1 }"#) == [
        #"a.toml:24: values.energy_import.scal: unknown key. Did you mean "scale"?"#
      ])
    #expect(
      found(replacing: "timeout_ms", with: "timeout_sm") == [
        #"a.toml:10: meter.timeout_sm: unknown key. Did you mean "timeout_ms"?"#
      ])
  }

  @Test func rule2RejectsAnUnknownReading() throws {
    let finding = try #require(
      found(#"volt_l1 = { at = 2, type = "float32", unit = "V" }"#).first)
    #expect(finding.hasPrefix("a.toml:24: values.volt_l1: not a known reading. "))
    #expect(finding.contains("Known: voltage_l1, voltage_l2"))
    #expect(finding.hasSuffix("extra readings start with \"x_\""))
    #expect(found(#"x_volt = { at = 2, type = "float32", unit = "V" }"#) == [])
  }

  @Test func rule3RejectsAnUnknownType() {
    #expect(
      found(#"frequency = { at = 70, type = "float", unit = "Hz" }"#) == [
        #"a.toml:24: values.frequency.type: "float": use float32 or float64"#
      ])
    #expect(
      found(#"frequency = { at = 70, unit = "Hz" }"#) == [
        "a.toml:24: values.frequency: type missing"
      ])
  }

  @Test func rule4RejectsAMissingAddress() {
    #expect(
      found(#"frequency = { type = "float32", unit = "Hz" }"#) == [
        "a.toml:24: values.frequency: address missing"
      ])
  }

  @Test func rule5RejectsAnAddressBeyondTheTable() {
    #expect(
      found(#"frequency = { at = 300053, type = "float32", unit = "Hz" }"#) == [
        "a.toml:24: values.frequency.at: at = 300053: looks like a 6-digit Modicon number. "
          + "Set addressing = \"modicon\" or write 52"
      ])
    #expect(
      found(#"frequency = { at = 70000, type = "float32", unit = "Hz" }"#) == [
        "a.toml:24: values.frequency.at: at = 70000: addresses end at 65535"
      ])
  }

  @Test func rule6RejectsAManualNumberAsAWireAddress() {
    #expect(
      found(#"frequency = { at = 30053, type = "float32", unit = "Hz" }"#) == [
        "a.toml:24: values.frequency.at: at = 30053: this looks like a manual number. Wire address "
          + "would be 52: set addressing = \"modicon\", or write it as 0x7565"
      ])
    #expect(found(#"frequency = { at = 0x7565, type = "float32", unit = "Hz" }"#) == [])
  }

  @Test func rule7RejectsAValueThatEndsBeyondTheTable() {
    #expect(
      found(#"energy_import = { at = 65535, type = "float32", unit = "kWh" }"#) == [
        "a.toml:24: values.energy_import.at: needs 2 registers at 65535"
      ])
  }

  @Test func rule8RejectsOverlappingValues() {
    #expect(
      found(#"voltage_l2 = { at = 1, type = "float32", unit = "V" }"#) == [
        "a.toml:24: values.voltage_l2: voltage_l2 (0x0001-0x0002) overlaps voltage_l1 "
          + "(0x0000-0x0001): 32-bit values need two registers"
      ])
    #expect(
      found(#"voltage_l2 = { at = 1, type = "float32", unit = "V", overlap_ok = true }"#) == [])
  }

  @Test(arguments: ["0", "0.0", "nan", "\"0.1\"", "inf"]) func rule9RejectsAUselessScale(
    scale: String
  ) {
    #expect(
      found("frequency = { at = 70, type = \"float32\", unit = \"Hz\", scale = \(scale) }") == [
        "a.toml:24: values.frequency.scale: scale must be a non-zero number such as 0.1"
      ])
  }

  @Test func rule10RejectsAUnitOfAnotherKind() {
    #expect(
      found(#"energy_import = { at = 72, type = "float32", unit = "kW" }"#) == [
        "a.toml:24: values.energy_import.unit: energy_import: unit \"kW\" is power. "
          + "Use Wh, kWh or MWh"
      ])
    #expect(
      found(#"energy_import = { at = 72, type = "float32", unit = "kwh" }"#) == [
        "a.toml:24: values.energy_import.unit: energy_import: unit \"kwh\" is unknown. "
          + "Use Wh, kWh or MWh"
      ])
  }

  @Test func rule11WarnsOfAWordOrderOfOneRegister() {
    #expect(
      found(#"frequency = { at = 70, type = "uint16", unit = "Hz", word_order = "low-first" }"#)
        == [
          "a.toml:24: warning: values.frequency.word_order: word_order is ignored for uint16: "
            + "remove it"
        ])
  }

  @Test(arguments: [1, 126, 200]) func rule12RejectsRequestsThatModbusDoesNotAllow(count: Int) {
    #expect(
      found(replacing: "max_registers = 80", with: "max_registers = \(count)") == [
        "a.toml:7: meter.max_registers: max_registers = \(count): Modbus allows 2 to 125"
      ])
  }

  @Test func rule13RejectsAValueLongerThanARequest() {
    let line = #"energy_import = { at = 72, type = "uint64", unit = "Wh" }"#
    #expect(
      found(line, replacing: "max_registers = 80", with: "max_registers = 2") == [
        "a.toml:24: values.energy_import: energy_import (4 registers) does not fit in "
          + "max_registers = 2"
      ])
  }

  @Test func rule14WarnsOfManyRequests() throws {
    let lines = (1...24).map { index in
      "x_\(index) = { at = \(1000 + index * 100), type = \"float32\", unit = \"W\" }"
    }
    let many = found(lines.joined(separator: "\n"), replacing: "max_gap = 20", with: "max_gap = 0")
    let warning = try #require(many.first)
    #expect(many.count == 1)
    #expect(
      warning.hasPrefix("a.toml: warning: 26 requests per cycle at 9600 baud takes about 4."))
    #expect(
      warning.hasSuffix("; raise max_gap (now 0) or mark values group = \"slow\""))
  }

  @Test func rule15RejectsAnotherFunction() {
    #expect(
      found(replacing: "function = 4", with: "function = 2") == [
        "a.toml:4: meter.function: function = 2: meters use 3 (holding) or 4 (input)"
      ])
  }

  @Test func rule16WarnsOfAMeterWithoutPowerAndEnergy() {
    #expect(
      found(replacing: "power =", with: "frequency =")
        == [
          "a.toml: warning: no power or energy reading in [values]",
          "a.toml:23: values.frequency.unit: frequency: unit \"W\" is power. Use Hz",
        ])
  }

  @Test func rule17RejectsTwoScales() {
    #expect(
      found(#"frequency = { at = 70, type = "int16", unit = "Hz", scale = 0.1, scale_at = 71 }"#)
        == ["a.toml:24: values.frequency.scale_at: use scale or scale_at, not both"])
  }

  @Test func rule18RejectsARatioThatIsNotThere() {
    #expect(
      found(#"frequency = { at = 70, type = "float32", unit = "Hz", times = ["ct"] }"#) == [
        "a.toml:24: values.frequency.times: times = [\"ct\"]: no [ratios] entry \"ct\""
      ])
  }

  @Test func rule19RejectsASentinelOfTheWrongLength() {
    #expect(
      found(#"energy_import = { at = 72, type = "uint32", unit = "Wh", missing = ["FFFF"] }"#) == [
        "a.toml:24: values.energy_import.missing: missing \"FFFF\" has 4 digits; uint32 needs 8"
      ])
  }

  @Test func rule20RejectsASignWithoutMeaning() {
    #expect(
      found(
        #"voltage_l2 = { at = 2, type = "float32", unit = "V", sign = "export-positive" }"#) == [
          "a.toml:24: values.voltage_l2.sign: sign on a voltage has no meaning"
        ])
  }

  @Test(arguments: [
    (0, "unit = 0 is broadcast: meters use 1-247 (255 only on TCP)"),
    (248, "unit = 248: meters use 1-247 (255 only on TCP)"),
    (255, "unit = 255: meters use 1-247 (255 only on TCP)"),
    (256, "unit = 256: meters use 1-247 (255 only on TCP)"),
  ]) func rule21RejectsUnitsThatNoMeterHas(unit: Int, text: String) {
    #expect(
      found(replacing: "unit = 1", with: "unit = \(unit)") == ["a.toml:16: serial.unit: \(text)"])
  }

  @Test func rule21TakesTheDeviceItselfOnANetwork() {
    #expect(found(replacing: "[identify]", with: "[tcp]\nunit = 255\n[identify]") == [])
  }

  @Test func rule22RejectsAnUnusualSpeed() {
    #expect(
      found(replacing: "baud = 9600", with: "baud = 96000") == [
        "a.toml:13: serial.baud: baud = 96000: did you mean 9600?"
      ])
  }

  @Test func rule25RejectsAValueDefinedTwice() {
    #expect(
      found(#"power = { at = 60, type = "float32", unit = "W" }"#) == [
        "a.toml:24: power defined twice"
      ])
  }

  // MARK: - Beyond the table

  @Test func rejectsAFileThatIsNoTOML() throws {
    let finding = try #require(read("[meter\nvendor = 1").first)
    #expect(finding.hasPrefix("a.toml:1: "))
  }

  @Test func rejectsAFileWithoutMeterOrValues() {
    #expect(read("") == ["a.toml: no [meter] table"])
    #expect(
      read("[meter]\nvendor = \"A\"\nmodel = \"B\"\nfunction = 3") == [
        "a.toml: no [values] table: there is nothing to read"
      ])
  }

  @Test func rejectsSunSpecModelsThatAreNoMeters() {
    let text = "[meter]\nvendor = \"A\"\nmodel = \"B\"\nfunction = 3\n[sunspec]\nmodels = [103]"
    #expect(
      read(text) == ["a.toml:6: sunspec.models: 103: meters are models 201 to 204 and 211 to 214"])
  }

  @Test func readsAddressesAsTheManualCountsThem() throws {
    func address(_ addressing: String, _ at: Int) throws -> (UInt16, ReadFunction) {
      let text = ProfileRuleTests.sound.replacing("\"wire\"", with: "\"\(addressing)\"")
        .replacing("at = 0x0000", with: "at = \(at)").replacing(
          "at = 0x0034", with: "at = \(at + 52)")
      let outcome = ProfileReader.read(text, id: "a", file: "a.toml")
      let profile = try #require(outcome.profile, "\(outcome.findings)")
      let field = try #require(profile.fields.first)
      return (field.register.address, field.register.function)
    }
    #expect(try address("wire", 7) == (7, .input))
    #expect(try address("one-based", 7) == (6, .input))
    #expect(try address("modicon", 30007) == (6, .input))
    #expect(try address("modicon", 40007) == (6, .holding))
    #expect(try address("modicon", 400_007) == (6, .holding))
  }

  @Test func readsNumbersExactly() throws {
    let line =
      #"energy_import = { at = 72, type = "uint32", unit = "kWh", scale = 0.001, max = 99.5 }"#
    let outcome = ProfileReader.read(
      ProfileRuleTests.sound + "\n" + line, id: "a", file: "a.toml")
    let field = try #require(outcome.profile?.fields.last)
    #expect(field.scale.description == "1")
    #expect(field.highest.description == "99500")
  }

  /// Any text gives findings or a profile, and never stops the program.
  @Test func endsForEveryPrefixOfAFile() {
    let text = Array(ProfileRuleTests.sound.utf8)
    for count in text.indices {
      let outcome = ProfileReader.read(
        String(decoding: text.prefix(count), as: UTF8.self), id: "a", file: "a.toml")
      #expect(outcome.profile != nil || !outcome.findings.isEmpty)
    }
  }
}
