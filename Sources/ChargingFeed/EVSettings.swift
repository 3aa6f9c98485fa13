/// How a house is connected to the grid.
public enum Grid: String, CaseIterable, Sendable, BitwiseCopyable {
  /// 230 V to neutral, 400 V between lines.
  case tn = "TN"
  /// 230 V between lines, no neutral.
  case it = "IT"
  /// 230 V between lines, no neutral, earthed at the house.
  case tt = "TT"

  /// Whether there is a neutral, so that what flows on a line is that line's own.
  public var hasNeutral: Bool { self == .tn }
}

/// What stands in for L2 where a meter of a three-wire net does not report it.
public enum MissingLine: String, CaseIterable, Sendable, BitwiseCopyable {
  /// The most likely current and a margin, or the worst case where power is not known.
  case estimate
  /// The worst case of resistive loads.
  case worst
  /// Nothing: what hangs on L2 has no headroom.
  case ignore
}

/// Between which conductors a charger is connected.
public enum Connection: String, CaseIterable, Sendable, BitwiseCopyable {
  case l1 = "L1"
  case l2 = "L2"
  case l3 = "L3"
  case l1l2 = "L1-L2"
  case l2l3 = "L2-L3"
  case l1l3 = "L1-L3"
  case all = "L1+L2+L3"

  /// The lines that it loads, counted from 0.
  public var lines: [Int] {
    switch self {
    case .l1: [0]
    case .l2: [1]
    case .l3: [2]
    case .l1l2: [0, 1]
    case .l2l3: [1, 2]
    case .l1l3: [0, 2]
    case .all: [0, 1, 2]
    }
  }

  /// Whether the charger is between a line and neutral.
  public var usesNeutral: Bool { lines.count == 1 }
}

/// One charger that the feed computes for; currents in mA.
public struct ChargerSettings: Equatable, Sendable {
  /// Nickname, a topic level.
  public var name: String
  /// Its conductors.
  public var connection: Connection
  /// Least current at which it charges.
  public var minimum: Int64
  /// Most current that it may be set to.
  public var maximum: Int64
  /// Step between settings.
  public var step: Int64
  /// What it falls back to without a feed; 0 is pause.
  public var failsafe: Int64
  /// Whether its own current is known, so that it gets a set-point.
  public var hasDraw: Bool

  /// Makes a charger's settings.
  public init(
    name: String, connection: Connection, minimum: Int64, maximum: Int64, step: Int64,
    failsafe: Int64, hasDraw: Bool
  ) {
    self.name = name
    self.connection = connection
    self.minimum = minimum
    self.maximum = maximum
    self.step = step
    self.failsafe = failsafe
    self.hasDraw = hasDraw
  }
}

/// A household's supply and what is to be computed for it; currents in mA.
public struct EVSettings: Equatable, Sendable {
  /// How the house is connected.
  public var grid: Grid
  /// 1 or 3.
  public var phases: Int
  /// Main fuse, 1 A to 1000 A.
  public var fuse: Int64
  /// What stays free below the fuse, less than it.
  public var margin: Int64
  /// What stands in for a missing L2.
  public var missingLine = MissingLine.estimate
  /// What an estimated L2 is raised by.
  public var estimateMargin: Int64 = 2000
  /// Age at which a sample is stale; nil computes it from the samples' period.
  public var staleAfterSeconds: Int64?
  /// How long headroom must have lasted before it may be used.
  public var holdSeconds: Int64 = 60
  /// The capacity tariff; nil without.
  public var capacity: CapacitySettings?
  /// The chargers.
  public var chargers: [ChargerSettings] = []

  /// Makes settings of a supply; values out of their bounds are clamped.
  public init(grid: Grid, phases: Int, fuse: Int64, margin: Int64) {
    self.grid = grid
    self.phases = phases == 1 ? 1 : 3
    self.fuse = min(max(fuse, 1000), 1_000_000)
    self.margin = min(max(margin, 0), self.fuse - 100)
  }

  /// The lines that the supply has, counted from 0.
  public var lines: Range<Int> { 0..<phases }

  /// What may flow on a line, mA: fuse less margin.
  public var lineLimit: Int64 { fuse - margin }

  /// Milliwatts per ampere on all conductors of the supply.
  ///
  /// 230 V, 3 × 230 V with neutral, √3 × 230 V between three lines (398.37 W/A; the design's 398.4 is
  /// that, rounded up).
  public var netMilliwattsPerAmpere: Int64 {
    phases == 1 ? 230_000 : grid.hasNeutral ? 690_000 : 398_371
  }

  /// Milliwatts per ampere of a charger's current.
  public func milliwattsPerAmpere(of connection: Connection) -> Int64 {
    connection == .all ? (grid.hasNeutral ? 690_000 : 398_371) : 230_000
  }

  /// What the supply bears, W: at least 1.
  public var fusePower: Int64 {
    max(1, netMilliwattsPerAmpere * lineLimit / 1_000_000)
  }

  /// The largest power that is believed, W.
  var plausiblePower: Int64 { 3 * max(1, netMilliwattsPerAmpere * fuse / 1_000_000) }
}
