import Foundation
import Testing

@testable import OBISDecoder

/// The recorded SML files: what other decoders read in them, and what is to come of broken ones.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct SMLRecordedTests {
  static let all = RecordedFrames.all(in: "sml")
  static let good = all.filter { !$0.isBroken }
  static let broken = all.filter(\.isBroken)

  private static let symbols = ["deg": "deg", "Wh": "Wh", "W": "W", "V": "V", "A": "A", "Hz": "Hz"]

  @Test func hasTheFilesOfTheIssue() {
    #expect(Self.good.count == 16)
    #expect(Self.broken.count == 13)
  }

  @Test(arguments: good)
  func decodesWhatTheManifestExpects(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    let first = decode(Array(frame.bytes.prefix(Int(sink.summaries.first?.count ?? 0))))
    // The two of an eBZ DD3: see case 99.
    let isFlagged = frame.manifest["vendor"].string == "eBZ"
    #expect(sink.problems.map(\.code) == (isFlagged ? [.checksumMismatch, .checksumMismatch] : []))
    var seen = 0
    for (key, expected) in frame.manifest["expected"].members where key != "server_id" {
      guard let unit = expected["unit"].string else { continue }
      let reading = first.readings.first { printed($0.code) == key }
      let value = expected["value"].digits.flatMap { exactDecimal($0, power: 0) }
      #expect(value.map { reading?.value.isEqual(to: $0) } == true, "\(key)")
      #expect(reading.map { "\($0.unit.symbol)" } == Self.symbols[unit], "\(key)")
      seen += 1
    }
    #expect(seen == first.readings.count, "no reading that nobody expects")
    #expect(seen > 0)
  }

  @Test(arguments: good)
  func findsEveryFileOfAStream(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    let count = frame.manifest["frames_crc_ok"].digits.flatMap(Int.init)
    #expect(sink.summaries.count == count)
    #expect(accountingFault(sink, total: frame.bytes.count) == nil)
    #expect(sink.summaries.allSatisfy { $0.dialect == .sml && $0.integrity == .ok })
  }

  @Test(arguments: good)
  func reportsEveryIdentifierAsASecret(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    let texts = sink.secrets.flatMap { secret in
      [String(decoding: secret.text, as: UTF8.self), hex(secret.text), serverName(secret.text)]
    }
    for (number, identifier) in frame.identifiers.enumerated() {
      #expect(texts.contains(identifier), "identifier \(number)")
    }
    for reading in sink.readings { #expect(reading.count <= 9) }
  }

  @Test(arguments: good)
  func namesTheMeterAndItsKey(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    let expected = frame.manifest["expected"]
    let server = expected["server_id"]["value"].string
    #expect(server.map { sink.texts(.meterNumber).contains($0) } == true)
    if let key = expected["129-129:199.130.5*255"]["value"].string {
      #expect(sink.texts(.keyMaterial).contains(key))
    }
  }

  @Test(arguments: all)
  func saysTheSameInEveryChunking(_ frame: RecordedFrame) {
    let bytes = Array(frame.bytes.prefix(1500))
    let whole = decode(bytes).events
    for size in 1..<min(bytes.count, 140) {
      #expect(decode(bytes, chunk: size).events == whole, "\(size) bytes at a time")
    }
  }

  @Test(arguments: broken)
  func doesWithBrokenFilesWhatTheManifestAsksFor(_ frame: RecordedFrame) {
    let sink = decode(frame.bytes)
    #expect(sink.readings == [])
    #expect(accountingFault(sink, total: frame.bytes.count) == nil)
    let name = frame.file.split(separator: "/").last
    switch name {
    case "xx_transport_additional_bytes.bin":
      #expect(sink.summaries.count == 1)
      #expect(sink.discards.map(\.count) == [3, 2])
    case "xx_transport_double_start.bin":
      #expect(sink.summaries.map(\.offset) == [13])
      #expect(sink.rejections.map(\.summary.count) == [13])
    case "xx_transport_escape_in_data.bin", "xx_transport_incomplete_esc.bin":
      #expect(sink.summaries.count == 1)
    default:
      #expect(sink.summaries.isEmpty)
    }
  }

  private func printed(_ code: OBISCode) -> String {
    "\(code.a)-\(code.b):\(code.c).\(code.d).\(code.e)*\(code.f)"
  }

  /// A server id as it is printed on the meter (DIN 43863-5).
  private func serverName(_ bytes: [UInt8]) -> String {
    guard bytes.count == 10 else { return "" }
    let maker = String(decoding: bytes[2..<5], as: UTF8.self)
    let number = bytes[6...].reduce(0) { $0 << 8 | Int($1) }
    let block = String(bytes[5], radix: 16, uppercase: true)
    let digits = String(number)
    return "\(bytes[1])\(maker)" + String(repeating: "0", count: 2 - block.count) + block
      + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }
}
