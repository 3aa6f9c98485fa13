import OBISDecoder
import Testing

/// What real meters sent, against the manifest of ../shared/frames.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct D0RecordedTests {
  static let all = RecordedFrames.all(in: "d0")
  static let good = all.filter { !$0.isBroken }

  @Test("finds every expected value whose unit is known", arguments: good)
  func findsEveryExpectedValue(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    var found = 0
    for (key, entry) in frame.manifest["expected"].members {
      guard let code = Self.code(key), let raw = entry["raw"].string,
        let unit = entry["unit"].string.flatMap({ BaseUnit($0) }),
        let value = exactDecimal(raw.filter { $0 != "+" && $0 != " " }, power: unit.power)
      else { continue }
      found += 1
      #expect(
        sink.readings.contains {
          $0.code == code && $0.value.isEqual(to: value) && "\($0.unit.symbol)" == unit.symbol
        }, "\(key) \(value) \(unit.symbol)")
    }
    #expect(found > 0 || frame.file.contains("emh_ehz"))
    #expect(sink.readings.filter { $0.unit != .one }.count >= found)
  }

  @Test("reads every good readout as one, as D0, without a check character", arguments: good)
  func readsEveryGoodFrame(_ frame: RecordedFrame) {
    for dialect in [nil, Dialect.d0] {
      let sink = decode(frame.bytes, dialect: dialect)
      #expect(sink.rejections.isEmpty)
      #expect(sink.summaries.map(\.dialect) == [.d0])
      #expect(sink.summaries.map(\.integrity) == [.absent])
    }
  }

  @Test("reports every identifier as a secret or leaves it undelivered", arguments: all)
  func hidesEveryIdentifier(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    guard !sink.summaries.isEmpty else { return }
    for detail in frame.manifest["identifiers_detail"].array {
      guard let value = detail["value"].string else { continue }
      let named = sink.secrets.filter {
        String(decoding: $0.text, as: UTF8.self).contains(value) && $0.secret.kind == .meterNumber
      }
      #expect(named.isEmpty == (detail["kind"].string == "gateway trailer"), "\(value)")
    }
  }

  @Test("rejects every readout whose check character is wrong", arguments: all.filter(\.isBroken))
  func rejectsWrongCheckCharacters(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    #expect(sink.readings.isEmpty)
    #expect(sink.summaries.isEmpty)
    #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
  }

  @Test("says the same however the bytes are cut", arguments: all)
  func isIndependentOfPieces(_ frame: RecordedFrame) {
    let whole = decode(frame.bytes)
    for chunk in [1, 2, 3, 7, 64] {
      #expect(decode(frame.bytes, chunk: chunk).events == whole.events, "pieces of \(chunk)")
    }
    #expect(accountingFault(whole, total: frame.bytes.count) == nil)
  }

  /// The code that a manifest's key prints: reduced ones are electricity, letters abstract.
  private static func code(_ key: String) -> OBISCode? {
    let text = key.prefix { $0 != "#" }
    if text.contains(":") { return P1RecordedTests.code(String(text)) }
    let letters: [Substring: UInt8] = ["C": 96, "F": 97, "L": 98, "P": 99]
    let groups = text.split { ".*".contains($0) }.compactMap { letters[$0] ?? UInt8($0) }
    guard groups.count >= 2, !text.contains("*") else { return nil }
    return OBISCode(
      groups[0] >= 96 ? 0 : 1, 0, groups[0], groups[1], groups.count > 2 ? groups[2] : 0)
  }
}
