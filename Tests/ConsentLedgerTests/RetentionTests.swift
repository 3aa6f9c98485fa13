import PrivacyFilter
import Testing

@testable import ConsentLedger

/// How long things are kept: the rules' dates, and the sweep that goes by them.
@Suite struct RetentionTests {
  private let start = Fixture.start

  private func date(_ text: String) throws -> CivilDate {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    return try #require(CivilDate(year: parts[0], month: parts[1], day: parts[2]))
  }

  private func instant(_ text: String) throws -> Int64 {
    try #require(Timestamp.parse(text + "T12:00:00Z"))
  }

  private static func utc(_ instant: Int64) -> CivilDate {
    CivilDate(of: instant, offsetSeconds: 0)
  }

  @Test(
    "C13.47: the last days of the rules are those of the design",
    arguments: [
      ("2024-02-29", RetentionRule.threeYears, "2027-02-28"),
      ("2024-02-29", .threeYearsThreeMonths, "2027-05-29"),
      ("2024-02-29", .fiveYearsAndCurrent, "2029-12-31"), ("2024-02-29", .sixMonths, "2024-08-29"),
      ("2026-11-30", .threeYearsThreeMonths, "2030-02-28"),
      ("2026-05-17", .threeYears, "2029-05-17"), ("2026-05-17", .fiveYearsAndCurrent, "2031-12-31"),
      ("2026-05-17", .fiveYearsFromYearEnd, "2031-12-31"),
      ("2026-05-17", .fiveYearsAfterYear, "2031-12-31"),
      ("2026-05-17", .twoYearsAfterYear, "2028-12-31"), ("2024-02-29", .fiveYears, "2029-02-28"),
      ("2024-02-29", .oneYear, "2025-02-28"), ("2026-08-31", .sixMonths, "2027-02-28"),
      ("2026-05-17", .purpose, "2026-05-17"), ("2026-05-17", .withdrawal, "2026-05-17"),
      ("2026-05-17", .uninstall, "2026-05-17"), ("2026-05-17", .untilWithdrawn, "2026-05-17"),
      ("2026-05-17", .nothing, "2026-05-17"), ("2026-05-17", .brief, "2026-05-17"),
    ])
  func endsOnTheDay(_ end: String, _ rule: RetentionRule, _ last: String) throws {
    #expect(rule.lastDay(after: try date(end)) == (try date(last)))
  }

  @Test func knowsEveryRuleOfThePoliciesByItsName() throws {
    let names = RetentionRule.allCases.map(\.rawValue)
    #expect(names.count == 18)
    for profile in Profiles.all.map(\.profile) {
      for rule in profile.retention { #expect(names.contains(rule), "\(profile.name): \(rule)") }
    }
    let end = try date("2026-05-17")
    for rule in [RetentionRule.hold, .yearlyReview, .source] {
      #expect(rule.lastDay(after: end) == nil)
    }
    #expect(
      RetentionRule.yearlyReview.reviewDay(since: try date("2024-02-29"))
        == (try date("2025-02-28")))
    #expect(RetentionRule.threeYears.reviewDay(since: end) == nil)
  }

  @Test func countsDaysAsTheCalendarDoes() throws {
    for day in stride(from: Int64(-800), through: 80_000, by: 13) {
      let text = String(Timestamp.text(day * 86_400_000).prefix(10))
      #expect(CivilDate(of: day * 86_400_000, offsetSeconds: 0).text == text)
      #expect(CivilDate(of: day * 86_400_000 + 86_399_999, offsetSeconds: 0).text == text)
    }
    let evening = try #require(Timestamp.parse("2026-05-17T22:30:00Z"))
    #expect(CivilDate(of: evening, offsetSeconds: 7200).text == "2026-05-18")
    #expect(CivilDate(of: evening, offsetSeconds: -36_000).text == "2026-05-17")
    #expect(CivilDate(year: 2026, month: 2, day: 29) == nil)
  }

  /// A grant to the supplier, accepted at the start, withdrawn on 17 May 2026, with its counts.
  private func ended(_ fixture: Fixture, retention: String) throws -> UniqueID {
    let supplier = Recipient(
      id: "supplier", legalName: "Example Supply AS", role: .controller, country: "DK",
      authority: "datatilsynet.dk")
    try fixture.store.register(supplier, by: Fixture.owner, at: start)
    var terms = try Fixture.terms()
    terms.profile = "supplier-billing-check"
    terms.recipient = supplier.id
    terms.purpose = "billingCheck"
    terms.basis = .b
    terms.categories = [.e3]
    terms.optional = []
    terms.granularity = .g4
    terms.quantum = .r1
    terms.minDelay = 3600
    terms.retention = retention
    terms.destination.country = "DK"
    let id = try fixture.propose(terms)
    try fixture.accept(id)
    let end = try instant("2026-05-17")
    fixture.store.count(
      .sent(byteCount: 9), of: id, categories: [.e3], granularity: .g4, at: end)
    try fixture.withdraw(id, at: end)
    _ = try fixture.store.completeEnd(id, .none, at: end)
    return id
  }

