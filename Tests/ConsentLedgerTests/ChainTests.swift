import Glibc
import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Checkpoints, the anchor outside the database, and going on behind a break.
@Suite struct ChainTests {
  private let start = Fixture.start

  private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.bytes(hex)) }

  /// RFC 8032, section 7.1, tests 1 and 2.
  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        + "d25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        + "387b2eaeb4302aeeb00d291612bb0c00"
    ),
  ])
  func signsAsTheStandardDoes(
    _ secret: String, _ key: String, _ message: String, _ signature: String
  ) throws {
    let (secret, key) = (try bytes(secret), try bytes(key))
    let message = try bytes(message)
    #expect(Ed25519.publicKey(of: secret) == key)
    #expect(Ed25519.sign(message, with: secret).map(Hex.text) == signature)
    #expect(Ed25519.isValid(try bytes(signature), of: message, publicKey: key))
    #expect(!Ed25519.isValid(try bytes(signature), of: message + [0], publicKey: key))
    #expect(Ed25519.sign(message, with: Array(secret.dropLast())) == nil)
  }

  @Test func takesNoChangedCheckpointForOne() throws {
    let checkpoint = try #require(
      Checkpoint(
        head: String(repeating: "ab", count: 32), sequence: 7, time: "2026-01-01T00:00:00Z",
        privateKey: Array(0..<32)))
    #expect(Checkpoint(checkpoint.text) == checkpoint)
    for index in checkpoint.text.indices {
      var changed = checkpoint.text
      changed[index] ^= 1
      #expect(Checkpoint(changed) == nil, "byte \(index)")
    }
  }

  @Test func recordsOneCheckpointADay() throws {
    let fixture = try Fixture()
    for hour in [0, 1, 23, 24] {
      try fixture.store.recordCheckpoint(at: start + Int64(hour) * Fixture.hour)
    }
    #expect(try fixture.recordTypes().filter { $0 == "CHECKPOINT" }.count == 2)
    let head = try fixture.store.ledgerHead()
    try fixture.store.keepAnchor(at: start + Fixture.day)
    #expect(fixture.store.checkpoint?.head == head)
    #expect(fixture.directory.mode(of: "ledger.anchor") == 0o600)
    #expect(fixture.directory.mode(of: "checkpoint.key") == 0o600)
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(reopened.ledgerFault == nil)
    #expect(reopened.checkpoint?.head == head)
    let files = fixture.directory.bytes(of: "ledger.anchor")
    try fixture.store.keepAnchor(at: start + 2 * Fixture.day)
    #expect(fixture.directory.bytes(of: "ledger.anchor") == files)
  }

  @Test("C13.44: a tail that was cut off is missed at the next start, without any receipt")
  func missesACutTail() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    try fixture.store.restrict(id, by: Fixture.owner, at: start)
    try fixture.store.keepAnchor(at: start)
    try fixture.tamper(
      "DELETE FROM ledger WHERE type = 'RESTRICT'; UPDATE grants SET state = 'ACTIVE'")
    refuses(.ledgerTruncated) { try fixture.store.verify(knownHead: nil) }
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(reopened.ledgerFault == .truncated)
    #expect(try reopened.activeGrants(at: start).isEmpty)
    refuses(.ledgerTruncated) {
      try reopened.propose(Fixture.terms(), by: Fixture.owner, at: start, vault: IdentifierVault())
    }
  }

  @Test(arguments: ["gone", "damaged", "signed by another key", "key gone"])
  func takesALostAnchorForACutTail(_ what: String) throws {
    let fixture = try Fixture()
    try fixture.store.recordCheckpoint(at: start)
    let copy = fixture.directory.copy()
    switch what {
    case "gone": unsafe unlink(copy.path + "/ledger.anchor")
    case "key gone": unsafe unlink(copy.path + "/checkpoint.key")
    case "damaged": copy.write(Array("{}".utf8), to: "ledger.anchor")
    default:
      let head = try fixture.store.ledgerHead()
      let other = try #require(
        Checkpoint(
          head: head, sequence: 5, time: "2026-01-01T00:00:00Z",
          privateKey: Array(repeating: 9, count: 32)))
      copy.write(other.text, to: "ledger.anchor")
    }
    #expect(try Fixture.open(copy, at: start).ledgerFault == .truncated)
  }

  @Test(arguments: [
    "UPDATE ledger SET ts = '2026-01-01T00:00:01Z' WHERE seq = 1",
    "UPDATE grants SET state = 'ACTIVE'", "DELETE FROM ledger WHERE seq > 4",
    "DELETE FROM ledger", "DELETE FROM bodies WHERE bh IN (SELECT bh FROM recipients)",
    "UPDATE bodies SET body = x'00'", "UPDATE ledger SET type = 'GENESIS' WHERE seq = 3",
  ])
  func goesOnBehindABreak(_ sql: String) throws {
    let fixture = try Fixture()
    let external = try fixture.grantInForce(at: start)
    let ended = try fixture.grantInForce(at: start)
    try fixture.withdraw(ended, at: start)
    let inHouse = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(inHouse)
    try fixture.store.keepAnchor(at: start)
    refuses(.state) {
      try fixture.store.acceptBreak(
        confirmation: String(try fixture.store.ledgerHead().prefix(8)), by: Fixture.owner,
        at: start)
    }
    try fixture.tamper("DROP TRIGGER bodies_refuse_update; \(sql)")
    let (directory, store) = try fixture.afterPowerCut(at: start)
    let old = try store.ledgerHead()
    if store.ledgerFault == nil {
      // Bodies that are gone were erased: no fault, but nothing that they carried is left.
      #expect(try store.grants().isEmpty)
      return
    }
    refuses(.state) { try store.acceptBreak(confirmation: "00", by: Fixture.owner, at: start) }
    let later = start + Fixture.hour
    let accepted = try store.acceptBreak(
      confirmation: String(old.prefix(8)), by: Fixture.owner, at: later)
    #expect(accepted.invalidated.contains(external))
    #expect(try !store.activeGrants(at: later).contains { $0.recipient.role != .inHouse })
    try store.verify(knownHead: nil)
    #expect(try Fixture.recordTypes(of: store).first == "GENESIS")
    refuses(.ledgerTruncated) { try store.verify(knownHead: old) }
    let reopened = try Fixture.open(directory.copy(), at: later)
    #expect(reopened.ledgerFault == nil)
    #expect(!(try reopened.activeGrants(at: later).contains { $0.grant.id == ended }))
    // A record cannot be changed again, and consent can be given again.
    #expect(throws: DatabaseError.self) {
      try reopened.database.execute("UPDATE ledger SET ts = 'x'")
    }
    try reopened.register(Fixture.eliq, by: Fixture.owner, at: later)
    let again = try reopened.propose(
      Fixture.terms(), by: Fixture.owner, at: later, vault: IdentifierVault())
    _ = try reopened.accept(
      again, ticked: [], by: Fixture.owner, at: later, vault: IdentifierVault())
    #expect(try reopened.activeGrants(at: later).contains { $0.grant.id == again })
    try reopened.verify(knownHead: nil)
  }

  @Test func recordsTheOldHeadBehindABreak() throws {
    let fixture = try Fixture()
    let inHouse = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(inHouse)
    try fixture.tamper("UPDATE ledger SET ts = '2026-01-01T00:00:01Z' WHERE seq = 1")
    let (directory, store) = try fixture.afterPowerCut(at: start)
    let old = try store.ledgerHead()
    _ = try store.acceptBreak(
      confirmation: String(old.prefix(8)), by: Fixture.owner, at: start)
    var first = ""
    _ = try store.ledger.walk { record, body in
      if record.type == "GENESIS" { first = String(decoding: body ?? [], as: UTF8.self) }
    }
    #expect(first.contains(#""fault":"record 1","head":"\#(old)""#))
    #expect(first.contains(#""by":"uid:1000""#))
    #expect(try store.activeGrants(at: start).map(\.grant.id) == [inHouse])
    #expect(directory.names.contains("ledger.anchor"))
  }
}
