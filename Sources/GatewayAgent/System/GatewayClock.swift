import CLinux
import Glibc

/// The gateway's wall clock, in milliseconds since 1970 UTC.
///
/// At rate 1 it is the system's clock, steps included. At a higher rate (the demo uses 60) it starts
/// at the system's time and runs that many times faster. Or it shows what it is told.
struct GatewayClock: Sendable {
  /// A time that is told: how late it is, and whether anybody vouches for it.
  protocol Source: AnyObject, Sendable {
    /// Milliseconds since 1970 UTC.
    var milliseconds: Int64 { get }
    /// Whether the time is known to be right.
    var isSynchronised: Bool { get }
  }

  /// How many milliseconds pass on this clock in a millisecond, 1 or more.
  let rate: Int
  private let source: (any Source)?
  private let startUTC: Int64
  private let startMonotonic: Int64

  /// Starts a clock that runs `rate` times as fast as time does; 1…3600.
  init(rate: Int) {
    precondition((1...3600).contains(rate), "a clock runs 1 to 3600 times as fast as time")
    self.rate = rate
    source = nil
    startUTC = Self.systemMilliseconds()
    startMonotonic = Self.monotonicMilliseconds()
  }

  /// A clock that shows what `source` says; it moves only when the source does.
  init(_ source: any Source) {
    rate = 1
    self.source = source
    startUTC = 0
    startMonotonic = 0
  }

  /// This clock's time, in milliseconds since 1970 UTC.
  func now() -> Int64 {
    if let source { return source.milliseconds }
    guard rate > 1 else { return Self.systemMilliseconds() }
    return startUTC &+ (Self.monotonicMilliseconds() &- startMonotonic) &* Int64(rate)
  }

  /// Time on this clock's scale that nobody can step, in milliseconds since an arbitrary start.
  func steady() -> Int64 {
    source?.milliseconds ?? (Self.monotonicMilliseconds() &* Int64(rate))
  }

  /// Whether this clock is known to be right: the kernel's is disciplined by NTP or the like.
  ///
  /// Calls `adjtimex`, read-only.
  func isSynchronised() -> Bool { source?.isSynchronised ?? Self.isKernelSynchronised() }

  /// How long to wait, in real milliseconds, until this clock shows `instant`; 0 if it has passed.
  func delay(until instant: Int64) -> Int {
    let (left, overflow) = instant.subtractingReportingOverflow(now())
    guard !overflow, left > 0 else { return overflow && instant > 0 ? .max : 0 }
    let quotient = left / Int64(rate)
    return Int(left % Int64(rate) == 0 ? quotient : quotient + 1)
  }

  /// Time since an arbitrary start that no one can step, in milliseconds.
  ///
  /// Calls `clock_gettime`.
  static func monotonicMilliseconds() -> Int64 { monotonicNanoseconds() / 1_000_000 }

  /// Time since an arbitrary start that no one can step, in nanoseconds.
  ///
  /// Calls `clock_gettime`.
  static func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  private static func isKernelSynchronised() -> Bool {
    var state = timex()
    let verdict = unsafe adjtimex(&state)
    guard verdict >= 0, verdict != TIME_ERROR else { return false }
    return state.status & Int32(STA_UNSYNC) == 0
  }

  private static func systemMilliseconds() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1000 &+ Int64(time.tv_nsec) / 1_000_000
  }
}
