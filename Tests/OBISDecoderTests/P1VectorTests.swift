import OBISDecoder
import Testing

/// The project's own telegrams: every oddity that meters are known for, with its meaning.
struct P1VectorTests {
  @Test(arguments: Vectors.plain)
  func readsPlainValuesDespiteOddity(_ name: String) {
    let sink = decode(Vectors.telegram(name))
    #expect(sink.values(OBISCode(1, 0, 1, 8, 1)) == ["1234567 Wh"])
    #expect(sink.values(OBISCode(1, 0, 2, 8, 1)) == ["0 Wh"])
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
    #expect(sink.values(OBISCode(1, 0, 32, 7, 0)) == ["230.1 V"])
    #expect(sink.values(OBISCode(1, 0, 31, 7, 0)) == ["2 A"])
    #expect(sink.values(OBISCode(0, 0, 96, 14, 0)) == ["2 1"])
    #expect(sink.values(OBISCode(0, 1, 24, 2, 1)) == ["107.123 m3"])
    #expect(sink.values(OBISCode(1, 0, 99, 97, 0)) == ["2014 s", "240 s"])
    #expect(sink.readings.count == 13)
    #expect(sink.rejections.isEmpty)
    let time = MeterTime(
      year: 2026, month: 1, day: 15, hour: 14, minute: 30, second: 7, season: .standard,
      offsetMinutes: nil)
    #expect(sink.summaries.map(\.meterTime) == [time])
  }

  @Test func keepsExactDigitsOfTheMeter() throws {
    let reading = try #require(decode(Vectors.telegram("p1/dsmr5")).readings.first)
    #expect(reading.value == Decimal(mantissa: 1_234_567, exponent: 0))
  }

  @Test(arguments: [
    ("p1/checksum_absent", Integrity.absent), ("p1/dsmr2_continuation_line", .absent),
    ("p1/checksum_unpadded", .ok), ("p1/checksum_lower_case", .ok), ("p1/dsmr5", .ok),
  ])
  func statesIntegrityOfEachTelegram(_ name: String, _ integrity: Integrity) {
    #expect(decode(Vectors.telegram(name)).summaries.map(\.integrity) == [integrity])
  }

  @Test func namesEachKindOfSecret() {
    let kinds = decode(Vectors.telegram("p1/belgian")).secrets.map(\.secret)
    #expect(kinds.map(\.kind).prefix(4) == [.meterType, .meterType, .meterNumber, .meteringPoint])
    #expect(kinds.map(\.isHex).prefix(4) == [false, false, true, true])
    #expect(kinds.filter { $0.kind == .subMeterNumber }.map(\.code?.b) == [1, 2])
    #expect(kinds.first?.code == nil)
    #expect(kinds.first?.offset == 1)
  }

