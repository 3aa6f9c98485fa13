import OBISDecoder
import Testing

/// Content of P1: cases 17 to 46 of the hard cases.
struct P1ContentCaseTests {
  private func read(_ lines: String...) -> RecordingSink { decode(telegram(lines)) }

  /// Readings as `code number unit`.
  private func printed(_ sink: RecordingSink) -> [String] {
    sink.readings.map { "\($0.code) \($0.value) \($0.unit.symbol)" }
  }

  private func time(
    _ year: UInt16, _ month: UInt8, _ day: UInt8, _ hour: UInt8, _ minute: UInt8, _ second: UInt8,
    _ season: MeterTime.Season
  ) -> MeterTime? {
    MeterTime(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second,
      season: season, offsetMinutes: nil)
  }

  @Test("case 17: the gas value on the next line belongs to the code in the list")
  func readsGasOfDSMR2() {
    let sink = read(
      "0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)", "(00001.001)", "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["0-1:24.2.1 1.001 m3", "1-0:1.7.0 1 W"])
    #expect(sink.readings.first?.time == time(2016, 11, 7, 19, 0, 0, .unspecified))
    #expect(sink.problems.isEmpty)
  }

  @Test(
    "cases 18 and 19: a channel without a meter has no value, and that is no error",
    arguments: [
      "0-1:24.2.1(700101010000W)(00000000)", "0-1:24.2.1(0)", "0-1:24.2.1()", "0-1:96.1.0()",
      "0-1:24.2.1(000101000000W)(00000)",
    ])
  func leavesUnconnectedChannelOut(_ line: String) {
    let sink = read(line, "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W"])
    #expect(sink.problems.isEmpty && sink.secrets.count == 1)
  }

