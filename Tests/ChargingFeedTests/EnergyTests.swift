import OBISDecoder
import Testing

@testable import ChargingFeed

/// Energy of slots: registers, integrals, gaps, and restarts.
struct EnergyTests {
  private func hours(_ feed: inout EVFeed) -> [String] {
    var texts: [String] = []
    while let hour = feed.takeHour() {
      texts.append(
        text {
          feed.write(hour: hour, to: &$0)
          return true
        } ?? "")
    }
    return texts
  }

  private func register(_ sample: MeterSample, wattHours: Int64) -> MeterSample {
    var sample = sample
    sample.set(.importEnergy, Decimal(mantissa: wattHours))
    sample.set(.exportEnergy, Decimal(mantissa: 0))
    return sample
  }

  private func interval(_ feed: EVFeed, at seconds: Double) -> String {
    text { feed.writeInterval(at: moment(seconds), to: &$0) } ?? ""
  }

  /// A sample of constant power every 10 s, from one second to another.
  private func run(
    _ feed: inout EVFeed, _ seconds: StrideTo<Double>, watts: Int64, from wattHours: Int64? = nil
  ) {
    for second in seconds {
      var sample = sample([5, 5, 5], watts: watts)
      if let wattHours {
        sample = register(sample, wattHours: wattHours + Int64(second) * watts / 3600)
      }
      _ = feed.take(sample, at: moment(second))
      _ = feed.pass(to: moment(second))
    }
  }

