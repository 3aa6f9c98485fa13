import PrivacyFilter
import Testing

@testable import ConsentLedger

extension Recipient {
  static func named(_ id: String) -> Recipient {
    Recipient(
      id: id, legalName: "Example Energy AB", role: .controller, country: "SE",
      authority: "imy.se")
  }
}

extension Fixture {
  static let elekt = Recipient(
    id: "elekt", legalName: "Elekt AS", orgNo: "920766854", role: .controller, country: "NO",
    authority: "datatilsynet.no")
  static let eliq = Recipient(
    id: "eliq", legalName: "Eliq AB", role: .processor, country: "SE", onBehalfOf: "elekt",
    authority: "imy.se")
  static let house = Recipient(
    id: "home", legalName: "home", role: .inHouse, country: "DK", authority: "datatilsynet.dk")

  /// The source of privacy design C6.
  static let source = "7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b"

  /// The Eliq grant of privacy design C5, valid for a year from the start.
  static func terms() throws -> GrantTerms {
    var terms = try terms("eliq-disaggregation", eliq, "disaggregation", .f, "gateway/eliq")
    terms.basisText = "GDPR artikel 6 (1)(f), Elekt 3.2"
    terms.granularity = .g4
    terms.householdInformed = true
    return terms
  }

  static func houseTerms() throws -> GrantTerms {
    try terms("local-automation", house, "localAutomation", .unknown, "meter")
  }

  private static func terms(
    _ profile: String, _ recipient: Recipient, _ purpose: String, _ basis: Basis, _ root: String
  ) throws -> GrantTerms {
    GrantTerms(
      profile: try #require(Profiles.named(profile)).profile, recipient: recipient,
      purpose: purpose, basis: basis, sources: [try #require(UniqueID(parsing: source))],
      destination: Destination(
        broker: "first", topicRoot: root, qos: 1, retain: false, country: "SE"),
      notice: Notice(
        sha256: "22db4f0d2fbb4bd830dd855ed62a5781870d2d6ebfd697b69727d1d8461162b9", lang: "da",
        title: "Elekt privatlivserklæring 3.2", blob: "notices/22db4f0d"),
      validFrom: start)
  }

  /// Proposes terms, with no identifier seen so far.
  func propose(
    _ terms: GrantTerms, by authority: Authority = Fixture.owner, at now: Int64 = Fixture.start
  ) throws -> UniqueID {
    try store.propose(terms, by: authority, at: now, vault: IdentifierVault())
  }

  /// Accepts a proposal, with no identifier seen so far.
  @discardableResult
  func accept(
    _ id: UniqueID, ticked: CategorySet = [], at now: Int64 = Fixture.start
  ) throws -> [UInt8] {
    try store.accept(id, ticked: ticked, by: Fixture.owner, at: now, vault: IdentifierVault())
  }
}
