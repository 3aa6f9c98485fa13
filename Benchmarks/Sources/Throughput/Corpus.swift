import MeterSimulator

/// Frames of one simulated meter, one after the other as on the line.
struct Corpus {
  let name: String
  let bytes: [UInt8]
  let frameCount: Int
  /// Values that a decoder must find in them.
  let requiredCount: Int

  /// The frames of `model` from a fixed start on: the same bytes in every run.
  init?(model: String, frames: Int) {
    guard var meter = SimulatedMeter(name: model, seed: 20_260_115) else { return nil }
    var bytes: [UInt8] = []
    var required = 0
    // 2026-01-15 00:00 UTC.
    var time: Int64 = 1_768_435_200_000
    for _ in 0..<frames {
      let frame = meter.next(at: time)
      bytes += frame.bytes
      required += frame.expected.count { $0.isRequired }
      time = meter.nextDue(after: time)
    }
    name = model
    self.bytes = bytes
    frameCount = frames
    requiredCount = required
  }
}
