import Testing

@testable import OBISDecoder

/// What the lists of each maker mean; the vectors are made by hand.
@Suite struct DLMSListTests {
  private func heard(_ vector: DLMSVector) -> DLMSRecorder { HDLCStream.heard(vector.frame) }

  private func code(_ c: UInt8, _ d: UInt8, b: UInt8 = 0) -> OBISCode {
    OBISCode(1, b, c, d, 0)
  }

  private func secret(_ recorder: DLMSRecorder, _ kind: Secret.Kind) -> [String] {
    recorder.secrets.filter { $0.kind == kind }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test(arguments: DLMSVector.allCases)
  func readsEveryElementOfKnownLists(_ vector: DLMSVector) {
    let recorder = heard(vector)
    #expect(recorder.problems == [])
    #expect(recorder.rejected == [])
    #expect(recorder.discardedCount == 1, "only the flag that may open another frame is left")
    #expect(recorder.ended.count == 1)
    let counts: [DLMSVector: (Int, Int)] = [
      .aidonList1: (1, 0), .aidonOnePhase: (6, 3), .aidonSwedish: (8, 0), .kaifaList1: (1, 0),
      .kaifaOnePhase: (6, 3), .kaifaThreePhase: (9, 3), .kaifaOnePhaseHourly: (10, 3),
      .kaifaThreePhaseHourly: (13, 3), .kaifaSwedish: (4, 3), .kamstrupOnePhase: (3, 3),
      .kamstrupThreePhase: (10, 3), .kamstrupHourly: (14, 3),
    ]
    #expect(counts[vector]?.0 == recorder.readings.count)
    #expect(counts[vector]?.1 == recorder.secrets.count)
    let hasTime = ![.aidonList1, .aidonOnePhase].contains(vector)
    let time = MeterTime(
      year: 2026, month: 1, day: 15, hour: 14, minute: 30, second: 10, season: .standard,
      offsetMinutes: 60)
    #expect(recorder.ended.first?.meterTime == (hasTime ? time : nil))
    #expect(recorder.readings.allSatisfy { $0.medium == .electricity && $0.time == nil })
  }

  @Test(arguments: DLMSVector.allCases)
  func placesReadingsOnTheirElements(_ vector: DLMSVector) {
    let frame = vector.frame
    for reading in heard(vector).readings {
      let element = Array(frame[reading.offset..<(reading.offset + reading.count)])
      let sizes: [UInt8: Int] = [0x06: 5, 0x10: 3, 0x12: 3, 0x15: 9]
      #expect(sizes[element[0]] == element.count)
    }
  }

  @Test func scalesAidonByTheFramesOwnScalers() {
    let one = heard(.aidonOnePhase)
    #expect(one.value(code(1, 7)) == "1362 W")
    #expect(one.value(code(3, 7)) == "996 var")
    #expect(one.value(code(31, 7)) == "-9.3 A")
    #expect(one.value(code(32, 7)) == "250 V")
    #expect(secret(one, .meterNumber) == [DLMSVector.meterNumber])
    #expect(secret(one, .meterType) == ["AIDON_V0001", "6515"])
    // Case 82: above 2^24, where a float loses the last digit.
    #expect(heard(.aidonSwedish).value(code(1, 8)) == "109552250 Wh")
  }

  @Test func scalesKaifaPositionsByTheNorwegianList() {
    let three = heard(.kaifaThreePhaseHourly)
    #expect(three.value(code(1, 7)) == "948 W")
    #expect(three.value(code(2, 7)) == "7 W")
    #expect(three.value(code(4, 7)) == "64 var")
    #expect(three.value(code(31, 7)) == "1.416 A")
    #expect(three.value(code(71, 7)) == "3.119 A")
    #expect(three.value(code(32, 7)) == "238.5 V")
    #expect(three.value(code(52, 7)) == nil, "case 68")
    #expect(three.value(code(1, 8)) == "12345678 Wh")
    #expect(three.value(code(4, 8)) == "4000000000 varh")
    let one = heard(.kaifaOnePhaseHourly)
    #expect(one.value(code(31, 7)) == "1.416 A")
    #expect(one.value(code(32, 7)) == "238.5 V")
    #expect(one.value(code(52, 7)) == nil)
    #expect(one.value(code(4, 8)) == "4000000000 varh")
    #expect(heard(.kaifaList1).value(code(1, 7)) == "5502 W")
    #expect(secret(three, .meterNumber) == [DLMSVector.meterNumber])
    #expect(secret(three, .meterType) == ["KFM_001", "MA304H3E"])
  }

  @Test func scalesKaifaCodesWithoutScalerByTheTable() {
    let recorder = heard(.kaifaSwedish)
    #expect(recorder.value(code(1, 7)) == "297 W")
    #expect(recorder.value(code(31, 7)) == "0.032 A")
    #expect(recorder.value(code(32, 7)) == "232.2 V")
    #expect(recorder.value(code(1, 8)) == "9732707 Wh")
    #expect(secret(recorder, .meterNumber) == [DLMSVector.meterNumber])
  }

  @Test func scalesKamstrupByTheTable() {
    let recorder = heard(.kamstrupHourly)
    #expect(recorder.value(code(1, 7, b: 1)) == "107 W")
    #expect(recorder.value(code(31, 7, b: 1)) == "31.07 A")
    #expect(recorder.value(code(72, 7, b: 1)) == "7207 V")
    #expect(recorder.value(code(1, 8, b: 1)) == "1080 Wh")
    #expect(recorder.value(code(4, 8, b: 1)) == "4080 varh")
    #expect(secret(recorder, .meterNumber) == [DLMSVector.meterNumber])
    #expect(secret(recorder, .meterType) == ["Kamstrup_V0001", "6841121ZZ000000000"])
  }

  @Test(arguments: [
    ("6841138ZZ000000000", "31.07 A", "108 Wh"), ("6851121ZZ000000000", "3.107 A", "1080 Wh"),
  ])
  func scalesKamstrupByItsType(_ type: String, _ current: String, _ energy: String) {
    let body = DLMSVector.kamstrup([(31, 7), (1, 8)], type: type)
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.value(code(31, 7, b: 1)) == current)
    #expect(recorder.value(code(1, 8, b: 1)) == energy)
  }

