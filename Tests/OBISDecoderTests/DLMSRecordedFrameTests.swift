import Testing

@testable import OBISDecoder

/// Every recorded HDLC frame against the manifest of ../shared/frames.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct DLMSRecordedFrameTests {
  static let all = RecordedFrames.all(in: "hdlc")
  static let good = all.filter { $0.isSelected || isSlovenianList($0) }
  static let later = all.filter { !$0.isSelected && !$0.isBroken && !isSlovenianList($0) }
  static let broken = all.filter(\.isBroken)

  private static func isSlovenianList(_ frame: RecordedFrame) -> Bool {
    frame.file.contains("si_iskra_am550_list")
  }

  @Test func hasTheFramesOfTheIssue() {
    #expect(Self.good.count == 11)
    #expect(Self.later.count == 5)
    #expect(Self.broken.count == 7)
  }

  @Test(arguments: good)
  func decodesWhatTheManifestExpects(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    #expect(sink.problems == [])
    #expect(sink.summaries.count == 1)
    #expect(sink.extents == [0..<UInt64(frame.bytes.count)])
    var seen: Set<OBISCode> = []
    for expected in frame.expected {
      let reading = sink.readings.first { "\($0.code).255" == expected.key }
      #expect(reading?.value.isEqual(to: expected.value) == true, "\(expected.key)")
      #expect(reading.map { "\($0.unit.symbol)" } == expected.unit, "\(expected.key)")
      if let reading { seen.insert(reading.code) }
    }
    for (name, expected) in normalised(frame) {
      guard let unit = expected["unit"].string, let digits = expected["value"].digits else {
        continue
      }
      let reading = ManifestNames.cde(of: name).flatMap { cde in
        sink.readings.first { $0.code.cde == cde }
      }
      // Case 68: the manifest has what was sent, and the meter measures no L2.
      if frame.file.contains("ma304h3e"), name == "voltage_l2" {
        #expect(reading == nil)
        continue
      }
      let value = exactDecimal(digits, power: 0)
      #expect(value.map { reading?.value.isEqual(to: $0) } == true, "\(name) is \(digits)")
      #expect(reading.map { "\($0.unit.symbol)" } == unit, "\(name)")
      if let reading { seen.insert(reading.code) }
    }
    #expect(seen.count == sink.readings.count, "no reading that nobody expects")
    #expect(seen.count > 0)
  }

  private func normalised(_ frame: RecordedFrame) -> [String: JSON] {
    frame.manifest["expected_normalised"].members
      .merging(frame.manifest["expected_named"].members) { first, _ in first }
  }

  @Test(arguments: good)
  func takesTheMetersClock(_ frame: RecordedFrame) {
    let time = decode(frame.bytes).summaries.first?.meterTime
    let text = time.map { time in
      let date = [time.month, time.day].map(padded).joined(separator: "-")
      let clock = [time.hour, time.minute, time.second].map(padded).joined(separator: ":")
      return "\(time.year)-\(date)T\(clock)"
    }
    let normalised = frame.manifest["expected_normalised"]["meter_datetime"]["value"].string
    let header = frame.manifest["expected"]["apdu_datetime"]["value"]["local"].string
    #expect(text == normalised ?? (Self.isSlovenianList(frame) ? header : nil))
  }

  private func padded(_ number: UInt8) -> String { number < 10 ? "0\(number)" : "\(number)" }

  @Test(arguments: good)
  func reportsEveryIdentifierAsASecret(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    let texts = sink.secrets.map { String(decoding: $0.text, as: UTF8.self) }
    for (number, identifier) in frame.identifiers.enumerated() {
      #expect(texts.contains(identifier), "identifier \(number)")
    }
    for reading in sink.readings {
      let isApart = sink.secrets.allSatisfy {
        reading.offset + reading.count <= $0.secret.offset
          || $0.secret.offset + $0.secret.count <= reading.offset
      }
      #expect(isApart, "no identifier lies within a reading")
    }
  }

  @Test(arguments: all)
  func saysTheSameInEveryChunking(_ frame: RecordedFrame) {
    let whole = decode(frame.bytes).events
    for size in 1..<frame.bytes.count {
      #expect(decode(frame.bytes, chunk: size).events == whole, "\(size) bytes at a time")
    }
  }

  @Test(arguments: good)
  func readsNothingFromAPrefix(_ frame: RecordedFrame) {
    for count in 0..<(frame.bytes.count - 1) {
      #expect(decode(Array(frame.bytes.prefix(count))).readings == [], "\(count) bytes")
    }
  }

  @Test(arguments: good)
  func readsNothingWithABitFlipped(_ frame: RecordedFrame) {
    // Without its closing flag a frame is still whole.
    for bit in 0..<((frame.bytes.count - 1) * 8) {
      var damaged = frame.bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(decode(damaged).readings == [], "bit \(bit)")
    }
  }

  @Test(arguments: good)
  func readsBothOfTwoFramesGlued(_ frame: RecordedFrame) {
    let values = decode(frame.bytes).readings.map(\.value)
    let shared = decode(frame.bytes + frame.bytes.dropFirst())
    #expect(shared.readings.map(\.value) == values + values)
    #expect(shared.rejections.isEmpty && shared.discards.isEmpty)
    #expect(decode(frame.bytes + frame.bytes).readings.map(\.value) == values + values)
    let noise: [UInt8] = [0x7E, 0xA7, 0xFF, 0x21, 0x00]
    let spread = decode(noise + frame.bytes + noise + frame.bytes + noise)
    #expect(spread.readings.map(\.value) == values + values)
  }

  @Test(arguments: later)
  func readsNothingFromFramesOfLaterIssues(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    // What was taken apart again is the same message.
    let isSegmented = frame.manifest["framing"].string == "hdlc-segmented"
    guard !isSegmented else {
      #expect(sink.readings.count > 20 && sink.problems.isEmpty && sink.rejections.isEmpty)
      return
    }
    #expect(sink.readings == [])
    let codes = Set(sink.problems.map(\.code) + sink.rejections.map(\.error.code))
    // Of one file somebody cut the list's last element.
    #expect(codes.subtracting([.truncated]).count == 1)
    #expect(codes.isSubset(of: [.segmented, .encrypted, .unknownList, .truncated]))
    guard codes.contains(.unknownList) else { return }
    // The manifest prints binary ones in hexadecimal.
    let texts = sink.secrets.flatMap { secret in
      [
        String(decoding: secret.text, as: UTF8.self),
        secret.text.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
          .uppercased(),
      ]
    }
    #expect(frame.identifiers.allSatisfy { identifier in texts.contains(identifier) })
  }

  @Test(arguments: broken)
  func readsNothingFalseFromBrokenFrames(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    #expect(sink.readings == [])
    switch frame.file.split(separator: "/").last {
    case "xx_start_inside_frame.bin": #expect(sink.summaries.count == 1)
    case "xx_shared_flag.bin": #expect(sink.summaries.count == 2)
    case "no_lg_zmf100_badfcs.bin", "ch_iskra_am550_described_bad_fcs.bin":
      #expect(sink.summaries.isEmpty)
      #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
    default: #expect(sink.summaries.isEmpty)
    }
  }
}