  @Test func marksMessageAndKeyAndUnknownText() {
    let message = decode(Vectors.telegram("p1/dsmr5")).secrets.map(\.secret)
    #expect(message.filter { $0.kind == .message }.map(\.isHex) == [true])
    let odd = decode(Vectors.telegram("p1/oddities")).secrets
    let kinds = odd.map { "\($0.secret.kind.name) \(String(decoding: $0.text, as: UTF8.self))" }
    #expect(
      kinds == [
        "meter_type TST5\u{2}Odd", "unknown 1-0:4:24.7.0(0000.664*kVAr)", "unknown ER11",
        "unknown ER12", "metering_point 123456789012345678", "unknown (1",
        "key_material 00112233", "meter_number 09610", "meter_number 00000000",
        "unknown no line at all", "unknown 1-0:5.8.0",
      ])
  }

  @Test func readsContinuationLineUnderItsOwnCode() throws {
    let sink = decode(Vectors.telegram("p1/dsmr2_continuation_line"))
    let gas = try #require(sink.readings.first { $0.code == OBISCode(0, 1, 24, 2, 1) })
    #expect(gas.value == Decimal(mantissa: 124_477, exponent: -3))
    #expect(gas.unit == .cubicMetre)
    #expect(gas.medium == .gas)
    #expect(
      gas.time
        == MeterTime(
          year: 2012, month: 5, day: 17, hour: 2, minute: 0, second: 0, season: .unspecified,
          offsetMinutes: nil))
    #expect(sink.problems.isEmpty)
  }

  @Test func takesMediumFromDeviceTypeWhereverItStands() {
    let sink = decode(Vectors.telegram("p1/belgian"))
    let media = sink.readings.filter { $0.code.cde >> 8 == OBISCode.cde(24, 2, 0) >> 8 }
    #expect(media.map(\.medium) == [.gas, .water, .thermal])
    #expect(sink.values(OBISCode(0, 3, 24, 2, 1)) == ["12345000000 J"])
  }

  @Test func readsPeakInBothOrdersAndHistoryWithTimes() {
    let sink = decode(Vectors.telegram("p1/belgian"))
    let peak = sink.readings.filter { $0.code == OBISCode(1, 0, 1, 6, 0) }
    #expect(peak.map(\.time?.day) == [9])
    #expect(sink.values(OBISCode(1, 0, 1, 6, 0)) == ["8796 W"])
    let history = sink.readings.filter { $0.code == OBISCode(0, 0, 98, 1, 0) }
    #expect(sink.values(OBISCode(0, 0, 98, 1, 0)) == ["3695 W", "5980 W"])
    #expect(history.map(\.time?.day) == [23, 5])
  }

  @Test func readsTwoLimitsAndZeroWithoutUnitAndReportsNumberWithoutUnit() {
    let sink = decode(Vectors.telegram("p1/belgian"))
    #expect(sink.values(OBISCode(1, 1, 31, 4, 0)) == ["100 A", "-100 A"])
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["0 W"])
    #expect(sink.values(OBISCode(1, 0, 2, 7, 0)).isEmpty)
    #expect(sink.problems.map(\.code) == [.malformedValue])
  }

  @Test func givesNoValueForUnconnectedChannel() {
    let sink = decode(Vectors.telegram("p1/belgian"))
    #expect(sink.values(OBISCode(0, 4, 24, 2, 1)).isEmpty)
  }

  @Test func readsHistoryWithoutCountByItsUnits() {
    let sink = decode(Vectors.telegram("p1/hungarian"))
    #expect(sink.values(OBISCode(0, 0, 98, 1, 0)) == ["40777 Wh", "30 varh", "3564 W"])
    #expect(sink.readings.filter { $0.code.c == 98 }.allSatisfy { $0.time?.month == 7 })
    #expect(sink.values(OBISCode(1, 0, 13, 7, 0)) == ["4.556 1"])
    #expect(sink.values(OBISCode(0, 0, 17, 0, 0)) == ["24000 W"])
    #expect(sink.values(OBISCode(0, 0, 96, 14, 0)).isEmpty)
    let texts = sink.secrets.map { String(decoding: $0.text, as: UTF8.self) }
    #expect(texts.contains("TARIFF 1") && texts.contains("ON"))
    #expect(sink.problems.isEmpty)
  }

  @Test func readsOddUnitsAndCodes() {
    let sink = decode(Vectors.telegram("p1/oddities"))
    let printed = sink.readings.map { "\($0.code) \($0.value) \($0.unit.symbol)" }
    #expect(
      printed == [
        "1-0:1.8.0 441879.12345678 Wh", "1-0:3.8.0 177088 varh", "1-0:4.8.0 1500 varh",
        "1-0:16.24.0 -3618 W", "1-0:32.7.0 230 V", "1-0:31.7.0 0.48 A", "1-0:14.7.0 50 Hz",
        "1-0:9.7.0 21 VA", "1-1:31.4.0 40 A", "1-1:31.4.0 -40 A", "1-0:1.7.0 70000 W",
        "1-0:72.32.0 4 1",
      ])
  }

  @Test func readsClockInOctets() {
    let time = MeterTime(
      year: 2026, month: 7, day: 24, hour: 15, minute: 7, second: 30, season: .daylight,
      offsetMinutes: 120)
    #expect(decode(Vectors.telegram("p1/oddities")).summaries.map(\.meterTime) == [time])
  }

  @Test func reportsEachUnreadableLineWithItsPlace() {
    let bytes = Vectors.telegram("p1/oddities")
    let found = decode(bytes).problems.map { problem in
      let rest = bytes[problem.offset...].prefix { $0 != 13 }
      return "\(problem.code.name) \(String(decoding: rest, as: UTF8.self))"
    }
    #expect(
      found == [
        "duplicate_code 1-0:1.7.0(00.001*kW)", "malformed_code .0(0000.664*kVAr)",
        "number_too_large 99999999999999999999*kWh)", "unknown_unit kWp)",
        "malformed_value 00.30M*kWh)", "malformed_line (1",
        "invalid_time 632525252525S)(00000.000)",
        "malformed_code no line at all", "malformed_line ",
      ])
  }

  @Test(arguments: ["000101010000W", "700101000000S", "000000000000W", ""])
  func leavesMeterTimeOutWhereTheClockIsNotSet(_ clock: String) {
    let sink = decode(telegram(["0-0:1.0.0(\(clock))", "1-0:1.7.0(00.473*kW)"]))
    #expect(sink.summaries.map(\.meterTime) == [nil])
    #expect(sink.problems.isEmpty)
  }

  @Test(arguments: ["250000000000W", "123412341234W", "260115143007X", "07EA", "now"])
  func reportsTimeThatNoCalendarHas(_ clock: String) {
    let sink = decode(telegram(["0-0:1.0.0(\(clock))", "1-0:1.7.0(00.473*kW)"]))
    #expect(sink.summaries.map(\.meterTime) == [nil])
    #expect(sink.problems.map(\.code) == [.invalidTime])
  }

  @Test func readsFailureLogsOfAnyShape() {
    for log in ["()", "(0)()", "(1)()()()", "(0)(0-0:96.7.19)", "(0:96.7.19)"] {
      let sink = decode(telegram(["1-0:99.97.0\(log)"]))
      #expect(sink.readings.isEmpty && sink.problems.isEmpty, "\(log)")
    }
    let entries = String(repeating: "(260115143007W)(2147483647*s)", count: 40)
    let sink = decode(telegram(["1-0:99.97.0(40)(0-0:96.7.19)\(entries)"]))
    #expect(sink.values(OBISCode(1, 0, 99, 97, 0)) == Array(repeating: "2147483647 s", count: 40))
  }

  @Test func hidesTheTimeOfAnEntryThatHasNone() {
    let log = "(2)(0-0:96.7.19)(260115143007W)(5*s)(000104180320W)(6*s)"
    let readings = decode(telegram(["1-0:99.97.0\(log)"])).readings
    #expect(readings.map { $0.time?.year } == [2026, nil])
  }

  @Test func hintsAtBytesThatAreNoText() {
    let sink = decode(Vectors.telegram("p1/high_bytes_in_identification"))
    #expect(sink.problems == [DecodeError(.notText, at: 9)])
  }
}
