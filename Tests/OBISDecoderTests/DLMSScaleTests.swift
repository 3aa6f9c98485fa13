import Testing

@testable import OBISDecoder

/// Powers of ten that the frame does not say: tables by maker, and what the user says.
@Suite struct DLMSScaleTests {
  private func heard(
    _ body: [UInt8], _ scale: ScaleOverride = .none, header: [UInt8] = [0x00]
  ) -> DLMSRecorder {
    var options = DecoderOptions()
    options.scale = scale
    return ClearMessages.heard([0x0F, 0, 0, 0, 0] + header + body, options).recorder
  }

  private func code(_ c: UInt8, _ d: UInt8, b: UInt8 = 0) -> OBISCode { OBISCode(1, b, c, d, 0) }

  private func scale(
    power: Int8? = nil, current: Int8? = nil, voltage: Int8? = nil, energy: Int8? = nil,
    _ primary: UInt16 = 1, _ secondary: UInt16 = 1
  ) -> ScaleOverride? {
    ScaleOverride(
      power: power, current: current, voltage: voltage, energy: energy, primary: primary,
      secondary: secondary)
  }

  @Test("case 63: reads Kaifa's Swedish numbers in mA, 0.1 V and, as uint64, Wh")
  func scalesKaifaSweden() {
    let recorder = heard(DLMSVector.kaifaSwedish.body)
    #expect(recorder.value(code(31, 7)) == "0.032 A")
    #expect(recorder.value(code(32, 7)) == "232.2 V")
    #expect(recorder.value(code(1, 7)) == "297 W")
    #expect(recorder.value(code(1, 8)) == "9732707 Wh")
  }

  @Test("case 64: lets a scaler in the frame win over the table and over the user")
  func letsTheFrameWin() throws {
    let body = AXDR.structure([
      AXDR.obis(OBISCode(1, 0, 0, 2, 129)), AXDR.octets("KFM_001"),
      AXDR.obis(code(31, 7)), AXDR.u16(32), AXDR.scaler(-2, 33),
    ])
    #expect(heard(body).value(code(31, 7)) == "0.32 A")
    let override = try #require(scale(current: 3))
    #expect(heard(body, override).value(code(31, 7)) == "0.32 A")
  }

  @Test(
    "cases 65, 66: scales Kamstrup by meter type",
    arguments: [
      ("6841121ZZ", "31.07 A", "1080 Wh"), ("6841138ZZ", "31.07 A", "108 Wh"),
      ("6851121ZZ", "3.107 A", "1080 Wh"), ("", "31.07 A", "1080 Wh"),
    ] as [(String, String, String)])
  func scalesKamstrup(_ type: String, _ current: String, _ energy: String) {
    let recorder = heard(DLMSVector.kamstrup([(31, 7), (1, 8)], type: type))
    #expect(recorder.value(code(31, 7, b: 1)) == current)
    #expect(recorder.value(code(1, 8, b: 1)) == energy)
  }

  @Test("case 65: takes the user's exponent where the frame has no scaler")
  func takesTheUsersExponents() throws {
    let body = DLMSVector.kamstrup([(1, 7), (31, 7), (32, 7), (1, 8)])
    let override = try #require(scale(power: 1, current: -3, voltage: -1, energy: 0))
    let recorder = heard(body, override)
    #expect(recorder.value(code(1, 7, b: 1)) == "1070 W")
    #expect(recorder.value(code(31, 7, b: 1)) == "3.107 A")
    #expect(recorder.value(code(32, 7, b: 1)) == "320.7 V")
    #expect(recorder.value(code(1, 8, b: 1)) == "108 Wh")
    // Also for positions, and for a list that no table has.
    let kaifa = heard(
      DLMSVector.kaifaThreePhase.body, override, header: DLMSVector.kaifaThreePhase.header)
    #expect(kaifa.value(code(1, 7)) == "9480 W")
    let unknown = AXDR.structure([AXDR.obis(code(1, 7)), AXDR.u32(5)])
    #expect(heard(unknown).readings == [])
    #expect(heard(unknown, override).value(code(1, 7)) == "50 W")
  }

  @Test("case 66: multiplies power, energy and current by the transformers' ratio, exactly")
  func multipliesByTheRatio() throws {
    let ratio = try #require(scale(300, 5))
    let recorder = heard(DLMSVector.aidonOnePhase.body, ratio)
    #expect(recorder.value(code(1, 7)) == "81720 W")
    #expect(recorder.value(code(3, 7)) == "59760 var")
    #expect(recorder.value(code(31, 7)) == "-558 A")
    #expect(recorder.value(code(32, 7)) == "250 V", "no voltage transformers")
    let kamstrup = heard(DLMSVector.kamstrup([(31, 7), (1, 8)], type: "6851121"), ratio)
    #expect(kamstrup.value(code(31, 7, b: 1)) == "186.42 A")
    #expect(kamstrup.value(code(1, 8, b: 1)) == "64800 Wh")
    let eighth = try #require(scale(1, 8))
    #expect(heard(DLMSVector.aidonList1.body, eighth).value(code(1, 7)) == "207.625 W")
    // Of no other medium.
    let gas = AXDR.array([
      AXDR.structure([AXDR.obis(OBISCode(7, 1, 3, 0, 0)), AXDR.u32(7), AXDR.scaler(0, 30)])
    ])
    #expect(heard(gas, ratio).value(OBISCode(7, 1, 3, 0, 0)) == "7 Wh")
  }

