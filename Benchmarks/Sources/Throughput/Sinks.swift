import OBISDecoder
import PrivacyFilter

/// Counts, and folds every value into a number that is printed, so that no work can be left out.
struct CountingSink: FrameSink {
  var frames = 0
  var readings = 0
  var faults = 0
  var fold: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    readings += 1
    fold = (fold ^ UInt64(bitPattern: reading.value.mantissa)) &* 0x100_0000_01B3
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) { faults += 1 }
  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) { frames += 1 }
  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) { faults += 1 }
  mutating func discarded(_ count: Int, at offset: UInt64) { faults += 1 }
}

/// Names each value and keeps it, as the agent does in front of the gates.
struct SnapshotSink: ~Copyable, FrameSink {
  var snapshot = Snapshot()
  var frames: UInt64 = 0
  var known = 0

  init() { snapshot.begin(source: 0, sequence: 0, receivedAt: 0) }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    if snapshot.record(reading) { known += 1 }
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {}

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    snapshot.end()
    frames += 1
    snapshot.begin(source: 0, sequence: frames, receivedAt: Int64(frames) * 1000)
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {}
  mutating func discarded(_ count: Int, at offset: UInt64) {}
}
