import ModbusMeters
import OBISDecoder
import Testing

/// The acceptance cases of modbus.md §9, by their numbers.
///
/// Registers are in wire order; values are in base units here, so a kWh of the table is 1000 Wh. Case
/// 14 is about frames: the tests of the transport have it; case 18 is a capture, see
/// `CapturedMeterTests`.
@Suite("Acceptance cases of Modbus meters")
struct AcceptanceTests {
  @Test func case1ReadsFloatsHighWordFirst() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 0, type = "float32", unit = "V" }
      power = { at = 52, type = "float32", unit = "W" }
      energy_import = { at = 72, type = "float32", unit = "kWh" }
      """)
    meter.answer(0, "4366 3333")
    meter.answer(52, "C49A 5000")
    meter.answer(72, "460E 65EC")
    #expect(try meter.value("voltage_l1") == "230.2")
    #expect(try meter.value("power") == "-1234.5")
    #expect(try meter.value("energy_import") == "9113480")
  }

  @Test func case2TakesNaNAndInfinityAsMissing() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 0, type = "float32", unit = "V" }
      voltage_l2 = { at = 2, type = "float32", unit = "V" }
      voltage_l3 = { at = 4, type = "float32", unit = "V" }
      """)
    meter.answer(0, "4366 3333 7FC0 0000 FF80 0000")
    #expect(try meter.value("voltage_l1") == "230.2")
    #expect(try meter.outcome("voltage_l2") == .missing)
    #expect(try meter.outcome("voltage_l3") == .missing)
  }

  @Test func case3ReadsIntegersLowWordFirst() throws {
    var meter = try Bench(
      .lowFirst,
      """
      voltage_l1 = { at = 0, type = "int32", unit = "V", scale = 0.1 }
      power_l3 = { at = 22, type = "int32", unit = "W", scale = 0.1 }
      power = { at = 40, type = "int32", unit = "W", scale = 0.1 }
      energy_import = { at = 52, type = "int32", unit = "kWh", scale = 0.1 }
      """, more: "[defaults]\nmissing = { int32 = [\"7FFFFFFF\"], int16 = [\"7FFF\"] }")
    meter.answer(0, "08FD 0000")
    meter.answer(22, "FFFF 7FFF")
    meter.answer(40, "CFC7 FFFF")
    meter.answer(52, "86A0 0001")
    #expect(try meter.value("voltage_l1") == "230.1")
    #expect(try meter.value("power") == "-1234.5")
    #expect(try meter.outcome("power_l3") == .missing)
    #expect(try meter.value("energy_import") == "10000000")
  }

  @Test func case4TakesTheMagnitudeOfANegativeExport() throws {
    var meter = try Bench(
      .lowFirst,
      #"energy_export = { at = 32, type = "int32", unit = "kWh", scale = 0.1, absolute = true }"#)
    meter.answer(32, "CFC7 FFFF")
    #expect(try meter.value("energy_export") == "1234500")
  }

  @Test func case5ReadsWideIntegersAndTheirSentinels() throws {
    var meter = try Bench(
      .highFirst,
      """
      energy_import = { at = 20480, type = "uint64", unit = "kWh", scale = 0.01 }
      energy_export = { at = 20484, type = "uint64", unit = "kWh", scale = 0.01 }
      power = { at = 23316, type = "int32", unit = "W", scale = 0.01 }
      power_l1 = { at = 23318, type = "int32", unit = "W", scale = 0.01 }
      power_factor = { at = 23354, type = "int16", unit = "1", scale = 0.001 }
      """,
      more: "[defaults]\nmissing = { uint64 = [\"FFFFFFFFFFFFFFFF\"], int32 = [\"7FFFFFFF\"], "
        + "uint32 = [\"FFFFFFFF\"], int16 = [\"7FFF\"] }")
    meter.answer(20480, "0000 0000 0012 D687 FFFF FFFF FFFF FFFF")
    meter.answer(23316, "FFFE 1DC6 7FFF FFFF")
    meter.answer(23354, "7FFF")
    #expect(try meter.value("energy_import") == "12345670")
    #expect(try meter.outcome("energy_export") == .missing)
    #expect(try meter.value("power") == "-1234.5")
    #expect(try meter.outcome("power_l1") == .missing)
    #expect(try meter.outcome("power_factor") == .missing)
  }

  @Test func case6FoldsThePowerFactorOfFourQuadrants() throws {
    var meter = try Bench(
      .highFirst,
      """
      power = { at = 3059, type = "float32", unit = "kW" }
      power_factor = { at = 3083, type = "float32", unit = "1", encoding = "schneider-4q" }
      energy_import = { at = 3203, type = "int64", unit = "Wh" }
      energy_export = { at = 3207, type = "int64", unit = "Wh", missing = ["8000000000000000"] }
      """)
    meter.answer(3059, "4050 0000")
    meter.answer(3083, "3F99 999A")
    meter.answer(3203, "0000 0000 00BC 614E 8000 0000 0000 0000")
    #expect(try meter.value("power") == "3250")
    #expect(try meter.value("power_factor") == "0.8")
    #expect(try meter.value("energy_import") == "12345678")
    #expect(try meter.outcome("energy_export") == .missing)
  }

  @Test func case7AppliesScaleFactorsAndTakesAMissingOneAsNoValue() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 8, type = "int16", unit = "V", scale_at = 15 }
      voltage_l3 = { at = 10, type = "int16", unit = "V", scale_at = 15 }
      frequency = { at = 16, type = "int16", unit = "Hz", scale_at = 17 }
      power = { at = 18, type = "int16", unit = "W", scale_at = 22 }
      energy_export = { at = 38, type = "uint32", unit = "Wh", scale_at = 54 }
      energy_import = { at = 46, type = "uint32", unit = "Wh", scale_at = 54 }
      """, more: "[defaults]\nmissing = { int16 = [\"8000\"], uint32 = [\"00000000\"] }")
    meter.answer(
      8, "5A1E 59E2 8000 8000 8000 8000 8000 FFFE 1388 8000 FB2E 8000 8000 8000 0000")
    meter.answer(38, "0000 0000")
    meter.answer(46, "00BC 614E")
    meter.answer(54, "0000")
    #expect(try meter.value("power") == "-1234")
    #expect(try meter.value("voltage_l1") == "230.7")
    #expect(try meter.outcome("voltage_l3") == .missing)
    #expect(try meter.outcome("frequency") == .missing)
    #expect(try meter.value("energy_import") == "12345678")
    #expect(try meter.outcome("energy_export") == .missing)
  }

  @Test func case8RejectsWhatTheWrongWordOrderMakes() throws {
    var meter = try Bench(
      .lowFirst,
      """
      power = { at = 1013, type = "float32", unit = "W" }
      x_wrong = { at = 1013, type = "float32", unit = "W", word_order = "high-first", \
      overlap_ok = true }
      """)
    meter.answer(1013, "5000 449A")
    #expect(try meter.value("power") == "1234.5")
    #expect(try meter.outcome("x_wrong") == .rejected(.outOfRange))
  }

  @Test func case9MultipliesByTransformerRatios() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 8198, type = "float32", unit = "V", scale = 0.1, times = ["vt"] }
      power = { at = 8210, type = "float32", unit = "W", scale = 0.1, times = ["ct", "vt"] }
      """,
      more: """
        [ratios]
        ct = { at = 6, type = "uint16" }
        vt = { at = 7, type = "uint16", scale = 0.1 }
        """)
    meter.answer(6, "0028 000A")
    meter.answer(8198, "450F D000")
    meter.answer(8210, "4640 E400")
    #expect(try meter.value("voltage_l1") == "230.1")
    #expect(try meter.value("power") == "49380")
  }

  @Test func case10SubtractsExportFromImport() throws {
    var meter = try Bench(
      .highFirst,
      """
      power = { at = 0, type = "uint32", unit = "W", scale = 0.1, minus_at = 2 }
      energy_import = { at = 512, type = "uint64", unit = "Wh", scale = 0.1 }
      """)
    meter.answer(0, "0000 0000 0000 3039")
    meter.answer(512, "0000 0000 075B CD15")
    #expect(try meter.value("power") == "-1234.5")
    #expect(try meter.value("energy_import") == "12345678.9")
  }

  @Test func case11ReadsWhatAnOrnoSent() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 305, type = "uint16", unit = "V", scale = 0.01 }
      power = { at = 320, type = "uint32", unit = "W" }
      energy_import = { at = 0xA000, type = "uint32", unit = "kWh", scale = 0.01 }
      """)
    meter.answer(305, "5A66")
    meter.answer(320, "0000 0147")
    meter.answer(40960, "0003 0530")
    #expect(try meter.value("voltage_l1") == "231.42")
    #expect(try meter.value("power") == "327")
    #expect(try meter.value("energy_import") == "1979360")
  }

  @Test func case12ReadsBinary64() throws {
    var meter = try Bench(
      .highFirst, #"energy_import = { at = 801, type = "float64", unit = "Wh" }"#)
    meter.answer(801, "4167 8C29 C000 0000")
    #expect(try meter.value("energy_import") == "12345678")
  }

  @Test func case13KeepsTheValuesOfTheBlockThatWasRead() throws {
    var meter = try Bench(
      .highFirst,
      """
      power = { at = 52, type = "float32", unit = "W" }
      energy_total = { at = 342, type = "float32", unit = "kWh" }
      """)
    meter.answer(0, String(repeating: "0000 ", count: 52) + "449A 5000")
    #expect(try meter.value("power") == "1234.5")
    #expect(try meter.outcome("energy_total") == .unavailable)
  }

  @Test func case15DropsAZeroAndASpikeAndBelievesAnExchange() {
    #expect(
      guarded(["9113.48", "9113.49", "0.00", "9113.50", "18226.90", "9113.52"]) == [
        .accepted, .accepted, .held, .accepted, .held, .accepted,
      ])
    #expect(
      guarded(["9113.48", "0.00", "0.01", "0.02", "0.03"]) == [
        .accepted, .held, .held, .restarted, .accepted,
      ])
  }

  private func guarded(_ kilowattHours: [String]) -> [CounterGuard.Verdict] {
    var counter = CounterGuard(watts: 25_000, step: Decimal(mantissa: 10))
    return kilowattHours.enumerated().map { index, text in
      let bytes = Array(text.utf8)
      let value = Decimal(parsing: bytes.span, in: 0..<bytes.count)?.shifted(by: 3)
      return counter.judge(
        value ?? Decimal(mantissa: -1), atMilliseconds: Int64(index) * 10_000)
    }
  }

  @Test func case16TakesASentinelThatLooksLikeAnEnergyAsMissing() throws {
    var meter = try Bench(
      .highFirst,
      #"energy_import = { at = 7, type = "uint32", unit = "kWh", scale = 0.01 }"#,
      more: "[defaults]\nmissing = [\"FFFFFFFF\"]")
    meter.answer(7, "FFFF FFFF")
    #expect(try meter.outcome("energy_import") == .missing)
  }

  @Test func case17TurnsAnExportPositiveSign() throws {
    var meter = try Bench(
      .highFirst,
      """
      voltage_l1 = { at = 0x90ED, type = "int32", unit = "V", scale = 0.1 }
      power = { at = 0x90F9, type = "int32", unit = "W", sign = "export-positive" }
      """, more: "[defaults]\nmissing = { int32 = [\"7FFFFFFF\", \"80000000\"] }")
    meter.answer(37101, "0000 08FD")
    meter.answer(37113, "0000 04D2")
    #expect(try meter.value("power") == "-1234")
    #expect(try meter.value("voltage_l1") == "230.1")
  }
}
