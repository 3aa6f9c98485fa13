/// What is left of a slot's energy, by the formulas of ev-charging.md §6.5; exact in W and ms.
public struct SlotBudget: Equatable, Sendable, BitwiseCopyable {
  /// Length of the slot, ms.
  public var length: Int64
  /// How much of it has passed, ms, 0…`length`.
  public var elapsed: Int64
  /// Import so far, W·ms.
  public var energy: Int64
  /// Import power now, W.
  public var power: Int64

  /// Makes the state of a slot; `elapsed` is clamped to its length.
  public init(length: Int64, elapsed: Int64, energy: Int64, power: Int64) {
    self.length = max(1, length)
    self.elapsed = min(max(elapsed, 0), self.length)
    self.energy = max(0, energy)
    self.power = max(0, power)
  }

  private var remaining: Int64 { length - elapsed }

  /// Mean so far, W; nil at the very start.
  public var average: Int64? {
    elapsed == 0 ? nil : FixedPoint.even(energy, over: elapsed)
  }

  /// The mean that the slot ends with if power stays as it is, W.
  public var projected: Int64 {
    FixedPoint.even(
      FixedPoint.add(energy, FixedPoint.multiply(power, remaining)), over: length)
  }

  /// The power that leads to a mean of `allowed` W, rounded down; below 0 if that is passed already.
  ///
  /// Spread over `guardTime` ms at least, so that the last seconds promise no wonders.
  public func power(for allowed: Int64, guardTime: Int64) -> Int64 {
    FixedPoint.floor(
      FixedPoint.subtract(FixedPoint.multiply(allowed, length), energy),
      over: max(1, remaining, guardTime))
  }

  /// A power as a limit of the whole house: 1 W at least, since 0 means "no limit" to evcc and to
  /// SmartEVSE, and never more than the fuse bears.
  public static func limit(_ power: Int64?, fusePower: Int64) -> Int64 {
    max(1, min(power ?? fusePower, fusePower))
  }
}
