// Whether terms may become a grant: profile, floors, basis, recipient, validity, third countries.

/// Who asks, which decides what must have been confirmed by now.
public enum ValidationStage: Sendable {
  /// The household asks itself: what needs a confirmation is confirmed when it accepts.
  case proposal
  /// A recipient asks: besides, nothing finer than its profile's usual rung.
  case remoteProposal
  /// The household accepts: everything is confirmed, or refused.
  case grant
}

extension GrantTerms {
  /// Checks terms against their profile and every rule of the privacy design.
  ///
  /// `now` is milliseconds since 1970 UTC. A rule broken throws its code; nothing is changed.
  ///
  /// - Throws: `ConsentError`.
  public func validate(
    against profile: Profile, recipient: Recipient, now: Int64, vault: borrowing IdentifierVault,
    stage: ValidationStage = .grant
  ) throws(ConsentError) {
    guard stage == .grant else {
      return try confirmed(stage, profile).validate(
        against: profile, recipient: recipient, now: now, vault: vault)
    }
    try checkPurpose(profile)
    try checkRecipient(profile, recipient)
    try checkBasis(profile)
    try checkLabels(recipient, vault)
    if recipient.role != .inHouse { try checkThirdCountry() }
    try checkCeiling(profile, recipient)
    try checkFloors(profile, recipient)
    try checkIdentifiers(profile, recipient)
    try checkValidity(profile, now)
    try checkDelivery()
    try checkPeople(profile, recipient)
  }

  /// The terms with every confirmation that they still can get.
  private func confirmed(_ stage: ValidationStage, _ profile: Profile) -> GrantTerms {
    var terms = self
    let isUsual = profile.fineRequired && granularity >= profile.granularity
    terms.fineConfirmed = stage == .proposal || isUsual
    terms.ageAttested = true
    if optional.contains(.n1) { terms.categories.insert(.n1) }
    return terms
  }

  private func checkPurpose(_ profile: Profile) throws(ConsentError) {
    guard let purpose = Purpose(rawValue: purpose) else {
      throw ConsentError(
        .purposeForbidden, "there is no such purpose, and none is added to serve it")
    }
    guard profile.purposes.contains(purpose) else {
      throw ConsentError(.profileExceeded, "the profile does not serve this purpose")
    }
  }

  private func checkRecipient(
    _ profile: Profile, _ recipient: Recipient
  ) throws(ConsentError) {
    guard recipient.id == self.recipient, Recipient.isName(recipient.id) else {
      throw ConsentError(
        .recipientUnnamed, "a recipient has a short name of letters, digits and hyphens")
    }
    guard profile.roles.contains(recipient.role) else {
      throw ConsentError(.profileExceeded, "the profile is not for recipients of this role")
    }
    if recipient.role == .controller || recipient.role == .processor {
      let words = recipient.legalName.split(separator: " ")
      guard words.count >= 2 || recipient.orgNo?.isEmpty == false, !recipient.legalName.isEmpty
      else {
        throw ConsentError(
          .recipientUnnamed,
          "name one company: its registered name with its legal form, or its number")
      }
    }
    guard !recipient.legalName.isEmpty else {
      throw ConsentError(.recipientUnnamed, "the recipient has no name")
    }
  }

  private func checkBasis(_ profile: Profile) throws(ConsentError) {
    switch basis {
    case .c, .d:
      throw ConsentError(
        .basisNotForGateway, "statutory duties have their own channel; the gateway serves none")
    case .unknown where !profile.isInHouse:
      throw ConsentError(.basisMissing, "the recipient has to state its legal basis")
    default: break
    }
    guard profile.isInHouse || profile.bases.contains(basis) else {
      throw ConsentError(.profileExceeded, "the profile does not accept this legal basis")
    }
  }

  private func checkLabels(
    _ recipient: Recipient, _ vault: borrowing IdentifierVault
  ) throws(ConsentError) {
    try LabelLinter.check(destination.topicRoot, as: .topicRoot, vault: vault)
    try LabelLinter.check(destination.broker, as: .ownTopic, vault: vault)
    try LabelLinter.check(recipient.id, as: .label, vault: vault)
    if recipient.role == .person {
      try LabelLinter.check(recipient.legalName, as: .label, vault: vault)
    }
    guard TopicName.isUsable(destination.topicRoot) else {
      throw ConsentError(
        .limit, "a topic root is 1 to 90 bytes of text without +, # or empty levels")
    }
  }

