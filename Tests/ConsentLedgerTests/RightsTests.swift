import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Every right of the household on a grant in force, and that each survives a power cut.
@Suite struct RightsTests {
  private let later = Fixture.start + Fixture.hour

  private func state(_ store: ConsentStore, _ id: UniqueID) throws -> GrantState {
    try store.grant(id).grant.state
  }

  @Test func restrictsAndLiftsWithANewCount() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let base = BaseRegister(quantity: 10, thousandths: 5)
    try fixture.store.saveBases([base], of: id, source: "a")
    try fixture.store.restrict(id, by: Fixture.owner, at: later)
    #expect(try state(fixture.store, id) == .restricted)
    #expect(try fixture.store.activeGrants(at: later).isEmpty)
    #expect(try fixture.store.bases(of: id, source: "a").isEmpty)
    refuses(.state) { try fixture.store.restrict(id, by: Fixture.owner, at: later) }
    refuses(.state) { try fixture.store.resume(id, by: Fixture.owner, at: later) }
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try state(reopened, id) == .restricted)
    try reopened.lift(id, by: Fixture.owner, at: later)
    #expect(try reopened.activeGrants(at: later).map(\.grant.id) == [id])
    #expect(try Fixture.recordTypes(of: reopened).suffix(2) == ["RESTRICT", "LIFT"])
    try reopened.verify(knownHead: nil)
  }

  @Test func pausesUntilATimeAcrossRestart() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let end = later + Fixture.hour
    refuses(.validity) {
      try fixture.store.pause(id, until: later, by: Fixture.owner, at: later)
    }
    try fixture.store.pause(id, until: end, by: Fixture.owner, at: later)
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(reopened.pausedUntil(id) == end)
    #expect(try reopened.sweepSuspensions(at: end - 1).isEmpty)
    #expect(try state(reopened, id) == .paused)
    #expect(try reopened.sweepSuspensions(at: end).isEmpty)
    #expect(try state(reopened, id) == .active)
    #expect(reopened.pausedUntil(id) == nil)
    try reopened.verify(knownHead: nil)
  }

  @Test func pausesEverybodyOutsideAcrossRestart() throws {
    let fixture = try Fixture()
    let outside = try fixture.grantInForce(at: Fixture.start)
    let inside = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(inside)
    let end = later + Fixture.hour
    refuses(.state) { try fixture.store.resumeAll(by: Fixture.owner, at: later) }
    try fixture.store.pauseAll(
      GeneralPause(scope: .external, until: end), by: Fixture.owner, at: later)
    #expect(try fixture.store.activeGrants(at: later).map(\.grant.id) == [inside])
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try reopened.activeGrants(at: later).map(\.grant.id) == [inside])
    _ = try reopened.sweepSuspensions(at: end)
    #expect(Set(try reopened.activeGrants(at: end).map(\.grant.id)) == [inside, outside])
    try reopened.pauseAll(
      GeneralPause(scope: .everything, until: nil), by: Fixture.owner, at: end)
    #expect(try reopened.activeGrants(at: end + Fixture.day).isEmpty)
    try reopened.resumeAll(by: Fixture.owner, at: end)
    #expect(try reopened.activeGrants(at: end).count == 2)
    try reopened.verify(knownHead: nil)
  }

  @Test("C13.56: a finer rung is refused, a coarser one holds at once and leaves NARROW")
  func narrowsInPlaceAndWidensNever() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let head = try fixture.store.ledgerHead()
    var terms = try fixture.store.grant(id).grant.terms
    terms.granularity = .g3
    refuses(.profileExceeded) {
      try fixture.store.narrow(
        id, to: terms, by: Fixture.owner, at: later, vault: IdentifierVault())
    }
    #expect(try fixture.store.ledgerHead() == head)
    terms.granularity = .g5
    terms.categories.remove(.t1)
    try fixture.store.narrow(id, to: terms, by: Fixture.owner, at: later, vault: IdentifierVault())
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try reopened.grant(id).grant.terms == terms)
    #expect(try reopened.grant(id).grant.version == 1)
    #expect(try Fixture.recordTypes(of: reopened).last == "NARROW")
    try reopened.verify(knownHead: nil)
  }

  @Test("C13.55: a material change of the notice suspends, renewing makes version 2")
  func waitsForRenewalAfterAMaterialChange() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let hash = String(repeating: "ab", count: 32)
    let notice = Notice(sha256: hash, lang: "da", title: "ny tekst", blob: "notices/abababab")
    try fixture.store.changeNotice(
      id, to: notice, isMaterial: false, by: Fixture.owner, at: later)
    #expect(try state(fixture.store, id) == .active)
    try fixture.store.changeNotice(id, to: notice, isMaterial: true, by: Fixture.owner, at: later)
    #expect(try fixture.store.activeGrants(at: later).isEmpty)
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try state(reopened, id) == .reviewRequired)
    let receipt = try reopened.renew(
      id, endpoint: nil, by: .uid(1001), at: later, vault: IdentifierVault())
    let renewed = try reopened.grant(id).grant
    #expect(renewed.state == .active && renewed.version == 2 && renewed.terms.notice == notice)
    #expect(renewed.decidedBy == "uid:1001")
    #expect(String(decoding: receipt, as: UTF8.self).contains("dpv:RenewedConsentGiven"))
    try reopened.verify(knownHead: nil)
  }

  @Test func suspendsWhatNobodyReviewed() throws {
    let fixture = try Fixture()
    var terms = try Fixture.terms()
    terms.reviewEveryDays = 30
    let id = try fixture.propose(terms)
    try fixture.accept(id)
    let inside = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(inside)
    let overdue = Fixture.start + 60 * Fixture.day
    #expect(ConsentStore.reviewDue(try fixture.store.grant(id)) == Fixture.start + 30 * Fixture.day)
    #expect(ConsentStore.reviewDue(try fixture.store.grant(inside)) == nil)
    #expect(try fixture.store.sweepSuspensions(at: overdue - 1000).isEmpty)
    #expect(try fixture.store.sweepSuspensions(at: overdue) == [id])
    #expect(try state(fixture.store, id) == .reviewRequired)
    #expect(try fixture.store.sweepSuspensions(at: overdue + 400 * Fixture.day).isEmpty)
    #expect(try fixture.store.activeGrants(at: overdue).map(\.grant.id) == [inside])
    _ = try fixture.store.renew(
      id, endpoint: nil, by: Fixture.owner, at: overdue, vault: IdentifierVault())
    #expect(try fixture.store.sweepSuspensions(at: overdue + Fixture.day).isEmpty)
    try fixture.store.verify(knownHead: nil)
  }

  @Test func replacesAGrantInOneStep() throws {
    let fixture = try Fixture()
    let old = try fixture.grantInForce(at: Fixture.start)
    var wider = try Fixture.terms()
    wider.granularity = .g3
    let new = try fixture.store.propose(
      wider, supersedes: old, by: Fixture.owner, at: later, vault: IdentifierVault())
    #expect(try state(fixture.store, old) == .active)
    try fixture.accept(new, at: later)
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(try state(reopened, old) == .superseded)
    #expect(try reopened.activeGrants(at: later).map(\.grant.id) == [new])
    #expect(try reopened.uncompletedEnds().map(\.grant.id) == [old])
    #expect(try reopened.grant(new).grant.supersedes == old)
    try reopened.verify(knownHead: nil)
    refuses(.state) {
      try reopened.propose(
        wider, supersedes: old, by: Fixture.owner, at: later, vault: IdentifierVault())
    }
  }

  /// Whatever a grant has become, only a new one brings its data back.
  @Test("C13.23: what has ended can be lifted, resumed, renewed and narrowed no more")
  func nothingRevivesWhatEnded() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.pause(id, until: later + 1000, by: Fixture.owner, at: later)
    try fixture.withdraw(id, at: later)
    let head = try fixture.store.ledgerHead()
    let terms = try fixture.store.grant(id).grant.terms
    let store = fixture.store
    refuses(.state) { try store.lift(id, by: Fixture.owner, at: later) }
    refuses(.state) { try store.resume(id, by: Fixture.owner, at: later) }
    refuses(.state) { try store.pause(id, until: nil, by: Fixture.owner, at: later) }
    refuses(.state) {
      try store.renew(id, endpoint: nil, by: Fixture.owner, at: later, vault: IdentifierVault())
    }
    refuses(.state) {
      try store.narrow(id, to: terms, by: Fixture.owner, at: later, vault: IdentifierVault())
    }
    #expect(try store.sweepSuspensions(at: later + Fixture.hour).isEmpty)
    #expect(try store.ledgerHead() == head)
    #expect(try state(store, id) == .withdrawn)
  }

  @Test func takesConfirmationsFromNobodyButWhoAccepts() throws {
    let fixture = try Fixture()
    var terms = try Fixture.terms()
    terms.fineConfirmed = true
    terms.ageAttested = true
    terms.householdInformed = false
    let id = try fixture.propose(terms)
    let proposed = try fixture.store.grant(id).grant.terms
    #expect(!proposed.fineConfirmed && !proposed.ageAttested)
    _ = try fixture.store.accept(
      id, ticked: [], confirmed: Confirmations(household: true), endpoint: "mqtt.example:8883",
      by: Fixture.owner, at: later, vault: IdentifierVault())
    let stored = try fixture.store.grant(id)
    #expect(stored.grant.terms.householdInformed && !stored.grant.terms.fineConfirmed)
    #expect(stored.endpoint == "mqtt.example:8883")
  }

  @Test func staysSuspendedWhateverARowSays() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.restrict(id, by: Fixture.owner, at: later)
    try fixture.store.database.run("UPDATE grants SET state = 'ACTIVE'")
    let (_, reopened) = try fixture.afterPowerCut(at: later)
    #expect(reopened.ledgerFault == .state)
    #expect(try reopened.activeGrants(at: later).isEmpty)
  }
}
