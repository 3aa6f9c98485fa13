import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct ProfilesTests {
  @Test func holdsEveryProfileOfTheDesign() {
    #expect(
      Profiles.all.map(\.profile.name) == [
        "local-dashboard", "local-automation", "app-insight", "eliq-disaggregation",
        "enode-smartcharge", "supplier-billing-check", "dso-hourly-copy", "family-view",
        "installer-fault", "research-aggregate", "statistics-aggregate", "thirdcountry-analytics",
        "custom",
      ])
    #expect(Profiles.all.count == Profiles.files.count)
    #expect(Profiles.named("marketing") == nil)
  }

  @Test(arguments: Profiles.files.map(\.name))
  func isNamedAsItsFileAndExplained(_ name: String) throws {
    let document = try #require(Profiles.named(name))
    #expect(document.profile.name == name)
    #expect(document.explanation.hasSuffix("."))
    #expect(!document.source.isEmpty)
    #expect(document.profile.optional.isSubset(of: document.profile.categories))
    // A number is never given unless it is ticked; only the house itself has them at once.
    let numbers = document.profile.categories.intersection(.identifiers)
    #expect(document.profile.isInHouse || document.profile.optional.isSuperset(of: numbers))
    #expect(
      document.profile.isInHouse || document.profile.categories.isDisjoint(with: .neverOffSite))
    let isFine = document.profile.granularity <= .g3 && !document.profile.isInHouse
    #expect(
      !isFine || document.explanation.contains("asleep or ill")
        || ["appliance", "power", "categor"].contains { document.explanation.contains($0) })
  }

  /// The table of privacy design C4.
  @Test(arguments: [
    ("local-automation", Granularity.g0, Rounding.r0, UInt32(0), [IdentifierMode.pseudonym]),
    ("app-insight", .g2, .r1, 0, [.pseudonym]), ("eliq-disaggregation", .g3, .r2, 60, [.pseudonym]),
    ("enode-smartcharge", .g3, .r2, 30, [.pseudonym]),
    ("supplier-billing-check", .g4, .r1, 3600, [.pseudonym, .meterNumber, .meteringPoint]),
    ("dso-hourly-copy", .g4, .r0, 3600, [.pseudonym, .meterNumber, .meteringPoint]),
    ("family-view", .g2, .r1, 0, [.pseudonym]), ("installer-fault", .g1, .r0, 0, [.none]),
    ("research-aggregate", .g5, .r4, 0, [.none]), ("statistics-aggregate", .g6, .r4, 0, [.none]),
    ("thirdcountry-analytics", .g4, .r2, 3600, [.pseudonym, .none]),
    ("custom", .g0, .r0, 0, [.pseudonym]),
  ])
  func hasTheCeilingOfTheDesign(
    _ name: String, _ granularity: Granularity, _ rounding: Rounding, _ delay: UInt32,
    _ identifiers: [IdentifierMode]
  ) throws {
    let profile = try #require(Profiles.named(name)).profile
    #expect(profile.granularity == granularity)
    #expect(profile.quantum == rounding)
    #expect(profile.minDelay == delay)
    #expect(profile.identifiers == identifiers)
  }

  @Test(arguments: [
    ("Elhub AS", "E_BASIS_NOT_FOR_GATEWAY"), ("META PLATFORMS Inc.", "E_PURPOSE_FORBIDDEN"),
    ("Microsoft Azure", "E_PROFILE_EXCEEDED"), ("samarbejdspartnere", "E_RECIPIENT_UNNAMED"),
    ("Aarhus Kommune", "E_BASIS_NOT_FOR_GATEWAY"),
  ])
  func refusesRecipientsThatHaveNoProfileWithTheReason(_ name: String, _ code: String) throws {
    let refused = try #require(RefusedRecipient(named: name, id: "somebody"))
    #expect(refused.code == code)
    #expect(refused.reason.count > 20)
    let fixture = try Fixture()
    var recipient = Fixture.eliq
    recipient.id = "somebody"
    recipient.legalName = name
    try fixture.store.register(recipient, by: Fixture.owner, at: Fixture.start)
    var terms = try Fixture.terms()
    terms.recipient = "somebody"
    #expect(throws: StoreError.refusedRecipient(refused)) { try fixture.propose(terms) }
    #expect(try fixture.store.grants().isEmpty)
  }

  @Test(arguments: ["Eliq AB", "Energy Partners AS", "Metadata AB", "Applied Energy AS"])
  func refusesNobodyElse(_ name: String) {
    #expect(RefusedRecipient(named: name, id: "first-app") == nil)
  }

  @Test func refusesWithACodeOfTheDesign() throws {
    for name in ["Google LLC", "Kredinor SA", "Vipps", "NRGi", "politi", "Datatilsynet"] {
      let refused = try #require(RefusedRecipient(named: name, id: "somebody"))
      #expect(ConsentError.Code(rawValue: refused.code) != nil)
    }
  }
}
