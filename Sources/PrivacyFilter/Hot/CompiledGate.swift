/// How finely in time a grant sees values.
public enum Granularity: UInt8, Sendable, BitwiseCopyable {
  /// Every frame.
  case g0
  /// 10 seconds.
  case g1
  /// A minute.
  case g2
  /// A quarter of an hour.
  case g3
  /// An hour.
  case g4
  /// A civil day of the household's time zone.
  case g5
  /// A civil month.
  case g6

  /// The window in seconds; 0 for every frame and for civil days and months.
  public var windowSeconds: Int32 {
    switch self {
    case .g1: 10
    case .g2: 60
    case .g3: 900
    case .g4: 3600
    case .g0, .g5, .g6: 0
    }
  }

  /// The last level of the topic.
  public var stream: StaticString {
    switch self {
    case .g0: "live"
    case .g1: "s10"
    case .g2: "e1"
    case .g3: "e15"
    case .g4: "e60"
    case .g5: "day"
    case .g6: "month"
    }
  }
}

/// Which identifier a gate writes into its messages.
public enum GateIdentifier: UInt8, Sendable, BitwiseCopyable {
  /// None.
  case none
  /// The meter's number, as `meter`.
  case meterNumber
  /// The metering point's number, as `metering_point`.
  case meteringPoint

  /// The key in the payload.
  var key: StaticString {
    switch self {
    case .none: ""
    case .meterNumber: "meter"
    case .meteringPoint: "metering_point"
    }
  }
}

/// One grant for one meter or sub-meter, compiled to what the hot path needs.
///
/// Made by `compile`; a grant that covers several meters or channels becomes several gates.
public struct CompiledGate: Sendable, BitwiseCopyable {
  /// The quantities that may pass; derived ones by their own ids.
  var allowed = QuantitySet()
  /// The categories that the grant holds, for documents that are computed from several quantities.
  var categories = CategorySet(rawValue: 0)
  /// First instant at which data may pass, milliseconds since 1970 UTC.
  public internal(set) var notBefore: Int64 = .min
  /// First instant at which none may pass any more; `Int64.max` without end.
  public internal(set) var notAfter: Int64 = .max
  /// When the grant became active: its first window is marked as a part.
  public internal(set) var activatedAt: Int64 = .min
  /// Milliseconds to wait after a window before it is published, phase not included.
  var delay: Int32 = 0
  /// Milliseconds added for this recipient alone, 0 ..< 30 000.
  var phase: Int32 = 0
  /// How finely in time.
  public internal(set) var granularity = Granularity.g5
  /// Rounding level, 0…4.
  var quantum: UInt8 = 0
  /// Index of the meter among the agent's sources.
  public internal(set) var source: UInt8 = 0
  /// M-Bus channel, 0 for the meter itself.
  public internal(set) var channel: UInt8 = 0
  /// Which connection publishes; the number is the caller's.
  public internal(set) var connection: UInt8 = 0
  /// Which grant it came from; the number is the caller's.
  public internal(set) var grantIndex: UInt8 = 0
  /// MQTT quality of service of data.
  var qos: UInt8 = 0
  /// Whether the broker keeps data.
  var retain = false
  /// Whether it serves the house: frames as they come, in-house documents.
  public internal(set) var isInHouse = false
  /// Whether a plain number is published for each value too (in-house only).
  var publishesValues = false
  /// Whether it gives totals for statistics only: no name, no quality, and no number that is not
  /// that of a whole window.
  public internal(set) var isAggregate = false
  /// Which identifier its messages carry.
  public internal(set) var identifier = GateIdentifier.none
  /// Pseudonym of the meter for this grant; used in topics outside and in Home Assistant's ids.
  public internal(set) var pseudonym = FixedText<18>()
  /// The topic up to, not including, the stream: `root/pseudonym`, `root/nickname`, or `root` alone
  /// where the recipient sees no name.
  var place = FixedText<112>()

  /// Who its meter is in documents of Enode's shape, if it makes them.
  var enode = EnodeIdentity()

  /// Whether it is held while the clock is not known to be right.
  var needsClock: Bool { !isInHouse || notAfter != .max }

  /// Whether values are collected over windows.
  var isWindowed: Bool { granularity != .g0 }
}
