import OBISDecoder
import Testing

/// What real meters sent, against the manifest of ../shared/frames.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct P1RecordedTests {
  static let all = RecordedFrames.all(in: "p1")
  static let good = all.filter(\.isSelected)
  static let quirks = RecordedFrames.files(in: "quirks")

  @Test("finds every expected value that carries a unit", arguments: good)
  func findsEveryExpectedValue(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    var left = sink.readings
    for expected in frame.expected {
      let index = left.firstIndex { reading in
        reading.code == Self.code(expected.key) && reading.value.isEqual(to: expected.value)
          && "\(reading.unit.symbol)" == expected.unit
      }
      #expect(index != nil, "\(expected.key) \(expected.value) \(expected.unit)")
      if let index { left.remove(at: index) }
    }
  }

  @Test("reads every good frame to its end without rejecting", arguments: good)
  func readsEveryGoodFrame(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    #expect(sink.rejections.isEmpty)
    #expect(!sink.summaries.isEmpty)
    let isAbsent = frame.manifest["crc_ok"].string == "absent"
    #expect(sink.summaries.allSatisfy { $0.integrity == (isAbsent ? .absent : .ok) })
  }

  @Test("reports every identifier as a secret and none as a reading", arguments: all)
  func hidesEveryIdentifier(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    guard !sink.summaries.isEmpty else { return }
    let texts = sink.secrets.flatMap { [text($0.text), decoded($0)] }
    for identifier in frame.identifiers {
      #expect(texts.contains { $0.contains(identifier) }, "\(identifier)")
    }
  }

  @Test("rejects every frame with a wrong checksum", arguments: all.filter(\.isBroken))
  func rejectsWrongChecksums(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    switch frame.file.split(separator: "/").last {
    case "nl_iskra_am550_halftelegram_then_34b6.txt":
      #expect(sink.summaries.count == 1)
      #expect(sink.summaries.first?.integrity == .ok)
      #expect(!sink.rejections.isEmpty)
    case "xx_dsmr2.2_mangled.txt":
      #expect(sink.summaries.map(\.integrity) == [.absent])
    default:
      #expect(sink.readings.isEmpty)
      #expect(sink.summaries.isEmpty)
      #expect(!sink.rejections.isEmpty)
    }
  }

  @Test("decodes thirteen telegrams behind the tail of another")
  func decodesStreamThatBeginsInTheMiddle() throws {
    let frame = try #require(Self.all.first { $0.file.hasSuffix("stream_midstart.txt") })
    let sink = decode(frame.bytes)
    #expect(sink.summaries.count == 13)
    #expect(sink.rejections.isEmpty)
    #expect(sink.discards.count == 1)
  }

  @Test("says the same however the bytes are cut", arguments: all + quirks)
  func isIndependentOfPieces(_ frame: RecordedFrame) {
    let whole = decode(frame.bytes).events
    for chunk in [1, 2, 3, 7, 64] {
      #expect(decode(frame.bytes, chunk: chunk).events == whole, "pieces of \(chunk)")
    }
  }

  @Test("accounts for every byte once", arguments: all + quirks)
  func accountsForEveryByte(_ frame: RecordedFrame) {
    #expect(accountingFault(decode(frame.bytes), total: frame.bytes.count) == nil)
  }

  @Test("reads nothing false with a bit flipped", arguments: good)
  func readsNothingFalseWithBitFlipped(_ frame: RecordedFrame) {
    guard frame.manifest["crc_ok"].bool == true, frame.manifest["stream"] == .null else { return }
    let whole = decode(frame.bytes).readings
    // An optimised build flips every bit, a debug build one in eleven.
    #if DEBUG
      let step = 11
    #else
      let step = 1
    #endif
    for bit in stride(from: 0, to: frame.bytes.count * 8, by: step) {
      var damaged = frame.bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(damaged)
      #expect(sink.readings.isEmpty || sink.readings == whole, "bit \(bit)")
    }
  }

  @Test("reads no false value from the quirk telegrams", arguments: quirks)
  func readsQuirks(_ frame: RecordedFrame) throws {
    let base = try #require(Self.quirks.first { $0.file.contains("00_base") })
    let sink = decode(frame.bytes)
    #expect(sink.rejections.isEmpty)
    #expect(sink.summaries.count == 1)
    let baseLines = Set(lines(base.bytes))
    let touched = Set(lines(frame.bytes).filter { !baseLines.contains($0) }.map(Self.key))
    let kept = decode(base.bytes).readings.filter { !touched.contains("\($0.code)") }
    for reading in kept {
      #expect(sink.values(reading.code).contains("\(reading.value) \(reading.unit.symbol)"))
    }
    #expect(
      sink.readings.filter { !touched.contains("\($0.code)") }.count
        <= kept.count + lines(frame.bytes).count - lines(base.bytes).count)
  }

  /// The code at the start of a line, without the suffix `*255`.
  private static func key(_ line: String) -> String {
    String(line.prefix { $0 != "(" && $0 != "*" })
  }

  /// The code that a manifest's key prints, also with the colon of `1-0:99:97.0`.
  static func code(_ key: String) -> OBISCode? {
    let groups = key.split { "-:.*".contains($0) }.compactMap { UInt8($0) }
    guard groups.count >= 5 else { return nil }
    return OBISCode(
      groups[0], groups[1], groups[2], groups[3], groups[4], groups.count > 5 ? groups[5] : 255)
  }

  private func lines(_ bytes: [UInt8]) -> [String] {
    bytes.split { $0 == 10 || $0 == 13 }.map { text(Array($0)) }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func decoded(_ entry: (secret: Secret, text: [UInt8])) -> String {
    guard entry.secret.isHex else { return "" }
    let digits = text(entry.text)
    var octets: [UInt8] = []
    var rest = Substring(digits)
    while let octet = UInt8(rest.prefix(2), radix: 16) {
      octets.append(octet)
      rest = rest.dropFirst(2)
    }
    return text(octets)
  }
}
