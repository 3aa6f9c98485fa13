import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct EndingTests {
  private let noEffects = EndEffects(
    purged: 0, retainedCleared: 0, tailByteCount: 0, brokerAccessChanged: false)

  @Test func deniesFromTheTombstoneOn() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let other = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.tombstone(id, .withdrawal, by: Fixture.owner, at: Fixture.start + 5000)
    #expect(try fixture.store.activeGrants(at: Fixture.start).map(\.grant.id) == [other])
    try fixture.store.recordEnd(id)
    try fixture.store.recordEnd(id)
    let stored = try fixture.store.grant(id)
    #expect(stored.grant.state == .withdrawn)
    #expect(stored.endedAt == Fixture.start + 5000)
    #expect(stored.endedBy == "uid:1000")
    #expect(try fixture.recordTypes().filter { $0 == "WITHDRAW" }.count == 1)
    try fixture.store.verify(knownHead: nil)
  }

  @Test(arguments: [
    (GrantEnd.withdrawal, Authority.recipient, "WITHDRAW", GrantState.revokedByRecipient),
    (.objection, .uid(0), "OBJECT", .objected), (.invalidation, .agent, "TRIPWIRE", .invalidated),
  ])
  func recordsEveryKindOfEnd(
    _ end: GrantEnd, _ by: Authority, _ type: String, _ state: GrantState
  ) throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.tombstone(id, end, by: by, at: Fixture.start)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.grant(id).grant.state == state)
    #expect(try reopened.grant(id).endedBy == by.text)
    #expect(try Fixture.recordTypes(of: reopened).suffix(2) == [type, "RECOVERY"])
    try reopened.verify(knownHead: nil)
  }

  @Test func recordsNoEndWithoutATombstone() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    refuses(.state) { try fixture.store.recordEnd(id) }
    let unknown = try #require(UniqueID(bytes: [UInt8](repeating: 9, count: 16)))
    refuses(.grantUnknown) { try fixture.store.recordEnd(unknown) }
  }

  /// A power cut after each step of a withdrawal leaves a denied grant that ends at its own time.
  @Test func survivesAPowerCutBetweenAnyTwoSteps() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let at = Fixture.start + Fixture.hour
    try fixture.store.tombstone(id, .withdrawal, by: Fixture.owner, at: at)
    let afterTombstone = fixture.directory.copy()
    try fixture.store.recordEnd(id)
    let afterRecord = fixture.directory.copy()
    _ = try fixture.store.completeEnd(id, noEffects, at: at)
    let afterReceipt = fixture.directory.copy()
    for (directory, recoveries) in [
      (afterTombstone, [Recovery.endRecorded]), (afterRecord, []), (afterReceipt, []),
    ] {
      let store = try Fixture.open(directory, at: at + Fixture.day)
      #expect(store.recoveries == recoveries)
      #expect(try store.activeGrants(at: at).isEmpty)
      #expect(try store.grant(id).grant.state == .withdrawn)
      #expect(try store.grant(id).endedAt == at)
      var times: [String] = []
      _ = try store.ledger.walk { record, _ in
        if record.type == "WITHDRAW" { times.append(record.time) }
      }
      #expect(times == [Timestamp.text(at)])
      try store.verify(knownHead: nil)
      let again = try Fixture.open(directory.copy(), at: at)
      #expect(again.recoveries.isEmpty)
    }
  }

  @Test func keepsAnEndToBeCompletedAcrossRestart() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.addRetainedTopics(["gateway/a"], of: id)
    #expect(try fixture.store.unclearedEnds().isEmpty)
    try fixture.withdraw(id, at: Fixture.start)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.uncompletedEnds().map(\.grant.id) == [id])
    #expect(try reopened.retainedTopics(of: id) == ["gateway/a"])
    _ = try reopened.completeEnd(id, noEffects, at: Fixture.start)
    #expect(try reopened.uncompletedEnds().isEmpty)
    // The broker may still keep them: they go when it has confirmed that it does not.
    #expect(try reopened.unclearedEnds().map(\.grant.id) == [id])
    try reopened.forgetRetainedTopics(of: id)
    #expect(try reopened.unclearedEnds().isEmpty)
    #expect(try reopened.retainedTopics(of: id).isEmpty)
    refuses(.state) { try reopened.completeEnd(id, noEffects, at: Fixture.start) }
  }

  @Test func completesNothingThatRuns() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    refuses(.state) { try fixture.store.completeEnd(id, noEffects, at: Fixture.start) }
  }

  @Test func deniesAGrantThatABackupBroughtBack() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let backup = fixture.directory.copy()
    try fixture.withdraw(id, at: Fixture.start + Fixture.hour)
    backup.write(fixture.directory.bytes(of: "denylist.bin"), to: "denylist.bin")
    let store = try Fixture.open(backup, at: Fixture.start)
    #expect(try store.activeGrants(at: Fixture.start).isEmpty)
    #expect(try store.grant(id).grant.state == .withdrawn)
  }
}
