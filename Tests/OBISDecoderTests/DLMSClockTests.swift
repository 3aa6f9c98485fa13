import Testing

@testable import OBISDecoder

/// What the clock says of summer time, and what the user says of the clock.
@Suite struct DLMSClockTests {
  private func bytes(
    month: UInt8, day: UInt8, hour: UInt8, deviation: Int16?, status: UInt8
  ) -> [UInt8] {
    let raw = UInt16(bitPattern: deviation ?? .min)
    return [
      0x07, 0xEA, month, day, 0xFF, hour, 30, 0, 0xFF, UInt8(raw >> 8), UInt8(raw & 0xFF), status,
    ]
  }

  private func decoded(_ time: [UInt8], _ clock: ClockConvention) -> MeterTime? {
    let list = AXDR.array([
      AXDR.structure([AXDR.obis(OBISCode(0, 0, 1, 0, 0)), AXDR.octets(time)]),
      DLMSVector.entry(1, 7, 5, 0, 27),
    ])
    var options = DecoderOptions()
    options.clock = clock
    var decoder = MeterDecoder(options)
    var recorder = DLMSRecorder()
    decoder.push(DLMSVector.frame(list).span, to: &recorder)
    decoder.finish(to: &recorder)
    #expect(recorder.readings.count == 1)
    return recorder.ended.first?.meterTime
  }

  /// Hour of the day in UTC, for a meter whose standard time is an hour ahead.
  private func hour(_ time: MeterTime?) -> Int64? {
    time?.secondsSince1970(standardOffsetMinutes: 60).map { $0 % 86_400 / 3600 }
  }

  @Test("case 72: takes UTC from local time plus deviation, whatever the zone")
  func takesTheDeviation() throws {
    let summer = bytes(month: 7, day: 1, hour: 20, deviation: -120, status: 0x80)
    #expect(hour(decoded(summer, .asSent)) == 18)
    let winter = bytes(month: 1, day: 1, hour: 20, deviation: -60, status: 0x00)
    #expect(hour(decoded(winter, .asSent)) == 19)
    let west = bytes(month: 1, day: 1, hour: 20, deviation: 60, status: 0x00)
    #expect(hour(decoded(west, .asSent)) == 21)
  }

  @Test("case 73: counts a clock that says no deviation by its season")
  func takesTheSeason() {
    // Kamstrup: standard time all year, and says so; E450: the status of the clock object.
    let kamstrup = bytes(month: 7, day: 1, hour: 20, deviation: nil, status: 0x00)
    #expect(hour(decoded(kamstrup, .asSent)) == 19)
    let e450 = bytes(month: 7, day: 1, hour: 20, deviation: nil, status: 0x81)
    #expect(hour(decoded(e450, .asSent)) == 18)
    let silent = bytes(month: 7, day: 1, hour: 20, deviation: nil, status: 0xFF)
    #expect(hour(decoded(silent, .asSent)) == nil)
  }

  @Test("case 73: keeps standard time all year where the user says so")
  func keepsStandardTime() {
    for (deviation, status) in [(nil, 0x80), (-120, 0x80), (nil, 0xFF)] as [(Int16?, UInt8)] {
      let time = bytes(month: 7, day: 1, hour: 20, deviation: deviation, status: status)
      let taken = decoded(time, .standardTime)
      #expect(hour(taken) == 19)
      #expect(taken?.hour == 20, "the reading of the clock stays")
    }
  }

  @Test(
    "case 73: follows the law's summer time where the user says so",
    arguments: [
      (1, 1, 12, .standard), (3, 28, 23, .standard), (3, 29, 0, .standard),
      (3, 29, 2, .unspecified),
      (3, 29, 4, .daylight), (3, 30, 0, .daylight), (7, 1, 12, .daylight), (10, 24, 23, .daylight),
      (10, 25, 0, .daylight), (10, 25, 2, .unspecified), (10, 25, 4, .standard),
      (10, 31, 0, .standard), (12, 31, 23, .standard),
    ] as [(UInt8, UInt8, UInt8, MeterTime.Season)])
  func followsSummerTime(_ month: UInt8, _ day: UInt8, _ hour: UInt8, _ season: MeterTime.Season) {
    // 2026: summer time from 29 March to 25 October. The meter itself says standard time.
    let time = bytes(month: month, day: day, hour: hour, deviation: nil, status: 0x00)
    let taken = decoded(time, .europeanSummerTime)
    #expect(taken?.season == season)
    #expect(taken?.offsetMinutes == nil)
    #expect((self.hour(taken) == nil) == (season == .unspecified))
  }

  @Test("case 74: counts each hour of the day of 25 once, and never one twice")
  func countsTheLongDay() throws {
    // With a deviation the repeated hour is told apart; seconds only ever grow.
    var last: Int64 = 0
    for (hour, deviation, status) in [
      (1, -120, 0x80), (2, -120, 0x80), (2, -60, 0x00), (3, -60, 0x00),
    ] as [(UInt8, Int16, UInt8)] {
      let time = bytes(month: 10, day: 25, hour: hour, deviation: deviation, status: status)
      let seconds = try #require(
        decoded(time, .asSent)?.secondsSince1970(standardOffsetMinutes: 60))
      #expect(last == 0 || seconds == last + 3600)
      last = seconds
    }
  }

  @Test("case 71: leaves the season open where the clock's date is not whole")
  func leavesAnUnsetClockAlone() {
    let unset = [UInt8](repeating: 0xFF, count: 9) + [0x80, 0x00, 0xFF]
    for clock in [ClockConvention.asSent, .standardTime, .europeanSummerTime] {
      #expect(decoded(unset, clock) == nil)
    }
  }

  @Test func takesEveryYearsLastSunday() throws {
    // From the tables of Directive 2000/84/EC and its successors' communications.
    for (year, march, october) in [
      (2021, 28, 31), (2022, 27, 30), (2023, 26, 29), (2024, 31, 27), (2025, 30, 26),
    ] as [(UInt16, UInt8, UInt8)] {
      for (month, day, before, after) in [
        (3, march, .standard, .daylight), (10, october, .daylight, .standard),
      ] as [(UInt8, UInt8, MeterTime.Season, MeterTime.Season)] {
        let time = try #require(
          MeterTime(
            year: year, month: month, day: day, hour: 0, minute: 59, second: 0,
            season: .unspecified, offsetMinutes: nil))
        #expect(time.taken(as: .europeanSummerTime).season == before)
        var later = time
        later.hour = 4
        #expect(later.taken(as: .europeanSummerTime).season == after)
      }
    }
  }
}