  @Test func reportsAProductThatDoesNotFit() throws {
    let ratio = try #require(scale(300, 1))
    let body = AXDR.array([
      AXDR.structure([AXDR.obis(code(1, 8)), AXDR.i64(.max), AXDR.scaler(0, 30)]),
      AXDR.structure([AXDR.obis(code(2, 8)), AXDR.u32(1), AXDR.scaler(127, 30)]),
    ])
    let recorder = heard(body, ratio)
    #expect(recorder.problems.map(\.code) == [.numberTooLarge])
    #expect(recorder.readings.map(\.code) == [code(2, 8)])
  }

  @Test func refusesOverridesOutOfBounds() {
    #expect(scale(power: 7) == nil)
    #expect(scale(current: -7) == nil)
    #expect(scale(voltage: .max) == nil)
    #expect(scale(energy: .min) == nil)
    #expect(scale(0, 5) == nil)
    #expect(scale(5, 0) == nil)
    #expect(scale(10_001, 5) == nil)
    #expect(scale(100, 3) == nil, "no finite decimal")
    #expect(scale(9, 3)?.ratio == Decimal(mantissa: 3))
    #expect(
      scale(1, 8192)?.ratio.isEqual(to: Decimal(mantissa: 1_220_703_125, exponent: -13)) == true)
    #expect(scale(power: -6, energy: 6, 10_000, 10_000)?.ratio == Decimal(mantissa: 1))
    #expect(scale() == ScaleOverride.none)
  }

  @Test("case 69: mixes int16 and uint16 with their own scalers")
  func mixesSignedAndUnsigned() {
    let body = AXDR.array([
      AXDR.structure([AXDR.obis(code(31, 7)), AXDR.i16(-1), AXDR.scaler(-1, 33)]),
      AXDR.structure([AXDR.obis(code(51, 7)), AXDR.u16(65_535), AXDR.scaler(-1, 33)]),
    ])
    #expect(heard(body).value(code(31, 7)) == "-0.1 A")
    #expect(heard(body).value(code(51, 7)) == "6553.5 A")
  }

  @Test("case 70: reports a list that is sent twice both times, registers and clock alike")
  func reportsAListSentTwice() {
    func frame(_ power: UInt32) -> [UInt8] {
      let clock = AXDR.structure([AXDR.obis(OBISCode(0, 0, 1, 0, 0)), AXDR.octets(AXDR.time)])
      return DLMSVector.frame(
        AXDR.array([
          DLMSVector.entry(1, 7, power, 0, 27), clock, DLMSVector.entry(1, 8, 109_552, 1, 30),
        ]))
    }
    let recorder = HDLCStream.heard(frame(500) + frame(620))
    #expect(recorder.ended.count == 2)
    #expect(recorder.ended[0].meterTime == recorder.ended[1].meterTime)
    #expect(
      recorder.readings.map { "\($0.value) \($0.unit.symbol)" }
        == ["500 W", "1095520 Wh", "620 W", "1095520 Wh"])
  }

  @Test("case 79: keeps A and B of a code, and its scale whatever B is", arguments: [0, 1, 7])
  func keepsTheChannel(_ channel: UInt8) {
    let body = AXDR.structure([
      AXDR.visible("Kamstrup_V0001"), AXDR.obis(OBISCode(1, channel, 1, 8, 0)), AXDR.u32(5),
      AXDR.obis(OBISCode(0, channel, 1, 0, 0)), AXDR.octets(AXDR.time),
    ])
    let message: [UInt8] = [0x0F, 0, 0, 0, 0, 0x00] + body
    let (recorder, clock) = ClearMessages.heard(message)
    #expect(recorder.value(OBISCode(1, channel, 1, 8, 0)) == "50 Wh")
    #expect(clock?.hour == 14)
  }

  @Test("case 82: reads energies above 2^24, 2^32 and 2^53 to the last digit")
  func keepsEveryDigit() {
    let values: [UInt64] = [16_777_217, 4_294_967_297, 9_007_199_254_740_993, UInt64(Int64.max)]
    for value in values {
      let body = AXDR.array([
        AXDR.structure([AXDR.obis(code(1, 8)), AXDR.u64(value), AXDR.scaler(0, 30)])
      ])
      #expect(heard(body).value(code(1, 8)) == "\(value) Wh")
    }
    let tens = AXDR.array([DLMSVector.entry(1, 8, 16_777_217, 1, 30)])
    #expect(heard(tens).value(code(1, 8)) == "167772170 Wh")
  }

  @Test("case 83: reads each phase from its own code", arguments: [0, 20, 40, 60])
  func readsEachPhase(_ base: UInt8) {
    let codes: [(UInt8, UInt8, Unit)] = [
      (1, 7, .watt), (2, 7, .watt), (3, 7, .reactiveVoltAmpere), (4, 7, .reactiveVoltAmpere),
      (1, 8, .wattHour), (2, 8, .wattHour), (3, 8, .reactiveVoltAmpereHour),
      (4, 8, .reactiveVoltAmpereHour), (9, 7, .voltAmpere), (13, 7, .one),
    ]
    var elements = [AXDR.visible("Kamstrup_V0001")]
    for (index, entry) in codes.enumerated() {
      elements += [AXDR.obis(code(base + entry.0, entry.1)), AXDR.u32(UInt32(100 + index))]
    }
    let recorder = heard(AXDR.structure(elements))
    #expect(recorder.problems == [])
    for (index, entry) in codes.enumerated() {
      let reading = recorder.readings.first { $0.code == code(base + entry.0, entry.1) }
      #expect(reading?.value.mantissa == Int64(100 + index))
      #expect(reading?.unit == entry.2)
    }
    #expect(recorder.readings.count == codes.count)
  }

  @Test("case 77: reads a code whose tag and length are swapped, by its length")
  func readsSwappedTags() {
    func swapped(_ code: OBISCode) -> [UInt8] { [0x06, 0x09] + AXDR.obis(code).dropFirst(2) }
    let nested = AXDR.array([
      AXDR.structure([swapped(code(1, 8)), AXDR.u32(5), AXDR.scaler(0, 30)]),
      DLMSVector.entry(2, 8, 6, 0, 30),
    ])
    #expect(heard(nested).readings.map(\.value.mantissa) == [5, 6])
    #expect(heard(nested).problems == [])
    let flat = AXDR.structure([
      AXDR.visible("Kamstrup_V0001"), swapped(code(1, 8)), AXDR.u32(5), AXDR.obis(code(2, 8)),
      AXDR.u32(0x0901_0001),
    ])
    #expect(heard(flat).readings.map(\.value.mantissa) == [5, 0x0901_0001])
    // Neither of another medium, nor without F, nor where nothing follows, is it one.
    for other in [OBISCode(9, 0, 1, 8, 0), OBISCode(1, 0, 1, 8, 0, 7)] {
      let body = AXDR.array([
        AXDR.structure([swapped(other), AXDR.u32(5), AXDR.scaler(0, 30)])
      ])
      #expect(heard(body).readings == [])
      #expect(!heard(body).problems.isEmpty)
    }
    for count in 0..<nested.count {
      #expect(heard(Array(nested.prefix(count))).problems.count >= 1)
    }
  }

  @Test("case 78: takes a last text without a code for the meter's number")
  func readsTheNumberAtTheEnd() {
    let control = [UInt8](0..<14)
    for text in [Array("1122334455667".utf8), control, Array("123456".utf8)] {
      let body = AXDR.structure([
        AXDR.octets(AXDR.time), AXDR.obis(code(1, 8)), AXDR.u32(7), AXDR.scaler(0, 30),
        AXDR.octets(text),
      ])
      let (recorder, clock) = ClearMessages.heard([0x0F, 0, 0, 0, 0, 0x00] + body)
      #expect(recorder.problems == [])
      #expect(recorder.value(code(1, 8)) == "7 Wh")
      #expect(recorder.secrets.map(\.kind) == [.meterNumber])
      #expect(recorder.secrets.first?.bytes == text)
      #expect(clock?.hour == 14)
    }
  }

  @Test("case 55: reads the flat list of E450 without push objects in W and Wh")
  func readsE450() {
    var elements = [AXDR.octets(AXDR.time)]
    let codes: [(UInt8, UInt8, UInt8)] = [1, 2, 3, 4].flatMap { c in
      [(c, 8, 0), (c, 8, 1), (c, 8, 2), (c, 7, 0)] as [(UInt8, UInt8, UInt8)]
    }
    for (index, entry) in codes.enumerated() {
      elements += [
        AXDR.obis(OBISCode(1, 0, entry.0, entry.1, entry.2)), AXDR.u32(UInt32(index)),
      ]
    }
    let recorder = heard(AXDR.structure(elements))
    #expect(recorder.problems == [])
    #expect(recorder.readings.map(\.value) == (0..<16).map { Decimal(mantissa: $0) })
    #expect(recorder.value(code(4, 7)) == "15 var")
    #expect(heard(AXDR.structure(elements.dropLast(2))).readings == [], "another count")
  }
}
