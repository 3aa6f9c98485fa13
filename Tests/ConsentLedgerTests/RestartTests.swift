import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct RestartTests {
  @Test func keepsBasesRotationSaltAndRetainedTopics() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let bases = [
      BaseRegister(quantity: 0, thousandths: 3_579_000_000),
      BaseRegister(quantity: 5, thousandths: -1), BaseRegister(quantity: 80, thousandths: .max),
    ]
    try fixture.store.saveBases([bases[2]], of: id, source: Fixture.source)
    try fixture.store.saveBases(bases, of: id, source: Fixture.source)
    try fixture.store.saveBases([], of: id, source: "other")
    try fixture.store.addRetainedTopics(["b", "a", "b"], of: id)
    let before = try fixture.store.grant(id)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start + Fixture.day)
    #expect(try reopened.bases(of: id, source: Fixture.source) == bases)
    #expect(try reopened.bases(of: id, source: "other").isEmpty)
    #expect(try reopened.retainedTopics(of: id) == ["a", "b"])
    let after = try reopened.grant(id)
    #expect(after.pseudonymSalt == before.pseudonymSalt)
    #expect(after.rotation == 0)
    #expect(after.grant == before.grant)
  }

  @Test func forgetsBasesWhenThePseudonymTurns() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let base = BaseRegister(quantity: 0, thousandths: 1)
    try fixture.store.saveBases([base], of: id, source: Fixture.source)
    let later = Fixture.start + 90 * Fixture.day
    try fixture.store.rotate(id, to: 1, at: later)
    #expect(try fixture.store.bases(of: id, source: Fixture.source).isEmpty)
    refuses(.state) { try fixture.store.rotate(id, to: 1, at: later) }
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try reopened.grant(id).rotation == 1)
    #expect(try reopened.grant(id).rotatedAt == later)
    #expect(try Fixture.recordTypes(of: reopened).last == "ROTATE")
    try reopened.verify(knownHead: nil)
  }

  @Test func givesEveryGrantItsOwnSalt() throws {
    let fixture = try Fixture()
    let first = try fixture.store.grant(fixture.grantInForce(at: Fixture.start))
    let second = try fixture.store.grant(fixture.grantInForce(at: Fixture.start))
    #expect(first.pseudonymSalt != second.pseudonymSalt)
  }

  /// Acceptance test 7, through the real HMAC.
  @Test(arguments: [
    ("eliq", UInt8(0xa0), UInt32(0), UInt8(0), "m-jdj2mreiudcxubv2"),
    ("eliq", 0xa0, 1, 0, "m-enz3a7ic26dwl6wg"), ("enode", 0xa0, 0, 0, "m-3al62us4kqyctfdb"),
    ("enode", 0xb1, 0, 0, "m-ilvudwohxemqbfxz"), ("eliq", 0xa0, 0, 1, "m-5b4wdviuu2feun2r"),
  ])
  func makesThePseudonymsOfTheDesign(
    _ recipient: String, _ salt: UInt8, _ rotation: UInt32, _ channel: UInt8, _ expected: String
  ) throws {
    let pseudonyms = Pseudonyms(installSecret: Array(0..<32), hmac: Crypto.hmacSHA256)
    let source = try #require(UniqueID(parsing: Fixture.source))
    let salt = [UInt8](repeating: salt, count: 16)
    #expect(
      pseudonyms.meter(
        recipient: recipient, salt: salt, rotation: rotation, source: source, channel: channel)
        == expected)
  }

  @Test(arguments: [
    ("eliq", UInt8(0xa0), "ga-khovnmtr7hd573hs", Int32(21)),
    ("enode", 0xb1, "ga-tjlzpcfx4a5qrhfj", 3),
  ])
  func makesTheClientIdsAndPhasesOfTheDesign(
    _ recipient: String, _ salt: UInt8, _ client: String, _ phase: Int32
  ) {
    let pseudonyms = Pseudonyms(installSecret: Array(0..<32), hmac: Crypto.hmacSHA256)
    let salt = [UInt8](repeating: salt, count: 16)
    #expect(pseudonyms.clientID(recipient: recipient, salt: salt) == client)
    #expect(pseudonyms.phaseSeconds(recipient: recipient, salt: salt) == phase)
  }

  @Test func countsWhatLeftAcrossFlushesDaysAndRestart() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    #expect(try fixture.store.egress(of: id) == nil)
    let times = [0, Fixture.hour, Fixture.day - 1, Fixture.day].map { Fixture.start + $0 }
    for time in times.prefix(2) {
      fixture.store.count(
        .sent(byteCount: 100), of: id, categories: [.e3], granularity: .g4,
        at: time)
    }
    try fixture.store.flushJournal(at: Fixture.start)
    for time in times.suffix(2) {
      fixture.store.count(
        .sent(byteCount: 10), of: id, categories: [.e3], granularity: .g4,
        at: time)
    }
    let expected = EgressCount(
      messages: 4, byteCount: 220, firstAt: times[0], lastAt: times[3])
    #expect(try fixture.store.egress(of: id) == expected)
    try fixture.store.flushJournal(at: Fixture.start)
    try fixture.store.flushJournal(at: Fixture.start)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.egress(of: id) == expected)
    #expect(try reopened.database.integer("SELECT count(*) FROM journal") == 2)
  }
}
