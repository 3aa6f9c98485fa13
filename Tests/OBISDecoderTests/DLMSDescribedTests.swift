import Testing

@testable import OBISDecoder

/// Lists that say which attribute each value is: push objects first, or a descriptor before each.
@Suite struct DLMSDescribedTests {
  /// An entry of a push object list: class, code, attribute.
  private typealias Object = (UInt16, OBISCode, UInt8)

  private static let name = "LGZ1030600000001"
  private static let power = OBISCode(1, 0, 1, 7, 0)
  private static let energy = OBISCode(1, 1, 1, 8, 0)

  private func entry(_ object: Object, index: UInt16 = 0, isLong: Bool = false) -> [UInt8] {
    let fields = [AXDR.u16(object.0), AXDR.obis(object.1), [0x0F, object.2], AXDR.u16(index)]
    // Later editions have a restriction and columns behind them.
    let more: [[UInt8]] = isLong ? [AXDR.structure([[0x16, 0], [0x00]]), AXDR.array([])] : []
    return AXDR.structure(fields + more)
  }

  private func push(
    _ pairs: [(Object, [UInt8])], setup: OBISCode = OBISCode(0, 8, 25, 9, 0), isLong: Bool = false,
    without missing: Int = 0
  ) -> DLMSRecorder {
    let objects = [(40, setup, 2) as Object] + pairs.map(\.0)
    let list = AXDR.array(objects.map { entry($0, isLong: isLong) })
    let body = AXDR.structure([list] + pairs.map(\.1).dropLast(missing))
    return HDLCStream.heard(DLMSVector.frame(body, header: [0x0C] + AXDR.time))
  }

  private static let typical: [(Object, [UInt8])] = [
    ((40, OBISCode(0, 8, 25, 9, 0), 1), AXDR.obis(OBISCode(0, 8, 25, 9, 0))),
    ((1, OBISCode(0, 0, 42, 0, 0), 2), AXDR.octets(name)),
    ((8, OBISCode(0, 0, 1, 0, 0), 2), AXDR.octets(AXDR.time)),
    ((3, power, 2), AXDR.u32(28)), ((3, energy, 2), AXDR.u32(886_977)),
    ((3, OBISCode(1, 1, 5, 8, 0), 2), AXDR.u32(18)),
    ((3, OBISCode(1, 0, 13, 7, 0), 2), AXDR.u16(941)),
    ((3, OBISCode(1, 0, 32, 7, 0), 2), AXDR.u16(236)),
    ((3, OBISCode(1, 0, 31, 7, 0), 2), AXDR.u16(9)),
  ]

