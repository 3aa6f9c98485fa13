/// A household with its meter: a seeded load, and registers that hold its exact integral.
///
/// Power is constant within each second. Registers count millijoules, so that energy is the sum of
/// watts × milliseconds without rounding; what a meter shows is cut off from that. Time only
/// comes in through `advance(to:)`.
public struct Household: Sendable {
  /// What the household has.
  public let options: HouseholdOptions
  /// Where time stands, in milliseconds since 1970 UTC.
  public private(set) var now: Int64

  let appliances: Appliances
  private(set) var energy: EnergyRegisters
  private(set) var demand: DemandRecord
  private(set) var flows: FlowRegisters
  /// Registers at the start: what the billing line shows until the month ends.
  let opening: EnergyRegisters

  /// Makes the household of `seed` at `start`, in milliseconds since 1970 UTC.
  public init(seed: UInt64, options: HouseholdOptions, start: Int64) {
    self.options = options
    now = start
    var random = RandomSource(seed: seed ^ 0x484F_5553_4548_4F4C)
    appliances = Appliances(seed: random.next(), options: options)
    energy = EnergyRegisters(random: &random, options: options)
    opening = energy
    flows = FlowRegisters(random: &random)
    demand = DemandRecord(start: start, random: &random, clock: options.clock)
    if options.hasSubMeters { flows.capture(at: start, every: options.captureSeconds * 1000) }
  }

  /// Lets time pass until `milliseconds` since 1970 UTC; an earlier time does nothing.
  ///
  /// Takes about a microsecond for each simulated second.
  public mutating func advance(to milliseconds: Int64) {
    while now < milliseconds {
      let second = now >= 0 ? now / 1000 : (now - 999) / 1000
      let end = min((second + 1) * 1000, milliseconds)
      let load = appliances.load(at: second)
      energy.add(load, for: end - now, lowTariff: isLowTariff(at: second))
      demand.add(watts: max(load.watts.wrappedSum(), 0), from: now, to: end)
      if options.hasSubMeters {
        flows.gasMicrolitres += appliances.gasFlow(at: second) * (end - now)
        flows.waterMicrolitres += appliances.waterFlow(at: second) * (end - now)
        flows.capture(at: end, every: options.captureSeconds * 1000)
      }
      now = end
    }
  }

  /// What flows now.
  public var power: (watts: SIMD4<Int64>, vars: SIMD4<Int64>) {
    let load = appliances.load(at: second)
    return (load.watts, load.vars)
  }

  /// Total active energy in and out since ever, in millijoules.
  public var millijoules: (imported: Int64, exported: Int64) {
    (energy.imported[0] + energy.imported[1], energy.exported[0] + energy.exported[1])
  }

  var second: Int64 { now >= 0 ? now / 1000 : (now - 999) / 1000 }

  /// Whether the low tariff holds: 23 to 7 o'clock and at weekends.
  func isLowTariff(at second: Int64) -> Bool {
    let local = options.clock.localSeconds(at: second)
    let day = CivilClock.day(of: local)
    let hour = (local - day * 86_400) / 3600
    let weekday = ((day + 3) % 7 + 7) % 7
    return hour < 7 || hour >= 23 || weekday >= 5
  }
}

/// Energy in millijoules (reactive: in thousandths of a var second).
struct EnergyRegisters: Sendable {
  /// Low and normal tariff.
  var imported: [Int64]
  var exported: [Int64]
  /// Quadrants I…IV.
  var reactive: [Int64] = [0, 0, 0, 0]
  /// Each phase by itself, not netted.
  var phaseImported: [Int64]
  var phaseExported: [Int64] = [0, 0, 0]

  init(random: inout RandomSource, options: HouseholdOptions) {
    let wattHour: Int64 = 3_600_000
    imported = [
      random.integer(in: 1_000_000...20_000_000) * wattHour,
      random.integer(in: 1_000_000...20_000_000) * wattHour,
    ]
    exported = [0, 0]
    if options.hasSolar {
      exported = [
        random.integer(in: 100_000...4_000_000) * wattHour,
        random.integer(in: 100_000...9_000_000) * wattHour,
      ]
    }
    phaseImported = [0, 0, 0]
    for phase in 0..<options.phases {
      phaseImported[phase] = (imported[0] + imported[1]) / Int64(options.phases)
      phaseExported[phase] = (exported[0] + exported[1]) / Int64(options.phases)
    }
    for quadrant in 0..<4 {
      reactive[quadrant] = random.integer(in: 1000...900_000) * wattHour
    }
  }

  mutating func add(_ load: Appliances.Load, for milliseconds: Int64, lowTariff: Bool) {
    let tariff = lowTariff ? 0 : 1
    // The meter nets the phases at each moment (DSMR P1 5.0.2: sum of all phases).
    let watts = load.watts.wrappedSum()
    let vars = load.vars.wrappedSum()
    if watts >= 0 {
      imported[tariff] += watts * milliseconds
    } else {
      exported[tariff] -= watts * milliseconds
    }
    let quadrant = vars >= 0 ? (watts >= 0 ? 0 : 1) : (watts >= 0 ? 3 : 2)
    reactive[quadrant] += abs(vars) * milliseconds
    for phase in 0..<3 {
      let own = load.watts[phase] * milliseconds
      if own >= 0 { phaseImported[phase] += own } else { phaseExported[phase] -= own }
    }
  }
}

/// Gas and water, and what their meters last told the electricity meter.
struct FlowRegisters: Sendable {
  var gasMicrolitres: Int64
  var waterMicrolitres: Int64
  var capturedAt: Int64 = 0
  var capturedGas: Int64 = 0
  var capturedWater: Int64 = 0

  init(random: inout RandomSource) {
    gasMicrolitres = random.integer(in: 500_000...9_000_000) * 1_000_000
    waterMicrolitres = random.integer(in: 100_000...900_000) * 1_000_000
  }

  mutating func capture(at milliseconds: Int64, every period: Int64) {
    let due = milliseconds / period * period
    guard due != capturedAt else { return }
    capturedAt = due
    capturedGas = gasMicrolitres
    capturedWater = waterMicrolitres
  }
}
