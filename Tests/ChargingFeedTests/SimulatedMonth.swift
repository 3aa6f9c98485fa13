import OBISDecoder

@testable import ChargingFeed
@testable import MeterSimulator

/// A charger of 11 kW on three phases, as good or bad at listening as real ones are; tenths of an
/// ampere, monotonic milliseconds.
protocol SimulatedCharger {
  /// What it draws at a moment.
  mutating func draw(at time: Int64) -> Int64
  /// It hears of a sample.
  mutating func hear(_ feed: EVFeed, at now: Instant)
}

/// Obeys the consumer contract of the design's §6.7: reduces at once and once a sample, raises by at
/// most 4 A every 30 s, pauses a minute, starts when told that it can.
struct ContractCharger: SimulatedCharger {
  private var setting: Int64 = 0
  private var sequence: UInt64 = 0
  private var raisedAt: Int64 = -60_000
  private var pausedAt: Int64 = -60_000

  mutating func draw(at time: Int64) -> Int64 { setting }

  mutating func hear(_ feed: EVFeed, at now: Instant) {
    guard feed.sequence != sequence, let result = feed.results.first, let delta = result.delta
    else {
      return
    }
    sequence = feed.sequence
    let time = now.monotonic
    if setting == 0 {
      guard time - pausedAt >= 60_000, (result.raise ?? 0) >= 70 else { return }
      setting = 60
      raisedAt = time
    } else if delta < 0 {
      setting += delta
      if setting < 60 {
        setting = 0
        pausedAt = time
      }
    } else if let raise = result.raise, time - raisedAt >= 30_000 {
      setting = min(160, setting + min(raise, 40))
      raisedAt = time
    }
  }
}

/// Knows nothing but `ev/limit`: takes what the house and the fullest line have left, up and down.
struct LimitCharger: SimulatedCharger {
  private var setting: Int64 = 0

  mutating func draw(at time: Int64) -> Int64 { setting }

  mutating func hear(_ feed: EVFeed, at now: Instant) {
    let limits = feed.limits(at: now)
    guard let watts = limits.headroom,
      let amperes = feed.measured?.lines.leastHeadroom(feed.settings)
    else { return }
    setting = min(setting + min(amperes, ChargerResult.amperes(watts, 690_000)), 160)
    if setting < 60 { setting = 0 }
  }
}

/// Does what `set_a` says, fifteen seconds later.
struct SlowCharger: SimulatedCharger {
  private var setting: Int64 = 0
  private var orders: [(at: Int64, setting: Int64)] = []

  mutating func draw(at time: Int64) -> Int64 {
    while let first = orders.first, first.at <= time {
      setting = first.setting
      orders.removeFirst()
    }
    return setting
  }

  mutating func hear(_ feed: EVFeed, at now: Instant) {
    guard let wanted = feed.results.first?.setting, wanted != (orders.last?.setting ?? setting)
    else { return }
    orders.append((now.monotonic + 15_000, wanted))
  }
}

/// November 2026 in a Norwegian house with a heat pump: a HAN port that tells currents and power every
/// ten seconds and registers once an hour, and a car that takes what it gets from 17 to 7 o'clock.
struct SimulatedMonth {
  static let step: Int64 = 10_000
  /// 1 November 2026, 00:00 in Oslo.
  static let start: Int64 = 1_793_487_600_000
  static let days: Int64 = 30

  /// Longest run of samples with a line above fuse less margin.
  private(set) var longestOverload = 0
  /// Energy to the car, W·ms.
  private(set) var delivered: Int64 = 0
  /// What could have gone there with foresight: within fuse and target, hour by hour, W·ms.
  private(set) var possible: Int64 = 0
  /// Highest hour of each day, W.
  private(set) var dayPeaks: [Int64] = []
  private(set) var feed: EVFeed

  private let appliances: Appliances
  private let target: Int64
  private var overload = 0
  private var hourEnergy: Int64 = 0
  private var hourHouse: Int64 = 0
  private var hourRoom: Int64 = 0
  private var register: Int64 = 12_345 * 3_600_000_000
  private var dayPeak: Int64 = 0

