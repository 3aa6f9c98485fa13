import OBISDecoder
import Testing

@testable import ChargingFeed

/// Every vector of the design that is the feed's; E1 is `EnodeSignature`'s.
@Suite(.enabled(if: !EVVectors.all.isEmpty, "no ../shared/ev/vectors.json here: skipped"))
struct VectorTests {
  typealias Case = EVVectors.Case

  @Test func thereAre46AndEachIsTested() {
    #expect(EVVectors.all.count == 46)
    let tested: Set = [
      "headroom", "headroom signed", "headroom magnitude only", "1-phase export", "overload",
      "it_l2", "monthly", "step", "h_allowed", "h_allowed margin .1", "m_min lost step",
      "m_min first day 6 kW", "interval", "BE 1.4.0", "combine TN3 charger",
      "combine 1P L1 charger", "hold60 @10s", "be_annual", "smartevse", "smartevse5", "set_a",
      "swedish variants", "enode_signature",
    ]
    #expect(Set(EVVectors.all.map(\.function)) == tested)
  }

  @Test(
    arguments: EVVectors.of(
      "headroom", "headroom signed", "headroom magnitude only", "1-phase export", "overload"))
  func headroomIsEqual(vector: Case) throws {
    let isSingle = vector.fields["grid"] as? String == "1P"
    let settings = EVSettings(
      grid: .tn, phases: isSingle ? 1 : 3, fuse: try #require(vector.thousandths("fuse_a")),
      margin: try #require(vector.thousandths("margin_a")))
    var sample = MeterSample()
    let amounts = vector.list(vector.fields["i"] == nil ? "i_abs" : "i")
    for (line, amount) in amounts.enumerated() { sample.currents[line] = amount }
    for (line, power) in EVVectors.list(vector.fields["p"]).enumerated() {
      sample.lineImports[line] = max(power, 0) / 1000
      sample.lineExports[line] = max(-power, 0) / 1000
    }
    sample.exportPower = EVVectors.scaled(vector.fields["p_export_w"], 1)
    let lines = try #require(LineCurrents(sample, settings))
    let expected = vector.expectedFields
    for (index, name) in ["l1", "l2", "l3"].enumerated() {
      let free = expected["h"] as? [String: Any]
      #expect(lines.headroom[index] == EVVectors.scaled(free?[name], 10), "\(name)")
      if expected["i"] != nil, index < amounts.count {
        #expect(lines.amounts[index] == EVVectors.list(expected["i"])[index])
      }
    }
    for connection in Connection.allCases {
      guard let tenths = EVVectors.scaled(expected[connection.rawValue], 10) else { continue }
      #expect(lines.headroom(for: connection) == tenths, "\(connection)")
    }
    if let delta = EVVectors.scaled(expected["delta"], 10) {
      #expect(lines.leastHeadroom(settings) == delta)
    }
  }

  @Test(arguments: EVVectors.of("it_l2"))
  func hiddenLineIsEqual(vector: Case) throws {
    var settings = EVSettings(
      grid: .it, phases: 3, fuse: try #require(vector.thousandths("fuse_a")),
      margin: try #require(vector.thousandths("margin_a")))
    settings.estimateMargin = try #require(vector.thousandths("it_l2_margin_a"))
    var sample = MeterSample()
    sample.currents = LineValues(vector.thousandths("i1"), nil, vector.thousandths("i3"))
    if let power = EVVectors.scaled(vector.fields["p_w"], 1) {
      sample.importPower = max(power, 0)
      sample.exportPower = max(-power, 0)
    }
    sample.reactiveImport = EVVectors.scaled(vector.fields["q_var"], 1)
    sample.voltages.l1 = vector.thousandths("u")
    let line = HiddenLine(
      first: try #require(vector.thousandths("i1")), third: try #require(vector.thousandths("i3")),
      sample: sample, isWorst: false)
    let expected = vector.expectedFields
    // The vectors give two decimals.
    func hundredths(_ milliamperes: Int64) -> Int64 { FixedPoint.nearest(milliamperes, over: 10) }
    #expect(hundredths(line.current) == EVVectors.scaled(expected["est"], 100))
    #expect(hundredths(line.worst) == EVVectors.scaled(expected["worst"], 100))
    #expect(line.bounds.lowerBound == EVVectors.thousandths(expected["lo"]))
    #expect(line.bounds.upperBound == EVVectors.thousandths(expected["hi"]))
    #expect("\(line.quality.name)" == expected["quality"] as? String)
    let lines = try #require(LineCurrents(sample, settings))
    for (index, name) in ["l1", "l2", "l3"].enumerated() {
      let free = expected["h"] as? [String: Any]
      #expect(lines.headroom[index] == EVVectors.scaled(free?[name], 10), "\(name)")
    }
    for connection in [Connection.l1l3, .l1l2, .all] {
      let tenths = EVVectors.scaled(expected[connection.rawValue], 10)
      #expect(lines.headroom(for: connection) == tenths, "\(connection)")
    }
  }

  @Test(arguments: EVVectors.of("step", "monthly"))
  func stepIsEqual(vector: Case) throws {
    let settings = CapacitySettings(model: .norwegianSteps, target: 5000)
    var watts = EVVectors.thousandths(vector.input)
    var expected = EVVectors.list(vector.expected)
    if vector.function == "monthly" {
      var record = PeakRecord()
      let days = try #require(vector.fields["day_max"] as? [String: Any])
      for (day, value) in days {
        let hour = try closedHour(day + "T17", kilowatts: value)
        record.take(hour, settings)
      }
      let value = record.value(settings)
      #expect(value == EVVectors.scaled(vector.expectedFields["value_kw"], 1_000_000))
      watts = value / 1000
      expected = EVVectors.list(vector.expectedFields["step"])
    }
    let step = settings.step(of: try #require(watts))
    #expect([Int64(step.number) * 1000, step.from, step.to ?? 0] == expected)
  }

  /// An hour named by its local start, `2026-11-03T18`, at UTC.
  private func closedHour(_ name: String, kilowatts: Any) throws -> ClosedSlot {
    let parts = name.split { $0 == "-" || $0 == "T" }.compactMap { Int64($0) }
    try #require(parts.count == 4)
    let days = MeterTime.daysSince1970(year: parts[0], month: parts[1], day: parts[2])
    let start = (days * 24 + parts[3]) * 3_600_000
    var slot = EnergySlot(
      start: start, length: 3_600_000, place: LocalPlace(utc: start, offsetSeconds: 0))
    slot.add(
      imported: try #require(EVVectors.thousandths(kilowatts)) * 3_600_000, exported: 0,
      .integrated)
    return ClosedSlot(slot, closing: Registers())
  }

  @Test(
    arguments: EVVectors.of(
      "h_allowed", "h_allowed margin .1", "m_min lost step", "m_min first day 6 kW"))
  func allowanceIsEqual(vector: Case) throws {
    var settings = CapacitySettings(
      model: .norwegianSteps, target: try #require(vector.thousandths("U")))
    settings.margin = vector.thousandths("margin") ?? 0
    if let policy = vector.fields["policy"] as? String {
      settings.policy = try #require(CapacitySettings.Policy(rawValue: policy))
    }
    // C6 has no policy but says what "average" gives.
    if vector.id == "C6" { settings.policy = .average }
    let others = vector.list("others").sorted(by: >)
    let allowance = Allowance(
      others: others, today: try #require(vector.thousandths("today")), settings)
    if let allowed = EVVectors.thousandths(vector.expected) {
      #expect(allowance.allowed == allowed)
      return
    }
    let expected = vector.expectedFields
    #expect(allowance.allowed == EVVectors.thousandths(expected["h_allowed"]))
    #expect(allowance.bound == EVVectors.thousandths(expected["U_effective"]))
    #expect(allowance.unavoidable == EVVectors.scaled(expected["m_min"], 1_000_000))
  }

  @Test(arguments: EVVectors.of("interval", "BE 1.4.0"))
  func intervalIsEqual(vector: Case) throws {
    var allowed = vector.thousandths("h_kw")
    var energy = EVVectors.scaled(vector.fields["e_kwh"], 3_600_000_000)
    let length = try #require(vector.thousandths("T"))
    if let demand = EVVectors.scaled(vector.fields["obis_1_4_0_kw"], 1000) {
      var slot = EnergySlot(
        start: 0, length: length, place: LocalPlace(utc: 0, offsetSeconds: 0))
      slot.demand = demand * length
      energy = slot.importSoFar.energy
      #expect(energy == EVVectors.scaled(vector.expectedFields["e_kwh"], 3_600_000_000))
      var belgian = CapacitySettings(model: .belgianQuarter, target: 1000)
      belgian.floor = 2500
      allowed =
        Allowance(highest: try #require(vector.thousandths("obis_1_6_0_kw")), belgian).allowed
    }
    try check(
      SlotBudget(
        length: length, elapsed: try #require(vector.thousandths("tau")),
        energy: try #require(energy), power: try #require(EVVectors.scaled(vector.fields["p_w"], 1))
      ), allowed: try #require(allowed),
      guardTime: vector.thousandths("guard") ?? 120_000,
      fusePower: try #require(EVVectors.scaled(vector.fields["fuse_w"], 1)),
      expected: vector.expectedFields)
  }

  private func check(
    _ budget: SlotBudget, allowed: Int64, guardTime: Int64, fusePower: Int64,
    expected: [String: Any]
  ) throws {
    #expect(budget.average == EVVectors.thousandths(expected["avg_kw"]))
    #expect(budget.projected == EVVectors.thousandths(expected["projected_kw"]))
    let power = budget.power(for: allowed, guardTime: guardTime)
    #expect(power == EVVectors.scaled(expected["allow_w"], 1))
    let limits = ImportLimits(fusePower: fusePower, soft: power, power: budget.power)
    #expect(limits.maximum == EVVectors.scaled(expected["limit_w"], 1))
    #expect(limits.headroom == EVVectors.scaled(expected["headroom_w"], 1))
  }

  @Test(arguments: EVVectors.of("combine TN3 charger", "combine 1P L1 charger"))
  func deltaIsEqual(vector: Case) throws {
    let settings = EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000)
    let isThree = vector.function.contains("TN3")
    var headroom = EVVectors.scaled(vector.fields["headroom_w"], 1)
    if let slot = vector.fields["interval"] as? [String: Any] {
      let budget = SlotBudget(
        length: try #require(EVVectors.thousandths(slot["T"])),
        elapsed: try #require(EVVectors.thousandths(slot["tau"])),
        energy: try #require(EVVectors.scaled(slot["e_kwh"], 3_600_000_000)),
        power: try #require(EVVectors.scaled(slot["p_w"], 1)))
      let allowed = try #require(EVVectors.thousandths(slot["h_kw"]))
      try check(
        budget, allowed: allowed, guardTime: 120_000, fusePower: settings.fusePower,
        expected: try #require(vector.expectedFields["iv"] as? [String: Any]))
      headroom =
        ImportLimits(
          fusePower: settings.fusePower, soft: budget.power(for: allowed, guardTime: 120_000),
          power: budget.power
        ).softHeadroom
    }
    let capacity = ChargerResult.amperes(
      try #require(headroom), settings.milliwattsPerAmpere(of: isThree ? .all : .l1))
    #expect(capacity == EVVectors.scaled(vector.expectedFields["cap_delta_a"], 10))
    let fuse = try #require(EVVectors.scaled(vector.fields[isThree ? "h_min" : "h"], 10))
    #expect(min(fuse, capacity) == EVVectors.scaled(vector.expectedFields["delta"], 10))
  }

  @Test(arguments: EVVectors.of("hold60 @10s"))
  func raiseWindowIsEqual(vector: Case) throws {
    var window = RaiseWindow(seconds: try #require(EVVectors.scaled(vector.fields["hold_s"], 1)))
    let values = try #require(vector.fields["h"] as? [Any])
    let expected = try #require(vector.expected as? [[String: Any]])
    #expect(values.count == expected.count)
    for (value, result) in zip(values, expected) {
      let time = try #require(EVVectors.thousandths(result["t"]))
      window.take(EVVectors.scaled(value, 10), at: time)
      #expect(window.least(at: time) == EVVectors.scaled(result["raise_a"], 10), "t=\(time)")
    }
  }

  @Test(arguments: EVVectors.of("be_annual"))
  func yearlyMeanIsEqual(vector: Case) {
    let months = EVVectors.list(vector.input)
    let mean = PeakRecord.yearlyMean(ofMonths: months, floor: 2500)
    #expect(mean == EVVectors.scaled(vector.expected, 1_000_000))
  }

  @Test(arguments: EVVectors.of("smartevse", "smartevse5"))
  func smartEVSEIsEqual(vector: Case) throws {
    var sample = MeterSample()
    let signed = vector.fields.isEmpty ? EVVectors.list(vector.input) : vector.list("i")
    for (line, amount) in signed.enumerated() {
      sample.currents[line] = abs(amount)
      // What makes a current negative: the phase exports.
      sample.lineExports[line] = amount < 0 ? 100 : 0
    }
    if let power = EVVectors.scaled(vector.fields["p_w"], 1) {
      sample.importPower = max(power, 0)
      sample.exportPower = max(-power, 0)
      sample.importEnergy = EVVectors.scaled(vector.fields["e_wh"], 3_600_000)
    }
    var feed = EVFeed(EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000))
    _ = feed.take(sample, at: moment(0))
    let payload = text { feed.writeSmartEVSE(to: &$0) }
    #expect(payload == vector.expected as? String)
  }

  @Test(arguments: EVVectors.of("set_a"))
  func setPointIsEqual(vector: Case) throws {
    let charger = ChargerSettings(
      name: "garage", connection: .all, minimum: 6000, maximum: 16_000, step: 1000,
      failsafe: 6000, hasDraw: true)
    var point = SetPoint()
    let isFresh = vector.fields["fresh"] as? Bool ?? true
    let setting = point.update(
      draw: isFresh ? EVVectors.scaled(vector.fields["draw"], 10) : nil,
      delta: EVVectors.scaled(vector.fields["delta"], 10),
      raise: EVVectors.scaled(vector.fields["raise_a"], 10), charger, at: 100_000)
    #expect(setting == EVVectors.scaled(vector.expected, 10))
  }

  @Test(arguments: EVVectors.of("swedish variants"))
  func swedishVariantsAreEqual(vector: Case) throws {
    let hours = try #require(vector.fields["hours"] as? [[Any]])
    var night = CapacitySettings(model: .peaks, target: 5000)
    night.weights = [
      CapacitySettings.Weight(hours: TariffHours(from: 22 * 60, to: 6 * 60), thousandths: 500)
    ]
    var window = CapacitySettings(model: .peaks, target: 5000)
    window.windows = [
      TariffHours(
        months: [11, 12, 1, 2, 3], weekdays: [1, 2, 3, 4, 5], from: 6 * 60, to: 20 * 60)
    ]
    var single = CapacitySettings(model: .peaks, target: 5000)
    single.peakCount = 1
    single.distinct = .none
    for (name, settings) in [("half_night", night), ("window", window), ("single", single)] {
      var record = PeakRecord()
      for hour in hours {
        record.take(try closedHour(hour[0] as? String ?? "", kilowatts: hour[1]), settings)
      }
      // The vectors give four decimals of a kilowatt.
      let tenths = FixedPoint.nearest(record.value(settings), over: 100)
      #expect(tenths == EVVectors.scaled(vector.expectedFields[name], 10_000), "\(name)")
    }
  }
}
