import ChargingFeed
import Foundation
import OBISDecoder
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// A charger of 11 kW on three phases that hears nothing but what a broker gives it; tenths of an ampere,
/// milliseconds of the simulated time.
private protocol ListeningCharger {
  /// What it draws at a moment.
  mutating func draw(at time: Int64) -> Int64
  /// It hears `ev/charger/garage` and `ev/limit` of one sample.
  mutating func hear(_ charger: ChargingDocument, _ limit: ChargingDocument, at time: Int64)
}

/// The parts of the feed's documents that chargers use (docs/topics.md, "The charging feed").
private struct ChargingDocument: Decodable {
  struct Hard: Decodable { var headroom_a: Double? }

  var seq: UInt64
  var state: String
  var delta_a: Double?
  var raise_a: Double?
  var set_a: Double?
  var headroom_w: Double?
  var hard: Hard?

  static func tenths(_ amperes: Double?) -> Int64? {
    amperes.map { Int64(($0 * 10).rounded(.down)) }
  }
}

/// Obeys the consumer contract: reduces at once and once a sample, raises by at most 4 A every 30 s, pauses
/// a minute.
private struct ContractCharger: ListeningCharger {
  private var setting: Int64 = 0
  private var sequence: UInt64 = 0
  private var raisedAt = Int64.min / 2
  private var pausedAt = Int64.min / 2

  mutating func draw(at time: Int64) -> Int64 { setting }

  mutating func hear(_ charger: ChargingDocument, _ limit: ChargingDocument, at time: Int64) {
    guard charger.state == "ok", charger.seq != sequence,
      let delta = ChargingDocument.tenths(charger.delta_a)
    else { return }
    sequence = charger.seq
    let raise = ChargingDocument.tenths(charger.raise_a)
    if setting == 0 {
      guard time - pausedAt >= 60_000, let raise, raise >= 70 else { return }
      setting = 60
      raisedAt = time
    } else if delta < 0 {
      setting += delta
      if setting < 60 {
        setting = 0
        pausedAt = time
      }
    } else if let raise, time - raisedAt >= 30_000 {
      setting = min(160, setting + min(raise, 40))
      raisedAt = time
    }
  }
}

/// Knows nothing but `ev/limit`: takes what the house and the fullest line have left, up and down.
private struct LimitCharger: ListeningCharger {
  private var setting: Int64 = 0

  mutating func draw(at time: Int64) -> Int64 { setting }

  mutating func hear(_ charger: ChargingDocument, _ limit: ChargingDocument, at time: Int64) {
    guard limit.state == "ok", let watts = limit.headroom_w,
      let amperes = ChargingDocument.tenths(limit.hard?.headroom_a)
    else { return }
    let free = Int64((watts / 69).rounded(.down))
    setting = min(setting + min(amperes, free), 160)
    if setting < 60 { setting = 0 }
  }
}

/// Does what `set_a` says, fifteen seconds later.
private struct SlowCharger: ListeningCharger {
  private var setting: Int64 = 0
  private var orders: [(at: Int64, setting: Int64)] = []

  mutating func draw(at time: Int64) -> Int64 {
    while let first = orders.first, first.at <= time {
      setting = first.setting
      orders.removeFirst()
    }
    return setting
  }

  mutating func hear(_ charger: ChargingDocument, _ limit: ChargingDocument, at time: Int64) {
    guard let wanted = ChargingDocument.tenths(charger.set_a),
      wanted != (orders.last?.setting ?? setting)
    else { return }
    orders.append((time + 15_000, wanted))
  }
}

/// An agent with a P1 port and a real broker, a Norwegian house with a heat pump, and a car from 17 to 7
/// o'clock; a sample every ten seconds of simulated time, each answered before the next is sent.
private final class BrokerLoop {
  static let step: Int64 = 10_000
  /// 1 November 2026, 00:00 in Oslo.
  static let midnight: Int64 = 1_793_487_600_000
  static let target: Int64 = 10_000

  private(set) var longestOverload = 0
  /// W·ms to the car, and what fuse and target would have allowed with foresight.
  private(set) var delivered: Int64 = 0
  private(set) var possible: Int64 = 0
  private(set) var samples = 0
  private var dayPeaks: [Int64: Int64] = [:]

