@testable import OBISDecoder

/// Takes recorded frames apart by the standards alone, so that the meaning of a message is tested
/// apart from the layers below: HDLC, its segments, block transfer.
enum ClearMessages {
  /// The data-notifications of a recording that is not ciphered, from their tag on.
  static func notifications(in frame: RecordedFrame) -> [[UInt8]] {
    let framing = frame.manifest["framing"].string ?? ""
    guard !framing.contains("glo"), frame.manifest["key"] == .null, !frame.isBroken else {
      return []
    }
    let messages = framing == "raw-apdu" ? [frame.bytes] : withoutBlocks(ofHDLC(frame.bytes))
    return messages.filter { $0.first == 0x0F }
  }

  /// What the list of a data-notification says; nothing of its header but the clock's presence.
  static func heard(
    _ message: [UInt8], _ options: DecoderOptions = DecoderOptions()
  ) -> (recorder: DLMSRecorder, clock: MeterTime?) {
    let form: (skip: Int, hasTime: Bool) =
      switch message[5] {
      case 0x00: (6, false)
      case 0x09: (19, true)
      default: (18, true)
      }
    var reader = COSEMListReader(options)
    var recorder = DLMSRecorder()
    do throws(DecodeError) {
      let end = try reader.read(
        message.span, from: form.skip, to: message.count, hasTime: form.hasTime, to: &recorder)
      if end != message.count {
        recorder.problems.append(DecodeError(.trailingBytes, at: end))
      }
    } catch {
      recorder.problems.append(error)
    }
    return (recorder, reader.clock)
  }

  /// Information fields, those of segments joined, without LLC.
  private static func ofHDLC(_ bytes: [UInt8]) -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var open: [UInt8] = []
    var index = 0
    while index + 2 < bytes.count {
      guard bytes[index] == 0x7E, bytes[index + 1] != 0x7E else {
        index += 1
        continue
      }
      let length = Int(bytes[index + 1] & 7) << 8 | Int(bytes[index + 2])
      guard index + length < bytes.count else { break }
      var start = index + 3
      for _ in 0..<2 {
        while bytes[start] & 1 == 0 { start += 1 }
        start += 1
      }
      open += bytes[(start + 3)...(index + length - 2)]
      if bytes[index + 1] & 8 == 0 {
        messages.append(Array(open.first == 0xE6 ? open.dropFirst(3) : open[...]))
        open = []
      }
      index += length + 1
    }
    return messages
  }

  /// Messages with the blocks of general block transfer joined; block 1 begins anew.
  private static func withoutBlocks(_ messages: [[UInt8]]) -> [[UInt8]] {
    var whole: [[UInt8]] = []
    var open: [UInt8] = []
    for message in messages {
      guard message.first == 0xE0 else {
        whole.append(message)
        continue
      }
      if message[2] == 0, message[3] == 1 { open = [] }
      // Tag, control, two numbers of two bytes, then the count.
      let wide = Int(message[6] & 0x7F)
      open += message.dropFirst(message[6] < 0x80 ? 7 : 7 + wide)
      if message[1] & 0x80 != 0 {
        whole.append(open)
        open = []
      }
    }
    return whole
  }
}
