import AllocationCounter
import OBISDecoder
import Testing

/// Counts what it is told and keeps nothing.
private struct CountingSink: FrameSink {
  var readings = 0
  var frames = 0

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings += 1 }
  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {}
  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) { frames += 1 }
  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {}
  mutating func discarded(_ count: Int, at offset: UInt64) {}
}

/// The heap is not touched between the first byte of a frame and its last reading.
struct AllocationTests {
  @Test func counterCounts() {
    let before = allocation_count()
    let array = [Int](repeating: 1, count: Int.random(in: 1000...2000))
    #expect(allocation_count() > before)
    #expect(array.count >= 1000)
  }

  @Test(arguments: Vectors.all)
  func allocatesNothingForTelegram(_ name: String) {
    expectNoAllocation(Vectors.telegram(name))
  }

  @Test func allocatesNothingForSMLFile() {
    var escaped = SMLMeter.plain(energy: 0x1B1B_1B1B)
    escaped.entries.append(
      SML.entry([1, 0, 96, 50, 1, 4], SML.octets(Array(repeating: 0x1B, count: 13))))
    for bytes in [
      SMLMeter.plain().frame, SMLMeter.long.frame, SMLMeter.long.payload, escaped.frame,
    ] {
      expectNoAllocation(bytes)
    }
  }

  /// Frames that the DLMS reader gives up on are left out.
  ///
  /// It throws there, and Swift Testing takes a backtrace of every error thrown. That these frames
  /// allocate nothing either is the Embedded gate's word.
  @Test(
    .enabled(if: RecordedFrames.isPresent, RecordedFrames.absence),
    arguments: RecordedFrames.all(in: "p1") + RecordedFrames.all(in: "d0")
      + RecordedFrames.all(in: "hdlc").filter(\.isSelected)
      + RecordedFrames.all(in: "sml").filter { !$0.isBroken })
  func allocatesNothingForRecordedFrame(_ frame: RecordedFrame) {
    expectNoAllocation(frame.bytes)
  }

  private func expectNoAllocation(_ bytes: [UInt8]) {
    var decoder = MeterDecoder(DecoderOptions())
    var sink = CountingSink()
    let span = bytes.span
    // The first run may load what the process needs once.
    decoder.push(span, to: &sink)
    decoder.finish(to: &sink)
    let before = allocation_count()
    decoder.push(span, to: &sink)
    decoder.finish(to: &sink)
    let count = allocation_count() - before
    #expect(count == 0)
  }
}
