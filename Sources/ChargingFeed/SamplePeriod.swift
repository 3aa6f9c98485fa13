/// How often samples come, and so how long one holds.
struct SamplePeriod: Equatable {
  /// Before two samples were seen: the slowest push of a HAN port, ms.
  static let assumed: Int64 = 10_000
  /// Gaps that are remembered; the middle one counts, so that one late sample changes nothing.
  static let memory = 5

  private var gaps: [Int64] = []
  private var lastAt: Int64?

  /// Takes the monotonic time of a sample, ms.
  mutating func take(_ time: Int64) {
    defer { lastAt = time }
    guard let lastAt, time > lastAt else { return }
    gaps.append(time - lastAt)
    if gaps.count > Self.memory { gaps.removeFirst() }
  }

  /// Whole seconds, 1…240.
  var seconds: Int64 {
    let middle = gaps.isEmpty ? Self.assumed : gaps.sorted()[gaps.count / 2]
    return min(max(FixedPoint.nearest(middle, over: 1000), 1), 240)
  }

  /// Seconds after which a sample is stale: two and a half periods, 6 at least.
  var staleAfterSeconds: Int64 { max(6, (seconds * 5 + 1) / 2) }
}