  private let bench: AgentBench
  private let broker = Broker()
  private let subscriber: RawSubscriber
  private let appliances: Appliances
  private var overload = 0
  private var register: Int64 = 12_345 * 3_600_000_000
  private var hour = (energy: Int64(0), house: Int64(0), room: Int64(0))
  private var sequence: UInt64 = 0

  init(seed: UInt64, start: Int64) throws {
    var options = HouseholdOptions()
    options.hasHeatPump = true
    appliances = Appliances(seed: seed, options: options)
    broker.start()
    bench = try AgentBench(at: start)
    bench.configuration.timeZone = try #require(TimeZoneRule(named: "Europe/Oslo"))
    var settings = EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000)
    settings.capacity = CapacitySettings(model: .norwegianSteps, target: Self.target)
    settings.chargers = [
      ChargerSettings(
        name: "garage", connection: .all, minimum: 6000, maximum: 16_000, step: 1000,
        failsafe: 6000, hasDraw: true)
    ]
    bench.configuration.charging = Configuration.Charging(
      settings: settings, meter: 0, drawTopics: ["garage/draw"])
    bench.addBroker(broker.port)
    try bench.start()
    _ = try bench.grant(.house())
    try bench.connect()
    subscriber = try #require(RawSubscriber(port: broker.port))
  }

  func run(hours: Int, _ charger: inout some ListeningCharger) throws {
    let start = bench.time.milliseconds
    for number in 0..<(Int64(hours) * 3_600_000 / Self.step) {
      let now = start + number * Self.step
      if now % 3_600_000 == 0, number > 0 { closeHour(before: now) }
      try pass(at: now, &charger)
    }
    closeHour(before: start + Int64(hours) * 3_600_000)
  }

  private func pass(at now: Int64, _ charger: inout some ListeningCharger) throws {
    let load = appliances.load(at: now / 1000)
    let oclock = (now - Self.midnight) / 3_600_000 % 24
    let isPlugged = oclock >= 17 || oclock < 7
    let draw = isPlugged ? charger.draw(at: now) : 0
    try say(draw: draw)
    var watts: Int64 = 0
    var currents: [Int64] = []
    var free: Int64 = 160
    for line in 0..<3 {
      let total = load.watts[line] + draw * 23
      watts += total
      currents.append(Self.current(total, load.vars[line]))
      free = min(free, 240 - Self.current(load.watts[line], load.vars[line]) / 100 - 1)
    }
    overload = currents.contains { $0 > 24_000 } ? overload + 1 : 0
    longestOverload = max(longestOverload, overload)
    hour.energy += watts * Self.step
    hour.house += (watts - draw * 69) * Self.step
    hour.room += (isPlugged && free >= 60 ? free * 69 : 0) * Self.step
    delivered += draw * 69 * Self.step
    samples += 1
    bench.advance(to: now)
    let heard = try exchange(telegram(at: now, watts, currents))
    if isPlugged { charger.hear(heard.charger, heard.limit, at: now) }
  }

  private static func current(_ watts: Int64, _ vars: Int64) -> Int64 {
    Int64((Double(watts * watts + vars * vars).squareRoot() * 1000 / 230).rounded(.down))
  }

  private func closeHour(before end: Int64) {
    possible += max(0, min(hour.room, Self.target * 3_600_000 - hour.house))
    let day = (end - 1 - Self.midnight) / 86_400_000
    dayPeaks[day] = max(dayPeaks[day] ?? 0, hour.energy / 3_600_000)
    register += hour.energy
    hour = (0, 0, 0)
  }

  /// What the network company bills: the mean of the three highest hours of three days, W.
  var billed: Int64 { dayPeaks.values.sorted(by: >).prefix(3).reduce(0, +) / 3 }

  // MARK: - On the wires

  /// The registers come ten seconds into the hour, as a HAN port sends them.
  private func telegram(at now: Int64, _ watts: Int64, _ currents: [Int64]) -> [UInt8] {
    var lines = [#"/TST5\2CLOSED-LOOP"#, ""]
    lines.append("1-0:1.7.0(\(Self.decimal(max(watts, 0)))*kW)")
    lines.append("1-0:2.7.0(0.000*kW)")
    for (line, current) in currents.enumerated() {
      lines.append("1-0:\(31 + 20 * line).7.0(\(Self.decimal(current))*A)")
    }
    if now % 3_600_000 == Self.step {
      lines.append("1-0:1.8.0(\(Self.decimal(register / 3_600_000))*kWh)")
      lines.append("1-0:2.8.0(0.000*kWh)")
    }
    let body = Array((lines.joined(separator: "\r\n") + "\r\n!").utf8)
    return body + Array((P1Checksum.text(of: body) + "\r\n").utf8)
  }

  private static func decimal(_ thousandths: Int64) -> String {
    "\(thousandths / 1000)." + "\(1000 + thousandths % 1000)".dropFirst()
  }

  /// Publishes what the charger draws, and waits until the broker has passed it on.
  private func say(draw: Int64) throws {
    subscriber.publish(topic: "garage/draw", payload: "\(draw / 10).\(draw % 10)")
    try turn { $0.contains { $0.topic == "garage/draw" } }
  }

  private func exchange(
    _ bytes: [UInt8]
  ) throws -> (charger: ChargingDocument, limit: ChargingDocument) {
    bench.meters[0].send(bytes)
    var charger: ChargingDocument?
    var limit: ChargingDocument?
    try turn { packets in
      for packet in packets {
        let data = Data(packet.payload.utf8)
        switch packet.topic {
        case "meter/home/ev/charger/garage":
          charger = try JSONDecoder().decode(ChargingDocument.self, from: data)
        case "meter/home/ev/limit":
          limit = try JSONDecoder().decode(ChargingDocument.self, from: data)
        default: break
        }
      }
      return charger?.seq == sequence + 1 && limit?.seq == sequence + 1
    }
    sequence += 1
    return (try #require(charger), try #require(limit))
  }

  /// Turns agent and subscriber until what has come is enough.
  private func turn(until isEnough: ([RawSubscriber.Packet]) throws -> Bool) throws {
    let end = GatewayClock.monotonicMilliseconds() + 10_000
    while try !isEnough(subscriber.take()) {
      try #require(GatewayClock.monotonicMilliseconds() < end, "sample \(samples)")
      bench.loop.turn(waitingAtMost: 0)
    }
  }
}

/// The bars of issue 6 through decoder, gates, a real mosquitto and chargers that know MQTT alone.
///
/// An hour of an evening; `GATEWAY_LOOP_DAYS=30` runs a month, which has a bill.
@Suite(.serialized, .enabled(if: Broker.isInstalled, "mosquitto is not installed"))
struct ClosedLoopTests {
  private static let days = ProcessInfo.processInfo.environment["GATEWAY_LOOP_DAYS"]
    .flatMap { Int($0) }

  private func expectBars(_ charger: some ListeningCharger, _ name: String) throws {
    var charger = charger
    let start = BrokerLoop.midnight + (Self.days == nil ? 17 * 3_600_000 : 0)
    let loop = try BrokerLoop(seed: 7, start: start)
    try loop.run(hours: Self.days.map { $0 * 24 } ?? 1, &charger)
    let share = loop.possible == 0 ? 0 : loop.delivered * 1000 / loop.possible
    let what =
      "\(name): \(loop.samples) samples, \(loop.delivered / 3_600_000_000) kWh, \(share) per mille of "
      + "foresight, billed \(loop.billed) W, longest overload \(loop.longestOverload) samples"
    if Self.days != nil { print(what) }
    #expect(loop.longestOverload <= 2, "\(what)")
    // In an hour the first minutes weigh: no raise before a full window, and 4 A at a time.
    #expect(share >= (Self.days == nil ? 900 : 950), "\(what)")
    // The bill is the mean of three days.
    if let days = Self.days, days >= 3 { #expect(loop.billed < BrokerLoop.target, "\(what)") }
  }

  @Test func aChargerThatObeysTheContractStaysWithinFuseAndStep() throws {
    try expectBars(ContractCharger(), "contract")
  }

  @Test func aChargerThatOnlyKnowsLimitsStaysWithinFuseAndStep() throws {
    try expectBars(LimitCharger(), "limits")
  }

  @Test func aSlowChargerStaysWithinFuseAndStep() throws {
    try expectBars(SlowCharger(), "slow")
  }
}
