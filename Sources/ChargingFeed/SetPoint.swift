/// What a charger is to be set to, from what it draws; currents in tenths of an ampere.
///
/// Source: ev-charging.md §6.8.
struct SetPoint: Equatable {
  /// Most that one raise adds.
  static let raiseLimit: Int64 = 40
  /// Milliseconds between raises.
  static let raisePause: Int64 = 30_000
  /// Milliseconds that a pause lasts at least.
  static let pause: Int64 = 60_000
  /// Milliseconds for which a charger's own current counts.
  static let freshness: Int64 = 30_000
  /// A charger that draws less than this is not charging: between 0 and 6 A there is no setting
  /// (IEC 61851-1, pilot duty cycle).
  static let idleBound: Int64 = 10

  private(set) var setting: Int64?
  private var raisedAt: Int64?
  private var pausedAt: Int64?

  /// Takes a sample's results and returns the new setting, tenths; nil without a fresh draw.
  mutating func update(
    draw: Int64?, delta: Int64?, raise: Int64?, _ charger: ChargerSettings, at time: Int64
  ) -> Int64? {
    guard let draw, draw >= 0, let delta else {
      setting = nil
      return nil
    }
    let next =
      setting == 0 || draw < Self.idleBound
      ? paused(raise, charger, time) : running(draw, delta, raise, charger, time)
    setting = next
    return next
  }

  /// Forgets the setting: without a feed the charger has its own failsafe.
  mutating func forget() { setting = nil }

  private mutating func paused(
    _ raise: Int64?, _ charger: ChargerSettings, _ time: Int64
  ) -> Int64 {
    let minimum = charger.minimum / 100
    if let pausedAt, time - pausedAt < Self.pause { return 0 }
    guard let raise, raise >= minimum + 10 else { return 0 }
    raisedAt = time
    return minimum
  }

  private mutating func running(
    _ draw: Int64, _ delta: Int64, _ raise: Int64?, _ charger: ChargerSettings, _ time: Int64
  ) -> Int64 {
    let maximum = charger.maximum / 100
    let step = max(1, charger.step / 100)
    func floored(_ value: Int64) -> Int64 {
      FixedPoint.floor(min(max(value, 0), maximum), over: step) * step
    }
    var next = setting ?? floored(draw)
    if delta < 0 {
      next = min(next, floored(FixedPoint.add(min(draw, maximum), delta)))
    } else if let raise, raise >= step, raisedAt.map({ time - $0 >= Self.raisePause }) ?? true {
      next = floored(min(draw, maximum) + min(raise, Self.raiseLimit))
      raisedAt = time
    }
    guard next >= charger.minimum / 100 else {
      pausedAt = time
      return 0
    }
    return next
  }
}
