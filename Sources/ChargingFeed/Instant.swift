/// A moment as the feed is told it: freshness goes by the clock that nobody can step, dates by the
/// wall clock.
public struct Instant: Equatable, Sendable, BitwiseCopyable {
  /// Milliseconds since an arbitrary start that no one can step.
  public let monotonic: Int64
  /// Milliseconds since 1970 UTC.
  public let utc: Int64
  /// Seconds that the household's wall clock is ahead of UTC at that moment.
  public let offsetSeconds: Int64
  /// Whether the wall clock is known to be right.
  public let isSynchronised: Bool

  /// Makes a moment; what lies outside the years 1970 to 9999, or a day's offset, is clamped.
  public init(monotonic: Int64, utc: Int64, offsetSeconds: Int64, isSynchronised: Bool) {
    // The bounds leave every sum and difference of times far below overflow.
    self.monotonic = min(max(monotonic, 0), 1 << 52)
    self.utc = min(max(utc, 0), 253_402_300_799_999)
    self.offsetSeconds = min(max(offsetSeconds, -86_400), 86_400)
    self.isSynchronised = isSynchronised
  }
}
