import OBISDecoder
import Testing

@testable import ChargingFeed

/// The failure rules of the design's §9, on a clock that the test moves.
struct FeedTests {
  private func state(_ feed: EVFeed, at seconds: Double) -> String? {
    text {
      feed.writeState(at: moment(seconds), to: &$0)
      return true
    }
  }

  private func limit(_ feed: EVFeed, at seconds: Double) -> String? {
    text { feed.writeLimit(at: moment(seconds), to: &$0) }
  }

  private func charger(_ feed: EVFeed, at seconds: Double) -> String? {
    text { feed.writeCharger(0, at: moment(seconds), to: &$0) }
  }

  @Test func f1SilenceEndsEveryLimitAndRaisesWaitForAFullWindow() {
    var feed = EVFeed(supply { $0.holdSeconds = 60 })
    #expect(feed.pass(to: moment(-5)) == [])
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(0))
    #expect(feed.take(sample([5, 5, 5], watts: 3000), at: moment(10)).contains(.documents))
    #expect(feed.staleAfterSeconds == 25)
    // SmartEVSE: repeated while the sample is younger than 14 s.
    for (second, isRepeated) in [(15.0, true), (20, true), (23.9, true), (24, false), (25, false)] {
      #expect(feed.mayRepeat(isSmartEVSE: true, at: moment(second)) == isRepeated, "\(second)")
      #expect(feed.mayRepeat(isSmartEVSE: false, at: moment(second)))
    }
    #expect(!feed.pass(to: moment(34.9)).contains(.documents))
    #expect(feed.state == .ok)
    #expect(feed.pass(to: moment(35)).contains(.documents))
    #expect(feed.state == .stale)
    let stale = limit(feed, at: 35)
    #expect(
      stale
        == #"{"v":1,"seq":2,"state":"failsafe","since":"2026-11-20T17:00:35.000Z","age_s":25,"#
        + #""failsafe_a":6.0}"#)
    #expect(feed.pass(to: moment(40)) == [])
    #expect(feed.pass(to: moment(45)).contains(.documents))
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(47))
    #expect(feed.state == .ok)
    for second in stride(from: 57.0, through: 97, by: 10) {
      _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(second))
      #expect(charger(feed, at: second)?.contains("raise_a") == false)
    }
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(107))
    #expect(charger(feed, at: 107)?.contains(#""raise_a":19.0"#) == true)
  }

  @Test func f2ATelegramWithoutALineIsNoSample() {
    var feed = EVFeed(supply())
    _ = feed.take(sample([5, 5, 5]), at: moment(0))
    #expect(feed.take(sample([5, 5]), at: moment(10)) == [])
    #expect(feed.counters.incomplete == 1)
    #expect(feed.sequence == 1)
    #expect(feed.pass(to: moment(25)).contains(.documents))
    #expect(feed.state == .stale)
  }

  @Test func f3ImplausibleSamplesAreDroppedAndThreeInARowAreAFailure() {
    var feed = EVFeed(supply())
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(0))
    let spikes = [
      sample([101, 5, 5]), sample([5, 5, 5], watts: 51_751), sample([5, 5, 5], watts: -999_999),
    ]
    #expect(feed.take(spikes[0], at: moment(1)) == [])
    #expect(feed.take(spikes[1], at: moment(2)) == [])
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(3))
    #expect(feed.state == .ok)
    for (index, spike) in spikes.enumerated() {
      let due = feed.take(spike, at: moment(Double(4 + index)))
      #expect(due.contains(.documents) == (index == 2))
    }
    #expect(feed.state == .stale)
    #expect(feed.counters.implausible == 5)
    #expect(limit(feed, at: 6)?.contains("max_import") == false)
  }

  @Test func anImplausibleVoltageDropsTheSampleButForAHiddenLine() {
    for (grid, line, volts, isTaken) in [
      (Grid.tn, 0, Int64(0), false), (.tn, 1, 0, false), (.it, 1, 0, true), (.it, 0, 0, false),
      (.tn, 2, 99, false), (.tn, 2, 301, false), (.tn, 2, 230, true),
    ] {
      var feed = EVFeed(supply { $0.grid = grid })
      var sample = sample([5, 5, 5], watts: 3000)
      sample.set(.voltage(line), Decimal(mantissa: volts))
      _ = feed.take(sample, at: moment(0))
      #expect((feed.sequence == 1) == isTaken, "\(grid) \(line) \(volts)")
    }
  }

  @Test func f4PowerAloneDoesNotKeepItFresh() {
    var feed = EVFeed(supply())
    for second in [0.0, 10] { _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(second)) }
    for second in stride(from: 12.5, through: 35, by: 2.5) {
      _ = feed.take(sample([], watts: 4000), at: moment(second))
      _ = feed.pass(to: moment(second))
    }
    #expect(feed.state == .stale)
    #expect(feed.power?.imported == 4000)
    #expect(state(feed, at: 35)?.contains(#""state":"stale""#) == true)
  }

  @Test func f7ReductionsHoldAtOnceAndRaisesAfterAWindow() {
    var feed = EVFeed(supply())
    _ = feed.take(sample([5, 5, 5]), at: moment(0))
    _ = feed.pass(to: moment(25))
    #expect(feed.state == .stale)
    _ = feed.take(sample([27, 5, 5]), at: moment(26))
    let text = charger(feed, at: 26)
    #expect(text?.contains(#""delta_a":-3.0"#) == true)
    #expect(text?.contains("raise_a") == false && text?.contains("can_start") == false)
  }

  @Test func aMeterThatNeverSpokeEndsInAFailsafe() {
    var feed = EVFeed(supply())
    #expect(feed.pass(to: moment(0)) == [])
    #expect(limit(feed, at: 0) == nil)
    #expect(charger(feed, at: 0) == nil)
    #expect(state(feed, at: 0)?.contains(#""seq":0,"state":"init","grid":"TN""#) == true)
    #expect(feed.pass(to: moment(25)).contains(.documents))
    #expect(limit(feed, at: 25)?.contains(#""state":"failsafe""#) == true)
  }

  @Test func aSilentMeterKeepsNobodyAwake() {
    var feed = EVFeed(supply())
    _ = feed.take(sample([5, 5, 5], watts: 3000), at: moment(3500))
    // Past the end of the hour, and long past its closing.
    for second in [3700.0, 4000, 90_000] {
      _ = feed.pass(to: moment(second))
      #expect(feed.waitMilliseconds(from: moment(second)) >= 5000, "\(second)")
    }
  }

  @Test func theMiddlePeriodSetsTheAge() {
    var feed = EVFeed(supply())
    for second in [0.0, 1, 2, 3, 63, 64, 65] {
      _ = feed.take(sample([5, 5, 5]), at: moment(second))
    }
    #expect(feed.period.seconds == 1)
    #expect(feed.staleAfterSeconds == 6)
    feed = EVFeed(supply { $0.staleAfterSeconds = 3 })
    #expect(feed.staleAfterSeconds == 3)
  }

  @Test func withoutASynchronisedClockThereAreNoDatesAndNoSoftLimit() {
    let settings = supply {
      $0.capacity = CapacitySettings(model: .norwegianSteps, target: 5000)
    }
    var feed = EVFeed(settings)
    let now = moment(0, isSynchronised: false)
    _ = feed.take(sample([5, 5, 5], watts: 9000), at: now)
    let limit = text { feed.writeLimit(at: now, to: &$0) }
    #expect(limit?.contains(#""clock":"unsynced""#) == true)
    #expect(limit?.contains("valid_until") == false && limit?.contains("soft") == false)
    #expect(limit?.contains(#""max_import_w":16560"#) == true)
    let interval = text { feed.writeInterval(at: now, to: &$0) }
    #expect(interval == nil)
  }

  @Test func unknownLineMeansNoDeltaWhateverTheTariffLeaves() {
    let settings = supply {
      $0.grid = .it
      $0.missingLine = .ignore
      $0.chargers = [garage(connection: .l1l2)]
      $0.capacity = CapacitySettings(model: .norwegianSteps, target: 5000)
    }
    var feed = EVFeed(settings)
    var hidden = sample([5, 0, 5], watts: 2000)
    hidden.currents.l2 = nil
    for second in stride(from: 0.0, through: 70, by: 10) {
      _ = feed.take(hidden, at: moment(second))
    }
    let text = charger(feed, at: 70)
    #expect(text?.contains("capacity_delta_a") == true)
    for key in [#""fuse_delta_a"#, #""delta_a"#, #""raise_a"#, "can_start"] {
      #expect(text?.contains(key) == false, "\(key)")
    }
  }

  @Test func chargerThatTellsItsDrawGetsASettingThatExpires() {
    var feed = EVFeed(supply { $0.chargers = [garage(hasDraw: true)] })
    for second in stride(from: 0.0, through: 60, by: 10) {
      feed.note(draw: 100, ofCharger: 0, at: moment(second))
      _ = feed.take(sample([15.6, 5, 5], watts: 3000), at: moment(second))
    }
    let fresh = charger(feed, at: 60)
    #expect(
      fresh?.contains(
        #""draw_a":10.0,"set_a":14,"schedule":[{"from":"2026-11-20T17:01:00Z","a":14},"#
          + #"{"from":"2026-11-20T17:01:25Z","a":6}]"#) == true)
    _ = feed.take(sample([26, 5, 5], watts: 3000), at: moment(70))
    #expect(charger(feed, at: 70)?.contains(#""set_a":8,"#) == true)
    // 31 s without a word of it.
    _ = feed.take(sample([26, 5, 5], watts: 3000), at: moment(91))
    #expect(charger(feed, at: 91)?.contains("set_a") == false)
  }

  @Test func aPauseLastsAMinute() {
    var point = SetPoint()
    let charger = garage(hasDraw: true)
    #expect(point.update(draw: 70, delta: -20, raise: 0, charger, at: 0) == 0)
    #expect(point.update(draw: 0, delta: 100, raise: 100, charger, at: 59_000) == 0)
    #expect(point.update(draw: 0, delta: 100, raise: 100, charger, at: 60_000) == 60)
    #expect(point.update(draw: 60, delta: 40, raise: 40, charger, at: 70_000) == 60)
    #expect(point.update(draw: 60, delta: 40, raise: 40, charger, at: 90_000) == 100)
  }

  @Test func nobodysDrawLiftsASettingAboveItsMaximum() {
    var point = SetPoint()
    let charger = garage(hasDraw: true)
    #expect(point.update(draw: 9000, delta: -10, raise: 0, charger, at: 0) == 150)
    #expect(point.update(draw: .max, delta: 0, raise: .max, charger, at: 40_000) == 160)
  }
}
