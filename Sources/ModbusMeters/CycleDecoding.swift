public import OBISDecoder

/// Makes readings of one unit's cycles: decodes the words, guards the counters, gives each its code.
///
/// Keep one for each unit as long as the meter is the same; `use` goes on with another profile.
public struct CycleDecoding: Sendable {
  /// What a cycle said.
  public struct Cycle: Equatable, Sendable {
    /// Values under their codes, with places in the image's bytes.
    public var readings: [Reading]
    /// Identifiers, as places in the image's bytes.
    public var secrets: [Secret]
    /// Values that cannot be true.
    public var rejected: Int
    /// Values of which the registers were not read in this cycle.
    public var unavailable: Int
    /// Counters that have begun anew: the meter was exchanged or reset.
    public var restarted: Int
  }

  private var decoding: RegisterDecoding
  private var guards: [String: CounterGuard] = [:]

  /// Begins for a profile.
  public init(_ profile: MeterProfile) {
    decoding = RegisterDecoding(profile)
  }

  /// Goes on with the profile as the planner or the discovery has found it; counters are remembered.
  public mutating func use(_ profile: MeterProfile) { decoding = RegisterDecoding(profile) }

  /// Decodes what the cycle's image holds, read at a monotonic time in milliseconds.
  public mutating func read(_ image: inout RegisterImage, atMilliseconds now: Int64) -> Cycle {
    var readout = decoding.read(&image)
    var cycle = Cycle(
      readings: [], secrets: readout.secrets, rejected: 0, unavailable: 0, restarted: 0)
    for (index, field) in decoding.profile.fields.enumerated() {
      if case .value(let value, _, _) = readout.outcomes[index], field.quantity?.isGuarded == true {
        var counter = guards[field.name] ?? newGuard(field)
        let verdict = counter.judge(value, atMilliseconds: now)
        guards[field.name] = counter
        switch verdict {
        case .accepted: break
        case .held: readout.outcomes[index] = .rejected(.implausibleCounter)
        case .restarted: cycle.restarted += 1
        }
      }
      if case .rejected = readout.outcomes[index] { cycle.rejected += 1 }
      if case .unavailable = readout.outcomes[index] { cycle.unavailable += 1 }
    }
    cycle.readings = readout.readings(of: decoding.profile)
    return cycle
  }

  /// The guard of a counter: its greatest power is what the profile allows the meter's power.
  private func newGuard(_ field: RegisterField) -> CounterGuard {
    let power = decoding.profile.fields.first { $0.quantity == .power }?.highest
    let most = power ?? MeterUnit.bounds(of: .watt).highest
    let step = field.register.type.isFloat ? Decimal(mantissa: 10) : field.scale
    return CounterGuard(watts: most.mantissa(at: 0) ?? Int64.max, step: step)
  }
}

extension MeterQuantity {
  /// Whether the guard watches it: a counter that never goes down.
  ///
  /// The total of reactive energy is a difference on some meters, and is not published.
  fileprivate var isGuarded: Bool { isCounter && self != .reactiveEnergyTotal }
}
