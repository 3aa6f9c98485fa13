import Testing

@testable import ChargingFeed

/// Tariffs: what a slot may become, with the project's own numbers.
struct CapacityTests {
  private func steps(_ change: (inout CapacitySettings) -> Void = { _ in }) -> CapacitySettings {
    var settings = CapacitySettings(model: .norwegianSteps, target: 5000)
    change(&settings)
    return settings
  }

  private func closed(
    _ start: Int64, watts: Int64, length: Int64 = 3_600_000, offset: Int64 = 3600
  ) -> ClosedSlot {
    var slot = EnergySlot(
      start: start, length: length, place: LocalPlace(utc: start, offsetSeconds: offset))
    slot.add(imported: watts * length, exported: 0, .integrated)
    return ClosedSlot(slot, closing: Registers())
  }

  private let hour: Int64 = 3_600_000

  @Test func targetHoldsUntilItIsOutOfReach() {
    #expect(Allowance(others: [], today: 0, steps()).allowed == 4900)
    #expect(Allowance(others: [6200, 5500, 4800], today: 0, steps()).bound == 10_000)
    let lost = Allowance(others: [120_000, 110_000, 105_000], today: 0, steps())
    #expect(lost.bound == nil && lost.allowed == nil)
    // A target between two edges is kept as it is.
    #expect(Allowance(others: [], today: 0, steps { $0.target = 6000 }).allowed == 5900)
  }

  @Test func unavoidableMeanExactlyOnTheEdgeIsInTheStepAbove() {
    let allowance = Allowance(others: [5000, 5000, 5000], today: 0, steps())
    #expect(allowance.unavoidable == 5_000_000)
    #expect(allowance.bound == 10_000)
  }

  @Test func negativeSlackAllowsNothingLessThanZero() {
    let allowance = Allowance(others: [14_000], today: 0, steps { $0.policy = .average })
    #expect(allowance.allowed == 0)
  }

  @Test func localDaysAndWeeksAreThoseOfTheHousehold() {
    // 23:30 UTC on Sunday, 15 November 2026, is Monday already.
    let place = LocalPlace(utc: 1_794_785_400_000, offsetSeconds: 3600)
    #expect(place.weekday == 1)
    #expect(place.minute == 30)
    #expect(place.monthOfYear == 11)
    let evening = LocalPlace(utc: 1_794_785_400_000 - 3_600_000, offsetSeconds: 3600)
    #expect(evening.weekday == 7)
    #expect(evening.week + 1 == place.week)
  }

  @Test func hoursPastMidnightBelongToTheWindow() {
    let night = TariffHours(from: 22 * 60, to: 6 * 60)
    for (minute, isIn) in [(1319, false), (1320, true), (0, true), (359, true), (360, false)] {
      let place = LocalPlace(utc: Int64(minute) * 60_000, offsetSeconds: 0)
      #expect(night.contains(place) == isIn, "\(minute)")
    }
  }

  @Test func outsideTheWindowsNothingIsAsked() {
    let settings = steps { $0.windows = [TariffHours(weekdays: [1, 2, 3, 4, 5])] }
    let saturday = baseUTC + 24 * hour
    let place = LocalPlace(utc: saturday, offsetSeconds: 3600)
    #expect(PeakRecord().allowance(ofSlotAt: place, start: saturday, settings) == nil)
    var record = PeakRecord()
    record.take(closed(saturday, watts: 9000), settings)
    #expect(record.peaks.isEmpty && record.value(settings) == 0)
  }

  @Test func halfWeightAllowsTwiceAsMuch() throws {
    let settings = steps {
      $0.weights = [
        .init(hours: TariffHours(from: 22 * 60, to: 6 * 60), thousandths: 500)
      ]
    }
    let start = baseUTC + 5 * hour
    let place = LocalPlace(utc: start, offsetSeconds: 3600)
    let allowance = try #require(
      PeakRecord().allowance(ofSlotAt: place, start: start, settings))
    #expect(allowance.allowed == 9800)
  }

  @Test func onlyTheHighestHourOfADayCounts() {
    var record = PeakRecord()
    for (hours, watts) in [(0, 3000), (1, 5000), (2, 4000), (26, 2000)] as [(Int64, Int64)] {
      record.take(closed(baseUTC + hours * hour, watts: watts), steps())
    }
    #expect(record.peaks.map(\.watts) == [5000, 2000])
    #expect(record.dayCount == 2)
    #expect(record.value(steps()) == 3_500_000)
  }

  @Test func aNewMonthBeginsEmptyAndComplete() {
    var record = PeakRecord()
    // 30 November 23:00 local is 22:00 UTC.
    let last = baseUTC + (10 * 24 + 5) * hour
    record.take(closed(last - hour, watts: 9000), steps())
    #expect(!record.isComplete)
    record.take(closed(last, watts: 9500), steps())
    record.take(closed(last + hour, watts: 1000), steps())
    #expect(record.month == Int64(2026 * 12 + 11))
    #expect(record.isComplete)
    #expect(record.value(steps()) == 1_000_000)
    // An hour is missing.
    record.take(closed(last + 3 * hour, watts: 1000), steps())
    #expect(!record.isComplete)
  }

  @Test func fjellnettsWeeksAreRememberedForAYear() throws {
    var settings = CapacitySettings(model: .peaks, target: 6000)
    settings.peakCount = 5
    settings.distinct = .week
    settings.weights = [
      .init(hours: TariffHours(months: [6, 7, 8]), thousandths: 250),
      .init(hours: TariffHours(months: [11]), thousandths: 700),
    ]
    var record = PeakRecord()
    let week = 7 * 24 * hour
    // From 20 November on, one hour of 8 kW every week for 60 weeks.
    for number in 0..<60 as Range<Int64> {
      record.take(closed(baseUTC + number * week, watts: 8000), settings)
    }
    #expect(record.peaks.count <= PeakRecord.peakLimit)
    let oldest = try #require(record.peaks.map(\.day).min())
    let newest = try #require(record.peaks.map(\.day).max())
    #expect(newest - oldest <= 365 + 31)
    #expect(Set(record.peaks.map(\.watts)) == [8000, 5600, 2000])
    #expect(record.value(settings) == 8_000_000)
  }

  @Test func belgianMonthTakesTheMetersOwnPeak() throws {
    var settings = CapacitySettings(model: .belgianQuarter, target: 3000)
    settings.floor = 2500
    var record = PeakRecord()
    record.take(closed(baseUTC, watts: 2000, length: 900_000), settings)
    record.take(meterPeak: 4100, at: moment(1000))
    #expect(record.value(settings) == 4_100_000)
    let place = LocalPlace(utc: baseUTC, offsetSeconds: 3600)
    let allowance = try #require(record.allowance(ofSlotAt: place, start: baseUTC, settings))
    #expect(allowance.allowed == 4100)
    // Just after the month's end the meter may still show the old one.
    let next = baseUTC + (10 * 24 + 6) * hour
    record.take(closed(next, watts: 100, length: 900_000), settings)
    record.take(meterPeak: 9000, at: moment(Double(next - baseUTC) / 1000 + 60))
    #expect(record.value(settings) == 100_000)
    #expect(record.closedMonths == [4100])
  }

  @Test func limitIsNeverZeroAndNeverAboveTheFuse() {
    for power in [Int64.min, -1, 0, 1, 2, 16_559, 16_560, 16_561, .max] {
      let limit = SlotBudget.limit(power, fusePower: 16_560)
      #expect(limit >= 1 && limit <= 16_560)
    }
  }
}
