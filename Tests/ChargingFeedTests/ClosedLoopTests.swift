import Testing

@testable import ChargingFeed

/// A month with a household and a charger that listens to the feed; the bars of issue 6.
struct ClosedLoopTests {
  private func expectBars(_ month: SimulatedMonth, _ name: String) {
    let share = month.possible == 0 ? 0 : month.delivered * 1000 / month.possible
    let what =
      "\(name): \(month.delivered / 3_600_000_000) kWh, \(share) per mille of foresight, "
      + "billed \(month.billed) W, longest overload \(month.longestOverload) samples"
    #expect(month.possible > 0 && month.dayPeaks.count == 30)
    #expect(month.longestOverload <= 2, "\(what)")
    #expect(month.billed < 10_000, "\(what)")
    #expect(share >= 950, "\(what)")
    // The feed's own record is the bill, but for what a watt-hour's rounding takes.
    let settings = month.feed.settings.capacity
    let own = settings.map { month.feed.record.value($0) / 1000 } ?? 0
    #expect(abs(own - month.billed) <= 5, "\(what), feed says \(own)")
  }

  @Test func aChargerThatObeysTheContractStaysWithinFuseAndStep() {
    var month = SimulatedMonth(seed: 7, target: 10_000)
    var charger = ContractCharger()
    month.run(&charger)
    expectBars(month, "contract")
  }

  @Test func aChargerThatOnlyKnowsLimitsStaysWithinFuseAndStep() {
    var month = SimulatedMonth(seed: 7, target: 10_000)
    var charger = LimitCharger()
    month.run(&charger)
    expectBars(month, "limits")
  }

  @Test func aSlowChargerStaysWithinFuseAndStep() {
    var month = SimulatedMonth(seed: 7, target: 10_000)
    var charger = SlowCharger()
    month.run(&charger)
    expectBars(month, "slow")
  }
}
