/// How a message gets onto the line.
enum PushTransport: Sendable {
  /// One HDLC frame behind LLC.
  case hdlc(address: [UInt8], control: UInt8)
  /// HDLC frames with at most so many bytes of information; all but the last have the segmentation
  /// bit and no final bit (IEC 62056-46 §6.4.2).
  case segments(address: [UInt8], control: UInt8, information: Int)
  /// General block transfer, a block to an HDLC frame, LLC before the first one only
  /// (Green Book 9.4.6.13; Landis+Gyr E450 sends it so).
  case blocks(address: [UInt8], control: UInt8, information: Int)
  /// Long frames of the wired M-Bus whose length field counts at most so many bytes.
  case mbus(length: Int)
  /// LLC without HDLC, as some readers pass it on.
  case llc
  /// The message alone.
  case bare

  private static let header: [UInt8] = [0xE6, 0xE7, 0x00]

  /// `p1`, `hdlc`, `mbus` … of such frames.
  var family: String {
    switch self {
    case .hdlc, .segments, .blocks: "hdlc"
    case .mbus: "mbus"
    case .llc, .bare: "apdu"
    }
  }

  /// Whether its frames have a checksum.
  var hasChecksum: Bool { family != "apdu" }

  /// The frames that carry `message`, in their order.
  func frames(of message: [UInt8]) -> [[UInt8]] {
    switch self {
    case .hdlc(let address, let control):
      [HDLCWriter.frame(address: address, control: control, PushTransport.header + message)]
    case .segments(let address, let control, let information):
      segments(PushTransport.header + message, address, control, information)
    case .blocks(let address, let control, let information):
      blocks(message, address, control, information)
    case .mbus(let length): MBusWriter.frames(of: message, length: length)
    case .llc: [PushTransport.header + message]
    case .bare: [message]
    }
  }

  private func segments(
    _ content: [UInt8], _ address: [UInt8], _ control: UInt8, _ largest: Int
  ) -> [[UInt8]] {
    stride(from: 0, to: content.count, by: largest).map { start in
      let isLast = start + largest >= content.count
      return HDLCWriter.frame(
        address: address, control: isLast ? control : control & ~0x10,
        Array(content[start..<min(start + largest, content.count)]), isSegment: !isLast)
    }
  }

  /// Blocks `E0 | control | number 2 | acknowledged 2 | length | data`: control has bit 7 in the
  /// last block and bit 6 (streaming) in all; numbers count from 1.
  private func blocks(
    _ message: [UInt8], _ address: [UInt8], _ control: UInt8, _ largest: Int
  ) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var start = 0
    while start < message.count {
      let lead = frames.isEmpty ? PushTransport.header : []
      let end = min(start + largest - 7 - lead.count, message.count)
      let number = frames.count + 1
      let head: [UInt8] = [
        0xE0, end == message.count ? 0xC0 : 0x40, UInt8(number >> 8), UInt8(number & 0xFF), 0, 0,
      ]
      frames.append(
        HDLCWriter.frame(
          address: address, control: control,
          lead + head + AXDRWriter.length(end - start) + message[start..<end]))
      start = end
    }
    return frames
  }
}

/// Writes long frames of the wired M-Bus (EN 13757-2 §5.3, EN 13757-3 annex "segmentation").
///
///     68 L L 68 | 53 FF | CI | 01 67 | data | sum | 16
///
/// L counts from 53 to the end of the data, in eight bits: Sagemcom's frames are longer and their L
/// is what is left of it. CI counts frames from 0, with bit 4 in the last one. 01 and 67 are the
/// client's and the meter's transport addresses. The sum is that of the L bytes, in eight bits.
enum MBusWriter {
  static func frames(of message: [UInt8], length: Int) -> [[UInt8]] {
    let largest = length - 5
    return stride(from: 0, to: message.count, by: largest).enumerated().map { number, start in
      let end = min(start + largest, message.count)
      let last: UInt8 = end == message.count ? 0x10 : 0
      let body = [0x53, 0xFF, UInt8(number & 0x0F) | last, 0x01, 0x67] + message[start..<end]
      let count = UInt8(body.count & 0xFF)
      let sum = body.reduce(UInt8(0)) { $0 &+ $1 }
      return [0x68, count, count, 0x68] + body + [sum, 0x16]
    }
  }
}
