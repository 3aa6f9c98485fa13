/// What was computed for one charger from the newest sample; tenths of an ampere.
struct ChargerResult {
  /// What its lines have free, negative where they have too little.
  private(set) var fuseDelta: Int64?
  /// What the tariff leaves; nil without one in force.
  private(set) var capacityDelta: Int64?
  /// The lesser of both; nil if a line of it is not known, whatever the tariff says.
  private(set) var delta: Int64?
  /// What it may be raised by.
  private(set) var raise: Int64?
  /// What it is to be set to.
  private(set) var setting: Int64?
  /// What it draws and since when that is known, monotonic ms.
  var draw: (amount: Int64, at: Int64)?
  var window: RaiseWindow
  private var setPoint = SetPoint()

  init(_ settings: EVSettings) { window = RaiseWindow(seconds: settings.holdSeconds) }

  mutating func update(
    _ charger: ChargerSettings, _ lines: LineCurrents?, _ limits: ImportLimits,
    _ settings: EVSettings, at now: Instant
  ) {
    fuseDelta = lines?.headroom(for: charger.connection)
    capacityDelta = limits.softHeadroom.map {
      Self.amperes($0, settings.milliwattsPerAmpere(of: charger.connection))
    }
    delta = fuseDelta.map { min($0, capacityDelta ?? $0) }
    window.take(delta, at: now.monotonic)
    raise = window.least(at: now.monotonic)
    setting =
      charger.hasDraw
      ? setPoint.update(
        draw: freshDraw(at: now), delta: delta, raise: raise, charger, at: now.monotonic)
      : nil
  }

  /// What it draws, if that was said within the last 30 s.
  func freshDraw(at now: Instant) -> Int64? {
    guard let draw, now.monotonic - draw.at <= SetPoint.freshness else { return nil }
    return draw.amount
  }

  /// The feed is stale: no number of it holds any more.
  mutating func forget() {
    fuseDelta = nil
    capacityDelta = nil
    delta = nil
    raise = nil
    setting = nil
    setPoint.forget()
  }

  /// Watts as tenths of an ampere, rounded down.
  static func amperes(_ watts: Int64, _ milliwattsPerAmpere: Int64) -> Int64 {
    FixedPoint.floor(FixedPoint.multiply(watts, 10_000), over: milliwattsPerAmpere)
  }
}