  @Test func letsScalerOfTheFrameWinOverTheTable() {
    let body = AXDR.structure([
      AXDR.obis(OBISCode(1, 0, 0, 2, 129)), AXDR.octets("KFM_001"),
      AXDR.obis(code(31, 7)), AXDR.u16(32), AXDR.scaler(-2, 33),
      AXDR.obis(code(32, 7)), AXDR.u16(2322),
      AXDR.obis(code(51, 7)), AXDR.u16(7), AXDR.scaler(-2, 33),
    ])
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.problems == [])
    #expect(recorder.value(code(31, 7)) == "0.32 A")
    #expect(recorder.value(code(32, 7)) == "232.2 V")
    #expect(recorder.value(code(51, 7)) == "0.07 A")
  }

  @Test func testsEachPhaseSeparately() {
    let body = AXDR.array(
      [21, 22, 41, 42, 61, 62].map { DLMSVector.entry($0, 8, UInt32($0), 0, 30) })
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    for c: UInt8 in [21, 22, 41, 42, 61, 62] {
      #expect(recorder.value(code(c, 8)) == "\(c) Wh")
    }
  }

  @Test func keepsFirstOfARepeatedCode() {
    let body = AXDR.array([
      DLMSVector.entry(1, 7, 5, 0, 27), DLMSVector.entry(1, 7, 6, 0, 27),
    ])
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.readings.map(\.value.mantissa) == [5])
    #expect(recorder.problems.map(\.code) == [.duplicateCode])
  }

  @Test func readsAnEntryTheSameInTheUsualFormAndInAnother() {
    // The same code with its length in the long form, which is read element by element.
    let usual = DLMSVector.entry(1, 8, 5, 1, 30)
    let other = Array(usual.prefix(3)) + [0x81] + usual.dropFirst(3)
    #expect(usual[2...3] == [0x09, 0x06])
    let values: [[UInt8]] = [
      AXDR.u8(7), AXDR.i16(-7), AXDR.u64(7), AXDR.octets("text"), [0x00], AXDR.scaler(0, 30),
      AXDR.array([]),
    ]
    for value in values {
      for scaler in [[], AXDR.scaler(-1, 30), AXDR.u8(1), AXDR.structure([AXDR.u8(1)])] {
        let tail = value + scaler
        let count: UInt8 = scaler.isEmpty ? 2 : 3
        let first = [0x02, count] + usual[2..<10] + tail
        let second = [0x02, count] + other[2..<11] + tail
        let next = DLMSVector.entry(2, 8, 6, 0, 30)
        let left = HDLCStream.heard(DLMSVector.frame(AXDR.array([first, next])))
        let right = HDLCStream.heard(DLMSVector.frame(AXDR.array([second, next])))
        #expect(left.readings.map(\.value) == right.readings.map(\.value))
        #expect(left.secrets == right.secrets)
        #expect(left.problems.map(\.code) == right.problems.map(\.code))
        #expect(left.readings.last?.value.mantissa == 6)
      }
    }
  }
}
