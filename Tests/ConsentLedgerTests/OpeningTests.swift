import Glibc
import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct OpeningTests {
  @Test func makesFilesThatNobodyElseReads() throws {
    let parent = TemporaryDirectory()
    let path = parent.path + "/state"
    let mask = umask(0)
    defer { umask(mask) }
    let store = try ConsentStore(directory: path, at: Fixture.start, random: Crypto.random)
    #expect(parent.mode(of: "state") == 0o700)
    for name in ["denylist.bin", "install.secret", "state.sqlite3", "state.sqlite3-wal"] {
      #expect(parent.mode(of: "state/" + name) == 0o600, "\(name)")
    }
    #expect(parent.bytes(of: "state/install.secret") == store.installSecret)
    #expect(store.installSecret.count == 32)
    #expect(store.installSecret != [UInt8](repeating: 0, count: 32))
  }

  @Test(arguments: [
    (StateFileName.installSecret, UInt32(0o604)), (.installSecret, 0o640), (.denylist, 0o644),
    (.database, 0o660),
  ])
  func refusesAFileThatOthersCanRead(_ file: StateFileName, _ mode: UInt32) throws {
    let fixture = try Fixture()
    let copy = fixture.directory.copy()
    unsafe chmod(copy.path + "/" + file.rawValue, mode)
    #expect(throws: StoreError.exposed(file)) { try Fixture.open(copy, at: Fixture.start) }
  }

  @Test func refusesADirectoryThatOthersCanWrite() throws {
    let directory = TemporaryDirectory()
    unsafe chmod(directory.path, 0o720)
    #expect(throws: StoreError.exposed(.directory)) {
      try Fixture.open(directory, at: Fixture.start)
    }
    #expect(directory.names.isEmpty)
  }

  @Test func refusesADirectoryThatCannotBe() {
    #expect(throws: StoreError.directoryUnusable(errno: ENOENT)) {
      try ConsentStore(
        directory: "/tmp/not-there/state", at: Fixture.start, random: Crypto.random)
    }
  }

  @Test func refusesTheDatabaseOfANewerAgent() throws {
    let fixture = try Fixture()
    let newer = Schema.version + 1
    try fixture.store.database.execute("PRAGMA user_version = \(newer)")
    #expect(throws: StoreError.newerSchema(newer)) { try fixture.afterPowerCut(at: Fixture.start) }
  }

  @Test func refusesADatabaseOfOtherSoftware() throws {
    let fixture = try Fixture()
    try fixture.store.database.execute("PRAGMA application_id = 7")
    #expect(throws: StoreError.foreignDatabase) { try fixture.afterPowerCut(at: Fixture.start) }
  }

  @Test func refusesWhatIsNoDatabase() throws {
    let directory = TemporaryDirectory()
    directory.write([UInt8](repeating: 0x41, count: 8192), to: "state.sqlite3")
    #expect(throws: StoreError.damaged(.database)) {
      try Fixture.open(directory, at: Fixture.start)
    }
  }

  @Test func refusesAShortSecret() throws {
    let fixture = try Fixture()
    let copy = fixture.directory.copy()
    copy.write([1, 2, 3], to: "install.secret")
    #expect(throws: StoreError.damaged(.installSecret)) {
      try Fixture.open(copy, at: Fixture.start)
    }
  }

  @Test func keepsItsSecret() throws {
    let fixture = try Fixture()
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(reopened.installSecret == fixture.store.installSecret)
    #expect(reopened.recoveries.isEmpty)
  }

  @Test(arguments: [
    ("install.secret", Recovery.installSecret), ("denylist.bin", .denylist),
  ])
  func notesThatAFileWasMissing(_ name: String, _ recovery: Recovery) throws {
    let fixture = try Fixture()
    let copy = fixture.directory.copy()
    unsafe unlink(copy.path + "/" + name)
    let reopened = try Fixture.open(copy, at: Fixture.start)
    #expect(reopened.recoveries == [recovery])
    #expect(try Fixture.recordTypes(of: reopened).last == "RECOVERY")
  }

  @Test func letsNoSecondProcessIn() throws {
    let fixture = try Fixture()
    #expect(throws: StoreError.inUse) {
      _ = try Database(
        path: fixture.directory.path + "/state.sqlite3", busyMilliseconds: 0
      ).integerOrInUse("SELECT count(*) FROM ledger")
    }
  }

  @Test("C13.43: with one changed record external grants are silent, the house runs on")
  func silencesExternalGrantsWhenTheChainIsBroken() throws {
    let fixture = try Fixture()
    let external = try fixture.grantInForce(at: Fixture.start)
    let inHouse = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(inHouse)
    try fixture.tamper("UPDATE ledger SET ts = '2026-01-01T00:00:01Z' WHERE seq = 1")
    refuses(.ledgerBroken) { try fixture.store.verify(knownHead: nil) }
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(reopened.ledgerFault == .record(1))
    #expect(try reopened.activeGrants(at: Fixture.start).map(\.grant.id) == [inHouse])
    refuses(.ledgerBroken) { try reopened.verify(knownHead: nil) }
    refuses(.ledgerBroken) {
      try reopened.propose(
        Fixture.terms(), by: Fixture.owner, at: Fixture.start, vault: IdentifierVault())
    }
    // Ending works all the same.
    try reopened.tombstone(external, .withdrawal, by: Fixture.owner, at: Fixture.start)
    try reopened.recordEnd(external)
    #expect(try reopened.grant(external).grant.state == .withdrawn)
  }

  @Test("C13.44: a cut tail is found by the head of a receipt")
  func findsACutTailByTheHeadOfAReceipt() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let before = try fixture.store.ledgerHead()
    try fixture.withdraw(id, at: Fixture.start)
    let head = try fixture.store.ledgerHead()
    #expect(try fixture.store.verify(knownHead: head) == 8)
    try fixture.tamper(
      """
      DELETE FROM ledger WHERE type = 'WITHDRAW';
      UPDATE grants SET state = 'ACTIVE', ended_at = NULL;
      """)
    try fixture.store.verify(knownHead: before)
    refuses(.ledgerTruncated) { try fixture.store.verify(knownHead: head) }
    // The tombstone still denies, and brings the record back.
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.activeGrants(at: Fixture.start).isEmpty)
  }

  @Test(arguments: [
    "UPDATE grants SET state = 'ACTIVE'", "UPDATE grants SET state = 'nonsense'",
    "DELETE FROM grants", "UPDATE grants SET bh = (SELECT bh FROM ledger WHERE type = 'GRANT')",
    "INSERT INTO grants(id, state, bh, proposed_at, salt) SELECT id || 'x', state, bh, 0, x'' FROM grants",
    "UPDATE recipients SET bh = (SELECT bh FROM recipients WHERE id = 'home') WHERE id = 'eliq'",
    "INSERT INTO recipients SELECT 'new', bh FROM recipients WHERE id = 'home'",
  ])
  func takesHandEditedRowsForABrokenLedger(_ sql: String) throws {
    let fixture = try Fixture()
    let accepted = try fixture.grantInForce(at: Fixture.start)
    try fixture.withdraw(accepted, at: Fixture.start)
    _ = try fixture.propose(Fixture.terms())
    #expect(fixture.store.ledgerFault == nil)
    try fixture.store.database.execute(sql)
    refuses(.ledgerBroken) { try fixture.store.verify(knownHead: nil) }
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(reopened.ledgerFault == .state)
    #expect(try reopened.activeGrants(at: Fixture.start).isEmpty)
  }

  @Test func releasesNothingUnderAnErasedBody() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let row = try #require(try fixture.store.row(id))
    try fixture.store.database.run("DELETE FROM bodies WHERE bh = ?", .text(row.bodyHash))
    #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
  }
}

extension Fixture {
  /// Changes the ledger behind its back.
  func tamper(_ sql: String) throws {
    try store.database.execute(
      "DROP TRIGGER ledger_refuses_update; DROP TRIGGER ledger_refuses_delete;" + sql)
  }
}

extension Database {
  fileprivate func integerOrInUse(_ sql: String) throws -> Int64? {
    do throws(DatabaseError) { return try integer(sql) } catch { throw StoreError(reading: error) }
  }
}
