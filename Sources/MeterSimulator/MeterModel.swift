import OBISDecoder

/// How a meter sets its serial line.
public struct LineSettings: Sendable, Equatable {
  /// Parity bit.
  public enum Parity: Sendable { case none, even }

  /// Bits a second.
  public var baudRate: Int
  /// 7 or 8.
  public var dataBits: Int
  /// Parity bit.
  public var parity: Parity

  /// The usual short form: `115200 8N1`.
  public var summary: String { "\(baudRate) \(dataBits)\(parity == .even ? "E" : "N")1" }
}

/// A meter that can be simulated: its name, its line and what it sends when.
public struct MeterModel: Sendable {
  /// Its name on the command line: `nl-dsmr5`.
  public let name: String
  /// What it is, in one line.
  public let summary: String
  /// How it sets its line.
  public let line: LineSettings
  /// `p1` or `hdlc`.
  public let family: String
  /// One or three.
  public let phases: Int
  let schedule: [ScheduledFrame]
  let clock: CivilClock
  let captureSeconds: Int64
  let tariffOneIsDay: Bool

  /// Shortest time between two frames in milliseconds.
  public var intervalMilliseconds: Int64 { schedule.map(\.period).min() ?? 1000 }
  /// Whether its frames carry a checksum.
  public var hasChecksum: Bool {
    schedule.allSatisfy { frame in
      if case .p1(let layout) = frame.layout { layout.hasChecksum } else { true }
    }
  }
  /// Whether it lists meters of gas, water or heat.
  var hasSubMeters: Bool {
    schedule.contains { frame in
      guard case .p1(let layout) = frame.layout else { return false }
      return layout.items.contains { if case .subMeters = $0 { true } else { false } }
    }
  }

  /// The model of that name, nil if there is none.
  public static func named(_ name: String) -> MeterModel? { all.first { $0.name == name } }

  /// Options of a household behind this meter, without charger, solar power and heat pump.
  public var householdOptions: HouseholdOptions {
    var options = HouseholdOptions()
    options.phases = phases
    options.clock = clock
    options.captureSeconds = captureSeconds
    options.tariffOneIsDay = tariffOneIsDay
    options.hasSubMeters = hasSubMeters
    return options
  }
}

/// A frame that a meter sends at regular times: when (time − offset) is a multiple of the period.
struct ScheduledFrame: Sendable {
  enum Layout: Sendable {
    case p1(P1Layout)
    case push(PushLayout)
  }

  var layout: Layout
  /// Milliseconds.
  var period: Int64
  /// Milliseconds.
  var offset: Int64

  /// The first due time behind `time`.
  func due(after time: Int64) -> Int64 {
    let since = time - offset
    let periods = since >= 0 ? since / period : (since - period + 1) / period
    return (periods + 1) * period + offset
  }

  /// The frame of a state.
  func frame(for state: MeterState, identity: MeterIdentity, clock: CivilClock) -> SimulatedFrame {
    switch layout {
    case .p1(let layout): P1Encoder.frame(for: state, layout: layout, identity: identity)
    case .push(let layout):
      PushEncoder.frame(
        for: state, layout: layout, identity: identity,
        standardOffsetMinutes: clock.standardOffsetMinutes)
    }
  }
}
