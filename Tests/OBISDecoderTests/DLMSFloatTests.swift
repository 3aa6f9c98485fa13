import Testing

@testable import OBISDecoder

/// Floating-point numbers become the decimals that the meter meant.
@Suite struct DLMSFloatTests {
  @Test(
    "case 80: reads float32 as the decimal that no other float32 is nearer to",
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (230.1, "230.1"), (0.1, "0.1"), (-0.05, "-0.05"),
      (3.14159274, "3.1415927"), (16_777_216, "16777216"), (16_777_218, "16777218"),
      (8_999_999_488, "8999999488"), (0.001, "0.001"), (1.5e-5, "0.000015"),
      (123456.79, "123456.79"),
      (0.5, "0.5"), (1024, "1024"), (49.98, "49.98"), (9.223371e18, "9223370937343148032"),
    ] as [(Float, String)])
  func readsFloat32(_ number: Float, _ text: String) throws {
    let decimal = try #require(BinaryFloat.decimal(float32: number.bitPattern))
    #expect("\(decimal)" == text)
    #expect(Float("\(decimal)") == number)
  }

  @Test(
    "case 80: reads float64 as the decimal that no other float64 is nearer to",
    arguments: [
      (0, "0"), (230.1, "230.1"), (-0.1, "-0.1"), (4_294_967_296.125, "4294967296.125"),
      (1e15, "1000000000000000"), (0.3, "0.3"), (1.0 / 3, "0.3333333333333333"),
      (9_007_199_254_740_992, "9007199254740992"), (1e-7, "0.0000001"), (2.5, "2.5"),
    ] as [(Double, String)])
  func readsFloat64(_ number: Double, _ text: String) throws {
    let decimal = try #require(BinaryFloat.decimal(float64: number.bitPattern))
    #expect("\(decimal)" == text)
    #expect(Double("\(decimal)") == number)
  }

  @Test("case 80: never takes one float for another")
  func readsBackTheSameBits() {
    var state: UInt64 = 20_260_115
    var count = 0
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Exponents of what meters measure: 2^-14 … 2^49, in either width.
      let exponent = 113 + UInt32(state >> 58)
      let single = Float(
        bitPattern: UInt32(truncatingIfNeeded: state >> 20) & 0x807F_FFFF | exponent << 23)
      let double = Double(
        bitPattern: state & 0x800F_FFFF_FFFF_FFFF | UInt64(exponent + 896) << 52)
      if let decimal = BinaryFloat.decimal(float32: single.bitPattern) {
        #expect(Float("\(decimal)") == single)
        count += 1
      }
      if let decimal = BinaryFloat.decimal(float64: double.bitPattern) {
        #expect(Double("\(decimal)") == double)
        count += 1
      }
    }
    #expect(count > 35_000, "nearly all have a decimal")
  }

  @Test(arguments: [
    Float.infinity, -.infinity, .nan, 9.3e18, .greatestFiniteMagnitude, 1e-30,
    .leastNonzeroMagnitude,
  ])
  func refusesWhatNoDecimalIs(_ number: Float) {
    #expect(BinaryFloat.decimal(float32: number.bitPattern) == nil)
    #expect(BinaryFloat.decimal(float64: Double(number).bitPattern) == nil)
  }

  @Test("case 80: scales floats as integers, in one list with every other type")
  func readsEveryTypeInOneList() {
    let scaled: [(OBISCode, [UInt8], String)] = [
      (OBISCode(1, 0, 32, 7, 0), [0x17, 0x43, 0x66, 0x19, 0x9A], "230.1 V"),
      (
        OBISCode(1, 0, 52, 7, 0), [0x18, 0x40, 0x6C, 0xC3, 0x33, 0x33, 0x33, 0x33, 0x33], "230.1 V"
      ),
      (OBISCode(1, 0, 72, 7, 0), [0x0F, 0x80], "-128 V"),
      (OBISCode(1, 0, 12, 7, 0), [0x11, 0xFF], "255 V"),
      (OBISCode(1, 0, 32, 7, 1), AXDR.i16(-3), "-3 V"),
      (OBISCode(1, 0, 32, 7, 2), AXDR.u16(65_535), "65535 V"),
      (OBISCode(1, 0, 32, 7, 3), AXDR.i32(-70_000), "-70000 V"),
      (OBISCode(1, 0, 32, 7, 4), AXDR.u32(.max), "4294967295 V"),
      (OBISCode(1, 0, 32, 7, 5), AXDR.i64(.min), "-9223372036854775808 V"),
      (OBISCode(1, 0, 32, 7, 6), AXDR.u64(1 << 40), "1099511627776 V"),
    ]
    let others: [[UInt8]] = [
      [0x00], [0x03, 1], [0x04, 0x0C, 0xAB, 0xC0], [0x0D, 0x42], [0x16, 3],
      [0x19] + AXDR.time, [0x1A] + AXDR.time.prefix(5), [0x1B] + AXDR.time[5..<9], [0xFF],
      [0x09, 0x81, 0x80] + [UInt8](repeating: 0x41, count: 128), [0x0C, 1, 0x41],
    ]
    var entries = scaled.map {
      AXDR.structure([AXDR.obis($0.0), $0.1, AXDR.scaler(0, 35)])
    }
    for (index, value) in others.enumerated() {
      entries.append(
        AXDR.structure([AXDR.obis(OBISCode(0, 0, 94, 31, UInt8(index))), value]))
    }
    let recorder = HDLCStream.heard(DLMSVector.frame(AXDR.array(entries)))
    #expect(recorder.problems == [])
    for (code, _, text) in scaled { #expect(recorder.value(code) == text) }
    #expect(recorder.readings.count == scaled.count)
    #expect(recorder.secrets.count == others.count - 2, "null and don't-care are absent")
    // The scaler moves the point of a float too.
    let mega = AXDR.array([
      AXDR.structure([
        AXDR.obis(OBISCode(1, 0, 1, 8, 0)), [0x17, 0x3F, 0xC0, 0, 0], AXDR.scaler(6, 30),
      ])
    ])
    let energy = HDLCStream.heard(DLMSVector.frame(mega)).value(OBISCode(1, 0, 1, 8, 0))
    #expect(energy == "1500000 Wh")
  }
}
