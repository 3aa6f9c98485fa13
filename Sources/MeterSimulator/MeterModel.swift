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
  /// Family of its frames: `p1`, `hdlc`, `mbus`, `apdu` (a message alone, ciphered P1), `sml`, `d0`.
  public var family: String { schedule[0].layout.family }
  /// One or three.
  public let phases: Int
  let schedule: [ScheduledFrame]
  let clock: CivilClock
  let captureSeconds: Int64
  let tariffOneIsDay: Bool

  /// Key that deciphers its messages, 16 bytes; nil where it sends in clear.
  ///
  /// That of the Green Book's examples, 00 01 … 0F: published, and no meter's.
  public var key: [UInt8]? { cipher == nil ? nil : CipherForm.exampleKey }
  /// Key that checks its tags, 16 bytes; nil where there are none or the household is not told it.
  public var authenticationKey: [UInt8]? {
    guard let cipher, cipher.trust == .authenticated else { return nil }
    return cipher.authenticationKey
  }
  private var cipher: CipherForm? { schedule[0].layout.cipher }
  /// Silence between two frames of one message in milliseconds: 160 on the wired M-Bus (Netz
  /// Niederösterreich, "Kundenschnittstelle").
  public var pauseMilliseconds: Int64 { family == "mbus" ? 160 : 0 }
  /// Shortest time between two frames in milliseconds.
  public var intervalMilliseconds: Int64 { schedule.map(\.period).min() ?? 1000 }
  /// Whether its frames carry a checksum.
  public var hasChecksum: Bool {
    schedule.allSatisfy { frame in
      switch frame.layout {
      case .p1(let layout): layout.hasChecksum
      case .push(let layout): layout.transport.hasChecksum
      case .sml: true
      case .d0(let layout): layout.isBlock
      }
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
    case sml(SMLLayout)
    case d0(D0Layout)

    var family: String {
      switch self {
      case .p1(let layout): layout.cipher == nil || layout.introducesCipher ? "p1" : "apdu"
      case .push(let layout): layout.transport.family
      case .sml: "sml"
      case .d0: "d0"
      }
    }

    var cipher: CipherForm? {
      switch self {
      case .p1(let layout): layout.cipher
      case .push(let layout): layout.cipher
      case .sml, .d0: nil
      }
    }
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

  /// The frame of a state; `counter` is larger in every later one.
  func frame(
    for state: MeterState, identity: MeterIdentity, clock: CivilClock, counter: UInt32
  ) -> SimulatedFrame {
    switch layout {
    case .p1(let layout):
      P1Encoder.frame(for: state, layout: layout, identity: identity, counter: counter)
    case .push(let layout):
      PushEncoder.frame(
        for: state, layout: layout, identity: identity,
        standardOffsetMinutes: clock.standardOffsetMinutes, counter: counter)
    case .sml(let layout):
      SMLEncoder.frame(for: state, layout: layout, identity: identity, counter: counter)
    case .d0(let layout): D0Encoder.frame(for: state, layout: layout, identity: identity)
    }
  }
}
