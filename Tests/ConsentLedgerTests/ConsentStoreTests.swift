import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct ConsentStoreTests {
  @Test func hasNoGrantWithoutALedger() throws {
    let directory = TemporaryDirectory()
    let store = try Fixture.open(directory, at: Fixture.start)
    #expect(try store.grants().isEmpty)
    #expect(try store.activeGrants(at: Fixture.start).isEmpty)
    #expect(try Fixture.recordTypes(of: store) == ["GENESIS"])
    #expect(store.recoveries.isEmpty)
  }

  @Test func putsAnAcceptedGrantInForce() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start + 1000)
    let active = try fixture.store.activeGrants(at: Fixture.start + 1000)
    #expect(active.map(\.grant.id) == [id])
    #expect(active[0].grant.state == .active)
    #expect(active[0].grant.decidedBy == "uid:1000")
    #expect(active[0].grant.decidedAt == Fixture.start + 1000)
    #expect(active[0].pseudonymSalt.count == 16)
    #expect(active[0].recipient == Fixture.eliq)
    #expect(
      try fixture.recordTypes()
        == ["GENESIS", "RECIPIENT", "RECIPIENT", "RECIPIENT", "PROPOSE", "GRANT", "RECEIPT"])
    try fixture.store.verify(knownHead: nil)
  }

  @Test func proposalsAndRefusalsReleaseNothing() throws {
    let fixture = try Fixture()
    let id = try fixture.propose(Fixture.terms(), by: .recipient)
    #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
    try fixture.store.refuse(id, by: Fixture.owner, at: Fixture.start)
    #expect(try fixture.store.grant(id).grant.state == .refused)
    #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
    #expect(try fixture.store.uncompletedEnds().isEmpty)
    refuses(.state) {
      try fixture.accept(id, at: Fixture.start)
    }
  }

  @Test func acceptsNothingThatHasEndedAndLeavesTheLedgerAlone() throws {
    let fixture = try Fixture()
    let withdrawn = try fixture.grantInForce(at: Fixture.start)
    try fixture.withdraw(withdrawn, at: Fixture.start)
    let expired = try fixture.grantInForce(at: Fixture.start)
    let late = Fixture.start + 366 * Fixture.day
    #expect(try fixture.store.sweep(at: late) == [expired])
    let head = try fixture.store.ledgerHead()
    for id in [withdrawn, expired] {
      refuses(.state) {
        try fixture.accept(id, at: late)
      }
    }
    let unknown = try #require(UniqueID(bytes: [UInt8](repeating: 9, count: 16)))
    refuses(.grantUnknown) {
      try fixture.accept(unknown, at: late)
    }
    #expect(try fixture.store.ledgerHead() == head)
    #expect(try fixture.store.grant(expired).grant.state == .expired)
  }

  @Test func acceptsAGrantOnlyOnce() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let head = try fixture.store.ledgerHead()
    refuses(.state) {
      try fixture.accept(id, at: Fixture.start)
    }
    #expect(try fixture.store.ledgerHead() == head)
  }

  @Test func takesOnlyTickedOptionalCategoriesIn() throws {
    let fixture = try Fixture()
    let id = try fixture.propose(Fixture.terms(), by: .recipient)
    refuses(.profileExceeded) {
      try fixture.accept(id, ticked: [.i1])
    }
    try fixture.accept(id, ticked: [.x1])
    let terms = try fixture.store.grant(id).grant.terms
    #expect(terms.categories == [.e3, .e4, .t1, .x1])
    #expect(terms.optional == [.x2])
  }

  @Test func cannotBeginBeforeItWasAccepted() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start + Fixture.hour)
    #expect(try fixture.store.grant(id).grant.terms.validFrom == Fixture.start + Fixture.hour)
  }

  @Test func waitsForItsFirstDay() throws {
    let fixture = try Fixture()
    var terms = try Fixture.terms()
    terms.validFrom = Fixture.start + Fixture.day
    let id = try fixture.propose(terms)
    try fixture.accept(id, at: Fixture.start)
    #expect(try fixture.store.grant(id).grant.state == .scheduled)
    try fixture.store.sweep(at: Fixture.start + Fixture.day)
    #expect(try fixture.store.grant(id).grant.state == .active)
    try fixture.store.verify(knownHead: nil)
  }

  @Test func endsAtTheEndOfItsTime() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let end = try #require(try Fixture.terms().validUntil)
    #expect(try fixture.store.activeGrants(at: end - 1).count == 1)
    #expect(try fixture.store.activeGrants(at: end).isEmpty)
    #expect(try fixture.store.sweep(at: end - 1).isEmpty)
    #expect(try fixture.store.sweep(at: end) == [id])
    #expect(try fixture.store.sweep(at: end).isEmpty)
    #expect(try fixture.store.uncompletedEnds().map(\.grant.id) == [id])
    #expect(try fixture.recordTypes().last == "EXPIRE")
    try fixture.store.verify(knownHead: nil)
  }

  @Test func neverEndsAnInHouseGrantByTime() throws {
    let fixture = try Fixture()
    let id = try fixture.propose(Fixture.houseTerms())
    try fixture.accept(id, at: Fixture.start)
    let late = Fixture.start + 20_000 * Fixture.day
    #expect(try fixture.store.sweep(at: late).isEmpty)
    #expect(try fixture.store.activeGrants(at: late).map(\.grant.id) == [id])
  }

  @Test func forgetsAProposalAfterThirtyDays() throws {
    let fixture = try Fixture()
    let id = try fixture.propose(Fixture.terms(), by: .recipient)
    let end = Fixture.start + 30 * Fixture.day
    refuses(.state) {
      try fixture.accept(id, at: end)
    }
    #expect(try fixture.store.sweep(at: end).isEmpty)
    #expect(try fixture.store.grant(id).grant.state == .expired)
    #expect(try fixture.store.uncompletedEnds().isEmpty)
  }

  @Test func refusesTheSeventeenthProposal() throws {
    let fixture = try Fixture()
    for _ in 0..<16 {
      _ = try fixture.propose(Fixture.terms(), by: .recipient)
    }
    let head = try fixture.store.ledgerHead()
    refuses(.limit) {
      try fixture.propose(Fixture.terms(), by: .recipient)
    }
    #expect(try fixture.store.ledgerHead() == head)
  }

  @Test func refusesTheThirtyThirdGrantInForce() throws {
    let fixture = try Fixture()
    for _ in 0..<32 { _ = try fixture.grantInForce(at: Fixture.start) }
    let id = try fixture.propose(Fixture.terms(), by: .recipient)
    refuses(.limit) {
      try fixture.accept(id, at: Fixture.start)
    }
    #expect(try fixture.store.grant(id).grant.state == .proposed)
  }

  @Test func keepsARecipientWhileAGrantNamesIt() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    var changed = Fixture.eliq
    changed.legalName = "Somebody Else AB"
    refuses(.state) {
      try fixture.store.register(changed, by: Fixture.owner, at: Fixture.start)
    }
    try fixture.withdraw(id, at: Fixture.start)
    try fixture.store.register(changed, by: Fixture.owner, at: Fixture.start)
    #expect(try fixture.store.recipients().contains(changed))
    try fixture.store.verify(knownHead: nil)
  }

  @Test func takesNoTimeBeforeTheLatestRecord() throws {
    let fixture = try Fixture()
    let late = Fixture.start + 366 * Fixture.day
    _ = try fixture.grantInForce(at: Fixture.start)
    try fixture.store.register(
      Recipient.named("later"), by: Fixture.owner, at: late)
    #expect(fixture.store.time(atLeast: Fixture.start) == late)
    #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(reopened.time(atLeast: 0) == late)
    #expect(try reopened.activeGrants(at: Fixture.start).isEmpty)
  }
}
