import OBISDecoder
import Testing

@testable import MeterSimulator

struct HouseholdTests {
  /// 2026-01-15 13:30:07.250 UTC: not on a second's edge.
  static let start: Int64 = 1_768_483_807_250

  static func options(phases: Int = 3) -> HouseholdOptions {
    var options = HouseholdOptions()
    options.phases = phases
    options.hasCharger = true
    options.hasSolar = true
    options.hasHeatPump = true
    options.hasSubMeters = true
    return options
  }

  @Test(arguments: [1, 3]) func energyIsTheIntegralOfPower(phases: Int) {
    var home = Household(seed: 11, options: Self.options(phases: phases), start: Self.start)
    let before = home.millijoules
    var imported: Int64 = 0
    var exported: Int64 = 0
    for _ in 0..<20_000 {
      let watts = home.power.watts.wrappedSum()
      let end = (home.now / 1000 + 1) * 1000
      imported += max(watts, 0) * (end - home.now)
      exported += max(-watts, 0) * (end - home.now)
      home.advance(to: end)
    }
    #expect(home.millijoules.imported - before.imported == imported)
    #expect(home.millijoules.exported - before.exported == exported)
    #expect(imported > 0)
  }

  @Test func stepsOfAnyLengthGiveTheSameRegisters() {
    var fine = Household(seed: 12, options: Self.options(), start: Self.start)
    var coarse = fine
    let end = Self.start + 7_200_000
    while fine.now < end { fine.advance(to: min(fine.now + 737, end)) }
    coarse.advance(to: end)
    #expect(fine.millijoules == coarse.millijoules)
    let identity = MeterIdentity(seed: 12)
    let (left, right) = (fine.state(identity: identity), coarse.state(identity: identity))
    #expect(left.values == right.values)
    #expect(left.subMeters.map(\.value) == right.subMeters.map(\.value))
    #expect(left.monthPeak == right.monthPeak)
  }

  @Test func registersNeverGoBackAndBothDirectionsMove() {
    // From the longest day's morning on, so that the sun feeds in.
    let start: Int64 = 1_782_021_600_000
    var home = Household(seed: 13, options: Self.options(), start: start)
    let codes = [
      OBISCode(1, 0, 1, 8, 0), OBISCode(1, 0, 2, 8, 0), OBISCode(1, 0, 3, 8, 0),
      OBISCode(1, 0, 4, 8, 0), OBISCode(1, 0, 21, 8, 0),
    ]
    let identity = MeterIdentity(seed: 13)
    var last = home.state(identity: identity)
    let first = last
    for step in 1...144 {
      home.advance(to: start + Int64(step) * 600_000)
      let state = home.state(identity: identity)
      for code in codes {
        #expect((state.values[code]?.mantissa ?? -1) >= (last.values[code]?.mantissa ?? 0))
      }
      last = state
    }
    for code in codes.prefix(2) {
      #expect((last.values[code]?.mantissa ?? 0) > (first.values[code]?.mantissa ?? 0))
    }
    #expect(last.subMeters[0].value != first.subMeters[0].value)
  }

  @Test func valuesStayPlausible() {
    var home = Household(seed: 14, options: Self.options(), start: Self.start)
    let identity = MeterIdentity(seed: 14)
    for step in 1...500 {
      home.advance(to: Self.start + Int64(step) * 173_000)
      let state = home.state(identity: identity)
      for phase in UInt8(1)...3 {
        let volts = state.values[OBISCode(1, 0, 12 + 20 * phase, 7, 0)]?.mantissa ?? 0
        #expect((207_000...253_000).contains(volts), "\(volts) mV")
        let amperes = state.values[OBISCode(1, 0, 11 + 20 * phase, 7, 0)]?.mantissa ?? -1
        #expect((0...63_000).contains(amperes), "\(amperes) mA")
      }
      let imported = state.values[OBISCode(1, 0, 1, 7, 0)]?.mantissa ?? 0
      let exported = state.values[OBISCode(1, 0, 2, 7, 0)]?.mantissa ?? 0
      #expect(imported == 0 || exported == 0)
    }
  }

  @Test func anEarlierTimeChangesNothing() {
    var home = Household(seed: 15, options: Self.options(), start: Self.start)
    let before = home.millijoules
    home.advance(to: Self.start - 60_000)
    #expect(home.millijoules == before)
    #expect(home.now == Self.start)
  }

  @Test func monthPeaksAreClosedAtMidnightOfTheFirst() {
    var options = Self.options()
    options.hasSubMeters = false
    // Six hours before 1 February 2026, 00:00 in Brussels.
    let start: Int64 = 1_769_900_400_000 - 6 * 3_600_000
    var home = Household(seed: 16, options: options, start: start)
    let before = home.state(identity: MeterIdentity(seed: 16)).peaks
    home.advance(to: start + 6 * 3_600_000 + 1000)
    let state = home.state(identity: MeterIdentity(seed: 16))
    #expect(state.peaks.count == before.count + 1)
    #expect(state.peaks.last?.closed?.month == 2)
    #expect(state.peaks.last?.closed?.day == 1)
    #expect(state.monthPeak == nil)
    #expect((state.peaks.last?.watts ?? 0) > 0)
  }

  @Test(arguments: [
    (Int64(1_774_745_999), MeterTime.Season.standard), (1_774_746_000, .daylight),
    (1_792_889_999, .daylight), (1_792_890_000, .standard),
  ]) func clockChangesAtOneUTCOnTheLastSundays(seconds: Int64, season: MeterTime.Season) throws {
    let time = try #require(CivilClock.central.time(at: seconds * 1000))
    #expect(time.season == season)
    #expect(time.secondsSince1970(standardOffsetMinutes: 60) == seconds)
    #expect(CivilClock.nordicStandard.time(at: seconds * 1000)?.season == .standard)
  }

  @Test func squareRootIsTheFloor() {
    for value in Int64(0)...2000 {
      let root = Household.squareRoot(value)
      #expect(root * root <= value && (root + 1) * (root + 1) > value)
    }
    #expect(Household.squareRoot(1_000_000_000_000) == 1_000_000)
  }
}
