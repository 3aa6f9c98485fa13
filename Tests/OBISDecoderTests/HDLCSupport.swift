import Foundation

@testable import OBISDecoder

/// Builds HDLC frames from IEC 62056-46 alone; shares no code with the decoder.
struct HDLCFrameBuilder {
  var destination: [UInt8] = [0x03]
  var source: [UInt8] = [0x21]
  var control: UInt8 = 0x13
  var isSegmented = false

  /// A frame with both flags around `information`.
  func frame(_ information: [UInt8]) -> [UInt8] {
    let addresses = destination + source + [control]
    let length = 2 + addresses.count + (information.isEmpty ? 0 : 2 + information.count) + 2
    let format = 0xA000 | (isSegmented ? 0x0800 : 0) | length
    var body = [UInt8(format >> 8), UInt8(format & 0xFF)] + addresses
    if !information.isEmpty { body += Self.checksum(body) + information }
    return [0x7E] + body + Self.checksum(body) + [0x7E]
  }

  /// CRC-16/X-25 bit by bit, low byte first.
  static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x8408 : crc >> 1 }
    }
    crc = ~crc
    return [UInt8(crc & 0xFF), UInt8(crc >> 8)]
  }
}

/// Keeps all that a sink hears, in order.
struct DLMSRecorder: FrameSink, Equatable {
  struct Text: Equatable {
    var kind: Secret.Kind
    var code: OBISCode?
    var bytes: [UInt8]
  }

  var readings: [Reading] = []
  var secrets: [Text] = []
  var problems: [DecodeError] = []
  var ended: [FrameSummary] = []
  var rejected: [DecodeError] = []
  var discardedCount = 0

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings.append(reading) }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    let range = secret.offset..<(secret.offset + secret.count)
    secrets.append(
      Text(kind: secret.kind, code: secret.code, bytes: range.map { bytes[$0] }))
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) { problems.append(error) }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    ended.append(summary)
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    rejected.append(error)
  }

  mutating func discarded(_ count: Int, at offset: UInt64) { discardedCount += count }

  /// The value under a code in its base unit: `238.5 V`.
  func value(_ code: OBISCode) -> String? {
    readings.first { $0.code == code }.map { "\($0.value) \($0.unit.symbol)" }
  }
}

/// The least that a stream decoder does with a framer, so that framer and reader are tested alone.
struct HDLCStream: ~Copyable {
  private var messages = MessageLayer(DecoderOptions())
  private var held: [UInt8] = []
  private var offset: UInt64 = 0
  private var framer = HDLCFramer()
  var recorder = DLMSRecorder()

  mutating func push(_ bytes: some Sequence<UInt8>) {
    held += bytes
    while step(isLast: false) {}
  }

  mutating func finish() {
    while step(isLast: true) {}
    messages.giveUp(to: &recorder)
  }

  private mutating func step(isLast: Bool) -> Bool {
    // A copy, because the span may not reach into what the framer and the recorder lie in.
    let bytes = held
    guard let first = bytes.first else { return false }
    guard first == 0x7E else { return drop(1, isNoise: true) }
    let verdict =
      isLast ? framer.finish(over: bytes.span) : framer.advance(over: bytes.span)
    switch verdict {
    case .incomplete:
      return false
    case .notAFrame:
      return drop(1, isNoise: true)
    case .damaged(let error, let count):
      recorder.frameRejected(summary(count, .bad), error)
      messages.giveUp(to: &recorder)
      return drop(count, isNoise: false)
    case .complete(let count, let integrity):
      let summary = summary(count, integrity)
      var cipher = NoKeys()
      let frame = bytes.span.extracting(first: count)
      if let error = messages.take(frame, summary, with: &cipher, to: &recorder) {
        recorder.frameRejected(summary, error)
      }
      // The closing flag may open the next frame.
      return drop(bytes[count - 1] == 0x7E ? count - 1 : count, isNoise: false)
    }
  }

  private func summary(_ count: Int, _ integrity: Integrity) -> FrameSummary {
    FrameSummary(
      dialect: .hdlc, offset: offset, count: count, integrity: integrity, meterTime: nil)
  }

  private mutating func drop(_ count: Int, isNoise: Bool) -> Bool {
    if isNoise { recorder.discardedCount += count }
    held.removeFirst(count)
    offset += UInt64(count)
    framer.reset()
    return true
  }

  /// What a recorder hears of `bytes` in chunks of `size`, then the end of input.
  static func heard(_ bytes: [UInt8], inChunksOf size: Int = .max) -> DLMSRecorder {
    var stream = HDLCStream()
    var index = 0
    while index < bytes.count {
      let end = size < bytes.count - index ? index + size : bytes.count
      stream.push(bytes[index..<end])
      index = end
    }
    stream.finish()
    return stream.recorder
  }
}
