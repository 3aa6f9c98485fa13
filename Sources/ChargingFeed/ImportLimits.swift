/// What the whole house may import, W.
public struct ImportLimits: Equatable, Sendable, BitwiseCopyable {
  /// What the fuse bears.
  public let fusePower: Int64
  /// What the tariff leaves, within 1…`fusePower`; nil without one in force.
  public let soft: Int64?
  /// `soft` less what is imported now.
  public let softHeadroom: Int64?
  /// The lesser of both less what is imported now; nil if power is not known.
  public let headroom: Int64?

  /// The lesser of both: within 1…`fusePower`, whatever came in.
  public var maximum: Int64 { soft ?? fusePower }

  init(fusePower: Int64, soft: Int64?, power: Int64?) {
    let bound = max(1, fusePower)
    let limit = soft.map { SlotBudget.limit($0, fusePower: bound) }
    self.fusePower = bound
    self.soft = limit
    softHeadroom = limit.flatMap { limit in power.map { limit - $0 } }
    headroom = power.map { (limit ?? bound) - $0 }
  }
}

extension EVFeed {
  /// What the house may import at `now`.
  public func limits(at now: Instant) -> ImportLimits {
    let power = freshPower(at: now)
    var soft: Int64?
    if let capacity = settings.capacity, let allowed = allowed, let budget = budget(at: now) {
      soft = budget.power(for: allowed, guardTime: capacity.guardMilliseconds)
    }
    return ImportLimits(fusePower: settings.fusePower, soft: soft, power: power)
  }

  /// The mean that the running slot may have, W; nil where no tariff asks.
  var allowed: Int64? { allowance?.allowed }

  /// Import power, W; nil if the newest is too old.
  func freshPower(at now: Instant) -> Int64? {
    guard let power, now.monotonic - power.at.monotonic <= EnergyMeter.hold else { return nil }
    return power.imported
  }

  /// The running slot's state; nil if its energy or the power is not known.
  func budget(at now: Instant) -> SlotBudget? {
    guard now.isSynchronised, let slot = slots.slot, slot.isKnown, let power = freshPower(at: now),
      let energy = slots.energy(at: now)?.energy
    else { return nil }
    return SlotBudget(
      length: slot.length, elapsed: now.utc - slot.start, energy: energy, power: power)
  }
}
