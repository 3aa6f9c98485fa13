import Testing

@testable import OBISDecoder

/// The date-time of the header and of the clock object.
@Suite struct DLMSTimeTests {
  private let body = AXDR.array([DLMSVector.entry(1, 7, 5, 0, 27)])

  private func time(_ bytes: [UInt8]) throws(DecodeError) -> MeterTime? {
    try COSEMTime.read(bytes.span, at: 0)
  }

  private func bytes(_ changes: [Int: UInt8]) -> [UInt8] {
    var bytes = AXDR.time
    for (index, byte) in changes { bytes[index] = byte }
    return bytes
  }

  /// Case 57.
  @Test(arguments: [[0x0C], [0x09, 0x0C], [0x19]])
  func takesTheHeaderTimeInEveryForm(_ form: [UInt8]) throws {
    let recorder = HDLCStream.heard(DLMSVector.frame(body, header: form + AXDR.time))
    #expect(recorder.problems == [])
    #expect(recorder.readings.count == 1)
    let time = try #require(recorder.ended.first?.meterTime)
    #expect(time.secondsSince1970(standardOffsetMinutes: nil) == 1_768_483_810)
  }

  @Test(arguments: [[0x01], [0x09, 0x0B], [0x0B], [0x0D]])
  func refusesHeadersOfAnotherForm(_ form: [UInt8]) {
    let recorder = HDLCStream.heard(DLMSVector.frame(body, header: form + AXDR.time))
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.malformedHeader])
  }

  @Test func takesMessagesWithoutLLC() {
    let information: [UInt8] = [0x0F, 0, 0, 0, 0, 0x00] + body
    let recorder = HDLCStream.heard(HDLCFrameBuilder(control: 0x10).frame(information))
    #expect(recorder.readings.count == 1)
  }

  @Test(arguments: [
    [0xE6, 0xE7], [0xE6, 0xE7, 0x01, 0x0F], [0xE6, 0x00, 0x00, 0x0F], [0x0F, 1, 2],
  ])
  func refusesBrokenHeaders(_ information: [UInt8]) {
    let recorder = HDLCStream.heard(HDLCFrameBuilder().frame(information))
    #expect(recorder.readings == [])
    #expect(recorder.problems.count == 1)
    #expect(recorder.ended.count == 1)
  }

  @Test func prefersTheClockOfTheList() {
    let clock = bytes([5: 3])
    let list = AXDR.array([
      AXDR.structure([AXDR.obis(OBISCode(0, 0, 1, 0, 0)), AXDR.octets(clock)]),
      DLMSVector.entry(1, 7, 5, 0, 27),
    ])
    let recorder = HDLCStream.heard(DLMSVector.frame(list, header: [0x0C] + AXDR.time))
    #expect(recorder.ended.first?.meterTime?.hour == 3)
    let typed = AXDR.array([
      AXDR.structure([AXDR.obis(OBISCode(0, 0, 1, 0, 0)), [0x19] + clock])
    ])
    #expect(HDLCStream.heard(DLMSVector.frame(typed)).ended.first?.meterTime?.hour == 3)
  }

  @Test func fallsBackToTheHeaderForAClockNotSet() {
    let list = AXDR.array([
      AXDR.structure([AXDR.obis(OBISCode(0, 0, 1, 0, 0)), AXDR.octets(bytes([0: 0xFF, 1: 0xFF]))])
    ])
    let recorder = HDLCStream.heard(DLMSVector.frame(list, header: [0x0C] + AXDR.time))
    #expect(recorder.ended.first?.meterTime?.hour == 14)
    #expect(recorder.problems == [])
  }

  /// Case 72: UTC = local + deviation.
  @Test func turnsTheSignOfTheDeviation() throws {
    let local = bytes([5: 20, 6: 23, 7: 45, 9: 0xFF, 10: 0x88, 11: 0x80])
    let time = try #require(try time(local))
    #expect(time.offsetMinutes == 120)
    #expect(time.season == .daylight)
    let seconds = try #require(time.secondsSince1970(standardOffsetMinutes: nil))
    #expect(seconds % 86_400 == 18 * 3600 + 23 * 60 + 45)
  }

  @Test(
    arguments: [
      (0x00, .standard), (0x80, .daylight), (0xFF, .unspecified),
    ] as [(UInt8, MeterTime.Season)])
  func takesTheSeasonFromTheStatus(_ status: UInt8, _ season: MeterTime.Season) throws {
    #expect(try time(bytes([11: status]))?.season == season)
  }

  /// Case 71.
  @Test func takesEachFieldAsOptional() throws {
    let vague = try #require(try time(bytes([4: 0xFF, 7: 0xFF, 8: 0xFF, 9: 0x80, 10: 0x00])))
    #expect(vague.second == 0)
    #expect(vague.offsetMinutes == nil)
    for changes: [Int: UInt8] in [
      [0: 0xFF, 1: 0xFF], [0: 0, 1: 0], [2: 0xFF], [2: 0xFD], [3: 0xFF], [3: 0xFE], [5: 0xFF],
      [6: 0xFF],
    ] {
      #expect(try time(bytes(changes)) == nil)
    }
  }

  @Test(arguments: [[2: 13], [2: 0], [3: 32], [5: 24], [6: 60], [7: 60], [9: 0x7F]])
  func refusesTimesThatNoCalendarHas(_ changes: [Int: UInt8]) {
    #expect(throws: DecodeError(.invalidTime, at: 0)) { try time(bytes(changes)) }
    let recorder = HDLCStream.heard(DLMSVector.frame(body, header: [0x0C] + bytes(changes)))
    #expect(recorder.problems.map(\.code) == [.invalidTime])
    #expect(recorder.readings.count == 1)
    #expect(recorder.ended.first?.meterTime == nil)
  }
}
