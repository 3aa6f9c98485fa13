import PrivacyFilter
import Testing

@testable import ConsentLedger

/// The journal of what left: what it counts, what a power cut leaves of it, and its digests.
@Suite struct EgressJournalTests {
  private let start = Fixture.start

  private func send(
    _ store: ConsentStore, _ id: UniqueID, _ granularity: Granularity = .g4, at now: Int64
  ) {
    store.count(
      .sent(byteCount: 100), of: id, categories: [.e3], granularity: granularity, at: now)
  }

  @Test func keepsAcknowledgedAndDroppedApartByDayAndRung() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    send(fixture.store, id, at: start)
    send(fixture.store, id, .g5, at: start + 1000)
    for event in [EgressEvent.acknowledged, .dropped, .dropped] {
      fixture.store.count(event, of: id, categories: [.e3], granularity: .g4, at: start)
    }
    send(fixture.store, id, at: start + Fixture.day)
    try fixture.store.flushJournal(at: start)
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    let rows = try reopened.egressRows(EgressQuery())
    #expect(rows.map(\.key.dayText) == ["2026-01-01", "2026-01-01", "2026-01-02"])
    #expect(rows.map(\.key.rung) == [4, 5, 4])
    #expect(
      rows.first?.count
        == EgressCount(
          messages: 1, byteCount: 100, acknowledged: 1, dropped: 2, firstAt: start, lastAt: start))
    var query = EgressQuery()
    query.from = rows[2].key.day
    #expect(try reopened.egressRows(query).count == 1)
    query = EgressQuery()
    (query.offset, query.limit) = (1, 1)
    #expect(try reopened.egressRows(query) == [rows[1]])
    query.grants = []
    #expect(try reopened.egressRows(query).isEmpty)
  }

  @Test(
    "C13.49: a power cut 30 s after the flush leaves a gap of 60 s at most, nothing lost before")
  func saysWhatAPowerCutMayHide() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    #expect(try !fixture.store.beginJournal(at: start))
    for second in 0..<60 { send(fixture.store, id, at: start + Int64(second) * 1000) }
    try fixture.store.flushJournal(at: start + 60_000)
    for second in 60..<90 { send(fixture.store, id, at: start + Int64(second) * 1000) }
    let (directory, reopened) = try fixture.afterPowerCut(at: start + 90_000)
    #expect(try reopened.egress(of: id)?.messages == 60)
    #expect(try reopened.beginJournal(at: start + 95_000))
    let gaps = try reopened.egressGaps()
    #expect(gaps == [EgressGap(after: start + 60_000, before: start + 95_000)])
    #expect(gaps.map(\.seconds) == [35])
    #expect(EgressGap(after: 0, before: Fixture.hour).seconds == 60)
    try reopened.endJournal(at: start + 100_000)
    let next = try Fixture.open(directory.copy(), at: start + 200_000)
    #expect(try !next.beginJournal(at: start + 200_000))
    #expect(try next.egressGaps() == gaps)
  }

  @Test func writesNothingWhileNothingLeaves() throws {
    let fixture = try Fixture()
    try fixture.store.beginJournal(at: start)
    let log = fixture.directory.bytes(of: "state.sqlite3-wal").count
    for minute in 1..<60 { try fixture.store.flushJournal(at: start + Int64(minute) * 60_000) }
    #expect(fixture.directory.bytes(of: "state.sqlite3-wal").count == log)
    try fixture.store.flushJournal(at: start + Fixture.hour)
    #expect(fixture.directory.bytes(of: "state.sqlite3-wal").count > log)
    let (_, reopened) = try fixture.afterPowerCut(at: start + Fixture.day)
    #expect(try reopened.beginJournal(at: start + Fixture.day))
    #expect(try reopened.egressGaps().map(\.after) == [start + Fixture.hour])
  }

  @Test func recordsADigestOfEachDayOnceAndSeesAChangedRow() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    send(fixture.store, id, at: start)
    send(fixture.store, id, at: start + Fixture.day)
    try fixture.store.flushJournal(at: start + Fixture.day)
    for _ in 0..<2 { try fixture.store.recordEgressDays(at: start + Fixture.day) }
    #expect(try fixture.recordTypes().filter { $0 == "EGRESS_DAY" }.count == 1)
    try fixture.store.recordEgressDays(at: start + 2 * Fixture.day)
    #expect(try fixture.recordTypes().filter { $0 == "EGRESS_DAY" }.count == 2)
    #expect(try fixture.store.contradictedEgressDays().isEmpty)
    try fixture.store.database.execute("UPDATE journal SET messages = 0 WHERE day = '2026-01-02'")
    #expect(try fixture.store.contradictedEgressDays() == ["2026-01-02"])
    try fixture.store.database.execute("DELETE FROM journal")
    #expect(try fixture.store.contradictedEgressDays().isEmpty)
    try fixture.store.verify(knownHead: nil)
  }

  @Test func bringsCountsOfAnOlderFileAlong() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    try fixture.store.database.execute(
      """
      DROP TABLE journal; DROP TABLE runs; DROP TABLE gaps;
      DROP TABLE history; DROP TABLE history_bases; DROP TABLE enquiries;
      CREATE TABLE journal(
        grant_id TEXT NOT NULL REFERENCES grants(id) ON DELETE CASCADE, day TEXT NOT NULL,
        categories INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
        first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        PRIMARY KEY (grant_id, day, categories)) STRICT;
      INSERT INTO journal VALUES('\(id.text)', '2026-01-01', 4, 7, 700, \(start), \(start));
      PRAGMA user_version = 1;
      """)
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(try reopened.egress(of: id)?.messages == 7)
    #expect(try reopened.database.integer("PRAGMA user_version") == Schema.version)
    #expect(try reopened.enquiries().isEmpty)
    #expect(try !reopened.beginJournal(at: start))
    try reopened.verify(knownHead: nil)
  }

  @Test func keepsTheLastThreeMessagesInMemoryOnly() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    for number in 0..<5 {
      let payload = Array("{\"value\":4711\(number)}".utf8)
      fixture.store.keepSample(
        of: id, topic: Array("a/b".utf8).span, payload: payload.span, at: start + Int64(number))
    }
    let samples = fixture.store.samples(of: id)
    #expect(samples.map(\.at) == [2, 3, 4].map { start + $0 })
    #expect(samples.last?.payload == "{\"value\":47114}")
    #expect(samples.allSatisfy { $0.topic == "a/b" })
    try fixture.store.flushJournal(at: start)
    for name in fixture.directory.names {
      let bytes = fixture.directory.bytes(of: name)
      #expect(!String(decoding: bytes, as: UTF8.self).contains("value\":4711"), "\(name)")
    }
    try fixture.withdraw(id, at: start)
    _ = try fixture.store.completeEnd(id, .none, at: start)
    #expect(fixture.store.samples(of: id).isEmpty)
  }

  @Test func tellsTheLifeOfEachGrant() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: start)
    let other = try fixture.propose(Fixture.terms())
    try fixture.store.restrict(id, by: Fixture.owner, at: start + Fixture.hour)
    try fixture.withdraw(id, at: start + 2 * Fixture.hour)
    let histories = try fixture.store.histories()
    #expect(histories[id]?.map(\.type) == [.propose, .grant, .restrict, .withdraw])
    #expect(histories[id]?.last?.at == start + 2 * Fixture.hour)
    #expect(histories[id]?.last?.by == "uid:1000")
    #expect(histories[other]?.map(\.type) == [.propose])
  }

  @Test func writesAKantaraReceiptWithoutMakingAnythingUp() throws {
    let fixture = try Fixture()
    let proposal = try fixture.propose(Fixture.terms())
    #expect(try fixture.store.kantaraReceipt(of: proposal) == nil)
    fixture.store.householdCountry = "DK"
    try fixture.accept(proposal)
    let bytes = try #require(try fixture.store.kantaraReceipt(of: proposal))
    let text = String(decoding: bytes, as: UTF8.self)
    for part in [
      #""version":"KI-CR-v1.1.0""#, #""consentTimestamp":1767225600"#, #""jurisdiction":"DK""#,
      #""piiControllers":[{"onBehalf":true,"piiController":"Elekt AS"}]"#,
      #""piiCategory":["E3","E4","T1"]"#, #""thirdPartyDisclosure":true"#,
      #""thirdPartyName":"Eliq AB""#, #""consentType":"EXPLICIT""#,
      #""policyUrl":"urn:sha256:22db4f0d"#,
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(!text.contains("phone") && !text.contains("email"))
  }
}
