import Foundation

@testable import OBISDecoder

/// Builds SML files from BSI TR-03109-1 annex IV part b alone; shares no code with the decoder.
enum SML {
  typealias Bytes = [UInt8]

  static let absent: Bytes = [0x01]

  static func octets(_ content: Bytes) -> Bytes {
    let length = content.count + 1
    guard length > 15 else { return [UInt8(length)] + content }
    let long = content.count + 2
    return [0x80 | UInt8(long >> 4), UInt8(long & 15)] + content
  }

  static func text(_ content: String) -> Bytes { octets(Bytes(content.utf8)) }

  static func unsigned(_ value: UInt64, width: Int) -> Bytes {
    [0x60 + UInt8(width + 1)] + big(value, width)
  }

  static func integer(_ value: Int64, width: Int) -> Bytes {
    [0x50 + UInt8(width + 1)] + big(UInt64(bitPattern: value), width)
  }

  static func list(_ elements: [Bytes]) -> Bytes {
    let head: Bytes =
      elements.count < 16
      ? [0x70 + UInt8(elements.count)]
      : [0xF0 + UInt8(elements.count >> 4), UInt8(elements.count & 15)]
    return head + elements.joined()
  }

  /// A value as it stands in a list; unit and scaler absent where nil.
  static func entry(
    _ code: Bytes, _ value: Bytes, unit: UInt8? = nil, scaler: Int64? = nil,
    status: Bytes = absent, time: Bytes = absent, signature: Bytes = absent
  ) -> Bytes {
    list([
      octets(code), status, time, unit.map { unsigned(UInt64($0), width: 1) } ?? absent,
      scaler.map { integer($0, width: 1) } ?? absent, value, signature,
    ])
  }

  /// Which checksum and in which order of its bytes.
  enum Variant: CaseIterable {
    case x25Low, x25High, kermitLow, kermitHigh

    func checksum(_ bytes: Bytes) -> Bytes {
      var crc: UInt16 = self == .x25Low || self == .x25High ? 0xFFFF : 0
      let isInverted = crc == 0xFFFF
      for byte in bytes {
        crc ^= UInt16(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x8408 : crc >> 1 }
      }
      if isInverted { crc = ~crc }
      let low: Bytes = [UInt8(crc & 0xFF), UInt8(crc >> 8)]
      return self == .x25Low || self == .kermitLow ? low : low.reversed()
    }
  }

  static func message(_ tag: UInt64, _ body: Bytes, _ variant: Variant = .x25Low) -> Bytes {
    let head: Bytes = [0x76] + octets([0x00, 0x12, 0x34, 0x56]) + [0x62, 0x00, 0x62, 0x00]
    let open = head + list([unsigned(tag, width: 2), body])
    return open + [0x63] + variant.checksum(open) + [0x00]
  }

  /// Payload in its envelope, escaped and padded.
  static func envelope(_ payload: Bytes, _ variant: Variant = .x25Low) -> Bytes {
    let padding = (4 - payload.count % 4) % 4
    var content: Bytes = []
    var run = 0
    for byte in payload {
      content.append(byte)
      run = byte == 0x1B ? run + 1 : 0
      guard run == 4 else { continue }
      content += [0x1B, 0x1B, 0x1B, 0x1B]
      run = 0
    }
    let open: Bytes =
      [0x1B, 0x1B, 0x1B, 0x1B, 0x01, 0x01, 0x01, 0x01] + content
      + Bytes(repeating: 0, count: padding)
      + [0x1B, 0x1B, 0x1B, 0x1B, 0x1A, UInt8(padding)]
    return open + variant.checksum(open)
  }

  private static func big(_ value: UInt64, _ width: Int) -> Bytes {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }
}

