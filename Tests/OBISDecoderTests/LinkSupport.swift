@testable import OBISDecoder

/// Builds frames of the wired M-Bus from EN 13757-2 and the Netz NÖ leaflet alone.
enum MBusFrame {
  /// A frame that carries `part` as number `number` of its message.
  static func frame(_ part: [UInt8], number: UInt8 = 0, isLast: Bool = true) -> [UInt8] {
    let body = [0x53, 0xFF, number | (isLast ? 0x10 : 0), 0x01, 0x67] + part
    let length = UInt8(truncatingIfNeeded: body.count)
    let sum = body.reduce(UInt8(0)) { $0 &+ $1 }
    return [0x68, length, length, 0x68] + body + [sum, 0x16]
  }

  /// `message` in frames of at most `size` bytes of it.
  static func frames(_ message: [UInt8], size: Int) -> [[UInt8]] {
    let parts = Link.cut(message, size)
    return parts.enumerated().map { index, part in
      frame(part, number: UInt8(index), isLast: index == parts.count - 1)
    }
  }
}

/// Takes messages apart as meters do.
enum Link {
  static let llc: [UInt8] = [0xE6, 0xE7, 0x00]

  /// A data-notification with the list of `vector`.
  static func message(_ vector: DLMSVector, invokeID: UInt8 = 0) -> [UInt8] {
    [0x0F, 0x40, 0, 0, invokeID] + vector.header + vector.body
  }

  static func cut(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map { start in
      Array(bytes[start..<min(start + size, bytes.count)])
    }
  }

  /// HDLC segments of `message` with `size` bytes of information each; LLC in the first.
  static func segments(_ message: [UInt8], size: Int) -> [[UInt8]] {
    let parts = cut(llc + message, size)
    return parts.enumerated().map { index, part in
      HDLCFrameBuilder(isSegmented: index < parts.count - 1).frame(part)
    }
  }

  /// HDLC frames with a general block transfer of `message`, `size` bytes a block.
  static func blocks(
    _ message: [UInt8], size: Int, destination: [UInt8] = [0x03]
  ) -> [[UInt8]] {
    let parts = cut(message, size)
    return parts.enumerated().map { index, part in
      HDLCFrameBuilder(destination: destination).frame(
        (index == 0 ? llc : [])
          + block(part, number: UInt16(index + 1), isLast: index == parts.count - 1))
    }
  }

  static func block(_ data: [UInt8], number: UInt16, isLast: Bool) -> [UInt8] {
    let length = data.count < 128 ? [UInt8(data.count)] : [0x81, UInt8(data.count)]
    return [0xE0, isLast ? 0xC0 : 0x40, UInt8(number >> 8), UInt8(number & 255), 0, 0] + length
      + data
  }
}

/// What is read of `bytes`, whatever its pieces; a difference between pieces ends in `nil`.
func decodedInAnyPieces(_ bytes: [UInt8], sizes: [Int] = [1, 2, 3, 7, 50]) -> RecordingSink? {
  let whole = decode(bytes)
  for size in sizes where decode(bytes, chunk: size).events != whole.events { return nil }
  return whole
}

extension RecordingSink {
  /// Values in the order they came.
  var decimals: [OBISDecoder.Decimal] { readings.map(\.value) }

  /// The bytes that the frames, rejections and discarded runs claim, all together.
  var claimedCount: Int { extents.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) } }
}
