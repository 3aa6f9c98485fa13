import Testing

@testable import OBISDecoder

/// Lists in which the position is the meaning.
@Suite struct DLMSPositionTests {
  private static let name = "ISK1030000000001"
  private static let number = "16820000"
  private static let time: [UInt8] = [0x0C] + AXDR.time

  private func heard(_ elements: [[UInt8]], header: [UInt8] = time) -> DLMSRecorder {
    HDLCStream.heard(DLMSVector.frame(AXDR.structure(elements), header: header))
  }

  private func said(_ recorder: DLMSRecorder) -> [String] {
    recorder.readings.map { "\($0.code) \($0.value) \($0.unit.symbol)" }
  }

  private static let names = [AXDR.octets(name), AXDR.octets(number)]
  private static func wide(_ values: ClosedRange<UInt32>) -> [[UInt8]] { values.map(AXDR.u32) }
  private static let voltages: [[UInt8]] = [AXDR.u16(2379), AXDR.u16(0), AXDR.u16(2296)]
  private static let currents: [[UInt8]] = [AXDR.u16(103), AXDR.u16(125), AXDR.u16(597)]
  private static let volts = ["1-0:32.7.0 237.9 V", "1-0:52.7.0 0 V", "1-0:72.7.0 229.6 V"]
  private static let amperes = ["1-0:31.7.0 1.03 A", "1-0:51.7.0 1.25 A", "1-0:71.7.0 5.97 A"]
  private static let powers = [
    "1-0:1.7.0 1 W", "1-0:2.7.0 2 W", "1-0:3.7.0 3 var", "1-0:4.7.0 4 var",
  ]

