import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Grants under each profile, as the store judges them: acceptance tests of privacy design C13.
@Suite struct ProfileGrantTests {
  private static let person = Recipient(
    id: "anna", legalName: "Anna", role: .person, country: "DK", authority: "datatilsynet.dk")

  /// Proposes and accepts at the ceiling of a profile, changed as told; nil if all is well.
  private func verdict(
    _ profile: String, _ recipient: Recipient = .named("somebody"), basis: Basis = .a,
    ticked: CategorySet = [], confirmed: Confirmations = Confirmations(),
    isEnabled: Bool = false, by authority: Authority = Fixture.owner,
    _ change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> ConsentError.Code? {
    let fixture = try Fixture()
    if isEnabled { fixture.store.enabledProfiles = [profile] }
    try fixture.store.register(recipient, by: Fixture.owner, at: Fixture.start)
    let document = try #require(Profiles.named(profile))
    var terms = GrantTerms(
      profile: document.profile, recipient: recipient,
      purpose: try #require(document.profile.purposes.first).rawValue, basis: basis,
      sources: try Fixture.terms().sources,
      destination: Destination(
        broker: "first", topicRoot: "gateway/somebody", qos: 1, retain: false,
        country: recipient.country),
      notice: try Fixture.terms().notice, validFrom: Fixture.start)
    change(&terms)
    let head = try fixture.store.ledgerHead()
    do {
      let id = try fixture.propose(terms, by: authority)
      _ = try fixture.store.accept(
        id, ticked: ticked, confirmed: confirmed, by: Fixture.owner, at: Fixture.start,
        vault: IdentifierVault())
      return nil
    } catch StoreError.consent(let error) {
      #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
      if try fixture.store.grants().isEmpty { #expect(try fixture.store.ledgerHead() == head) }
      return error.code
    }
  }

  @Test("C13.30: no statutory basis, and none left open, is accepted")
  func asksForABasisThatIsNotStatutory() throws {
    #expect(try verdict("enode-smartcharge", basis: .c) == .basisNotForGateway)
    #expect(try verdict("enode-smartcharge", basis: .unknown) == .basisMissing)
    #expect(try verdict("enode-smartcharge", basis: .b) == nil)
    #expect(try verdict("dso-hourly-copy", basis: .c, isEnabled: true) == .basisNotForGateway)
  }

  @Test("C13.31: there is no purpose of marketing")
  func knowsNoMarketing() throws {
    for purpose in ["marketing", "advertising", "profiling", "sale"] {
      #expect(try verdict("custom", purpose: purpose) == .purposeForbidden)
    }
  }

  private func verdict(_ profile: String, purpose: String) throws -> ConsentError.Code? {
    try verdict(profile) { $0.purpose = purpose }
  }

  @Test("C13.32: partners without a name are nobody")
  func namesItsRecipient() throws {
    var partners = Recipient.named("somebody")
    partners.legalName = "tekniske samarbejdspartnere"
    #expect(try verdict("app-insight", partners) == nil)
    partners.legalName = "leverandører"
    #expect(try verdict("app-insight", partners) == .recipientUnnamed)
    partners.legalName = "samarbejdspartnere"
    let refused = try #require(RefusedRecipient(named: "samarbejdspartnere", id: "somebody"))
    #expect(refused.code == "E_RECIPIENT_UNNAMED")
    #expect(throws: StoreError.refusedRecipient(refused)) { try verdict("app-insight", partners) }
  }

  @Test("C13.33, C13.34: what leaves the EEA is energy by the hour under a ground, by a relay")
  func letsLittleLeaveTheEEA() throws {
    func ask(
      _ ticked: CategorySet = [], _ change: (inout GrantTerms) -> Void
    ) throws -> ConsentError.Code? {
      try verdict("thirdcountry-analytics", ticked: ticked) {
        $0.destination.country = "US"
        $0.destination.route = .relayEEA
        $0.destination.transfer = .scc46
        change(&$0)
      }
    }
    #expect(try ask { $0.categories.insert(.i1) } == .thirdCountryIdentifier)
    #expect(try ask { $0.granularity = .g3 } == .thirdCountryGranularity)
    #expect(try ask { $0.destination.transfer = .none } == .thirdCountryTransfer)
    #expect(try ask { $0.absolute = true } == .thirdCountryAbsolute)
    #expect(try ask { $0.categories.insert(.v1) } == .thirdCountryCategory)
    #expect(try ask { $0.destination.route = .direct } == .thirdCountryAddress)
    #expect(try ask(.n1) { $0.destination.route = .direct } == nil)
    #expect(try ask { $0.identifier = .none } == nil)
    #expect(try ask { _ in } == nil)
  }

  @Test("C13.35: statistics need an undertaking of enough homes and no large share")
  func asksForAnUndertaking() throws {
    func ask(_ profile: String, _ homes: UInt32, _ share: UInt8) throws -> ConsentError.Code? {
      try verdict(profile) {
        $0.aggregate = AggregateRule(
          kMin: homes, maxSharePercent: share, attestation: String(repeating: "0f", count: 32))
      }
    }
    #expect(try ask("research-aggregate", 10, 15) == .aggregateRule)
    #expect(try ask("research-aggregate", 15, 16) == .aggregateRule)
    #expect(try ask("research-aggregate", 15, 15) == nil)
    #expect(try ask("statistics-aggregate", 99, 15) == .aggregateRule)
    #expect(try ask("statistics-aggregate", 100, 15) == nil)
    #expect(try ask("app-insight", 100, 15) == .aggregateRule)
    #expect(try verdict("research-aggregate") == .aggregateRule)
    #expect(
      try verdict("research-aggregate") {
        $0.aggregate = AggregateRule(kMin: 15, maxSharePercent: 15, attestation: "")
      } == .aggregateRule)
  }

  @Test("C13.54: only an attested family grant has no end")
  func attestsForTheFamily() throws {
    let attested = Confirmations(age: true)
    #expect(try verdict("family-view", Self.person) == .age)
    #expect(try verdict("family-view", Self.person, confirmed: attested) == nil)
    #expect(
      try verdict("family-view", Self.person, confirmed: attested) { $0.validUntil = nil } == nil)
    #expect(try verdict("app-insight") { $0.validUntil = nil } == .validity)
    #expect(try verdict("family-view", confirmed: attested) == .profileExceeded)
  }

