import Testing

@testable import PrivacyFilter

struct ValidationTests {
  private let now = at("2026-01-01T00:00:00Z")

  private func verdict(
    _ profile: Profile, _ recipient: Recipient = company, change: (inout GrantTerms) -> Void
  ) -> ConsentError.Code? {
    let draft = terms(profile, recipient, change: change)
    do throws(ConsentError) {
      try draft.validate(
        against: profile, recipient: recipient, now: now, vault: IdentifierVault())
      return nil
    } catch {
      return error.code
    }
  }

  @Test func termsAtTheCeilingOfTheirProfileAreAccepted() {
    #expect(verdict(eliqProfile) { _ in } == nil)
    #expect(verdict(localProfile, house) { $0.purpose = "localAutomation" } == nil)
  }

  @Test("C13.27: rung finer than the profile is refused") func c27RungFinerThanTheProfileIsRefused()
  {
    #expect(verdict(eliqProfile) { $0.granularity = .g0 } == .profileExceeded)
    #expect(verdict(eliqProfile) { $0.quantum = .r1 } == .profileExceeded)
    #expect(verdict(eliqProfile) { $0.minDelay = 59 } == .profileExceeded)
    #expect(verdict(eliqProfile) { $0.categories.insert(.p1) } == .profileExceeded)
    #expect(verdict(eliqProfile) { $0.categories = [] } == .profileExceeded)
    #expect(verdict(eliqProfile) { $0.absolute = true } == .profileExceeded)
  }

