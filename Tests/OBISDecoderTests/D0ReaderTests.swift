import OBISDecoder
import Testing

/// What the data sets of a readout say.
struct D0ReaderTests {
  private func read(_ lines: String...) -> RecordingSink { decode(D0Vector.protected(lines)) }

  @Test("case 38: reads codes with *255, seven decimals and watts behind STX")
  func readsFullCodesWithPeriod() {
    let sink = read(
      "1-0:0.0.0*255(9988776655)", "1-0:1.8.0*255(00032549.5061662*kWh)",
      "1-0:21.7.0*255(000557.29*W)", "0-0:96.1.255*255(1XYZ9988776655)")
    #expect(sink.printed == ["1-0:1.8.0 32549506.1662 Wh", "1-0:21.7.0 557.29 W"])
    #expect(
      sink.hidden == [
        "meter_type XYZ5invented", "meter_number 9988776655", "meter_number 1XYZ9988776655",
      ])
  }

  @Test("case 111: lets vendor codes pass without harm")
  func passesVendorCodes() {
    let sink = read("1-1:30D(0012)", "1-1:1.5.0(00.123*kW)", "1.8.0(000001.5*kWh)")
    #expect(sink.problems.map(\.code) == [.malformedCode])
    #expect(sink.printed == ["1-1:1.5.0 123 W", "1-0:1.8.0 1500 Wh"])
    #expect(sink.hidden.contains("unknown 1-1:30D(0012)"))
  }

  @Test func readsReducedCodesAsElectricity() {
    let sink = decode(D0Vector.protected(D0Vector.household))
    #expect(
      sink.printed == [
        "1-0:1.8.0 1846000 Wh", "1-0:1.8.0.1 1700500 Wh", "1-0:2.8.0 4329600 Wh",
        "1-0:1.7.0 490 W", "1-0:32.7.0 230.1 V", "1-0:31.7.0 1.2 A", "1-0:1.6.0 3720 W",
      ])
    #expect(sink.readings.allSatisfy { $0.medium == .electricity })
    #expect(sink.problems.isEmpty)
  }

  @Test func takesClockFromTimeAndDateLines() {
    let expected = MeterTime(
      year: 2026, month: 3, day: 21, hour: 21, minute: 10, second: 29, season: .unspecified,
      offsetMinutes: nil)
    let sink = decode(D0Vector.protected(D0Vector.household))
    #expect(sink.summaries.first?.meterTime == expected)
    #expect(read("0.9.1(211029)", "0.9.2(260321)").summaries.first?.meterTime == expected)
    #expect(read("0.9.4(260321211029)").summaries.first?.meterTime == expected)
    #expect(read("0.9.1(21:10:29)", "1.8.0(1*kWh)").summaries.first?.meterTime == nil)
    let european = read("0.9.1(21:10:29)", "0.9.2(21.03.26)")
    #expect(european.problems.map(\.code) == [.invalidTime])
    #expect(european.summaries.first?.meterTime == nil)
  }

  @Test func putsMomentWithPeak() {
    let sink = decode(D0Vector.protected(D0Vector.household))
    #expect(sink.readings.last?.time?.day == 20)
    #expect(sink.readings.last?.time?.minute == 15)
  }

  @Test func guessesNoUnit() {
    let sink = read("1-0:1.8.1*255(032942.0231)", "1.8.2(013925.5*)", "1.7.0(5*furlong)")
    #expect(sink.readings.isEmpty)
    #expect(sink.problems.map(\.code) == [.malformedValue, .unknownUnit, .unknownUnit])
  }

  @Test func takesTimesInSecondsAndAnglesInDegrees() {
    let sink = read(
      "C.8.1(024616.21*h)", "C.8.2(00001.5*min)", "81.7.4(-80.7*Deg)",
      "C.8.3(9223372036854775807*h)")
    #expect(
      sink.printed == ["0-0:96.8.1 88618356 s", "0-0:96.8.2 90 s", "1-0:81.7.4 -80.7 deg"])
    #expect(sink.problems.map(\.code) == [.unknownUnit])
  }

  @Test func refusesUnitThatTheQuantityDoesNotHave() {
    let sink = read("1.8.0(12.5*V)", "6.6(0017.2*kW)")
    #expect(sink.readings.isEmpty)
    #expect(sink.problems.map(\.code) == [.malformedValue, .malformedValue])
  }

  @Test func readsHeatMeterWithManySetsInALine() {
    let sink = read(
      "6.8(0029.055*MWh)6.26(01589.28*m3)9.21(00099887)6.26*01(01563.92*m3)F(0)9.20(99887766)",
      "6.33(001.476*m3ph)9.4(088*C&082*C)6.8.1()9.6(000&00099887&0)0.0(00099887)")
    #expect(
      sink.printed == [
        "6-0:1.0.0 29055000 Wh", "6-0:2.0.0 1589.28 m3", "6-0:2.0.0.1 1563.92 m3",
      ])
    #expect(sink.readings.allSatisfy { $0.medium == .thermal })
    #expect(sink.problems.map(\.code) == [.unknownUnit, .unknownUnit, .malformedValue])
    #expect(sink.hidden.filter { $0 == "meter_number 00099887" }.count == 2)
    #expect(sink.hidden.contains("meter_number 99887766"))
    #expect(sink.hidden.contains("unknown 000&00099887&0"))
  }

  @Test func countsFirstOfRepeatedCodes() {
    let sink = read("1.8.0(1*kWh)", "1.8.0*01(2*kWh)", "1.8.0(3*kWh)", "1.8.0&01(4*kWh)")
    #expect(sink.printed == ["1-0:1.8.0 1000 Wh", "1-0:1.8.0.1 2000 Wh"])
    #expect(sink.problems.map(\.code) == [.duplicateCode, .duplicateCode])
  }

  @Test func hidesTextAndNumbersOfNoKnownMeaning() {
    let sink = read(
      "C.1.0(18438)", "C.1.1(        )", "82.8.1(0042)", "L.1(abc)", "P.01(1)(2)\r\n(3)",
      "0.2.0(M27)")
    #expect(sink.readings.isEmpty)
    #expect(
      sink.hidden == [
        "meter_type XYZ5invented", "meter_number 18438", "unknown 0042", "unknown abc",
        "unknown 1", "unknown 2", "unknown 3", "meter_type M27",
      ])
  }

  @Test func readsCodesInFullWithLetters() {
    let sink = read(
      "0-0:F.F.0*255(0000000)", "0-0:C.1.0*255(55667788)", "0-0:C.7.0*255(0004)",
      "1-0:1.8.0*255(000001.5*kWh)", "0-0:C(1)", "0-0:C.(1)")
    #expect(sink.printed == ["0-0:96.7.0 4 1", "1-0:1.8.0 1500 Wh"])
    #expect(sink.hidden.contains("meter_number 55667788"))
    #expect(sink.problems.map(\.code) == [.malformedCode, .malformedCode])
  }

  @Test func readsUnitBehindOneBlank() {
    let sink = read(
      "0-0:C.1.0*255(55667788)", "1-0:1.8.0*255(0054321 kWh)", "1.8.1(000000.4 kWh)",
      "1-0:1.8.2*255(12 V)", "1-0:2.8.0*255(12  kWh)", "1-0:2.8.1*255(1 2 kWh)",
      "1-0:2.8.2*255(12 furlong)")
    #expect(sink.printed == ["1-0:1.8.0 54321000 Wh", "1-0:1.8.1 400 Wh"])
    #expect(sink.problems.map(\.code) == Array(repeating: .malformedValue, count: 4))
  }

  @Test func losesOnlyTheLineThatIsBroken() {
    let sink = read("1.8.0(1*kWh", "2.8.0(2*kWh)", "?", "1.7.0 3*kW)", "2.7.0(4*kW)")
    #expect(sink.printed == ["1-0:2.8.0 2000 Wh", "1-0:2.7.0 4000 W"])
    #expect(sink.problems.map(\.code) == [.malformedLine, .malformedCode, .malformedLine])
  }
}
