import MeterSimulator
import ModbusMeters
import OBISDecoder
import Testing

/// Whole cycles against simulated meters with faults, in time that the test moves (modbus.md §10).
@Suite("Bus") struct BusTests {
  private let sdm630: MeterProfile

  init() throws {
    sdm630 = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
  }

  private func faults(_ change: (inout ModbusFaults) -> Void) -> ModbusFaults {
    var faults = ModbusFaults()
    change(&faults)
    return faults
  }

  // MARK: - Every profile

  @Test(arguments: CatalogueTests.ids, ModbusFraming.allCases)
  func readsEveryQuantityOf(id: String, framing: ModbusFraming) throws {
    let profile = try #require(MeterCatalogue(own: []).profile(id))
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(profile, framing: framing, seed: seed)
    bus.run(untilReads: 12)
    #expect(bus.reads.count == 12, "\(id), seed \(seed)")
    #expect(bus.wrongValues == [], "\(id), seed \(seed)")
    #expect(bus.reads.allSatisfy { $0.cycle.failedBlocks == 0 && $0.cycle.rejected == 0 })
    // Slow blocks come in turn: twelve cycles hold each.
    let shown = try #require(bus.responder.shown(unit: 1))
    let found = try #require(bus.responder.profile(unit: 1))
    let codes = Set(bus.reads.flatMap { $0.cycle.readings.map(\.code.rawValue) })
    for field in found.fields where shown[field.name] != nil {
      guard let quantity = field.quantity, !quantity.codes.isEmpty else { continue }
      #expect(
        quantity.codes.allSatisfy { codes.contains($0.rawValue) },
        "\(id) \(field.name), seed \(seed)")
    }
  }

  @Test func readsIdentifiersOnceBehindAConnection() {
    var bus = VirtualBus(sdm630, framing: .rtu)
    bus.run(untilReads: 3)
    #expect(bus.reads.map { $0.cycle.secrets.count } == [1, 0, 0])
  }

  // MARK: - Late, lost and damaged

  @Test(arguments: [700, 1200, 2500], [ModbusFraming.rtu, .tcp])
  func takesNoLateReplyForAnother(lateMilliseconds: Int, framing: ModbusFraming) {
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(
      sdm630, framing: framing,
      faults: faults {
        $0.latePercent = 10
        $0.lateMilliseconds = lateMilliseconds
      }, seed: seed)
    bus.run(untilReads: 200)
    #expect(bus.reads.count == 200, "seed \(seed)")
    #expect(bus.wrongValues == [], "seed \(seed)")
  }

  @Test(arguments: [700, 1200, 2500])
  func takesNoLateReplyForAnotherWhereBlocksAreEqual(lateMilliseconds: Int) throws {
    // 11 registers at most: more blocks than lengths.
    let em24 = try #require(MeterCatalogue(own: []).profile("carlo-gavazzi-em24"))
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(
      em24, framing: .rtu,
      faults: faults {
        $0.latePercent = 10
        $0.lateMilliseconds = lateMilliseconds
      }, seed: seed)
    bus.run(untilReads: 200)
    #expect(bus.reads.count == 200, "seed \(seed)")
    #expect(bus.wrongValues == [], "seed \(seed)")
  }

  @Test(arguments: [3300, 9000], ["eastron-sdm630", "carlo-gavazzi-em24", "sunspec-203"])
  func takesNoReplyForAnotherHoweverLate(lateMilliseconds: Int, id: String) throws {
    let profile = try #require(MeterCatalogue(own: []).profile(id))
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(
      profile, framing: .rtu,
      faults: faults {
        $0.latePercent = 10
        $0.lateMilliseconds = lateMilliseconds
      }, seed: seed)
    // Back-off makes a cycle of eleven requests rare: an hour has some.
    bus.run(untilReads: 100)
    #expect(!bus.reads.isEmpty, "seed \(seed)")
    #expect(bus.wrongValues == [], "seed \(seed)")
  }

  @Test(arguments: [1200, 2500, 4000])
  func takesNoLateReplyOfAnotherUnit(lateMilliseconds: Int) {
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(
      sdm630, framing: .rtu,
      faults: faults {
        $0.latePercent = 30
        $0.lateMilliseconds = lateMilliseconds
      }, units: [1, 2], absent: [3], seed: seed)
    bus.run(milliseconds: 400_000)
    #expect(Set(bus.reads.map(\.unit)) == [0, 1], "seed \(seed)")
    #expect(bus.wrongValues == [], "seed \(seed)")
  }

  @Test(arguments: [[0x00], [0xFF], [0x00, 0x01]] as [[UInt8]])
  func readsAllBehindStrayBytes(stray: [UInt8]) {
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults { $0.stray = stray })
    bus.run(milliseconds: 100_000)
    #expect(bus.master.lostReplies == 0)
    #expect(bus.reads.count >= 100)
    #expect(bus.wrongValues == [])
    #expect(bus.master.strayBytes >= UInt64(bus.requests * stray.count - stray.count))
  }

  @Test(arguments: [ModbusFraming.rtu, .tcp])
  func publishesNothingOfDamagedAndForeignReplies(framing: ModbusFraming) {
    let seed = UInt64.random(in: .min ... .max)
    var bus = VirtualBus(
      sdm630, framing: framing,
      faults: faults {
        // Over TCP nothing but the network's own checksum would notice.
        $0.corruptPercent = framing == .rtu ? 20 : 0
        $0.otherUnitPercent = 10
        $0.lostPercent = 10
        $0.busyPercent = 10
      }, seed: seed)
    bus.run(untilReads: 100)
    #expect(bus.reads.count == 100, "seed \(seed)")
    #expect(bus.wrongValues == [], "seed \(seed)")
  }

  // MARK: - What a meter refuses

  @Test func plansAroundAHoleWithinTwoCycles() {
    // Between apparent and reactive power: read through, as gaps of up to 20 are.
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults { $0.holes = [0x36...0x37] })
    bus.run(untilReads: 3)
    let counts = bus.reads.map(\.cycle.readings.count)
    #expect(Set(counts).count == 1)
    #expect(bus.reads[0].cycle.failedBlocks == 0)
    let before = bus.refusals
    #expect(before > 0)
    bus.run(untilReads: 13)
    #expect(bus.refusals == before, "it goes on asking for the hole")
    #expect(bus.wrongValues == [])
  }

  @Test func doesWithoutAValueThatTheMeterLacks() {
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults { $0.holes = [0x46...0x47] })
    bus.run(untilReads: 3)
    let frequency = OBISCode(1, 0, 14, 7, 0)
    let voltage = OBISCode(1, 0, 32, 7, 0)
    #expect(bus.reads.allSatisfy { !$0.cycle.readings.contains { $0.code == frequency } })
    #expect(bus.reads.allSatisfy { $0.cycle.readings.contains { $0.code == voltage } })
    #expect(bus.reads[2].cycle.failedBlocks == 0)
  }

  @Test func plansAroundRegistersThatStaySilent() {
    var bus = VirtualBus(
      sdm630, framing: .rtu, faults: faults { $0.silentHoles = [0x160...0x16B] })
    bus.run(untilReads: 40)
    #expect(bus.reads[0].cycle.failedBlocks == 1)
    #expect(bus.reads.suffix(3).allSatisfy { $0.cycle.failedBlocks == 0 })
    #expect(bus.reads.suffix(1).allSatisfy { !$0.cycle.readings.isEmpty })
    #expect(bus.wrongValues == [])
  }

  @Test func asksForLessWhereTheMeterTakesLess() {
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults { $0.mostRegisters = 30 })
    bus.run(untilReads: 3)
    #expect(bus.reads.count == 3)
    #expect(bus.reads[0].cycle.readings.count == bus.reads[2].cycle.readings.count)
    #expect(bus.wrongValues == [])
  }

  @Test func triesTheOtherTable() {
    var holding = sdm630
    for index in holding.fields.indices { holding.fields[index].register.function = .holding }
    holding.identify?.register.function = .holding
    holding.function = .holding
    holding.identifiers = []
    var bus = VirtualBus(holding, framing: .rtu, reads: sdm630)
    bus.run(untilReads: 2)
    #expect(bus.reads.count == 2)
    #expect(bus.wrongValues == [])
    #expect(bus.reads[0].cycle.readings.count > 40)
  }

  @Test func publishesNothingWhereACounterReadsZeroOnce() throws {
    let text = """
      [meter]
      vendor = "Ours"
      model = "Counter"
      function = 3
      [serial]
      [values]
      power = { at = 0, type = "int16", unit = "W" }
      energy_import = { at = 1, type = "uint32", unit = "kWh", scale = 0.01 }
      """
    let profile = try #require(ProfileReader.read(text, id: "ours", file: "ours.toml").profile)
    var session = MeterSession(profile, resyncs: true)
    var values: [String?] = []
    for (second, raw) in [911_348, 911_349, 0, 911_350].enumerated() {
      session.begin()
      #expect(session.request?.count == 3)
      session.answer([500, UInt16(raw >> 16), UInt16(raw & 0xFFFF)])
      guard case .read(let cycle) = session.finish(atMilliseconds: Int64(second) * 10_000) else {
        Issue.record("no cycle")
        return
      }
      values.append(
        cycle.readings.first { $0.code == OBISCode(1, 0, 1, 8, 0) }?.value.plain)
      #expect(cycle.readings.contains { $0.code == OBISCode(1, 0, 1, 7, 0) })
    }
    #expect(values == ["911348e1", "911349e1", nil, "91135e2"])
  }

  // MARK: - Who it is

  @Test func makesSureOfTheMeterBehindTwoLostReplies() throws {
    var bank = RegisterBank(sdm630, identity: MeterIdentity(seed: 1))
    var household = Household(seed: 1, options: HouseholdOptions(), start: 1_768_478_400_000)
    household.advance(to: 1_768_478_401_000)
    bank.show(household.state(identity: MeterIdentity(seed: 1)))
    let plan = MeterPlanner(sdm630).plan
    var session = MeterSession(sdm630, resyncs: true)
    session.begin()
    while let block = session.request { session.answer(try #require(bank.words(block))) }
    guard case .read = session.finish(atMilliseconds: 0) else {
      Issue.record("no cycle")
      return
    }
    session.begin()
    #expect(session.request == plan.fast[0], "a meter that was read is not asked who it is")
    session.answer(try #require(bank.words(plan.fast[0])))
    #expect(session.request == plan.fast[1])
    session.lose()
    #expect(session.request == plan.fast[1])
    session.lose()
    #expect(session.request == nil)
    guard case .read(let cycle) = session.finish(atMilliseconds: 1000) else {
      Issue.record("the block that was read is lost too")
      return
    }
    #expect(cycle.failedBlocks == 1)
    session.begin()
    #expect(session.request == plan.identity[0])
    while let block = session.request { session.answer(Array(repeating: 0, count: block.count)) }
    guard case .otherMeter = session.finish(atMilliseconds: 2000) else {
      Issue.record("a meter without voltage is taken for an SDM630")
      return
    }
  }

  @Test func refusesAnotherMeter() throws {
    let swapped = try #require(MeterCatalogue(own: []).profile("solaredge-se-mtr-3y"))
    var bus = VirtualBus(swapped, framing: .rtu, reads: sdm630)
    bus.run(milliseconds: 200_000)
    #expect(bus.reads.isEmpty)
    #expect(bus.states.contains("other 0"))
    // 1, 2, 4 … 60 s apart.
    #expect(bus.states.count { $0 == "other 0" } <= 9)
  }
}
