/// How high the mean of the running slot may become, W, and what cannot be helped any more.
public struct Allowance: Equatable, Sendable, BitwiseCopyable {
  /// Most that costs nothing more; nil if there is no bound left to keep below.
  public var allowed: Int64?
  /// The edge that is steered to, W; nil above the last one.
  public var bound: Int64?
  /// What will be billed at least, mW: a mean need not be whole watts.
  public var unavoidable: Int64

  /// Of a mean of several peaks.
  ///
  /// `others` are the other stretches' peaks, descending; `today` is the running stretch's own so far.
  /// Source: ev-charging.md §6.6.
  public init(others: [Int64], today: Int64, _ settings: CapacitySettings) {
    let count = Int64(settings.peakCount)
    let known = others.prefix(settings.peakCount)
    let sum = (known + [today]).sorted(by: >).prefix(settings.peakCount).reduce(0, +)
    unavoidable = FixedPoint.nearest(sum * 1000, over: count)
    bound = Self.bound(sum: sum, count: count, settings)
    guard let bound else {
      allowed = nil
      return
    }
    let edge = max(0, bound - settings.margin)
    // The days still to come are assumed to reach the target.
    let rest = known.prefix(settings.peakCount - 1)
    let assumed = rest.reduce(0, +) + edge * (count - 1 - Int64(rest.count))
    let slack = count * edge - assumed
    let free = max(today, known.count == settings.peakCount ? known.last ?? 0 : 0)
    allowed = max(free, settings.policy == .cap ? min(edge, slack) : slack, 0)
  }

  /// Of the highest slot of a month: what has been reached costs nothing more.
  public init(highest: Int64, _ settings: CapacitySettings) {
    allowed = max(settings.floor, highest, settings.target)
    bound = settings.target
    unavoidable = max(settings.floor, highest) * 1000
  }

  /// The target while it can be kept, else the next edge above what is unavoidable.
  private static func bound(sum: Int64, count: Int64, _ settings: CapacitySettings) -> Int64? {
    guard settings.model == .norwegianSteps, settings.target * count <= sum else {
      return settings.target
    }
    return settings.steps.first { $0 * count > sum }
  }
}