  private func checkCeiling(
    _ profile: Profile, _ recipient: Recipient
  ) throws(ConsentError) {
    guard profile.enabled else {
      throw ConsentError(.profileExceeded, "the profile is switched off")
    }
    guard !categories.isEmpty, profile.categories.isSuperset(of: categories) else {
      throw ConsentError(.profileExceeded, "a category is not in the profile, or none is granted")
    }
    guard optional.isSubset(of: profile.optional) else {
      throw ConsentError(.profileExceeded, "an optional category is not one of the profile's")
    }
    let isFine = granularity < profile.granularity
    if isFine || profile.fineRequired {
      let finest = profile.fineGranularity ?? profile.granularity
      guard granularity >= finest else {
        throw ConsentError(.profileExceeded, "the rung is finer than the profile's")
      }
      guard fineConfirmed else {
        throw ConsentError(.profileExceeded, "this rung needs a second, separate confirmation")
      }
    }
    guard quantum >= profile.quantum, minDelay >= profile.minDelay else {
      throw ConsentError(.profileExceeded, "rounding or delay is less than the profile's")
    }
    guard !absolute || profile.absolute else {
      throw ConsentError(.profileExceeded, "the profile has no absolute registers")
    }
    if recipient.role != .inHouse { try checkOffSite() }
  }

  private func checkOffSite() throws(ConsentError) {
    guard categories.isDisjoint(with: .neverOffSite) else {
      throw ConsentError(.profileExceeded, "a category never leaves the house")
    }
    guard absolute || categories.isDisjoint(with: [.e1, .e2]) else {
      throw ConsentError(
        .profileExceeded, "absolute registers need the flag absolute; E3 and E4 are counted anew")
    }
    guard categories.isDisjoint(with: .subMeters) || !channels.isEmpty else {
      throw ConsentError(.profileExceeded, "sub-meters are granted by channel; none is named")
    }
  }

  private func checkFloors(
    _ profile: Profile, _ recipient: Recipient
  ) throws(ConsentError) {
    guard profile.floors, recipient.role != .inHouse, !fineConfirmed else { return }
    for (floor, members) in GrantTerms.floors where granularity < floor {
      guard categories.isDisjoint(with: members) else {
        throw ConsentError(
          .floor, "a category is not released this finely without a second confirmation")
      }
    }
  }

  /// The finest rung of each category for a third party (privacy design §C3).
  static let floors: [(Granularity, CategorySet)] = [
    (.g2, [.p1, .p2, .p3, .v1, .a1]),
    (.g3, [.e3, .e4, .q1, .f1]),
    (.g4, [.e1, .e2, .e5, .o1, .t1, .m1, .m2, .m3]),
    (.g6, [.d1, .l1]),
  ]

  private func checkIdentifiers(
    _ profile: Profile, _ recipient: Recipient
  ) throws(ConsentError) {
    guard profile.identifiers.contains(identifier) else {
      throw ConsentError(.profileExceeded, "the profile does not show this identifier")
    }
    guard recipient.role != .inHouse || identifier == .pseudonym else {
      throw ConsentError(.profileExceeded, "in the house a meter has its nickname, not its number")
    }
    guard recipient.role == .inHouse || categories.intersection(.identifiers) == identifier.category
    else {
      throw ConsentError(
        .profileExceeded, "a number is sent if its category is ticked, and one number at most")
    }
    guard identifier != .none || sources.count == 1 && channels.isEmpty else {
      throw ConsentError(
        .limit, "without a name the messages of two meters could not be told apart: name one meter")
    }
    guard rotateDays > 0 || recipient.role == .inHouse || fineConfirmed else {
      throw ConsentError(
        .profileExceeded, "a pseudonym that never changes needs a second confirmation")
    }
    try checkAggregate(profile)
  }