  private func sweep(_ fixture: Fixture, _ day: String) throws -> Erasure? {
    try fixture.store.sweepRetention(at: try instant(day), date: Self.utc)
  }

  @Test("C13.47: deleted by the first sweep after the last day; the second finds nothing")
  func deletesOnTheDayAfter() throws {
    let fixture = try Fixture()
    let id = try ended(fixture, retention: "R-3Y")
    let inForce = try fixture.grantInForce(at: start)
    let stored = try fixture.store.grant(id)
    #expect(fixture.store.lastDay(of: stored, date: Self.utc)?.text == "2029-05-17")
    #expect(try sweep(fixture, "2029-05-17") == nil)
    let swept = try #require(try sweep(fixture, "2029-05-18"))
    #expect(swept.grants == [id])
    // PROPOSE, GRANT, its receipt, WITHDRAW, its receipt.
    #expect(swept.removed.count == 5)
    let head = try fixture.store.ledgerHead()
    #expect(try sweep(fixture, "2029-05-18") == nil)
    #expect(try fixture.store.ledgerHead() == head)
    #expect(try fixture.store.egress(of: id) == nil)
    refuses(.state) { try fixture.store.grant(id) }
    #expect(try fixture.store.grant(inForce).grant.state == .active)
    #expect(try fixture.recordTypes().last == "RETENTION")
    let (_, reopened) = try fixture.afterPowerCut(at: try instant("2029-05-18"))
    #expect(reopened.ledgerFault == nil)
    #expect(try reopened.verifyErasure().isClean)
    #expect(try reopened.histories()[id]?.map(\.type) == [.retention])
  }

  @Test("C13.47: accounts are kept five years and the current one, their counts three")
  func keepsAccountsLonger() throws {
    let fixture = try Fixture()
    let id = try ended(fixture, retention: "R-5Y-CFY")
    let swept = try #require(try sweep(fixture, "2029-05-18"))
    #expect(swept.grants.isEmpty && swept.journalRows == 1)
    #expect(try fixture.store.grant(id).grant.state == .withdrawn)
    #expect(try fixture.store.egress(of: id) == nil)
    #expect(try sweep(fixture, "2031-12-31") == nil)
    #expect(try sweep(fixture, "2032-01-01")?.grants == [id])
  }

  @Test("C13.47: R-HOLD blocks, is confirmed each year, and lapses if it is not")
  func keepsWhatIsOnHold() throws {
    let fixture = try Fixture()
    let id = try ended(fixture, retention: "R-3Y")
    try fixture.store.hold(id, true, by: Fixture.owner, at: try instant("2029-01-01"))
    #expect(try sweep(fixture, "2029-05-18") == nil)
    #expect(try fixture.store.holds()[id]?.confirmedAt == (try instant("2029-01-01")))
    refuses(.state) {
      try fixture.store.erase([id], by: Fixture.owner, at: try instant("2029-05-18"))
    }
    try fixture.store.hold(id, true, by: Fixture.owner, at: try instant("2030-01-01"))
    #expect(try sweep(fixture, "2030-06-01") == nil)
    let (_, reopened) = try fixture.afterPowerCut(at: try instant("2030-06-01"))
    #expect(try reopened.holds().keys.map { $0 } == [id])
    try fixture.store.hold(id, false, by: Fixture.owner, at: try instant("2030-06-02"))
    #expect(try sweep(fixture, "2030-06-02")?.grants == [id])

    let other = try Fixture()
    let lapsed = try ended(other, retention: "R-3Y")
    try other.store.hold(lapsed, true, by: Fixture.owner, at: try instant("2029-01-01"))
    #expect(try sweep(other, "2030-01-30") == nil)
    _ = try other.store.register(.named("late"), by: Fixture.owner, at: try instant("2030-02-01"))
    #expect(try sweep(other, "2030-02-01")?.grants == [lapsed])
  }

  @Test func forgetsProposalsAfterNinetyDays() throws {
    let fixture = try Fixture()
    let refused = try fixture.propose(Fixture.terms())
    try fixture.store.refuse(refused, by: Fixture.owner, at: try instant("2026-01-10"))
    let waiting = try fixture.propose(Fixture.terms(), at: try instant("2026-01-10"))
    #expect(try sweep(fixture, "2026-04-10") == nil)
    #expect(try sweep(fixture, "2026-04-11")?.grants == [refused])
    #expect(try fixture.store.grant(waiting).grant.state == .proposed)
    try fixture.store.verify(knownHead: nil)
  }

  @Test func sweepsNothingThatIsNotEndedAndCleanedUpBehind() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    try fixture.withdraw(id, at: start)
    #expect(try sweep(fixture, "2040-01-01") == nil)
    _ = try fixture.store.completeEnd(id, .none, at: start)
    #expect(try sweep(fixture, "2040-01-01")?.grants == [id])
  }
}