  @Test func finerRungOfAProfileNeedsASecondConfirmation() {
    let insight = profile("app-insight", [.e3, .p1], .g2) { $0.fineGranularity = .g1 }
    #expect(verdict(insight) { $0.granularity = .g1 } == .profileExceeded)
    #expect(
      verdict(insight) {
        $0.granularity = .g1
        $0.fineConfirmed = true
      } == nil)
    #expect(
      verdict(insight) {
        $0.granularity = .g0
        $0.fineConfirmed = true
      } == .profileExceeded)
  }

  @Test(arguments: [
    (CategorySet.p1, Granularity.g1, Granularity.g2), (.v1, .g1, .g2), (.a1, .g1, .g2),
    (.q1, .g2, .g3), (.f1, .g2, .g3), (.e3, .g2, .g3), (.e5, .g3, .g4), (.o1, .g3, .g4),
    (.t1, .g3, .g4),
  ])
  func floorsBindCustomGrants(category: CategorySet, tooFine: Granularity, floor: Granularity) {
    func ask(_ granularity: Granularity, fine: Bool) -> ConsentError.Code? {
      verdict(customProfile) {
        $0.categories = category
        $0.granularity = granularity
        $0.fineConfirmed = fine
      }
    }
    #expect(ask(tooFine, fine: false) == .floor)
    #expect(ask(tooFine, fine: true) == nil)
    #expect(ask(floor, fine: false) == nil)
  }

  @Test("C13.30: basis is stated and not statutory") func c30BasisIsStatedAndNotStatutory() {
    #expect(verdict(eliqProfile) { $0.basis = .c } == .basisNotForGateway)
    #expect(verdict(eliqProfile) { $0.basis = .d } == .basisNotForGateway)
    #expect(verdict(eliqProfile) { $0.basis = .unknown } == .basisMissing)
    #expect(verdict(eliqProfile) { $0.basis = .a } == .profileExceeded)
  }

  @Test(
    "C13.31: forbidden purposes do not exist",
    arguments: ["marketing", "advertising", "profiling", "sale", "", "Insight"])
  func c31ForbiddenPurposesDoNotExist(purpose: String) {
    #expect(verdict(eliqProfile) { $0.purpose = purpose } == .purposeForbidden)
  }

  @Test("C13.32: recipient is named") func c32RecipientIsNamed() {
    var partners = company
    partners.legalName = "samarbejdspartnere"
    partners.orgNo = nil
    #expect(verdict(eliqProfile, partners) { _ in } == .recipientUnnamed)
    partners.legalName = ""
    #expect(verdict(eliqProfile, partners) { _ in } == .recipientUnnamed)
    partners.legalName = "Eliq AB"
    #expect(verdict(eliqProfile, partners) { _ in } == nil)
    partners.id = "Eliq"
    #expect(verdict(eliqProfile, partners) { _ in } == .recipientUnnamed)
  }

  @Test("C13.33: third countries get hourly energy under a ground")
  func c33ThirdCountriesGetHourlyEnergyUnderAGround() {
    let analytics = profile("thirdcountry-analytics", [.e3, .e4, .n1], .g4) { $0.quantum = .r2 }
    func ask(_ change: (inout GrantTerms) -> Void) -> ConsentError.Code? {
      verdict(analytics) {
        $0.categories = [.e3, .e4]
        $0.destination.country = "US"
        $0.destination.route = .relayEEA
        $0.destination.transfer = .scc46
        change(&$0)
      }
    }
    #expect(ask { $0.categories.insert(.i1) } == .thirdCountryIdentifier)
    #expect(ask { $0.identifier = .meterNumber } == .thirdCountryIdentifier)
    #expect(ask { $0.granularity = .g3 } == .thirdCountryGranularity)
    #expect(ask { $0.destination.transfer = .none } == .thirdCountryTransfer)
    #expect(ask { $0.destination.route = .direct } == .thirdCountryAddress)
    #expect(ask { _ in } == nil)
    #expect(
      ask {
        $0.destination.route = .direct
        $0.categories.insert(.n1)
      } == nil)
  }

  @Test("C13.34: third countries get no register and no voltage")
  func c34ThirdCountriesGetNoRegisterAndNoVoltage() {
    func ask(_ change: (inout GrantTerms) -> Void) -> ConsentError.Code? {
      verdict(customProfile) {
        $0.categories = .e3
        $0.granularity = .g4
        $0.destination.country = "US"
        $0.destination.route = .relayEEA
        $0.destination.transfer = .scc46
        change(&$0)
      }
    }
    #expect(ask { $0.absolute = true } == .thirdCountryAbsolute)
    #expect(ask { $0.categories = [.e3, .v1] } == .thirdCountryCategory)
    #expect(ask { $0.categories = [.e3, .x2] } == .thirdCountryCategory)
    #expect(ask { $0.destination.country = "NO" } == nil)
  }

  @Test("C13.54: only house and family have no end") func c54OnlyHouseAndFamilyHaveNoEnd() {
    let family = profile("family-view", [.e3, .p1], .g2) {
      $0.roles = [.person]
      $0.ageAttestation = true
      $0.validityHours = nil
      $0.maxValidityHours = nil
    }
    let person = Recipient(
      id: "anna", legalName: "Anna", role: .person, country: "DK", authority: "datatilsynet.dk")
    #expect(verdict(family, person) { _ in } == .age)
    #expect(verdict(family, person) { $0.ageAttested = true } == nil)
    #expect(verdict(eliqProfile) { $0.validUntil = nil } == .validity)
    #expect(verdict(eliqProfile) { $0.validUntil = $0.validFrom } == .validity)
  }

  @Test("C13.60: installer grants last a day at most") func c60InstallerGrantsLastADayAtMost() {
    let installer = profile("installer-fault", [.p1, .v1], .g1) {
      $0.fineRequired = true
      $0.fineGranularity = .g1
      $0.validityHours = 24
      $0.maxValidityHours = 24
    }
    func ask(hours: Int64, fine: Bool = true) -> ConsentError.Code? {
      verdict(installer) {
        $0.validUntil = $0.validFrom + hours * 3_600_000
        $0.fineConfirmed = fine
      }
    }
    #expect(ask(hours: 48) == .profileExceeded)
    #expect(ask(hours: 24) == nil)
    #expect(ask(hours: 24, fine: false) == .profileExceeded)
  }

  @Test func identifiersClockAndOperatingHoursStayInTheHouse() {
    for category in [CategorySet.c1, .u1, .i6, .i1, .i2, .i3] {
      #expect(
        verdict(profile("wide", CategorySet(rawValue: 0x0FFF_FFFF), .g4)) {
          $0.categories = category
        } == .profileExceeded)
    }
  }

  @Test func noticeIsThere() {
    #expect(verdict(eliqProfile) { $0.notice.sha256 = "" } == .noticeMissing)
  }

  @Test func limitsAreChecked() {
    #expect(verdict(eliqProfile) { $0.sources = [] } == .limit)
    #expect(verdict(eliqProfile) { $0.channels = [5] } == .limit)
    #expect(verdict(eliqProfile) { $0.destination.qos = 3 } == .limit)
    #expect(verdict(eliqProfile) { $0.minDelay = 901 } == .limit)
    for root in ["", "a//b", "/a", "a/#", "a+", "$SYS", "a b", "a\"b"] {
      #expect(verdict(eliqProfile) { $0.destination.topicRoot = root } == .limit)
    }
  }

  @Test("C13.56: narrowing is in place and widening is not")
  func c56NarrowingIsInPlaceAndWideningIsNot() {
    let old = terms(eliqProfile) { $0.granularity = .g4 }
    func isNarrower(_ change: (inout GrantTerms) -> Void) -> Bool {
      var new = old
      change(&new)
      return old.isNarrowed(by: new)
    }
    #expect(!isNarrower { $0.granularity = .g3 })
    #expect(isNarrower { $0.granularity = .g5 })
    #expect(isNarrower { $0.categories.remove(.t1) })
    #expect(!isNarrower { $0.categories.insert(.x1) })
    #expect(isNarrower { $0.validUntil = $0.validUntil.map { $0 - 1000 } })
    #expect(!isNarrower { $0.validUntil = $0.validUntil.map { $0 + 1000 } })
    #expect(!isNarrower { $0.validUntil = nil })
    #expect(!isNarrower { $0.destination.country = "US" })
    #expect(!isNarrower { $0.purpose = "insight" })
    #expect(!isNarrower { $0.basis = .a })
    #expect(!isNarrower { $0.identifier = .meterNumber })
    #expect(!isNarrower { $0.rotateDays = 0 })
    #expect(isNarrower { $0.quantum = .r3 })
  }

  @Test("C13.23: ended grants never become active") func c23EndedGrantsNeverBecomeActive() throws {
    for state in GrantState.allCases where state.isTerminal {
      #expect(throws: ConsentError(.state, "")) { try state.becoming(.active) }
      #expect(state.canBecome(.erased) == (state != .erased))
    }
    #expect(try GrantState.proposed.becoming(.active) == .active)
    #expect(try GrantState.active.becoming(.withdrawn) == .withdrawn)
    #expect(try GrantState.restricted.becoming(.active) == .active)
    #expect(!GrantState.active.canBecome(.proposed))
    #expect(!GrantState.scheduled.canBecome(.paused))
    #expect(!GrantState.active.canBecome(.erased))
  }
}