  /// Statistics: who makes them undertakes to publish no number of few homes (privacy design C9).
  private func checkAggregate(_ profile: Profile) throws(ConsentError) {
    guard let floor = profile.aggregate else {
      guard aggregate == nil else {
        throw ConsentError(.aggregateRule, "the profile is not one of statistics")
      }
      return
    }
    guard let aggregate, aggregate.kMin >= floor.kMin,
      (1...floor.maxSharePercent).contains(aggregate.maxSharePercent),
      Hexadecimal.isText(aggregate.attestation, count: 64)
    else {
      throw ConsentError(
        .aggregateRule,
        "statistics need a signed undertaking: enough homes, and no home with too large a share")
    }
    guard granularity >= .g5, !absolute, identifier == .none, destination.qos == 1,
      !destination.retain
    else {
      throw ConsentError(
        .aggregateRule, "a contribution is a total without a name, sent once and kept by no broker")
    }
  }

  private func checkValidity(_ profile: Profile, _ now: Int64) throws(ConsentError) {
    guard let validUntil else {
      guard profile.maxValidityHours == nil else {
        throw ConsentError(.validity, "the grant needs an end")
      }
      return
    }
    guard validUntil > validFrom, validUntil > now else {
      throw ConsentError(.validity, "the grant ends before it begins or has ended")
    }
    let (length, overflow) = validUntil.subtractingReportingOverflow(validFrom)
    if let hours = profile.maxValidityHours {
      guard !overflow, length <= Int64(hours) * 3_600_000 else {
        throw ConsentError(.profileExceeded, "the grant is longer than the profile allows")
      }
    }
    guard reviewEveryDays > 0, reviewEveryDays <= 365 else {
      throw ConsentError(.validity, "a review is due at least every 365 days")
    }
  }

  private func checkDelivery() throws(ConsentError) {
    guard !sources.isEmpty, Set(sources).count == sources.count else {
      throw ConsentError(.limit, "a grant covers at least one meter, each once")
    }
    guard channels.allSatisfy({ (1...4).contains($0) }), Set(channels).count == channels.count
    else { throw ConsentError(.limit, "M-Bus channels are 1 to 4, each once") }
    guard destination.qos <= 2 else { throw ConsentError(.limit, "QoS is 0, 1 or 2") }
    let longest: UInt32 =
      granularity >= .g5 ? 43_200 : UInt32(clamping: Int(granularity.windowSeconds))
    guard minDelay <= longest else {
      throw ConsentError(.limit, "the delay is longer than the window")
    }
  }

  private func checkPeople(
    _ profile: Profile, _ recipient: Recipient
  ) throws(ConsentError) {
    guard !profile.ageAttestation || ageAttested else {
      throw ConsentError(.age, "an adult has to attest for those below the age of consent")
    }
    guard recipient.role == .inHouse || Hexadecimal.isText(notice.sha256, count: 64) else {
      throw ConsentError(.noticeMissing, "the text that was shown is missing")
    }
  }
}

extension IdentifierMode {
  /// The category that a person ticks for it.
  var category: CategorySet {
    switch self {
    case .none, .pseudonym: []
    case .meterNumber: .i1
    case .meteringPoint: .i2
    }
  }
}

extension Rounding: Comparable {
  /// Finer is less.
  public static func < (left: Rounding, right: Rounding) -> Bool { left.rawValue < right.rawValue }
}

extension Recipient {
  /// Whether a text is a short name, `^[a-z][a-z0-9-]{1,31}$`.
  public static func isName(_ text: String) -> Bool {
    let units = Array(text.utf8)
    guard (2...32).contains(units.count), let first = units.first,
      first >= UInt8(ascii: "a"), first <= UInt8(ascii: "z")
    else { return false }
    return units.allSatisfy {
      $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")
        || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: "-")
    }
  }
}

/// What can stand in an MQTT topic that the agent publishes to.
enum TopicName {
  /// Whether a text is one or more levels without wildcards, control characters or empty levels.
  static func isUsable(_ text: String) -> Bool {
    let units = Array(text.utf8)
    guard (1...90).contains(units.count), units.first != UInt8(ascii: "$") else { return false }
    let isPlain = units.allSatisfy {
      $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "#")
        && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    return isPlain && !text.split(separator: "/", omittingEmptySubsequences: false).contains("")
  }
}
