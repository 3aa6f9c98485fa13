import Foundation

/// The project's own telegrams below Tests/OBISDecoderTests/Vectors.
enum Vectors {
  /// The bytes of `Vectors/NAME.telegram`; a missing file ends the test run with its name.
  static func telegram(_ name: String) -> [UInt8] {
    let support = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent()
    let file = support.appendingPathComponent("../Vectors/\(name).telegram").standardizedFileURL
    guard let data = try? Data(contentsOf: file) else {
      preconditionFailure("the vector \(file.path) is missing")
    }
    return [UInt8](data)
  }

  /// Telegrams of which every value and identifier of `p1/dsmr5` comes out.
  static let plain = [
    "p1/dsmr5", "p1/checksum_absent", "p1/checksum_lower_case", "p1/nul_behind_checksum",
    "p1/line_feed_only", "p1/slash_and_bang_in_text", "p1/high_bytes_in_text",
    "p1/high_bytes_in_identification",
  ]

  /// All telegrams.
  static let all =
    plain + [
      "p1/checksum_unpadded", "p1/dsmr2_continuation_line", "p1/belgian", "p1/hungarian",
      "p1/oddities",
    ]
}

/// A telegram of those lines with CR LF and its checksum.
func telegram(_ lines: [String], identification: String = "/TST5\\Made") -> [UInt8] {
  let body = Array(([identification, ""] + lines).map { $0 + "\r\n" }.joined().utf8) + [0x21]
  return body + Array((hex4(arc(body)) + "\r\n").utf8)
}

/// CRC-16/ARC bit by bit, as the standard writes it: checks the decoder's table.
func arc(_ bytes: [UInt8]) -> UInt16 {
  var crc: UInt16 = 0
  for byte in bytes {
    crc ^= UInt16(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
  }
  return crc
}

private func hex4(_ value: UInt16) -> String {
  let digits = String(value, radix: 16, uppercase: true)
  return String(repeating: "0", count: 4 - digits.count) + digits
}
