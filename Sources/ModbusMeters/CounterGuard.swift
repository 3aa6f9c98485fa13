public import OBISDecoder

/// Holds back what a counter cannot have counted: a single zero, a spike, a sentinel that looks like a
/// number (evcc#776, home-assistant/core#138077).
///
/// A value may be as much above the one before as the greatest power can have brought since the
/// counter last moved, and one step of the counter. What does not follow is held back; three values in
/// a row that follow each other are taken all the same: the meter was exchanged or reset.
public struct CounterGuard: Sendable {
  /// What becomes of a value.
  public enum Verdict: Equatable, Sendable {
    case accepted
    /// Not to be published.
    case held
    /// To be published: the counter has begun anew.
    case restarted
  }

  /// Values in a row that must agree before a counter that went backwards is believed.
  public static let agreeing = 3
  /// What a counter may move at first, before its step is known: 1 kWh, the coarsest that meters have.
  private static let firstStep = Decimal(mantissa: 1000)

  private struct Run {
    var value: Decimal
    var changedAt: Int64
    var count = 1
    var hasMoved = false
  }

  private let watts: Int64
  private let step: Decimal
  private var accepted: Run?
  private var held: Run?

  /// Makes a guard.
  ///
  /// - Parameters:
  ///   - watts: greatest power in W or var, 1 to 10^9.
  ///   - step: the counter's resolution in Wh or varh.
  public init(watts: Int64, step: Decimal) {
    self.watts = min(max(watts, 1), 1_000_000_000)
    self.step = step
  }

  /// Judges the value, in Wh or varh, that was read at a monotonic time in milliseconds.
  public mutating func judge(_ value: Decimal, atMilliseconds now: Int64) -> Verdict {
    if let run = accepted, let next = follow(run, value, now) {
      accepted = next
      held = nil
      return .accepted
    }
    guard accepted != nil else {
      accepted = Run(value: value, changedAt: now)
      return .accepted
    }
    let run = held.flatMap { follow($0, value, now) } ?? Run(value: value, changedAt: now)
    guard run.count >= CounterGuard.agreeing else {
      held = run
      return .held
    }
    accepted = run
    held = nil
    return .restarted
  }

  /// The run with one value more, nil where the value does not follow it.
  private func follow(_ run: Run, _ value: Decimal, _ now: Int64) -> Run? {
    guard let growth = value.minus(run.value), growth.mantissa >= 0 else { return nil }
    var next = run
    next.value = value
    next.count += 1
    guard growth.mantissa > 0 else { return next }
    // W × ms ÷ 3600 is mWh; 10^9 W and a year of milliseconds make 3 × 10^19, so the time is capped.
    let elapsed = min(max(now - run.changedAt, 0), 9_000_000_000)
    let possible = Decimal(mantissa: watts * elapsed / 3600, exponent: -3)
    let coarse = run.hasMoved ? step : CounterGuard.firstStep
    // Two steps of binary32: what it cannot tell apart.
    let rounding = value.times(Decimal(mantissa: 25, exponent: -8)) ?? step
    let isSmall = !coarse.isLess(than: growth) || !rounding.isLess(than: growth)
    guard let surplus = growth.minus(coarse), isSmall || !possible.isLess(than: surplus) else {
      return nil
    }
    next.changedAt = now
    next.hasMoved = true
    return next
  }
}