  @Test("case 75: reads the Slovenian lists of 18, 12, 10, 9 and 8 by count and types")
  func readsSlovenianLists() {
    let names = Self.names
    #expect(
      said(heard(names + Self.wide(1...4) + Self.voltages + Self.currents + Self.wide(5...10)))
        == Self.powers + Self.volts + Self.amperes + [
          "1-0:21.7.0 5 W", "1-0:41.7.0 6 W", "1-0:61.7.0 7 W", "1-0:22.7.0 8 W", "1-0:42.7.0 9 W",
          "1-0:62.7.0 10 W",
        ])
    for contact: [UInt8] in [[0x16, 1], [0x03, 1]] {
      #expect(
        said(heard(names + [contact, AXDR.octets([0, 1])] + Self.wide(1...8))) == [
          "1-0:1.8.0 1 Wh", "1-0:1.8.1 2 Wh", "1-0:1.8.2 3 Wh", "1-0:2.8.0 4 Wh",
          "1-0:2.8.1 5 Wh", "1-0:2.8.2 6 Wh", "1-0:3.8.0 7 varh", "1-0:4.8.0 8 varh",
        ])
    }
    #expect(
      said(heard(names + Self.voltages + Self.currents + Self.wide(1...4)))
        == Self.volts + Self.amperes + Self.powers)
    #expect(
      said(heard(names + Self.wide(1...4) + [AXDR.u16(2379), AXDR.u16(103)] + Self.wide(5...6)))
        == Self.powers + [
          "1-0:32.7.0 237.9 V", "1-0:31.7.0 1.03 A", "1-0:21.7.0 5 W", "1-0:22.7.0 6 W",
        ])
    #expect(
      said(heard(names + Self.wide(1...8))) == [
        "1-0:1.8.1 1 Wh", "1-0:1.8.2 2 Wh", "1-0:2.8.1 3 Wh", "1-0:2.8.2 4 Wh",
        "1-0:3.8.1 5 varh", "1-0:3.8.2 6 varh", "1-0:4.8.1 7 varh", "1-0:4.8.2 8 varh",
      ])
    #expect(
      said(heard(names + Self.wide(1...4) + [AXDR.u16(2379)] + Self.wide(5...6)))
        == Self.powers + ["1-0:32.7.0 237.9 V", "1-0:2.8.1 5 Wh", "1-0:2.8.2 6 Wh"])
    #expect(
      said(heard(names + [AXDR.u16(2379), AXDR.u16(103)] + Self.wide(1...4)))
        == ["1-0:32.7.0 237.9 V", "1-0:31.7.0 1.03 A"] + Self.powers)
  }

  @Test("case 75: takes device name and number as meter numbers, and nothing else as one")
  func reportsNames() {
    let recorder = heard(Self.names + [[0x16, 1], AXDR.octets([0, 2])] + Self.wide(1...8))
    #expect(
      recorder.secrets.filter { $0.kind == .meterNumber }.map(\.bytes)
        == [Array(Self.name.utf8), Array(Self.number.utf8)])
    #expect(recorder.secrets.count == 4, "disconnector and tariff have no known meaning")
  }

  private static let push = AXDR.obis(OBISCode(0, 6, 25, 9, 0))
  private static let clock = [AXDR.octets([14, 30, 10, 0]), AXDR.octets([0x07, 0xEA, 1, 15, 4])]
  private static let registers = [
    "1-0:1.8.0 1 Wh", "1-0:2.8.0 2 Wh", "1-0:3.8.0 3 varh", "1-0:4.8.0 4 varh", "1-0:1.7.0 5 W",
    "1-0:2.7.0 6 W",
  ]

  @Test("case 75: reads the Austrian lists of 10 and 12 behind a push setup", arguments: [0, 2])
  func readsAustrianLists(_ empty: Int) {
    let head = [Self.push, AXDR.octets("1122334455667")] + Self.clock
    let tail = [[UInt8]](repeating: [0x09, 0x00], count: empty)
    let recorder = heard(head + Self.wide(1...6) + tail)
    #expect(recorder.problems == [])
    #expect(said(recorder) == Self.registers)
    #expect(recorder.secrets.map(\.kind) == [.meterNumber])
    #expect(recorder.ended.first?.meterTime?.second == 10)
    let texts = heard(head + Self.wide(1...6) + [AXDR.octets("who"), AXDR.octets("knows")])
    #expect(texts.secrets.map(\.kind) == [.meterNumber, .unknown, .unknown])
  }

  @Test("case 76: reads the E450 lists of 11 and 14 of Burgenland: whole volts", arguments: [0, 3])
  func readsBurgenlandLists(_ more: Int) {
    let numbers: [[UInt8]] = [AXDR.u16(228), AXDR.u16(226), AXDR.u16(230)] + Self.currents
    let rest = [[UInt8]](repeating: AXDR.u16(7), count: more)
    for text in [AXDR.octets("30000000"), AXDR.visible("30000000")] {
      let recorder = heard(numbers + Self.wide(1...4) + rest + [text])
      #expect(recorder.problems == [])
      #expect(
        said(recorder) == ["1-0:32.7.0 228 V", "1-0:52.7.0 226 V", "1-0:72.7.0 230 V"]
          + Self.amperes + [
            "1-0:1.7.0 1 W", "1-0:2.7.0 2 W", "1-0:1.8.0 3 Wh", "1-0:2.8.0 4 Wh",
          ])
      #expect(recorder.secrets.last?.kind == .meterNumber)
      #expect(recorder.secrets.count == 1 + more)
    }
  }

  @Test("case 75: refuses a list with one type or the mark changed, and guesses nothing")
  func refusesOtherSignatures() {
    let lists: [[[UInt8]]] = [
      Self.names + Self.wide(1...4) + Self.voltages + Self.currents + Self.wide(5...10),
      Self.names + Self.voltages + Self.currents + Self.wide(1...4),
      [Self.push, AXDR.octets("1122334455667")] + Self.clock + Self.wide(1...6),
      Self.voltages + Self.currents + Self.wide(1...4) + [AXDR.octets("30000000")],
    ]
    for list in lists {
      #expect(heard(list).readings.count >= 6)
      for index in list.indices {
        var other = list
        other[index] = AXDR.u8(1)
        let recorder = heard(other)
        #expect(recorder.readings == [], "element \(index)")
        #expect(recorder.problems.map(\.code) == [.unknownList])
      }
      let longer = heard(list + [AXDR.u32(1)])
      #expect(longer.readings == [])
      #expect(longer.problems.map(\.code) == [.unknownList])
    }
    var renamed = lists[0]
    renamed[0] = AXDR.octets("XYZ1030000000001")
    #expect(heard(renamed).readings == [])
    #expect(heard(renamed).secrets.map(\.kind) == [.unknown, .unknown])
  }

  @Test(
    "case 62: reads Kaifa's lists by list id, count and types only", arguments: [9, 13, 14, 18])
  func readsKaifaByCountAndType(_ count: Int) throws {
    let vector = try #require(
      [
        9: DLMSVector.kaifaOnePhase, 13: .kaifaThreePhase, 14: .kaifaOnePhaseHourly,
        18: .kaifaThreePhaseHourly,
      ][count])
    #expect(Int(vector.body[1]) == count)
    #expect(HDLCStream.heard(vector.frame).readings.count >= 6)
    var renamed = vector.body
    renamed[6] = UInt8(ascii: "X")
    let other = HDLCStream.heard(DLMSVector.frame(renamed, header: vector.header))
    #expect(other.readings == [])
    #expect(other.problems.map(\.code) == [.unknownList])
  }

  @Test("case 68: takes Kaifa's zero for L2 as not measured, unless the meter has four wires")
  func leavesOutUnmeasuredL2() {
    func list(_ type: String, _ l1: UInt32, _ l2: UInt32, _ l3: UInt32, i2: UInt32) -> [String] {
      let head = [AXDR.octets("KFM_001"), AXDR.octets("1122"), AXDR.octets(type)]
      let rest = [1, 2, 3, 4, 5, i2, 7, l1, l2, l3].map(AXDR.u32)
      return said(heard(head + rest))
    }
    let volts = "1-0:52.7.0 0 V"
    #expect(!list("MA304H3E", 2385, 0, 2389, i2: 3241).contains(volts))
    #expect(list("MA304H3E", 2385, 0, 2389, i2: 3241).contains("1-0:51.7.0 3.241 A"))
    #expect(!list("MA304T3", 2385, 0, 2389, i2: 0).contains { $0.hasPrefix("1-0:51.7.0") })
    #expect(list("MA304H3E", 2385, 2300, 2389, i2: 0).contains("1-0:51.7.0 0 A"))
    #expect(list("MA304H4D", 2385, 0, 2389, i2: 0).contains(volts), "a phase that failed")
    #expect(list("MA304H3E", 2385, 0, 0, i2: 0).contains(volts), "two phases that failed")
    #expect(list("", 2385, 0, 2389, i2: 1).count == 9)
  }

  @Test("case 67: takes a phase that the list does not have as absent")
  func leavesAbsentPhasesAbsent() {
    let body = AXDR.array([
      DLMSVector.entry(31, 7, 5, -1, 33), DLMSVector.entry(71, 7, 0, -1, 33),
    ])
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.value(OBISCode(1, 0, 51, 7, 0)) == nil)
    #expect(recorder.value(OBISCode(1, 0, 71, 7, 0)) == "0 A")
    #expect(recorder.problems == [])
  }
}
