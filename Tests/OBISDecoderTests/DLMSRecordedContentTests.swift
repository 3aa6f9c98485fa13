import Testing

@testable import OBISDecoder

/// What every clear recording of HDLC and M-Bus says, whatever it was framed in.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct DLMSRecordedContentTests {
  static let all = (RecordedFrames.all(in: "hdlc") + RecordedFrames.all(in: "mbus-dlms")).filter {
    ClearMessages.notifications(in: $0).count == 1
  }

  /// Codes that are refused, for want of a scale, and why.
  private static func isRefused(_ key: String, in frame: RecordedFrame) -> Bool {
    // 64-bit integers of E570, and M-Bus values without scaler.
    frame.file.contains("e570_unencrypted_valid_data_load") || key.contains(":24.2.1")
      // Somebody cut the last of twelve elements.
      || frame.file.contains("iskra1")
  }

  /// Keys whose number is no measured value: states, limits, alarms.
  private static func isOther(_ key: String) -> Bool {
    key.hasPrefix("0-") || key.hasPrefix("item") || !key.contains(":") || key.contains("/")
  }

  private func heard(_ frame: RecordedFrame) -> DLMSRecorder {
    ClearMessages.heard(ClearMessages.notifications(in: frame)[0]).recorder
  }

  @Test func findsTheClearRecordings() { #expect(Self.all.count == 27) }

  @Test("cases 55, 62, 75: reads of each number what the manifest has", arguments: all)
  func readsEveryNumber(_ frame: RecordedFrame) throws {
    let recorder = heard(frame)
    var expected = 0
    for (key, entry) in frame.manifest["expected"].members where !Self.isOther(key) {
      // The manifest prints 1-0:1.7.0.255; F is 255 in all of them.
      let reading = recorder.readings.first { "\($0.code).255" == key }
      guard let digits = entry["value"].digits else { continue }
      expected += 1
      if Self.isRefused(key, in: frame) {
        #expect(reading == nil, "\(key)")
      } else if let unit = entry["unit"].string {
        #expect(reading?.value.isEqual(to: try #require(exactDecimal(digits, power: 0))) == true)
        #expect(reading.map { "\($0.unit.symbol)" } == unit, "\(key)")
      } else {
        // Without unit it is what was sent: the mantissa, to which a table has the power of ten.
        #expect(reading.map { "\($0.value.mantissa)" } == digits, "\(key)")
      }
    }
    let named = frame.manifest["expected_named"].members.count
    // Kaifa's lists without codes are in `expected_normalised`: DLMSRecordedFrameTests.
    guard expected + named > 0 else { return }
    #expect(recorder.readings.count <= max(expected, named), "no reading that nobody expects")
  }

  @Test("case 75: reads the named values of positional lists", arguments: all)
  func readsNamedValues(_ frame: RecordedFrame) throws {
    let recorder = heard(frame)
    for (name, entry) in frame.manifest["expected_named"].members {
      guard let digits = entry["value"].digits, let unit = entry["unit"].string else { continue }
      let cde = try #require(ManifestNames.cde(of: name), "\(name)")
      let reading = try #require(recorder.readings.first { $0.code.cde == cde }, "\(name)")
      #expect(reading.value.isEqual(to: try #require(exactDecimal(digits, power: 0))))
      #expect("\(reading.unit.symbol)" == unit)
    }
  }

  @Test("case 78: reports every identifier as a secret", arguments: all)
  func reportsIdentifiers(_ frame: RecordedFrame) {
    let secrets = heard(frame).secrets
    let texts = secrets.flatMap { secret in
      [
        String(decoding: secret.bytes, as: UTF8.self),
        secret.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
          .uppercased(),
      ]
    }
    for (number, identifier) in frame.identifiers.enumerated() {
      #expect(texts.contains { $0.contains(identifier) }, "identifier \(number)")
    }
  }

  @Test("case 81: reads nothing false from a message that is cut", arguments: all)
  func readsNothingFalseFromAPrefix(_ frame: RecordedFrame) {
    let message = ClearMessages.notifications(in: frame)[0]
    let whole = heard(frame).readings
    for count in 19..<message.count {
      let cut = ClearMessages.heard(Array(message.prefix(count))).recorder
      #expect(cut.problems.count >= 1, "\(count) bytes")
      #expect(cut.readings.allSatisfy { whole.contains($0) }, "\(count) bytes")
    }
  }
}