  @Test("case 20: a time that is none leaves the value out and says so")
  func reportsInvalidCaptureTime() {
    let sink = read("0-1:24.2.1(632525252525W)(00000.000)", "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W"])
    #expect(sink.problems.map(\.code) == [.invalidTime])
  }

  @Test("case 21: both gas meters come out, each with channel, medium and time")
  func readsTwoGasMeters() {
    let sink = read(
      "0-1:24.1.0(003)", "0-1:24.2.1(210601120000S)(01234.567*m3)", "0-2:24.1.0(003)",
      "0-2:24.2.1(260115140000W)(00012.500*m3)")
    let gas = sink.readings.filter { $0.unit == .cubicMetre }
    #expect(gas.map(\.code.b) == [1, 2] && gas.allSatisfy { $0.medium == .gas })
    #expect(gas.map(\.time?.year) == [2021, 2026])
  }

  @Test("case 22: the device type says what a channel measures, wherever it stands")
  func takesMeaningFromDeviceType() {
    for type in [
      (3, Medium.gas), (7, .water), (6, .water), (4, .thermal), (2, .electricity), (99, .unknown),
    ] {
      for register in ["24.2.1", "24.2.3"] {
        let lines = ["0-2:24.1.0(00\(type.0))", "0-2:\(register)(260115140000W)(1.5*m3)"]
        for order in [lines, lines.reversed()] {
          let readings = decode(telegram(order)).readings.filter { $0.unit == .cubicMetre }
          #expect(readings.map(\.medium) == [type.1])
        }
      }
    }
  }

  @Test("case 23: heat in GJ")
  func readsHeat() {
    let sink = read("0-1:24.1.0(004)", "0-1:24.2.1(260115140000W)(12.345*GJ)")
    #expect(sink.values(OBISCode(0, 1, 24, 2, 1)) == ["12345000000 J"])
    #expect(sink.readings.last?.medium == .thermal)
  }

  @Test(
    "case 24: an empty log is no error",
    arguments: ["()", "(0)()", "(1)()()()", "(0)(0-0:96.7.19)"])
  func readsEmptyLog(_ log: String) {
    let sink = read("1-0:99.97.0\(log)", "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W"] && sink.problems.isEmpty)
  }

  @Test("case 25: a log of any length keeps each duration with its time")
  func readsLongLog() {
    let entries = (1...28).map {
      "(2601\($0 < 10 ? "0" : "")\($0)120000W)(\($0 == 7 ? 2_147_483_647 : $0)*s)"
    }
    let sink = read("1-0:99.97.0(28)(0-0:96.7.19)\(entries.joined())")
    #expect(sink.readings.map(\.time?.day) == (1...28).map { UInt8($0) })
    #expect(sink.readings.map(\.value.mantissa) == (1...28).map { $0 == 7 ? 2_147_483_647 : $0 })
    let old = read("1-0:99.97.0(1)(0-0:96.7.19)(000101000001W)(2147483647*s)")
    #expect(old.readings.map(\.time) == [nil] && old.problems.isEmpty)
  }

  @Test("case 26: a peak history is a list of month, moment and value")
  func readsPeakHistory() {
    let sink = read(
      "0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(260601000000S)(260523192538S)(03.695*kW)"
        + "(260501000000S)(632525252525W)(00.000*kW)(260401000000S)(260305122139W)(05980*W)")
    #expect(sink.values(OBISCode(0, 0, 98, 1, 0)) == ["3695 W", "0 W", "5980 W"])
    #expect(sink.readings.map(\.periodEnd?.month) == [6, 5, 4])
    #expect(sink.readings.map(\.time?.day) == [23, nil, 5])
    #expect(sink.problems.map(\.code) == [.invalidTime])
    let empty = read("0-0:98.1.0(0)(1-0:1.6.0)(1-0:1.6.0)()")
    #expect(empty.readings.isEmpty && empty.problems.isEmpty)
  }

  @Test("case 27: a history without count, of mixed units, by its content")
  func readsHungarianHistory() {
    let sink = read("0-0:98.1.0(260701000000S)(000040.777*kWh)(000000.030*kvarh)(03.564*kW)")
    #expect(sink.values(OBISCode(0, 0, 98, 1, 0)) == ["40777 Wh", "30 varh", "3564 W"])
    #expect(sink.readings.allSatisfy { $0.time?.month == 7 && $0.periodEnd == nil })
  }

  @Test(
    "case 28: value and time in either order",
    arguments: [
      "1-0:1.6.0(08.796*kW)(260102010000)", "1-0:1.6.0(260102010000)(08.796*kW)",
      "1-0:1.6.0(08.796*kW)(260102010000W)", "1-0:1.6.0(260102010000W)(08.796*kW)",
    ])
  func readsEitherOrder(_ line: String) {
    let sink = read(line)
    #expect(printed(sink) == ["1-0:1.6.0 8796 W"])
    #expect(sink.readings.first?.time?.day == 2 && sink.problems.isEmpty)
  }

  @Test("case 29: two values of one line, told apart by their place")
  func readsTwoValues() {
    for line in ["1-1:31.4.0(100.0*A,-100.0*A)", "1-1:31.4.0(100*A)(-100*A)"] {
      let sink = read(line)
      #expect(sink.values(OBISCode(1, 1, 31, 4, 0)) == ["100 A", "-100 A"])
      #expect(Set(sink.readings.map(\.offset)).count == 2)
    }
  }

  @Test(
    "cases 30 to 32 and 38: any decimals, any prefix, any suffix",
    arguments: [
      ("1-0:31.7.0(0.48*A)", "1-0:31.7.0 0.48 A"), ("1-0:31.7.0(007.18*A)", "1-0:31.7.0 7.18 A"),
      ("1-0:1.8.0(000441879*Wh)", "1-0:1.8.0 441879 Wh"),
      ("1-0:1.7.0(000210.92*W)", "1-0:1.7.0 210.92 W"),
      ("1-0:32.7.0(0000.230*kV)", "1-0:32.7.0 230 V"), ("1-0:31.7.0(0.002*kA)", "1-0:31.7.0 2 A"),
      ("1-0:14.7.0(0.05001*kHz)", "1-0:14.7.0 50.01 Hz"),
      ("1-0:1.8.0*255(00000422.20196574*kWh)", "1-0:1.8.0 422201.96574 Wh"),
      ("1-0:1.7.0(70.000*kW)", "1-0:1.7.0 70000 W"),
      ("1-0:1.8.1(2147483.648*kWh)", "1-0:1.8.1 2147483648 Wh"),
    ])
  func readsAnyDecimals(_ line: String, _ expected: String) {
    let sink = read(line)
    #expect(printed(sink) == [expected] && sink.problems.isEmpty)
  }

  @Test("case 33: the case of a unit is free", arguments: ["kvarh", "kVArh", "KVARH", "kVarh"])
  func readsAnyCaseOfUnit(_ unit: String) {
    #expect(printed(read("1-0:3.8.0(00177.088*\(unit))")) == ["1-0:3.8.0 177088 varh"])
  }

  @Test("case 34: zero without a unit has the unit of its code, another number none")
  func readsZeroWithoutUnit() {
    let sink = read("1-0:1.7.0(00.000)", "1-0:1.8.0(0)", "1-0:2.7.0(00.500)")
    #expect(printed(sink) == ["1-0:1.7.0 0 W", "1-0:1.8.0 0 Wh"])
    #expect(sink.problems.map(\.code) == [.malformedValue])
  }

  @Test("case 35: an empty value is absent, never zero")
  func leavesEmptyValueOut() {
    let sink = read("1-0:1.8.1.255()", "1-0:1.8.2()", "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W"] && sink.problems.isEmpty)
  }

  @Test("case 36: text where others send a number, and integer W")
  func readsTextTariff() {
    let sink = read("0-0:96.14.0(TARIFF 1)", "0-0:96.3.10(ON)", "0-0:17.0.0(24000*W)")
    #expect(printed(sink) == ["0-0:17.0.0 24000 W"] && sink.problems.isEmpty)
    #expect(
      sink.secrets.dropFirst().map { String(decoding: $0.text, as: UTF8.self) } == [
        "TARIFF 1", "ON",
      ])
  }

  @Test("case 37: identifiers of any length, each of its kind")
  func namesIdentifiers() {
    let long = String(repeating: "20", count: 48)
    let sink = read(
      "0-0:96.1.4(50217)", "0-0:96.1.4(\(long))", "0-0:96.1.1(\(long))", "0-1:96.1.0(31)",
      "0-0:42.0.0(3132)",
      "0-0:96.1.2(353431)", "0-0:96.13.0(4142)", "0-0:96.13.1(33)")
    #expect(
      sink.secrets.map(\.secret.kind) == [
        .meterType, .meterType, .meterType, .meterNumber, .subMeterNumber, .meterNumber,
        .meteringPoint,
        .message, .message,
      ])
    #expect(sink.readings.isEmpty)
    #expect(sink.secrets[2].secret.count == 96)
  }

  @Test("case 38: STX before a line and the suffix 255")
  func readsOddFraming() {
    // In the first line it would make a readout of it.
    let sink = read("0-0:1.0.0*255(260115143007W)", "\u{2}1-0:1.7.0*255(000210.92*W)")
    #expect(printed(sink) == ["1-0:1.7.0 210.92 W"])
  }

  @Test("case 39: of a doubled line the first counts, and the second is flagged")
  func flagsDoubledLine() {
    let sink = read("1-0:1.7.0(1*W)", "1-0:1.8.0(5*Wh)", "1-0:1.7.0(2*W)", "1-0:1.7.0*255(3*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W", "1-0:1.8.0 5 Wh"])
    #expect(sink.problems.map(\.code) == [.duplicateCode, .duplicateCode])
    let channels = read("0-1:96.1.0(31)", "0-0:96.1.1(32)", "0-2:96.1.0(33)")
    #expect(channels.problems.isEmpty)
    #expect(
      channels.secrets.dropFirst().map(\.secret.kind) == [
        .subMeterNumber, .meterNumber, .subMeterNumber,
      ])
  }

  @Test("case 40: negative numbers")
  func readsNegative() {
    #expect(printed(read("1-0:16.24.0(-03.618*kW)")) == ["1-0:16.24.0 -3618 W"])
  }

  @Test("case 41: doubled brackets cost nothing else")
  func toleratesDoubledBrackets() {
    let sink = read("1-0:32.32.0((ER11))", "1-0:52.32.0((ER12)", "1-0:1.7.0(1*W)")
    #expect(printed(sink) == ["1-0:1.7.0 1 W"] && sink.problems.isEmpty)
  }

  @Test("case 42: a clock in twelve octets")
  func readsOctetClock() {
    let clock = read("0-0:1.0.0(07E8061C050A2B2B00FF8880)").summaries.first?.meterTime
    #expect(clock?.offsetMinutes == 120 && clock?.season == .daylight)
    #expect(clock?.secondsSince1970(standardOffsetMinutes: nil) == 1_719_564_223)
  }

  @Test("cases 43 and 44: an unset clock is absent; W and S decide, whatever the month")
  func readsClockAsSent() {
    #expect(read("0-0:1.0.0(000101000000W)").summaries.map(\.meterTime) == [nil])
    // Standard time in July: a meter that never changes its clock.
    let july = read("0-0:1.0.0(260702192002W)").summaries.first?.meterTime
    #expect(july == time(2026, 7, 2, 19, 20, 2, .standard))
    #expect(july?.secondsSince1970(standardOffsetMinutes: 120) == 1_783_012_802)
    // The hour that comes twice in autumn.
    let first = read("0-0:1.0.0(261025023000S)").summaries.first?.meterTime
    let second = read("0-0:1.0.0(261025023000W)").summaries.first?.meterTime
    let before = first?.secondsSince1970(standardOffsetMinutes: 60) ?? 0
    #expect(second?.secondsSince1970(standardOffsetMinutes: 60) == before + 3600)
  }

  @Test("case 45: reactive import is 3, export is 4")
  func keepsReactiveDirections() {
    let sink = read("1-0:3.8.0(1*varh)", "1-0:4.8.0(2*varh)")
    #expect(printed(sink) == ["1-0:3.8.0 1 varh", "1-0:4.8.0 2 varh"])
  }

  @Test("case 46: apparent power and a limit in kVA")
  func readsApparentPower() {
    let sink = read("0-0:17.0.0(27.6*kVA)", "1-0:9.7.0(00.021*kVA)", "1-0:10.7.0(00.000*kVA)")
    #expect(printed(sink) == ["0-0:17.0.0 27600 VA", "1-0:9.7.0 21 VA", "1-0:10.7.0 0 VA"])
  }
}
