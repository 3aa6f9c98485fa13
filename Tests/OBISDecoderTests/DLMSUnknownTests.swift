import Testing

@testable import OBISDecoder

/// What is not known is reported, and neither guessed nor lost.
@Suite struct DLMSUnknownTests {
  private func heard(_ body: [UInt8], header: [UInt8] = [0x00]) -> DLMSRecorder {
    HDLCStream.heard(DLMSVector.frame(body, header: header))
  }

  private static let tagged: [UInt8] = [0x09, 0x0C] + AXDR.time
  private static let power = AXDR.obis(OBISCode(1, 0, 1, 7, 0))

  @Test(arguments: [
    // A positional list of a maker nobody knows, one number too many, one of another type.
    AXDR.structure([AXDR.octets("XYZ_001"), AXDR.octets("1122334455"), AXDR.u32(948)]),
    AXDR.structure(
      [AXDR.octets("KFM_001"), AXDR.octets("1122334455"), AXDR.octets("MA")]
        + [UInt32](repeating: 5, count: 11).map(AXDR.u32)),
    AXDR.structure(
      [AXDR.octets("KFM_001"), AXDR.octets("1122334455"), AXDR.octets("MA")]
        + [UInt16](repeating: 5, count: 10).map(AXDR.u16)),
    AXDR.structure([AXDR.octets("1122334455"), AXDR.u32(948), AXDR.u32(3)]),
  ])
  func refusesPositionalListsItDoesNotKnow(_ body: [UInt8]) {
    let recorder = heard(body, header: Self.tagged)
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
    #expect(recorder.secrets.contains { $0.bytes == Array("1122334455".utf8) })
    #expect(recorder.ended.first?.meterTime?.year == 2026)
  }

  @Test func refusesASingleNumberWithoutTime() {
    let recorder = heard(AXDR.structure([AXDR.u32(948)]))
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
  }

  @Test func readsNoPushObjectListAsValues() {
    // Class, code, attribute, index: what will be sent, not what was measured.
    let object = AXDR.structure([
      AXDR.u16(3), AXDR.obis(OBISCode(1, 1, 1, 7, 0)), [0x0F, 0x02], AXDR.u16(0),
    ])
    let body = AXDR.structure([AXDR.array([object, object]), AXDR.u32(143), AXDR.u32(205)])
    let recorder = heard(body)
    #expect(recorder.readings == [])
    #expect(recorder.secrets == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
  }

  @Test func hasNoUnitForNumbersWithoutTable() {
    let recorder = heard(AXDR.structure([Self.power, AXDR.u32(948)]))
    #expect(recorder.readings == [])
    #expect(recorder.secrets == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
  }

  @Test func takesPlainNumbersAsIdentifiers() {
    let recorder = heard(
      AXDR.structure([
        AXDR.obis(OBISCode(1, 1, 0, 0, 1)), AXDR.u32(11_223_344),
        AXDR.obis(OBISCode(0, 0, 96, 50, 0)), AXDR.u32(55),
      ]))
    #expect(recorder.readings == [])
    #expect(recorder.secrets.map(\.kind) == [.meterNumber, .unknown])
  }

  @Test func keepsIdentifiersOutOfReadingsWhateverTheirUnit() {
    let entries = [
      AXDR.structure([
        AXDR.obis(OBISCode(0, 0, 96, 1, 0)), AXDR.u32(11_223_344), AXDR.scaler(0, 27),
      ]),
      AXDR.structure([
        AXDR.obis(OBISCode(0, 0, 97, 5, 0)), AXDR.u32(11_223_344), AXDR.scaler(0, 255),
      ]),
    ]
    let recorder = heard(AXDR.array(entries))
    #expect(recorder.readings == [])
    #expect(recorder.secrets.map(\.kind) == [.meterNumber, .unknown])
  }

  @Test func tellsKindsOfIdentifiersApart() {
    let codes: [(OBISCode, Secret.Kind)] = [
      (OBISCode(1, 0, 0, 0, 0), .meterNumber), (OBISCode(0, 0, 42, 0, 0), .meterNumber),
      (OBISCode(0, 0, 96, 1, 1), .meterNumber), (OBISCode(0, 2, 96, 1, 0), .subMeterNumber),
      (OBISCode(1, 1, 96, 1, 1), .meterType), (OBISCode(1, 0, 0, 2, 0), .meterType),
      (OBISCode(0, 0, 43, 1, 1), .keyMaterial), (OBISCode(0, 0, 96, 13, 0), .message),
      (OBISCode(0, 0, 96, 14, 0), .unknown),
    ]
    let entries = codes.map { AXDR.structure([AXDR.obis($0.0), AXDR.octets("invented")]) }
    let recorder = heard(AXDR.array(entries))
    #expect(recorder.secrets.map(\.code) == codes.map(\.0))
    #expect(recorder.secrets.map(\.kind) == codes.map(\.1))
  }

