import MeterSimulator
import ModbusMeters
import OBISDecoder
import Testing

/// What the bus does when: rates, gaps, back-off, return.
@Suite("Bus and time") struct BusTimeTests {
  private let sdm630: MeterProfile

  init() throws {
    sdm630 = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
  }

  /// modbus.md §6.2 measured 357 ms on the wire; 15 per cent are ours.
  @Test func readsAnSDM630InTwoRequestsAndLittleMoreThanTheWireNeeds() {
    var faults = ModbusFaults()
    faults.baud = 9600
    faults.turnaroundMilliseconds = 40
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults)
    bus.run(untilReads: 1)
    let before = bus.requests
    bus.run(untilReads: 21)
    #expect(bus.requests - before == 40)
    for read in bus.reads.dropFirst() {
      #expect(read.cycle.endedAt - read.cycle.dueAt <= 410)
    }
    #expect(bus.master.lateCycles == 0)
  }

  @Test func keepsTheRateWhateverACycleTakes() {
    var bus = VirtualBus(sdm630, framing: .tcp)
    bus.run(milliseconds: 60_500)
    #expect((60...61).contains(bus.reads.count))
  }

  @Test func leavesTheLineSilentBetweenUnits() {
    var bus = VirtualBus(sdm630, framing: .rtu, units: [1, 2])
    bus.run(untilReads: 8)
    let order = bus.reads.map(\.unit)
    #expect(order == [0, 1, 0, 1, 0, 1, 0, 1])
    for (first, second) in zip(bus.reads, bus.reads.dropFirst()) where second.unit == 1 {
      // Another unit's turn: 100 ms, as the profile asks for.
      #expect(second.cycle.endedAt - first.cycle.endedAt >= 100)
    }
    #expect(bus.wrongValues == [])
  }

  @Test func isHardlyHeldUpByAUnitThatIsNotThere() {
    var bus = VirtualBus(sdm630, framing: .rtu, units: [1], absent: [7])
    bus.run(milliseconds: 600_000)
    #expect(bus.states.contains("silent 1"))
    #expect(!bus.states.contains("silent 0"))
    #expect(bus.openings == [0], "one unit's silence is not the line's")
    // Tried again with waits up to a minute: less than one cycle in ten is missed.
    #expect(bus.reads.count > 540)
    #expect(bus.reads.allSatisfy { $0.unit == 0 })
  }

  @Test func holdsOthersUpForOneTimeoutAtMostOnceAUnitIsKnownToBeSilent() {
    var bus = VirtualBus(sdm630, framing: .rtu, units: [1], absent: [7])
    bus.run(milliseconds: 600_000)
    let ends = bus.reads.map(\.cycle.endedAt).filter { $0 > 10_000 }
    let gaps = zip(ends, ends.dropFirst()).map { $1 - $0 }
    // The cycle's second, the timeout's, and the silences around another unit's turn.
    #expect((gaps.max() ?? .max) <= 2250)
    #expect(gaps.count { $0 > 1100 } <= 15, "waits grow to a minute")
  }

  @Test func readsAUnitThatComesBackAmongOthers() {
    var faults = ModbusFaults()
    faults.lostPercent = 100
    var bus = VirtualBus(sdm630, framing: .rtu, faults: faults, units: [1, 2])
    bus.run(milliseconds: 30_000)
    #expect(bus.states.contains("silent 0") && bus.states.contains("silent 1"))
    bus.responder.faults = ModbusFaults()
    bus.run(milliseconds: 70_000)
    #expect(Set(bus.reads.map(\.unit)) == [0, 1])
    #expect(bus.states.suffix(2) == ["reachable 0", "reachable 1"])
    #expect(bus.wrongValues == [])
  }

  @Test func backsOffAMinuteAtMostAndComesBack() {
    var bus = VirtualBus(sdm630, framing: .rtu)
    bus.run(untilReads: 5)
    bus.isPlugged = false
    let from = bus.openings.count
    bus.run(milliseconds: 400_000)
    #expect(bus.reads.count == 5)
    let tries = Array(bus.openings.dropFirst(from))
    let waits = zip(tries, tries.dropFirst()).map { $1 - $0 }
    #expect(waits.max() == 60_000)
    #expect(waits == waits.sorted())
    bus.isPlugged = true
    bus.master.retryNow()
    let back = bus.now
    bus.run(untilReads: 6)
    #expect(bus.now - back <= 1000, "a cycle behind the return")
    #expect(bus.reads[5].cycle.secrets.count == 1, "identified anew")
  }

  @Test func givesAGatewayTwoSecondsToAnswer() {
    var faults = ModbusFaults()
    faults.turnaroundMilliseconds = 1500
    var bus = VirtualBus(sdm630, framing: .tcp, faults: faults)
    bus.run(milliseconds: 60_000)
    #expect(bus.master.lostReplies == 0)
    #expect(bus.reads.count > 15)
  }

  @Test func opensTheLineAnewWhereNobodyAnswers() {
    var faults = ModbusFaults()
    faults.lostPercent = 100
    var bus = VirtualBus(sdm630, framing: .tcp, faults: faults)
    bus.run(milliseconds: 100_000)
    #expect(bus.states == ["reachable 0", "silent 0"])
    #expect(bus.openings.count > 3)
    bus.responder.faults = ModbusFaults()
    bus.run(untilReads: 1)
    #expect(bus.states == ["reachable 0", "silent 0", "reachable 0"])
    #expect(bus.now <= 100_000 + 62_000)
  }

  @Test func readsNothingOfAMeterThatVanishesInBetween() {
    var bus = VirtualBus(sdm630, framing: .tcp)
    bus.run(untilReads: 3)
    bus.responder.faults.lostPercent = 100
    bus.run(milliseconds: 30_000)
    #expect(bus.reads.count <= 4)
    #expect(bus.states.last == "silent 0")
  }
}