  @Test("case 55: pairs the i-th push object with the i-th value", arguments: [false, true])
  func pairsObjectsWithValues(_ isLong: Bool) {
    let recorder = push(Self.typical, isLong: isLong)
    #expect(recorder.problems == [])
    #expect(
      recorder.readings.map { "\($0.code) \($0.value) \($0.unit.symbol)" } == [
        "1-0:1.7.0 28 W", "1-1:1.8.0 886977 Wh", "1-1:5.8.0 18 varh", "1-0:13.7.0 0.941 1",
        "1-0:32.7.0 236 V", "1-0:31.7.0 0.09 A",
      ])
    #expect(recorder.secrets.map(\.kind) == [.meterNumber])
    #expect(recorder.secrets.first?.bytes == Array(Self.name.utf8))
    #expect(recorder.ended.first?.meterTime?.hour == 14)
  }

  @Test("case 55: refuses a list whose counts do not match", arguments: [1, 2, 8])
  func refusesOtherCounts(_ missing: Int) {
    let recorder = push(Self.typical, without: missing)
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
    // What is there of the name is still no reading and no loss.
    #expect(recorder.secrets.count == (missing < 8 ? 1 : 0))
  }

  @Test("case 55: refuses push objects that do not begin with the list itself")
  func refusesListsThatDoNotNameThemselves() {
    let objects = [entry((3, Self.power, 2)), entry((3, Self.energy, 2))]
    let body = AXDR.structure([AXDR.array(objects), AXDR.u32(5)])
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
  }

  @Test("case 55: applies the scaler_unit that is sent for a register, wherever it stands")
  func appliesScalers() {
    let gas = OBISCode(0, 1, 24, 2, 1)
    let recorder = push([
      ((3, Self.power, 3), AXDR.scaler(-1, 27)), ((3, Self.power, 2), AXDR.u32(28)),
      ((4, gas, 2), AXDR.u32(30_545)), ((4, gas, 5), AXDR.octets(AXDR.time)),
      ((4, gas, 3), AXDR.scaler(-3, 13)), ((5, Self.energy, 2), AXDR.u32(7)),
      ((5, Self.energy, 4), AXDR.scaler(1, 30)), ((3, OBISCode(1, 0, 2, 7, 0), 2), AXDR.u32(4)),
    ])
    #expect(recorder.problems == [])
    #expect(recorder.value(Self.power) == "2.8 W")
    #expect(recorder.value(gas) == "30.545 m3")
    #expect(recorder.value(Self.energy) == "70 Wh")
    #expect(recorder.value(OBISCode(1, 0, 2, 7, 0)) == "4 W", "by the table where none is sent")
    #expect(recorder.readings.first { $0.code == gas }?.time?.hour == 14)
    #expect(recorder.readings.count == 4)
  }

  @Test("case 55: knows no scale but that of known push setups")
  func refusesUnknownScales() {
    for setup in [OBISCode(0, 6, 25, 9, 0), OBISCode(0, 0, 25, 9, 0), OBISCode(0, 8, 25, 9, 1)] {
      let recorder = push([((3, Self.power, 2), AXDR.u32(28))], setup: setup)
      #expect(recorder.readings == [])
      #expect(recorder.problems.map(\.code) == [.unknownList])
    }
    let named = { (name: String, setup: UInt8) in
      self.push(
        [
          ((1, OBISCode(0, 0, 42, 0, 0), 2), AXDR.octets(name)),
          ((3, OBISCode(1, 0, 32, 7, 0), 2), AXDR.u16(2357)),
        ], setup: OBISCode(0, setup, 25, 9, 0)
      ).value(OBISCode(1, 0, 32, 7, 0))
    }
    #expect(named("ISK1030000000001", 6) == "235.7 V")
    #expect(named("LGZ1030000000001", 6) == "235.7 V")
    #expect(named("XYZ1030000000001", 6) == nil)
    #expect(named("XYZ1030000000001", 8) == nil)
  }

  @Test("case 55: refuses 64-bit integers without a scaler, which meters behind transformers send")
  func refusesWideIntegers() {
    let recorder = push([
      ((3, Self.power, 2), AXDR.i64(258_874)), ((3, Self.energy, 2), AXDR.u64(2_607_383)),
    ])
    #expect(recorder.readings == [])
    #expect(recorder.problems.map(\.code) == [.unknownList])
  }

  @Test("case 55: reports a value that is a structure, and the texts in it as secrets")
  func walksStructuredValues() {
    let recorder = push(
      [
        ((1, OBISCode(0, 0, 97, 98, 0), 2), AXDR.u32(16)),
        ((1, OBISCode(0, 0, 96, 5, 135), 2), AXDR.structure([AXDR.octets("hidden"), AXDR.u16(3)])),
        ((3, Self.power, 2), AXDR.u32(28)),
      ], isLong: true)
    #expect(recorder.readings.count == 1)
    #expect(recorder.problems.map(\.code) == [.unknownList])
    #expect(recorder.secrets.map(\.kind) == [.unknown, .unknown])
  }

  private func described(_ entries: [(Object, [UInt8])]) -> [UInt8] {
    let array = entries.map { object, value in
      let code = object.1
      return [0x02, 0x02, UInt8(object.0 >> 8), UInt8(object.0 & 0xFF)]
        + [code.a, code.b, code.c, code.d, code.e, code.f, object.2] + value
    }
    return AXDR.structure([[0x16, 0x01], AXDR.array(array)])
  }

  private static let czech: [(Object, [UInt8])] = [
    ((1, OBISCode(0, 0, 96, 1, 1), 2), AXDR.octets("1122334455")),
    ((40, OBISCode(0, 2, 25, 9, 0), 1), AXDR.obis(OBISCode(0, 2, 25, 9, 0))),
    ((70, OBISCode(0, 0, 96, 3, 10), 3), [0x16, 1]),
    ((71, OBISCode(0, 0, 17, 0, 0), 3), AXDR.u32(0)),
    ((3, power, 2), AXDR.u32(1956)), ((3, OBISCode(1, 0, 1, 8, 2), 2), AXDR.u32(3_964_860)),
    ((1, OBISCode(0, 0, 96, 13, 0), 2), AXDR.octets("")),
  ]

  @Test("case 55: reads structures of an attribute descriptor and a value")
  func readsDescriptors() {
    let recorder = HDLCStream.heard(DLMSVector.frame(described(Self.czech)))
    #expect(recorder.problems == [])
    #expect(recorder.value(Self.power) == "1956 W")
    #expect(recorder.value(OBISCode(1, 0, 1, 8, 2)) == "3964860 Wh")
    #expect(recorder.readings.count == 2)
    #expect(recorder.secrets.map(\.kind) == [.meterNumber, .unknown, .unknown])
  }

  @Test("case 81: keeps what stands in front of a missing descriptor")
  func keepsEntriesBeforeTheEnd() throws {
    let whole = described(Self.czech)
    for count in 0..<whole.count {
      let recorder = HDLCStream.heard(DLMSVector.frame(Array(whole.prefix(count))))
      #expect(recorder.problems.count >= 1)
      #expect(recorder.readings.allSatisfy { [1956, 3_964_860].contains($0.value.mantissa) })
    }
    let cut = HDLCStream.heard(DLMSVector.frame(Array(whole.dropLast(13))))
    #expect(cut.readings.count == 2)
    #expect(cut.problems.map(\.code) == [.truncated])
  }
}
