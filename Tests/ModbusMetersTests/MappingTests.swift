import ModbusMeters
import OBISDecoder
import PrivacyFilter
import Testing

/// The table from profile names to the registry's (issue 5, item 5).
@Suite("Readings of Modbus meters")
struct MappingTests {
  /// What one cycle publishes, `name value` each.
  private func published(_ values: String, _ words: String) throws -> [String] {
    var meter = try Bench(.highFirst, values)
    meter.answer(0, words)
    var decoding = CycleDecoding(meter.profile)
    let cycle = decoding.read(&meter.image, atMilliseconds: 0)
    return cycle.readings.map { reading in
      let name = Quantity.of(reading).map { "\($0.name)" } ?? "none"
      return "\(name) \(reading.value)"
    }
  }

  @Test func publishesImportAndNoExportForPositivePower() throws {
    #expect(
      try published(#"power = { at = 0, type = "int16", unit = "W" }"#, "04D2") == [
        "active_power_import 1234", "active_power_export 0",
      ])
  }

  @Test func publishesExportAndNoImportForNegativePower() throws {
    #expect(
      try published(#"power_l2 = { at = 0, type = "int16", unit = "W" }"#, "FB2E") == [
        "active_power_import_l2 0", "active_power_export_l2 1234",
      ])
  }

  @Test func takesZeroPowerAsImport() throws {
    #expect(
      try published(#"reactive_power = { at = 0, type = "int16", unit = "kvar" }"#, "0000") == [
        "reactive_power_import 0", "reactive_power_export 0",
      ])
  }

  @Test func givesApparentPowerTheDirectionOfActivePower() throws {
    let values = """
      power = { at = 0, type = "int16", unit = "W" }
      apparent_power = { at = 1, type = "int16", unit = "VA" }
      """
    #expect(
      try published(values, "FFFB 0006").suffix(2) == [
        "apparent_power_import 0", "apparent_power_export 6",
      ])
    #expect(
      try published(values, "0005 0006").suffix(2) == [
        "apparent_power_import 6", "apparent_power_export 0",
      ])
  }

  @Test func publishesNoApparentPowerOfUnknownDirection() throws {
    #expect(
      try published(#"apparent_power = { at = 0, type = "int16", unit = "VA" }"#, "0006") == [])
  }

  @Test func countsEnergyInWattHours() throws {
    let values = """
      energy_import = { at = 0, type = "uint16", unit = "kWh", scale = 0.1 }
      energy_t1 = { at = 1, type = "uint16", unit = "MWh" }
      energy_export_l3 = { at = 2, type = "uint16", unit = "Wh" }
      reactive_energy_export = { at = 3, type = "uint16", unit = "kvarh" }
      """
    #expect(
      try published(values, "0001 0002 0003 0004") == [
        "energy_import 100", "energy_import_tariff1 2000000", "energy_export_l3 3",
        "reactive_energy_export 4000",
      ])
  }

  @Test func keepsNamesOfTheOwnersInTheHouse() throws {
    #expect(try published(#"x_pump = { at = 0, type = "int16", unit = "W" }"#, "0001") == [])
  }

  /// Every code is one that the registry names, in the unit that the value has.
  @Test(arguments: MeterQuantity.allCases) func namesEveryCodeInTheRegistry(
    quantity: MeterQuantity
  ) {
    for code in quantity.codes {
      let reading = Reading(
        code: code, value: Decimal(mantissa: 1), unit: quantity.unit, medium: .electricity,
        time: nil, offset: 0, count: 2)
      #expect(Quantity.of(reading) != nil, "\(code)")
    }
  }

  @Test func leavesOnlyTheTotalOfReactiveEnergyUnpublished() {
    #expect(MeterQuantity.allCases.filter { $0.codes.isEmpty } == [.reactiveEnergyTotal])
    #expect(Set(MeterQuantity.allCases.flatMap(\.codes)).count == 54)
  }

  @Test func pointsToTheRegistersOfEachValue() throws {
    var meter = try Bench(
      .lowFirst,
      """
      voltage_l1 = { at = 0, type = "uint16", unit = "V" }
      energy_import = { at = 2, type = "uint32", unit = "Wh" }
      """)
    meter.answer(0, "00E6 0000 0007 0001")
    var decoding = CycleDecoding(meter.profile)
    let readings = decoding.read(&meter.image, atMilliseconds: 0).readings
    #expect(readings.map(\.offset) == [0, 4])
    #expect(readings.map(\.count) == [2, 4])
    #expect(readings.map(\.value.mantissa) == [230, 65543])
  }

  @Test func handsOutASerialNumberAsASecretOnly() throws {
    var meter = try Bench(
      .highFirst, #"power = { at = 0, type = "int16", unit = "W" }"#,
      more: "[identifiers]\nmeter_number = { at = 10, type = \"uint32\" }")
    meter.answer(0, "0001")
    meter.answer(10, "0001 E240")
    var decoding = CycleDecoding(meter.profile)
    let cycle = decoding.read(&meter.image, atMilliseconds: 0)
    let secret = try #require(cycle.secrets.first)
    #expect(secret.kind == .meterNumber)
    let digits = meter.image.bytes[secret.offset..<secret.offset + secret.count]
    #expect(String(decoding: digits, as: UTF8.self) == "123456")
    #expect(cycle.readings.count == 2)
  }

  @Test func holdsBackACounterThatFellAndCountsIt() throws {
    let values = #"energy_import = { at = 0, type = "uint32", unit = "kWh", scale = 0.01 }"#
    var meter = try Bench(.highFirst, values)
    var decoding = CycleDecoding(meter.profile)
    var seen: [Int] = []
    for words in ["000D E000", "0000 0000", "000D E001"] {
      meter.image.removeAll()
      meter.answer(0, words)
      let cycle = decoding.read(&meter.image, atMilliseconds: Int64(seen.count) * 1000)
      seen.append(cycle.readings.count * 10 + cycle.rejected)
    }
    #expect(seen == [10, 1, 10])
  }
}
