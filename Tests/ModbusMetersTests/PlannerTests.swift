import ModbusMeters
import OBISDecoder
import Testing

@Suite("Plans of requests")
struct PlannerTests {
  private func sdm630(maxRegisters: Int = 80) throws -> MeterProfile {
    var profile = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
    profile.limits.maxRegisters = maxRegisters
    return profile
  }

  private func counts(_ blocks: [ReadBlock]) -> [Int] { blocks.map(\.count) }

  @Test func takesThreeRequestsOfDifferentLengthAtSixtyRegisters() throws {
    let plan = MeterPlanner(try sdm630(maxRegisters: 60)).plan
    #expect(plan.fast.count == 3)
    #expect(Set(counts(plan.all)).count == plan.all.count)
    #expect(plan.resync == nil)
  }

  @Test func takesEvenStartsAndCountsWhereEveryNumberHasTwoRegisters() throws {
    for limit in [10, 12, 20, 60, 80] {
      for block in MeterPlanner(try sdm630(maxRegisters: limit)).plan.all {
        #expect(block.address % 2 == 0 && block.count % 2 == 0, "\(block)")
      }
    }
  }

  @Test func readsThroughAGapThatTheMeterAllows() throws {
    let values = """
      power = { at = 0, type = "int16", unit = "W" }
      frequency = { at = 21, type = "uint16", unit = "Hz" }
      """
    let profile = try Bench(.highFirst, values).profile
    #expect(counts(MeterPlanner(profile).plan.fast) == [22])
    var strict = profile
    strict.limits.maxGap = 19
    #expect(MeterPlanner(strict).plan.fast.count == 2)
  }

  @Test func crossesNoBarrier() throws {
    let profile = try Bench(
      .highFirst,
      """
      power = { at = 0, type = "int16", unit = "W" }
      frequency = { at = 5, type = "uint16", unit = "Hz" }
      """, more: "barriers = [3]"
    ).profile
    for block in MeterPlanner(profile).plan.all { #expect(!(block.range.dropFirst().contains(3))) }
    #expect(MeterPlanner(profile).plan.fast.count == 2)
  }

  @Test func readsSlowValuesApart() throws {
    let profile = try Bench(
      .highFirst,
      """
      power = { at = 0, type = "int16", unit = "W" }
      frequency = { at = 1, type = "uint16", unit = "Hz", group = "slow" }
      energy_import = { at = 2, type = "uint16", unit = "Wh" }
      energy_export = { at = 100, type = "uint16", unit = "Wh", group = "slow" }
      """
    ).profile
    let plan = MeterPlanner(profile).plan
    // The frequency lies between two fast values, and comes along.
    #expect(plan.fast == [ReadBlock(function: .holding, address: 0, count: 3)])
    #expect(plan.slow == [ReadBlock(function: .holding, address: 100, count: 1)])
  }

  @Test func asksForAResyncWhereLengthsCannotDiffer() throws {
    let profile = try Bench(
      .highFirst,
      """
      power = { at = 0, type = "int32", unit = "W" }
      frequency = { at = 50, type = "uint32", unit = "Hz" }
      """, more: ""
    ).profile
    var strict = profile
    strict.limits.maxGap = 0
    let plan = MeterPlanner(strict).plan
    #expect(counts(plan.fast) == [2, 2])
    #expect(plan.resync == ReadBlock(function: .holding, address: 0, count: 1))
  }

  // MARK: - Holes

  /// A meter with unreadable addresses: reads a plan the way the agent does.
  private struct Meter {
    let holes: Set<Int>
    var limit = 125
    var requests = 0

    /// What of a cycle is read, refused blocks asked for again in parts.
    mutating func cycle(_ planner: inout MeterPlanner) -> Set<Int> {
      var read: Set<Int> = []
      var queue = planner.plan.fast + planner.plan.slow
      while !queue.isEmpty, requests < 1000 {
        let block = queue.removeFirst()
        requests += 1
        if block.count > limit {
          queue = planner.refuse(block, because: .illegalValue) + queue
        } else if block.range.contains(where: holes.contains) {
          queue = planner.refuse(block, because: .illegalAddress) + queue
        } else {
          read.formUnion(block.range)
        }
      }
      return read
    }
  }

  private func registers(_ profile: MeterProfile) -> Set<Int> {
    Set(profile.fields.flatMap(\.ranges).flatMap { $0 })
  }

  @Test func readsEverythingElseInTheCycleThatMeetsAHole() throws {
    let profile = try sdm630()
    var planner = MeterPlanner(profile)
    // 40 lies in the longest gap, 68 in another.
    for hole in [40, 68] {
      var meter = Meter(holes: [hole])
      #expect(meter.cycle(&planner).isSuperset(of: registers(profile)))
      meter.requests = 0
      #expect(meter.cycle(&planner).isSuperset(of: registers(profile)))
      #expect(meter.requests == planner.plan.fast.count)
    }
    #expect(planner.plan.fast.count <= 5)
  }

  @Test func parksAValueThatTheMeterDoesNotHave() throws {
    let profile = try sdm630()
    var planner = MeterPlanner(profile)
    var meter = Meter(holes: [74])
    let missing = registers(profile).subtracting(meter.cycle(&planner))
    #expect(missing == [74, 75])
    #expect(planner.parkedCount == 1)
    meter.requests = 0
    _ = meter.cycle(&planner)
    #expect(meter.requests == planner.plan.fast.count)
    planner.unpark()
    #expect(planner.parkedCount == 0)
  }

  @Test func fallsBackToTheRegistersThatTheMeterTakes() throws {
    let profile = try sdm630()
    var planner = MeterPlanner(profile)
    var meter = Meter(holes: [], limit: 10)
    #expect(meter.cycle(&planner).isSuperset(of: registers(profile)))
    #expect(planner.plan.fast.allSatisfy { $0.count <= 10 })
  }

  @Test func endsEvenWhereNothingCanBeRead() throws {
    let profile = try sdm630()
    var planner = MeterPlanner(profile)
    var meter = Meter(holes: Set(0..<65536))
    #expect(meter.cycle(&planner) == [])
    #expect(planner.parkedCount == profile.fields.count)
    #expect(meter.requests < 200)
    #expect(planner.plan.fast == [])
  }

  @Test func triesTheOtherTableOnce() throws {
    let profile = try sdm630()
    var planner = MeterPlanner(profile)
    let block = try #require(planner.plan.fast.first)
    let parts = planner.refuse(block, because: .illegalFunction)
    #expect(parts.allSatisfy { $0.function == .holding })
    #expect(planner.profile.fields.allSatisfy { $0.register.function == .holding })
    let next = try #require(parts.first)
    _ = planner.refuse(next, because: .illegalFunction)
    #expect(planner.profile.fields.allSatisfy { $0.register.function == .holding })
  }
}
