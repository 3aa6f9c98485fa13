/// What a gate knows at run time, apart from its slots.
///
/// Times are milliseconds since 1970 UTC.
struct GateState: BitwiseCopyable {
  /// A window that has ended and waits to be published.
  struct Pending: BitwiseCopyable {
    var start: Int64 = 0
    var end: Int64 = 0
    var due: Int64 = 0
    var quality = Quality.ok
    var isUsed = false
  }

  /// What a window is worth.
  enum Quality: UInt8, BitwiseCopyable {
    case ok
    case gap
    case bridged
    case part

    var name: StaticString {
      switch self {
      case .ok: "ok"
      case .gap: "gap"
      case .bridged: "bridged"
      case .part: "part"
      }
    }
  }

  /// Which row of the bank remembers its plain numbers.
  var valueRow: UInt8 = 0
  /// The minute since 1970 in which all of them were last published.
  var valueMinute: Int64 = .min
  /// Whether a window is open.
  var isOpen = false
  /// Whether the open window is the first since the gate began or was held.
  var isFresh = false
  /// When the gate began or was let go again.
  var startedAt: Int64 = 0
  var windowStart: Int64 = 0
  var windowEnd: Int64 = 0
  /// Milliseconds of the open window that were observed.
  var covered: Int64 = 0
  var lastSampleAt: Int64 = .min
  /// The meter's usual time between frames.
  var usualInterval: Int64 = 10_000
  var intervalsSeen: UInt8 = 0
  /// Frames in the open window.
  var sampleCount: Int32 = 0
  /// Which of the two pending windows the next one becomes.
  var parity = 0
  /// Whether a slot of a closed window waits for the register's value at its end.
  var isWaiting = false
  var pending: (Pending, Pending) = (Pending(), Pending())
  /// Start of the last window or instant sent: never an earlier one.
  var lastSent: Int64 = .min

  /// Reach of a sample: one and a half of the usual interval.
  var reach: Int64 { usualInterval + usualInterval / 2 }

  func pending(_ parity: Int) -> Pending { parity == 0 ? pending.0 : pending.1 }

  mutating func setPending(_ window: Pending, _ parity: Int) {
    if parity == 0 { pending.0 = window } else { pending.1 = window }
  }

  /// Notes that a frame came at `time`, which is not before the window's start.
  mutating func observe(at time: Int64) {
    cover(until: time)
    if lastSampleAt != .min, time > lastSampleAt { learn(time - lastSampleAt) }
    lastSampleAt = time
    sampleCount &+= 1
  }

  /// Counts the observed part of the window up to `time`, as far as the last sample reaches.
  mutating func cover(until time: Int64) {
    guard lastSampleAt != .min else { return }
    let from = max(lastSampleAt, windowStart)
    let to = min(min(lastSampleAt + reach, time), windowEnd)
    if to > from { covered += to - from }
  }

  /// Follows the upper quartile of the intervals: a burst does not shrink it, nor a gap stretch it.
  private mutating func learn(_ interval: Int64) {
    if intervalsSeen == 0 {
      usualInterval = interval
    } else if intervalsSeen < 8 {
      usualInterval += (interval - usualInterval) / 2
    } else if interval > usualInterval {
      usualInterval += max(usualInterval * 3 / 32, 1)
    } else if interval < usualInterval {
      usualInterval -= usualInterval / 32
    }
    usualInterval = min(max(usualInterval, 100), 3_600_000)
    if intervalsSeen < 8 { intervalsSeen += 1 }
  }
}

/// What a gate has let through.
public struct GateCounters: Sendable, BitwiseCopyable {
  /// Messages released.
  public internal(set) var released: UInt64 = 0
  /// Messages that were due and not released: expired, held, too long, skipped.
  public internal(set) var dropped: UInt64 = 0
  /// Payload bytes released.
  public internal(set) var bytes: UInt64 = 0
  /// When the last message was released, milliseconds since 1970 UTC; 0 before the first.
  public internal(set) var lastAt: Int64 = 0

  /// Counts a message of so many bytes, released at `now`.
  mutating func noteReleased(_ byteCount: Int, at now: Int64) {
    released &+= 1
    bytes &+= UInt64(byteCount)
    lastAt = now
  }
}