  init(seed: UInt64, target: Int64) {
    var options = HouseholdOptions()
    options.hasHeatPump = true
    appliances = Appliances(seed: seed, options: options)
    self.target = target
    var settings = EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000)
    settings.capacity = CapacitySettings(model: .norwegianSteps, target: target)
    settings.chargers = [
      ChargerSettings(
        name: "garage", connection: .all, minimum: 6000, maximum: 16_000, step: 1000,
        failsafe: 6000, hasDraw: true)
    ]
    feed = EVFeed(settings)
  }

  /// Lets the month pass.
  mutating func run(_ charger: inout some SimulatedCharger) {
    var time: Int64 = 0
    while time < Self.days * 86_400_000 {
      pass(at: time, &charger)
      time += Self.step
      if time % 3_600_000 == 0 { closeHour(isDayEnd: time % 86_400_000 == 0) }
    }
  }

  private mutating func pass(at time: Int64, _ charger: inout some SimulatedCharger) {
    let now = Instant(
      monotonic: time, utc: Self.start + time, offsetSeconds: 3600, isSynchronised: true)
    let load = appliances.load(at: now.utc / 1000)
    let hour = time / 3_600_000 % 24
    let isPlugged = hour >= 17 || hour < 7
    let draw = isPlugged ? charger.draw(at: time) : 0
    let carWatts = draw * 23
    var sample = MeterSample()
    var watts: Int64 = 0
    var isOver = false
    var free: Int64 = 160
    for line in 0..<3 {
      let total = load.watts[line] + carWatts
      watts += total
      let milliamperes = Self.current(total, load.vars[line])
      sample.set(.current(line), Decimal(mantissa: milliamperes, exponent: -3))
      if milliamperes > 24_000 { isOver = true }
      free = min(free, 240 - Self.current(load.watts[line], load.vars[line]) / 100 - 1)
    }
    sample.set(.importPower, Decimal(mantissa: max(watts, 0)))
    sample.set(.exportPower, Decimal(mantissa: 0))
    // The hourly list comes ten seconds into the hour and tells the full hour's register.
    if time % 3_600_000 == Self.step {
      sample.set(.importEnergy, Decimal(mantissa: register / 3_600_000))
      sample.set(.exportEnergy, Decimal(mantissa: 0))
    }
    note(watts: watts, car: carWatts * 3, room: isPlugged && free >= 60 ? free * 69 : 0, isOver)
    feed.note(draw: draw, ofCharger: 0, at: now)
    _ = feed.take(sample, at: now)
    _ = feed.pass(to: now)
    while feed.takeHour() != nil {}
    if isPlugged { charger.hear(feed, at: now) }
  }

  private static func current(_ watts: Int64, _ vars: Int64) -> Int64 {
    Int64(FixedPoint.squareRoot(UInt64(watts * watts + vars * vars) * 1_000_000)) / 230
  }

  private mutating func note(watts: Int64, car: Int64, room: Int64, _ isOver: Bool) {
    overload = isOver ? overload + 1 : 0
    longestOverload = max(longestOverload, overload)
    hourEnergy += watts * Self.step
    hourHouse += (watts - car) * Self.step
    hourRoom += room * Self.step
    delivered += car * Self.step
  }

  private mutating func closeHour(isDayEnd: Bool) {
    possible += max(0, min(hourRoom, target * 3_600_000 - hourHouse))
    dayPeak = max(dayPeak, hourEnergy / 3_600_000)
    register += hourEnergy
    hourEnergy = 0
    hourHouse = 0
    hourRoom = 0
    guard isDayEnd else { return }
    dayPeaks.append(dayPeak)
    dayPeak = 0
  }

  /// What the network company bills: the mean of the three highest hours of three days, W.
  var billed: Int64 { dayPeaks.sorted(by: >).prefix(3).reduce(0, +) / 3 }
}
