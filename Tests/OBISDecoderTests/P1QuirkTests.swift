import OBISDecoder
import Testing

/// The quirk matrix: each telegram is the base telegram with one oddity of real meters.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct P1QuirkTests {
  static let files = RecordedFrames.files(in: "quirks")

  /// What an oddity makes of the telegram: the codes it touches with the values meant, and the
  /// problems that must be told.
  private struct Meaning {
    var touched: [String: [String]] = [:]
    var problems: [DecodeError.Code] = []
    var integrity = Integrity.ok
    /// The clock, where that is what the oddity touches.
    var clock: (hour: UInt8, month: UInt8)?
  }

  private static let meanings: [String: Meaning] = [
    "00": Meaning(), "07": Meaning(), "09": Meaning(), "10": Meaning(), "30": Meaning(),
    "31": Meaning(),
    "22": Meaning(), "32": Meaning(),
    "01": Meaning(touched: ["1-0:31.7.0": ["0.48 A"]]),
    "02": Meaning(touched: ["0-1:24.2.1": [], "0-2:24.2.1": ["0.107 m3"]]),
    "03": Meaning(touched: ["0-1:24.2.1": []]),
    "04": Meaning(touched: ["1-0:99.97.0": []]),
    "05": Meaning(touched: ["1-0:99.97.0": []]),
    "06": Meaning(integrity: .absent),
    "08": Meaning(touched: ["1-0:1.8.1": ["22426 Wh"]]),
    "11": Meaning(touched: ["0-1:24.2.1": []], problems: [.invalidTime]),
    "12": Meaning(touched: ["0-0:98.1.0": []]),
    "13": Meaning(touched: ["1-0:1.6.0": ["8796 W"]]),
    "14": Meaning(problems: [.malformedCode]),
    "15": Meaning(touched: ["1-1:31.4.0": ["100 A", "-100 A"]]),
    "16": Meaning(touched: ["1-0:3.8.0": ["177088 varh"]]),
    "17": Meaning(touched: ["1-0:1.7.0": ["244 W"]]),
    "18": Meaning(touched: ["1-0:1.7.0": ["244.75 W"]]),
    "19": Meaning(touched: ["1-0:16.24.0": ["-3618 W"]]),
    "20": Meaning(touched: ["1-0:32.7.0": ["230 V"]]),
    "21": Meaning(touched: ["0-0:96.14.0": []]),
    "23": Meaning(problems: [.duplicateCode]),
    "24": Meaning(touched: ["1-0:1.7.0": ["244 W"]]),
    "25": Meaning(touched: ["1-0:1.8.1": ["2147483648 Wh"]]),
    "26": Meaning(clock: (10, 6)),
    "27": Meaning(touched: ["1-0:1.8.1": []]),
    "28": Meaning(touched: ["1-0:1.7.0": ["70000 W"]]),
    "29": Meaning(touched: ["1-0:1.8.1": ["20971521 Wh"]]),
    "33": Meaning(clock: (19, 7)),
  ]

  /// A reading without its place in the frame.
  private struct Content: Equatable {
    var code: String
    var value: String
    var medium: Medium
    var time: MeterTime?

    init(_ reading: Reading) {
      code = "\(reading.code)"
      value = "\(reading.value) \(reading.unit.symbol)"
      medium = reading.medium
      time = reading.time
    }
  }

  @Test(
    "every value that the oddity leaves alone is the base's, the others are as meant",
    arguments: files)
  func readsLikeTheBase(_ frame: RecordedFrame) throws {
    let name = try #require(frame.file.split(separator: "/").last)
    let meaning = try #require(Self.meanings[String(name.prefix(2))], "\(name) is new")
    let base = try #require(Self.files.first { $0.file.contains("00_base") })
    let (plain, sink) = (decode(base.bytes), decode(frame.bytes))
    let isTouched = { (content: Content) in meaning.touched[content.code] != nil }
    let expected = plain.readings.map(Content.init).filter { !isTouched($0) }
    let found = sink.readings.map(Content.init)
    #expect(found.filter { !isTouched($0) } == expected)
    for (code, values) in meaning.touched {
      #expect(found.filter { $0.code == code }.map(\.value) == values, "\(code)")
    }
    #expect(sink.problems.map(\.code) == meaning.problems)
    #expect(sink.summaries.map(\.integrity) == [meaning.integrity])
    #expect(sink.rejections.isEmpty)
    let clock = try #require(sink.summaries.first?.meterTime)
    if let meant = meaning.clock {
      #expect(clock.hour == meant.hour && clock.month == meant.month)
    } else {
      #expect(clock == plain.summaries.first?.meterTime)
    }
  }

  @Test func theMatrixIsWhole() {
    #expect(Self.files.count == Self.meanings.count)
  }

  @Test("a damaged byte in any oddity costs one telegram at most", arguments: files)
  func losesOneTelegramAtMost(_ frame: RecordedFrame) throws {
    let one = frame.bytes
    let alone = decode(one)
    let before = alone.readings.map(Content.init)
    guard alone.summaries.map(\.integrity) == [.ok] else { return }
    // An optimised build damages every byte, a debug build one in 131.
    #if DEBUG
      let step = 131
    #else
      let step = 1
    #endif
    for index in stride(from: 0, to: one.count, by: step) {
      for value: UInt8 in [0x00, 0x0A, 0x21, 0x2F, 0x7E, 0xFF] where one[index] != value {
        var damaged = one
        damaged[index] = value
        var inserted = one
        inserted.insert(value, at: index)
        // A damaged byte never leaves the checksum right; an inserted one does once in 65,536.
        let sum = isRightByChance(inserted, one)
        for middle in sum ? [damaged] : [damaged, inserted] {
          let sink = decode(one + middle + one)
          #expect((2...3).contains(sink.summaries.count), "byte \(index) is \(value)")
          let found = sink.readings.map(Content.init)
          #expect(
            found == Array(repeatElement(before, count: sink.summaries.count).joined()),
            "byte \(index) is \(value), inserted \(middle.count > one.count)")
          #expect(accountingFault(sink, total: 2 * one.count + middle.count) == nil)
        }
      }
    }
  }

  /// Whether the checksum that `one` ends with is that of the changed bytes too.
  private func isRightByChance(_ changed: [UInt8], _ one: [UInt8]) -> Bool {
    guard let mark = changed.lastIndex(of: UInt8(ascii: "!")),
      let end = one.lastIndex(of: UInt8(ascii: "!")), changed[...mark] != one[...end]
    else { return false }
    return arc(Array(changed[...mark])) == arc(Array(one[...end]))
  }
}
