import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct ReceiptTests {
  /// One life of a grant with counted randomness, so that every byte of its receipts is known.
  private func receipts() throws -> (store: ConsentStore, beginning: String, end: String) {
    let random = CountedRandom()
    let directory = TemporaryDirectory()
    let store = try ConsentStore(
      directory: directory.path, at: Fixture.start, random: random.bytes)
    store.householdCountry = "DK"
    for recipient in [Fixture.elekt, Fixture.eliq] {
      try store.register(recipient, by: Fixture.owner, at: Fixture.start)
    }
    let id = try store.propose(
      Fixture.terms(), by: Fixture.owner, at: Fixture.start, vault: IdentifierVault())
    let beginning = try store.accept(
      id, ticked: [], by: Fixture.owner, at: Fixture.start + 300_000, vault: IdentifierVault())
    let last = Fixture.start + 33 * Fixture.hour + 81_000
    for hour in 0..<33 {
      store.count(
        .sent(byteCount: 120), of: id, categories: [.e3, .e4, .t1], granularity: .g4,
        at: last - Int64(32 - hour) * Fixture.hour)
    }
    let end = Fixture.start + 34 * Fixture.hour
    try store.tombstone(id, .withdrawal, by: Fixture.owner, at: end)
    try store.recordEnd(id)
    let effects = EndEffects(
      purged: 1, retainedCleared: 0, tailByteCount: 0, brokerAccessChanged: false)
    let ending = try store.completeEnd(id, effects, at: end)
    #expect(try store.receipts(of: id) == [beginning, ending])
    return (
      store, String(decoding: beginning, as: UTF8.self), String(decoding: ending, as: UTF8.self)
    )
  }

  @Test func looksAsTheDesignDrawsIt() throws {
    let (_, beginning, end) = try receipts()
    #expect(beginning == ReceiptText.beginning)
    #expect(end == ReceiptText.end)
  }

  @Test func namesTheHeadThatItCertifies() throws {
    let (store, _, end) = try receipts()
    var heads: [String: String] = [:]
    var rows = try store.database.prepare("SELECT type, hash FROM ledger")
    while try rows.step() { heads[rows.text(0)] = rows.text(1) }
    let head = try #require(heads["WITHDRAW"])
    #expect(end.contains(#""gw:ledgerHead":"\#(head)""#))
    #expect(try store.verify(knownHead: head) == 8)
  }

  @Test func needsNoIdentifier() throws {
    let (_, beginning, end) = try receipts()
    for text in [beginning, end] {
      #expect(!text.contains(Fixture.source))
      #expect(!text.contains("m-"))
    }
  }

  @Test func showsWhichOptionalCategoriesWereTicked() throws {
    let fixture = try Fixture()
    let receipt = try fixture.accept(fixture.propose(Fixture.terms()), ticked: [.x1])
    let text = String(decoding: receipt, as: UTF8.self)
    #expect(
      text.contains(
        #"{"@id":"gw:HouseholdInfo","dpv:hasNecessity":"dpv:Optional","gw:ticked":true,"#
          + #""skos:broader":"pd:Household"}"#))
    #expect(
      text.contains(
        #"{"@id":"gw:CoarseLocation","dpv:hasNecessity":"dpv:Optional","gw:ticked":false,"#))
  }
}
