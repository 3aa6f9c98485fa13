import AllocationCounter
import Testing

@testable import OBISDecoder

/// Frames in a stream: in pieces, cut, damaged, glued, and with rubbish between them.
@Suite struct HDLCStreamTests {
  private let noise: [UInt8] = [0x00, 0x7E, 0xA7, 0xFF, 0x7E, 0x2F, 0x0D, 0x7E, 0xA0, 0x21]

  private func readings(_ bytes: [UInt8]) -> [Reading] { HDLCStream.heard(bytes).readings }

  @Test(arguments: DLMSVector.allCases)
  func saysTheSameInEveryChunking(_ vector: DLMSVector) {
    let bytes = noise + vector.frame + vector.frame.dropFirst() + noise
    let whole = HDLCStream.heard(bytes)
    #expect(whole.ended.count == 2)
    for size in 1...64 { #expect(HDLCStream.heard(bytes, inChunksOf: size) == whole) }
  }

  @Test(arguments: DLMSVector.allCases)
  func readsNothingFromAPrefix(_ vector: DLMSVector) {
    let frame = vector.frame
    // Without its closing flag a frame is whole at the end of input; shorter it is not.
    for count in 0..<(frame.count - 1) {
      let recorder = HDLCStream.heard(Array(frame.prefix(count)))
      #expect(recorder.readings == [] && recorder.ended == [], "\(count) bytes")
    }
  }

  @Test(arguments: DLMSVector.allCases)
  func readsNothingFalseWithAnyBitFlipped(_ vector: DLMSVector) {
    let frame = vector.frame
    let good = readings(frame)
    for bit in 0..<(frame.count * 8) {
      var damaged = frame
      damaged[bit / 8] ^= 1 << (bit % 8)
      let heard = readings(damaged)
      // A frame is whole without its closing flag.
      let isClosing = bit / 8 == frame.count - 1
      #expect(heard == (isClosing ? good : []), "bit \(bit)")
    }
  }

  @Test(arguments: DLMSVector.allCases)
  func readsTheFrameBehindADamagedOne(_ vector: DLMSVector) {
    let frame = vector.frame
    let good = readings(frame).map(\.value)
    for bit in 0..<(frame.count * 8) {
      var damaged = frame
      damaged[bit / 8] ^= 1 << (bit % 8)
      let heard = readings(damaged + frame).map(\.value)
      let count = bit / 8 == frame.count - 1 ? 2 : 1
      #expect(heard == Array([[Decimal]](repeating: good, count: count).joined()), "bit \(bit)")
    }
  }

  @Test(arguments: DLMSVector.allCases)
  func losesOnlyTheFrameWhoseBytesWereLost(_ vector: DLMSVector) {
    let frame = vector.frame
    let good = readings(frame).map(\.value)
    for index in frame.indices.dropLast() {
      for count in [1, 3, 20] where index + count < frame.count {
        var short = frame
        short.removeSubrange(index..<(index + count))
        #expect(readings(short + frame).map(\.value) == good, "\(count) bytes from \(index)")
      }
    }
  }

  @Test(arguments: [0, 1, 2, 5])
  func takesFlagsBetweenFramesInAnyNumber(_ flags: Int) {
    let first = DLMSVector.kaifaThreePhase.frame
    let second = DLMSVector.kaifaList1.frame
    let open = first.dropLast() + [UInt8](repeating: 0x7E, count: flags)
    let heard = HDLCStream.heard(open + (flags == 0 ? second : Array(second.dropFirst())))
    #expect(heard.ended.count == 2)
    #expect(heard.readings.count == 10)
    #expect(heard.rejected == [])
  }

  @Test func findsFramesAmongRubbish() {
    var bytes = noise
    for vector in DLMSVector.allCases { bytes += vector.frame + noise }
    let heard = HDLCStream.heard(bytes)
    #expect(heard.ended.count == DLMSVector.allCases.count)
    #expect(heard.ended.map(\.offset) == expectedOffsets())
  }

  private func expectedOffsets() -> [UInt64] {
    var offset = UInt64(noise.count)
    return DLMSVector.allCases.map { vector in
      defer { offset += UInt64(vector.frame.count + noise.count) }
      return offset
    }
  }

  @Test func survivesRandomBytes() {
    var state: UInt64 = 0x5EED
    print("seed \(state)")
    var bytes: [UInt8] = []
    for _ in 0..<200_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Every fourth byte is a flag or a format field.
      let byte = UInt8(truncatingIfNeeded: state >> 56)
      bytes.append(byte & 3 == 0 ? (byte & 4 == 0 ? 0x7E : 0xA0) : byte)
    }
    #expect(HDLCStream.heard(bytes, inChunksOf: 4096).readings == [])
  }

  /// Counts without keeping.
  private struct Counter: FrameSink {
    var readings = 0
    mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings += 1 }
    mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
    mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {}
    mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {}
    mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {}
    mutating func discarded(_ count: Int, at offset: UInt64) {}
  }

  @Test(arguments: DLMSVector.allCases)
  func allocatesNothing(_ vector: DLMSVector) {
    let frame = vector.frame
    let summary = FrameSummary(
      dialect: .hdlc, offset: 0, count: frame.count, integrity: .ok, meterTime: nil)
    var counter = Counter()
    var messages = MessageLayer(DecoderOptions())
    var cipher = NoKeys()
    func read() {
      var framer = HDLCFramer()
      guard case .complete = framer.advance(over: frame.span) else { return }
      _ = messages.take(frame.span, summary, with: &cipher, to: &counter)
    }
    read()
    let once = counter.readings
    #expect(once > 0)
    let before = allocation_count()
    read()
    let after = allocation_count()
    #expect(after == before)
    #expect(counter.readings == 2 * once)
    let box = [UInt8](repeating: 0, count: Int.random(in: 64...128))
    #expect(allocation_count() > after, "the counter counts \(box.count)")
  }
}
