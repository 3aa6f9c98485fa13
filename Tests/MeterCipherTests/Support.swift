import Foundation
import MeterCipher
import OBISDecoder

/// Bytes of hexadecimal digits; anything else in the text is left out.
func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
}

/// A cipher of keys in hexadecimal digits.
func cipher(_ key: String, _ authenticationKey: String?, title: UInt64? = nil) throws -> DLMSCipher
{
  let encryption = try CipherKey(parsing: Array(key.utf8).span)
  guard let authenticationKey else {
    return DLMSCipher(encryptionKey: encryption, authenticationKey: nil, systemTitle: title)
  }
  let authentication = try CipherKey(parsing: Array(authenticationKey.utf8).span)
  return DLMSCipher(
    encryptionKey: encryption, authenticationKey: authentication, systemTitle: title)
}

/// Keeps what a decoder says.
struct Recorder: FrameSink, Equatable {
  var readings: [Reading] = []
  var secrets: [[UInt8]] = []
  var problems: [DecodeError.Code] = []
  var ended: [FrameSummary] = []
  var rejected: [DecodeError.Code] = []
  var pieces: [MessagePiece] = []
  var ciphered: [CipheredPart] = []
  var claimedCount = 0

  mutating func piece(_ piece: MessagePiece) { pieces.append(piece) }
  mutating func deciphered(_ part: CipheredPart) { ciphered.append(part) }
  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings.append(reading) }
  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    secrets.append((secret.offset..<secret.offset + secret.count).map { bytes[$0] })
  }
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) { problems.append(error.code) }
  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    ended.append(summary)
    claimedCount += summary.count
  }
  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    rejected.append(error.code)
    claimedCount += summary.count
  }
  mutating func discarded(_ count: Int, at offset: UInt64) { claimedCount += count }

  /// The values under a code, printed with their unit.
  func values(_ code: OBISCode) -> [String] {
    readings.filter { $0.code == code }.map { "\($0.value) \($0.unit.symbol)" }
  }
}

/// What a fresh decoder says of `bytes` in chunks of `size`.
func heard<Cipher: MessageCipher & ~Copyable>(
  _ bytes: [UInt8], with cipher: inout Cipher, inChunksOf size: Int = .max
) -> Recorder {
  var decoder = MeterDecoder(DecoderOptions())
  var recorder = Recorder()
  var start = 0
  while start < bytes.count {
    let end = bytes.count - start > size ? start + size : bytes.count
    decoder.push(bytes.span.extracting(start..<end), with: &cipher, to: &recorder)
    start = end
  }
  decoder.finish(with: &cipher, to: &recorder)
  return recorder
}

/// A recorded frame of ../shared/frames that is ciphered or comes in several frames.
struct RecordedMessage: Sendable, CustomStringConvertible {
  var file: String
  var bytes: [UInt8]
  var framing: String
  var isBroken: Bool
  var key: String?
  var authenticationKey: String?
  /// Expected values with a unit, in base units by code `A-B:C.D.E`.
  var expected: [String: Double]
  var description: String { file }
}

enum RecordedMessages {
  static let folder: URL = {
    let path = ProcessInfo.processInfo.environment["GATEWAY_SHARED"]
    let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .appendingPathComponent("../../../../shared").standardizedFileURL
    return (path.map { URL(fileURLWithPath: $0) } ?? repository).appendingPathComponent("frames")
  }()

  static let absence: String = "../shared/frames is absent: recorded frames are NOT tested"
  static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.path) }

  static let all: [RecordedMessage] = {
    guard let data = try? Data(contentsOf: folder.appendingPathComponent("manifest.json")),
      let manifest = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let entries = manifest["entries"] as? [[String: Any]]
    else { return [] }
    return entries.compactMap(message)
  }()

  private static func message(_ entry: [String: Any]) -> RecordedMessage? {
    guard let file = entry["file"] as? String, let family = entry["family"] as? String,
      ["hdlc", "mbus-dlms", "p1-encrypted"].contains(family),
      let data = try? Data(contentsOf: folder.appendingPathComponent(file))
    else { return nil }
    let key = entry["key"] as? [String: Any]
    var expected: [String: Double] = [:]
    for (code, entry) in entry["expected"] as? [String: [String: Any]] ?? [:] {
      guard let unit = entry["unit"] as? String, let value = entry["value"] as? Double else {
        continue
      }
      expected[code] = value * (unit.hasPrefix("k") ? 1000 : 1)
    }
    return RecordedMessage(
      file: file, bytes: [UInt8](data), framing: entry["framing"] as? String ?? "",
      isBroken: entry["broken"] as? Bool ?? false, key: key?["gue"] as? String,
      authenticationKey: key?["gak"] as? String, expected: expected)
  }
}
