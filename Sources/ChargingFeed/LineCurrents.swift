/// How a line's current was found.
public enum CurrentQuality: Sendable, BitwiseCopyable {
  /// Measured; its sign from the line's own power.
  case phasePower
  /// Measured; its sign from the net power of a house with one phase.
  case netPower
  /// Measured; direction not known, so taken as import.
  case magnitude
  /// Computed from the other two lines and the power.
  case estimated
  /// The most that it can be, from the other two lines.
  case bound

  /// The word in documents.
  public var name: StaticString {
    switch self {
    case .phasePower: "phase_power"
    case .netPower: "net_power"
    case .magnitude: "magnitude"
    case .estimated: "estimated"
    case .bound: "bound"
    }
  }
}

/// Signed currents of the lines of a supply and what is free on each.
public struct LineCurrents: Sendable, BitwiseCopyable {
  /// Signed currents, mA, import positive; nil where neither measured nor estimated.
  public private(set) var amounts = LineValues()
  private var qualities: (CurrentQuality, CurrentQuality, CurrentQuality) = (
    .magnitude, .magnitude, .magnitude
  )
  /// Free current in tenths of an ampere, rounded down; may be negative.
  public private(set) var headroom = LineValues()

  /// How a line's current was found.
  public func quality(ofLine line: Int) -> CurrentQuality {
    line == 0 ? qualities.0 : line == 1 ? qualities.1 : qualities.2
  }

  /// Reads a sample; nil if it lacks a line of the supply, other than a hidden L2 of three wires.
  public init?(_ sample: MeterSample, _ settings: EVSettings) {
    let hidesMiddle = settings.phases == 3 && !settings.grid.hasNeutral
    for line in settings.lines {
      // Three-wire meters that do not measure L2 leave it out or send 0; no load leaves it at 0 while
      // L1 and L3 carry any, and then the estimate says about that.
      if hidesMiddle, line == 1, (sample.currents.l2 ?? 0) == 0 { continue }
      guard let amount = sample.currents[line] else { return nil }
      let (signed, quality) = Self.signed(amount, line, sample, settings)
      set(line, signed, quality, settings, raisedBy: 0)
    }
    guard hidesMiddle, amounts.l2 == nil, settings.missingLine != .ignore,
      let first = amounts.l1, let third = amounts.l3
    else { return }
    let line = HiddenLine(
      first: first, third: third, sample: sample,
      isWorst: settings.missingLine == .worst)
    set(
      1, line.current, line.quality, settings,
      raisedBy: settings.estimateMargin)
  }

  /// The sign comes from where power says that it flows.
  ///
  /// Between three wires a line has no power of its own: what a two-system meter calls that turns
  /// negative with the power factor alone. There the amount counts as import.
  private static func signed(
    _ amount: Int64, _ line: Int, _ sample: MeterSample, _ settings: EVSettings
  ) -> (Int64, CurrentQuality) {
    if settings.phases == 1 {
      if let power = sample.netPower(ofLine: line) {
        return (power < 0 ? -amount : amount, .phasePower)
      }
      return ((sample.exportPower ?? 0) > 0 ? -amount : amount, .netPower)
    }
    if settings.grid.hasNeutral, let power = sample.netPower(ofLine: line) {
      return (power < 0 ? -amount : amount, .phasePower)
    }
    return (amount, .magnitude)
  }

  private mutating func set(
    _ line: Int, _ amount: Int64, _ quality: CurrentQuality, _ settings: EVSettings,
    raisedBy margin: Int64
  ) {
    amounts[line] = amount
    switch line {
    case 0: qualities.0 = quality
    case 1: qualities.1 = quality
    default: qualities.2 = quality
    }
    headroom[line] = Self.headroom(of: FixedPoint.add(amount, margin), settings)
  }

  /// What is free beside a signed current: never amperes that exist only while the sun shines.
  static func headroom(of amount: Int64, _ settings: EVSettings) -> Int64 {
    let free = FixedPoint.subtract(settings.lineLimit, amount)
    return FixedPoint.floor(min(free, settings.lineLimit), over: 100)
  }

  /// What is free for a charger: the least of its lines; nil if one is not known.
  public func headroom(for connection: Connection) -> Int64? {
    var least: Int64?
    for line in connection.lines {
      guard let free = headroom[line] else { return nil }
      least = min(least ?? free, free)
    }
    return least
  }

  /// What is free on the fullest line of the supply; nil if one is not known.
  public func leastHeadroom(_ settings: EVSettings) -> Int64? {
    settings.phases == 1 ? headroom.l1 : headroom(for: .all)
  }
}
