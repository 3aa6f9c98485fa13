import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Erasure with proof: what goes, what stays, and that nothing of it can be found again.
@Suite struct ErasureTests {
  private let start = Fixture.start

  private func ended(_ fixture: Fixture) throws -> UniqueID {
    let id = try fixture.grantInForce(at: start)
    fixture.store.count(
      .sent(byteCount: 9), of: id, categories: [.e3], granularity: .g4, at: start)
    try fixture.withdraw(id, at: start)
    _ = try fixture.store.completeEnd(id, .none, at: start)
    return id
  }

  private func hashes(_ fixture: Fixture, _ types: String) throws -> Set<String> {
    var rows = try fixture.store.database.prepare(
      "SELECT bh FROM ledger WHERE type IN (\(types))")
    var hashes: Set<String> = []
    while try rows.step() { hashes.insert(rows.text(0)) }
    return hashes
  }

  @Test("C13.46: bodies are gone, the chain verifies, the pseudonym cannot be derived or found")
  func leavesNothingBehind() throws {
    let fixture = try Fixture()
    let text = "Elekt AS: strømdata til Eliq AB, timeforbrug, 2026-01-01"
    let notice = try Fixture.terms().notice
    try fixture.store.keepNotice(text, notice)
    let id = try fixture.grantInForce(at: start)
    let pseudonyms = Pseudonyms(
      installSecret: fixture.store.installSecret, hmac: Crypto.hmacSHA256)
    let stored = try fixture.store.grant(id)
    let pseudonym = pseudonyms.meter(
      recipient: "eliq", salt: stored.pseudonymSalt, rotation: 0,
      source: try #require(UniqueID(parsing: Fixture.source)), channel: 0)
    let topic = "gateway/eliq/\(pseudonym)/e60"
    try fixture.store.addRetainedTopics([topic], of: id)
    try fixture.store.saveBases(
      [BaseRegister(quantity: 10, thousandths: 5)], of: id, source: Fixture.source)
    try fixture.withdraw(id, at: start)
    _ = try fixture.store.completeEnd(id, .none, at: start)
    let traces = [
      pseudonym, "gateway/eliq", "GDPR artikel 6", "strømdata", Hex.text(stored.pseudonymSalt),
    ]
    #expect(found(traces[1], in: fixture.directory))
    let bodies = try hashes(fixture, "'PROPOSE','GRANT','WITHDRAW','RECEIPT'")
    refuses(.state) { try fixture.store.erase([id], by: Fixture.owner, at: start) }
    try fixture.store.forgetRetainedTopics(of: id)
    let erasure = try fixture.store.erase([id], by: Fixture.owner, at: start)
    #expect(Set(erasure.removed) == bodies)
    #expect(erasure.removed.count == 5 && erasure.notices == 1 && erasure.kept.isEmpty)
    #expect(erasure.headAfter == (try fixture.store.ledgerHead()))
    #expect(erasure.isCompacted)
    for trace in traces { #expect(!found(trace, in: fixture.directory), "\(trace)") }
    for bytes in [stored.pseudonymSalt] {
      for name in fixture.directory.names {
        #expect(!fixture.directory.bytes(of: name).contains(bytes), "\(name)")
      }
    }
    try fixture.store.verify(knownHead: erasure.headBefore)
    #expect(try fixture.recordTypes().last == "ERASE")
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(reopened.ledgerFault == nil)
    let check = try reopened.verifyErasure()
    #expect(check.isClean && check.erasures == 1 && check.removed == 5)
  }

  private func found(_ text: String, in directory: TemporaryDirectory) -> Bool {
    directory.names.contains { directory.bytes(of: $0).contains(Array(text.utf8)) }
  }

  @Test("C13.23: an erased grant can be neither accepted nor ended nor erased again")
  func isOverForGood() throws {
    let fixture = try Fixture()
    let id = try ended(fixture)
    _ = try fixture.store.erase([id], by: Fixture.owner, at: start)
    let head = try fixture.store.ledgerHead()
    refuses(.state) { try fixture.accept(id) }
    refuses(.state) { try fixture.store.grant(id) }
    refuses(.state) { try fixture.store.erase([id], by: Fixture.owner, at: start) }
    #expect(try fixture.store.ledgerHead() == head)
    #expect(try fixture.store.histories()[id]?.map(\.type) == [.erase])
  }

  @Test func erasesNothingThatIsInForce() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    refuses(.state) { try fixture.store.erase([id], by: Fixture.owner, at: start) }
    let unknown = try #require(UniqueID(bytes: [UInt8](repeating: 9, count: 16)))
    refuses(.grantUnknown) { try fixture.store.erase([unknown], by: Fixture.owner, at: start) }
    #expect(try fixture.store.activeGrants(at: start).map(\.grant.id) == [id])
  }

  @Test func leavesOthersAlone() throws {
    let fixture = try Fixture()
    let notice = try Fixture.terms().notice
    try fixture.store.keepNotice(
      "Elekt AS: strømdata til Eliq AB, timeforbrug, 2026-01-01", notice)
    let id = try ended(fixture)
    let other = try fixture.grantInForce(at: start)
    let new = try fixture.store.propose(
      Fixture.terms(), supersedes: other, by: Fixture.owner, at: start, vault: IdentifierVault())
    try fixture.accept(new)
    _ = try fixture.store.completeEnd(other, .none, at: start)
    let erasure = try fixture.store.erase(
      [id, other], recipients: ["eliq"], by: Fixture.owner, at: start)
    // The grant in force still needs the recipient, its principal and the text.
    #expect(erasure.recipients.isEmpty && erasure.notices == 0)
    #expect(try fixture.store.recipients().map(\.id) == ["eliq", "elekt", "home"].sorted())
    #expect(try fixture.store.notice(notice.sha256) != nil)
    #expect(try fixture.store.receipts(of: new).count == 1)
    let (directory, reopened) = try fixture.afterPowerCut(at: start)
    #expect(reopened.ledgerFault == nil)
    #expect(try reopened.activeGrants(at: start).map(\.grant.id) == [new])
    try reopened.tombstone(new, .withdrawal, by: Fixture.owner, at: start)
    try reopened.recordEnd(new)
    _ = try reopened.completeEnd(new, .none, at: start)
    let last = try reopened.erase(
      [new], recipients: ["eliq", "elekt"], by: Fixture.owner, at: start)
    #expect(last.recipients == ["elekt", "eliq"] && last.notices == 1)
    #expect(try reopened.recipients().map(\.id) == ["home"])
    #expect(try Fixture.open(directory.copy(), at: start).ledgerFault == nil)
  }

  @Test func findsABodyThatCameBack() throws {
    let fixture = try Fixture()
    let id = try ended(fixture)
    let backup = try #require(try hashes(fixture, "'GRANT'").first)
    var row = try fixture.store.database.prepare("SELECT salt, body FROM bodies WHERE bh = ?")
    try row.bind([.text(backup)])
    #expect(try row.step())
    let (salt, body) = (row.bytes(0), row.bytes(1))
    row.reset()
    _ = try fixture.store.erase([id], by: Fixture.owner, at: start)
    #expect(try fixture.store.verifyErasure().isClean)
    try fixture.store.database.run(
      "INSERT INTO bodies VALUES(?, ?, ?)", .text(backup), .blob(salt), .blob(body))
    let check = try fixture.store.verifyErasure()
    #expect(check.remaining == [backup] && !check.isClean)
    try fixture.store.database.run(
      "UPDATE grants SET salt = ? WHERE id = ?", .blob([1, 2]), .text(id.text))
    #expect(try fixture.store.verifyErasure().derivable == [id])
  }

  @Test func erasesAllTheSameWhereABrokerIsGone() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    try fixture.store.addRetainedTopics(["gateway/eliq/m-abcdefgh/e60"], of: id)
    try fixture.withdraw(id, at: start)
    _ = try fixture.store.completeEnd(id, .none, at: start)
    let erasure = try fixture.store.erase(
      [id], leavingRetained: true, by: Fixture.owner, at: start)
    #expect(erasure.kept.count == 1)
    #expect(!found("m-abcdefgh", in: fixture.directory))
  }

  @Test func goesOnBehindABreakWithWhatWasErased() throws {
    let fixture = try Fixture()
    let id = try ended(fixture)
    _ = try fixture.store.erase([id], by: Fixture.owner, at: start)
    try fixture.tamper("UPDATE ledger SET ts = '2026-01-01T00:00:01Z' WHERE seq = 1")
    let (directory, reopened) = try fixture.afterPowerCut(at: start)
    let head = try reopened.ledgerHead()
    _ = try reopened.acceptBreak(
      confirmation: String(head.prefix(8)), by: Fixture.owner, at: start)
    try reopened.verify(knownHead: nil)
    #expect(try Fixture.open(directory.copy(), at: start).ledgerFault == nil)
  }
}