/// A meter's file, everything in it invented.
struct SMLMeter {
  var server: [UInt8] = [0x0A, 0x01, 0x54, 0x53, 0x54, 0x00, 0x00, 0x12, 0xD6, 0x87]
  var time: [UInt8] = SML.list([SML.unsigned(1, width: 1), SML.unsigned(0x0102_0304, width: 4)])
  var entries: [[UInt8]]
  var variant = SML.Variant.x25Low

  /// Its three messages.
  var messages: [[UInt8]] {
    let opening = SML.list([
      SML.absent, SML.absent, SML.octets([0x00, 0x06, 0x5A, 0x1B]), SML.octets(server), SML.absent,
      SML.absent,
    ])
    let values = SML.list([
      SML.absent, SML.octets(server), SML.octets([1, 0, 0x62, 0x0A, 0xFF, 0xFF]), time,
      SML.list(entries), SML.absent, SML.absent,
    ])
    return [
      SML.message(0x0101, opening, variant), SML.message(0x0701, values, variant),
      SML.message(0x0201, SML.list([SML.absent]), variant),
    ]
  }

  var payload: [UInt8] { Array(messages.joined()) }
  var frame: [UInt8] { SML.envelope(payload, variant) }

  static let energy: [UInt8] = [1, 0, 1, 8, 0, 255]
  static let power: [UInt8] = [1, 0, 16, 7, 0, 255]

  /// Energy and power as most meters send them.
  static func plain(energy: UInt64 = 123_456_789, power: Int64 = -1557) -> SMLMeter {
    SMLMeter(entries: [
      SML.entry([1, 0, 0x60, 0x32, 1, 1], SML.text("TST")),
      SML.entry(
        SMLMeter.energy, SML.unsigned(energy, width: 5), unit: 30, scaler: -1,
        status: SML.unsigned(0x1C0104, width: 3)),
      SML.entry(SMLMeter.power, SML.integer(power, width: 2), unit: 27, scaler: 0),
    ])
  }

  /// Ten entries in 384 bytes, with a public key, as Iskraemeco's MT175 sends them.
  static let long = SMLMeter(
    server: [0x09, 0x01, 0x54, 0x53, 0x54, 0x00, 0x00, 0x12, 0xD6, 0x87],
    entries: [
      SML.entry([129, 129, 199, 130, 3, 255], SML.text("TST")),
      SML.entry(
        [1, 0, 0, 0, 9, 255],
        SML.octets([0x09, 0x01, 0x54, 0x53, 0x54, 0x00, 0x00, 0x12, 0xD6, 0x87])),
      SML.entry(
        [1, 0, 1, 8, 0, 255], SML.integer(186_190_470, width: 8), unit: 30, scaler: -1,
        status: SML.unsigned(0x182, width: 2)),
      SML.entry([1, 0, 1, 8, 1, 255], SML.integer(186_190_000, width: 8), unit: 30, scaler: -1),
      SML.entry([1, 0, 1, 8, 2, 255], SML.integer(470, width: 8), unit: 30, scaler: -1),
      SML.entry([1, 0, 16, 7, 0, 255], SML.integer(130, width: 4), unit: 27, scaler: 0),
      SML.entry([1, 0, 36, 7, 0, 255], SML.integer(113, width: 4), unit: 27, scaler: 0),
      SML.entry([1, 0, 56, 7, 0, 255], SML.integer(5, width: 4), unit: 27, scaler: 0),
      SML.entry([1, 0, 76, 7, 0, 255], SML.integer(11, width: 4), unit: 27, scaler: 0),
      SML.entry(
        [129, 129, 199, 130, 5, 255],
        SML.octets((0..<48).map { UInt8(truncatingIfNeeded: $0 * 37 + 5) })),
    ])
}

extension RecordingSink {
  /// The secrets of one kind, as text or hexadecimal digits.
  func texts(_ kind: Secret.Kind) -> [String] {
    secrets.filter { $0.secret.kind == kind }.map { hex($0.text) }
  }
}

/// Lower-case hexadecimal digits.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