  @Test func readsAroundAnEntryItDoesNotKnow() {
    let body = AXDR.array([
      DLMSVector.entry(1, 7, 5, 0, 27), AXDR.structure([AXDR.u8(1), AXDR.octets("abcdefgh")]),
      AXDR.structure([Self.power, AXDR.u32(1), AXDR.structure([AXDR.u8(0), AXDR.u8(27)])]),
      DLMSVector.entry(2, 7, 6, 0, 27),
    ])
    let recorder = heard(body)
    #expect(recorder.readings.map(\.value.mantissa) == [5, 6])
    #expect(recorder.problems.map(\.code) == [.unknownList])
    #expect(recorder.secrets.map(\.kind) == [.unknown])
  }

  @Test func readsNoFlatListBehindAnElementItDoesNotKnow() {
    // What looks like code, value and scaler may as well be three values.
    let body = AXDR.structure([
      AXDR.u8(1), Self.power, AXDR.u32(5), AXDR.scaler(0, 27), AXDR.octets("abcdefgh"),
    ])
    let recorder = heard(body)
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
    #expect(recorder.secrets.map(\.kind) == [.unknown])
  }

  @Test func reportsUnitsThatNoTableHas() {
    let body = AXDR.array([
      DLMSVector.entry(1, 7, 5, 0, 99), DLMSVector.entry(2, 7, 6, 0, 27),
    ])
    let recorder = heard(body)
    #expect(recorder.readings.map(\.value.mantissa) == [6])
    #expect(recorder.problems.map(\.code) == [.unknownUnit])
    #expect(recorder.problems.first?.found == 99)
  }

  @Test func reportsNumbersBeyondSixtyThreeBits() {
    let body = AXDR.array([
      AXDR.structure([Self.power, AXDR.u64(.max), AXDR.scaler(0, 27)])
    ])
    #expect(heard(body).problems.map(\.code) == [.numberTooLarge])
  }

  @Test(arguments: [[0x17, 0x7F, 0x80, 0, 0], [0x18, 0x7F, 0xF8, 0, 0, 0, 0, 0, 1]])
  func refusesInfinityAndNaN(_ value: [UInt8]) {
    let body = AXDR.array([
      AXDR.structure([Self.power, value, AXDR.scaler(0, 27)]), DLMSVector.entry(2, 7, 6, 0, 27),
    ])
    let recorder = heard(body)
    #expect(recorder.readings.map(\.value.mantissa) == [6])
    #expect(recorder.problems.map(\.code) == [.malformedValue])
  }

  @Test(arguments: [[0x00], [0xFF]])
  func takesNoDataAsAbsent(_ value: [UInt8]) {
    let body = AXDR.array([
      AXDR.structure([Self.power, value, AXDR.scaler(0, 27)]), DLMSVector.entry(2, 7, 6, 0, 27),
    ])
    let recorder = heard(body)
    #expect(recorder.readings.map(\.value.mantissa) == [6])
    #expect(recorder.problems == [])
  }

  @Test(
    arguments: [
      (0xDB, DecodeError.Code.encrypted), (0xDC, .encrypted), (0xDD, .encrypted),
      (0xDF, .encrypted), (0xC8, .encrypted), (0xC4, .unsupportedAPDU), (0x02, .unsupportedAPDU),
    ] as [(UInt8, DecodeError.Code)])
  func namesMessagesItCannotRead(_ tag: UInt8, _ code: DecodeError.Code) {
    let title: [UInt8] = [0x08] + Array("ZZZ12345".utf8)
    let frame = HDLCFrameBuilder().frame([0xE6, 0xE7, 0x00, tag] + title + [1, 2, 3, 4])
    let recorder = HDLCStream.heard(frame)
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [code])
    #expect(recorder.problems.first?.found == UInt32(tag))
    #expect(recorder.secrets.map(\.kind) == (tag == 0xDB || tag == 0xDC ? [.keyMaterial] : []))
  }
}