  @Test("C13.60: an installer has a day at most, confirmed as fine")
  func endsWithTheDay() throws {
    let fine = Confirmations(fine: true)
    func ask(_ hours: Int64, _ confirmed: Confirmations) throws -> ConsentError.Code? {
      try verdict("installer-fault", confirmed: confirmed) {
        $0.validUntil = $0.validFrom + hours * Fixture.hour
      }
    }
    #expect(try ask(48, fine) == .profileExceeded)
    #expect(try ask(24, Confirmations()) == .profileExceeded)
    #expect(try ask(24, fine) == nil)
  }

  @Test("C13.27: a recipient may ask for its profile's usual rung and nothing finer")
  func letsNobodyAskForMore() throws {
    #expect(
      try verdict("app-insight", confirmed: Confirmations(fine: true), by: .recipient) {
        $0.granularity = .g1
      } == .profileExceeded)
    #expect(
      try verdict("app-insight", confirmed: Confirmations(fine: true)) { $0.granularity = .g1 }
        == nil)
    #expect(
      try verdict("eliq-disaggregation", basis: .f, by: .recipient) { $0.granularity = .g0 }
        == .profileExceeded)
    #expect(
      try verdict("custom", by: .recipient) {
        $0.categories = .p1
        $0.granularity = .g1
      } == .floor)
    #expect(
      try verdict("installer-fault", confirmed: Confirmations(fine: true), by: .recipient) == nil)
  }

  @Test func givesNumbersAndRegistersOnlyIfTicked() throws {
    let fixture = try Fixture()
    let supplier = Recipient.named("supplier")
    try fixture.store.register(supplier, by: Fixture.owner, at: Fixture.start)
    let profile = try #require(Profiles.named("supplier-billing-check")).profile
    func accept(_ ticked: CategorySet) throws -> GrantTerms {
      let terms = GrantTerms(
        profile: profile, recipient: supplier, purpose: "billingCheck", basis: .b,
        sources: try Fixture.terms().sources,
        destination: Destination(
          broker: "first", topicRoot: "gateway/supplier", qos: 1, retain: false, country: "SE"),
        notice: try Fixture.terms().notice, validFrom: Fixture.start)
      let id = try fixture.propose(terms)
      try fixture.accept(id, ticked: ticked)
      return try fixture.store.grant(id).grant.terms
    }
    let plain = try accept([])
    #expect(plain.identifier == .pseudonym && !plain.absolute)
    #expect(plain.categories == [.e3, .e4, .t1])
    let numbered = try accept([.i1, .e1])
    #expect(numbered.identifier == .meterNumber && numbered.absolute)
    #expect(try accept(.i2).identifier == .meteringPoint)
    refuses(.profileExceeded) { try accept([.i1, .i2]) }
  }

  @Test func switchesATemplateOnOnlyWhenTold() throws {
    #expect(try verdict("dso-hourly-copy", basis: .f) == .profileExceeded)
    #expect(try verdict("dso-hourly-copy", basis: .f, isEnabled: true) == nil)
  }

  @Test func takesNoTwoMetersWithoutAName() throws {
    let other = try #require(UniqueID(bytes: [UInt8](repeating: 7, count: 16)))
    #expect(
      try verdict("installer-fault", confirmed: Confirmations(fine: true)) {
        $0.sources.append(other)
      } == .limit)
  }
}