  @Test func hourIsTheRegistersDifference() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 3611, by: 10), watts: 3600, from: 48_211_000)
    #expect(
      hours(&feed) == [
        #"{"v":1,"start":"2026-11-20T17:00:00Z","end":"2026-11-20T18:00:00Z","import_kwh":3.6,"#
          + #""export_kwh":0,"import_register_kwh":48214.6,"export_register_kwh":0,"#
          + #""quality":"register","integrated_kwh":3.6}"#
      ])
  }

  @Test func hourlyRegisterClosesTheHour() {
    var feed = EVFeed(supply())
    // A list without registers every 10 s, and one with them ten seconds into the hour.
    for second in stride(from: 0.0, to: 3630, by: 10) {
      var sample = sample([5, 5, 5], watts: 3600)
      if second == 10 { sample = register(sample, wattHours: 1_000_000) }
      if second == 3610 { sample = register(sample, wattHours: 1_003_700) }
      _ = feed.take(sample, at: moment(second))
      _ = feed.pass(to: moment(second))
      if second == 1800 {
        #expect(interval(feed, at: 1800).contains(#""energy_kwh":1.8,"energy_q":"integrated""#))
      }
      if second == 3600 { #expect(hours(&feed) == []) }
    }
    let closed = hours(&feed)
    #expect(closed.count == 1)
    #expect(closed.first?.contains(#""import_kwh":3.7,"#) == true)
    #expect(closed.first?.contains(#""quality":"register","integrated_kwh":3.6}"#) == true)
  }

  @Test func withoutARegisterTheHourClosesAMinuteLater() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 3660, by: 10), watts: 1800)
    #expect(hours(&feed) == [])
    run(&feed, stride(from: 3660, to: 3670, by: 10), watts: 1800)
    let closed = hours(&feed)
    #expect(
      closed.first?.contains(#""import_kwh":1.8,"export_kwh":0,"quality":"integrated""#) == true)
    #expect(closed.first?.contains("register_kwh") == false)
  }

  @Test func exportThatWasNeverSentIsAbsent() {
    var feed = EVFeed(supply())
    for second in stride(from: 0.0, to: 3670, by: 10) {
      var sample = sample([5, 5, 5])
      sample.set(.importPower, Decimal(mantissa: 1000))
      _ = feed.take(sample, at: moment(second))
      _ = feed.pass(to: moment(second))
    }
    #expect(hours(&feed).first?.contains("export") == false)
  }

  @Test func aGapOfFiveMinutesIsEstimatedAndSaysSo() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 601, by: 10), watts: 3600)
    run(&feed, stride(from: 900, to: 3670, by: 10), watts: 7200)
    let closed = hours(&feed)
    // 600 s at 3.6 kW, 300 s at the mean of both, the rest at 7.2 kW.
    #expect(closed.first?.contains(#""import_kwh":6.45,"#) == true)
    #expect(closed.first?.contains(#""quality":"estimated""#) == true)
  }

  @Test func aLongerGapIsNotInvented() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 601, by: 10), watts: 3600)
    run(&feed, stride(from: 1200, to: 3670, by: 10), watts: 3600)
    let closed = hours(&feed)
    #expect(closed.first?.contains("import_kwh") == false)
    #expect(closed.first?.contains(#""quality":"partial","integrated_kwh":3}"#) == true)
  }

  @Test func registersBridgeAnyGapWithinTheHour() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 601, by: 10), watts: 3600, from: 5000)
    run(&feed, stride(from: 1200, to: 3611, by: 10), watts: 3600, from: 5000)
    let closed = hours(&feed)
    #expect(closed.first?.contains(#""import_kwh":3.6,"#) == true)
    #expect(closed.first?.contains(#""quality":"register""#) == true)
  }

  @Test func anotherMetersRegisterIsNoEnergy() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 1800, by: 10), watts: 3600, from: 5000)
    run(&feed, stride(from: 1800, to: 3670, by: 10), watts: 3600, from: 90_000_000)
    #expect(hours(&feed).first?.contains(#""import_kwh":3.6,"#) == true)
  }

  @Test func clockThatIsSetMakesThePartialHourItIs() {
    var feed = EVFeed(supply())
    run(&feed, stride(from: 0, to: 601, by: 10), watts: 3600)
    let stepped = Instant(
      monotonic: moment(610).monotonic, utc: moment(2000).utc, offsetSeconds: 3600,
      isSynchronised: true)
    _ = feed.take(sample([5, 5, 5], watts: 3600), at: stepped)
    #expect(feed.hours.slot?.quality == .partial)
  }

  private func tariff() -> EVSettings {
    supply { $0.capacity = CapacitySettings(model: .norwegianSteps, target: 5000) }
  }

  @Test func budgetComesWithTheLimits() {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 0, to: 1801, by: 10), watts: 4000)
    let limit = text { feed.writeLimit(at: moment(1800), to: &$0) }
    // 4.9 kWh less 2.0 in half an hour.
    #expect(limit?.contains(#""max_import_w":5800,"max_import_a":24.0,"headroom_w":1800,"#) == true)
    #expect(
      limit?.contains(
        #""soft":{"reason":"capacity","headroom_w":1800,"slot_ends":"2026-11-20T18:00:00Z"}"#)
        == true)
    #expect(
      interval(feed, at: 1800)
        == #"{"v":1,"start":"2026-11-20T17:00:00Z","end":"2026-11-20T18:00:00Z","length_s":3600,"#
        + #""elapsed_s":1800,"energy_kwh":2,"energy_q":"integrated","avg_kw":4,"projected_kw":4,"#
        + #""target_kw":5,"allowed_avg_kw":4.9,"allow_w":5800,"headroom_w":1800}"#)
    let charger = text { feed.writeCharger(0, at: moment(1800), to: &$0) }
    #expect(charger?.contains(#""capacity_delta_a":2.6,"delta_a":2.6,"#) == true)
  }

  @Test func f6WithoutItsStateTheRunningHourHasNoSoftLimit() {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 1200, to: 1801, by: 10), watts: 4000)
    let first = text { feed.writeLimit(at: moment(1800), to: &$0) }
    #expect(first?.contains("soft") == false)
    #expect(first?.contains(#""max_import_w":16560"#) == true)
    #expect(interval(feed, at: 1800).contains(#""energy_q":"partial"}"#))
    run(&feed, stride(from: 1810, to: 3700, by: 10), watts: 4000)
    let second = text { feed.writeLimit(at: moment(3690), to: &$0) }
    #expect(second?.contains("soft") == true)
    let capacity = text { feed.writeCapacity(to: &$0) }
    #expect(capacity?.hasSuffix(#""complete":false}"#) == true)
  }

  @Test func restartGoesOnWhereItStopped() throws {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 0, to: 3600 * 2 + 601, by: 10), watts: 3600)
    let bytes = feed.saved()
    #expect(bytes.count < EVFeed.savedBytes)
    let capacity = text { feed.writeCapacity(to: &$0) }
    var next = try #require(EVFeed(tariff(), restoring: bytes, at: moment(7800)))
    let restored = text { next.writeCapacity(to: &$0) }
    #expect(restored == capacity)
    // Two minutes' gap, filled with the mean of both ends.
    run(&next, stride(from: 7920, to: 7921, by: 10), watts: 7200)
    #expect(interval(next, at: 7920).contains(#""energy_kwh":0.78,"energy_q":"estimated""#))
    #expect(text { next.writeLimit(at: moment(7920), to: &$0) }?.contains("soft") == true)
  }

  @Test func afterALongGapTheBudgetAssumesTheWorst() throws {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 0, to: 601, by: 10), watts: 3600)
    let bytes = feed.saved()
    var next = try #require(EVFeed(tariff(), restoring: bytes, at: moment(1200)))
    run(&next, stride(from: 1200, to: 1201, by: 10), watts: 1000)
    // 0.6 kWh seen, 600 s at the 4.9 kW that are allowed.
    #expect(interval(next, at: 1200).contains(#""energy_kwh":1.417,"energy_q":"partial""#))
  }

  @Test func aDamagedStateIsRefusedAsAWhole() {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 0, to: 7300, by: 10), watts: 3600)
    let bytes = feed.saved()
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      let isRefused = EVFeed(tariff(), restoring: damaged, at: moment(7300)) == nil
      #expect(isRefused, "byte \(index)")
    }
    for count in bytes.indices {
      let isRefused = EVFeed(tariff(), restoring: Array(bytes[..<count]), at: moment(7300)) == nil
      #expect(isRefused, "\(count) bytes")
    }
  }

  @Test func peaksOfAnotherTariffAreLeftOut() throws {
    var feed = EVFeed(tariff())
    run(&feed, stride(from: 0, to: 7300, by: 10), watts: 3600)
    let settings = supply { $0.capacity = CapacitySettings(model: .peaks, target: 5000) }
    let other = try #require(EVFeed(settings, restoring: feed.saved(), at: moment(7300)))
    #expect(other.record == PeakRecord())
  }

  @Test func belgianDemandIsTheQuartersEnergy() {
    var belgian = CapacitySettings(model: .belgianQuarter, target: 2500)
    belgian.floor = 2500
    var feed = EVFeed(supply { $0.capacity = belgian })
    var sample = sample([5, 5, 5], watts: 3000)
    sample.set(.demand, Decimal(mantissa: 2351))
    sample.set(.demandPeak, Decimal(mantissa: 2589))
    _ = feed.take(sample, at: moment(590))
    _ = feed.take(sample, at: moment(600))
    #expect(
      interval(feed, at: 600)
        == #"{"v":1,"start":"2026-11-20T17:00:00Z","end":"2026-11-20T17:15:00Z","length_s":900,"#
        + #""elapsed_s":600,"energy_kwh":0.588,"energy_q":"demand","avg_kw":3.526,"#
        + #""projected_kw":3.351,"target_kw":2.5,"allowed_avg_kw":2.589,"allow_w":714,"#
        + #""headroom_w":-2286}"#)
  }
}
