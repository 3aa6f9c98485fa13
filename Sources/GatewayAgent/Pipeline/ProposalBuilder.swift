import ConsentLedger
import PrivacyFilter

/// Turns a typed proposal into terms: what was not typed comes from the profile.
struct ProposalBuilder {
  let configuration: Configuration
  let sources: [GateSource]
  let now: Int64

  /// A recipient, the terms, and the text that the person who accepts agrees to.
  struct Outcome {
    var recipient: Recipient
    var terms: GrantTerms
    var notice: String
  }

  /// Builds terms; the store validates them against the profile and every rule.
  ///
  /// - Throws: `ControlFailure` naming the option that is no such word, or that is missing.
  func build(_ request: ProposalRequest) throws(ControlFailure) -> Outcome {
    guard let document = Profiles.named(request.profile) else {
      let known = Profiles.all.map(\.profile.name).sorted().joined(separator: ", ")
      throw Self.refusal("E_PROFILE_EXCEEDED", "--profile: expected one of \(known)")
    }
    let profile = document.profile
    guard configuration.brokers.contains(where: { $0.name == request.broker }) else {
      throw Self.refusal("E_GRANT_UNKNOWN", "--broker: the configuration has no such broker")
    }
    let recipient = try self.recipient(request, profile)
    let purpose = request.purpose ?? profile.purposes.first?.rawValue ?? ""
    let basis: Basis =
      if let text = request.basis {
        try Self.word(text, "--basis", Basis.self)
      } else if profile.isInHouse || profile.name == "custom" {
        profile.bases.first ?? .a
      } else {
        .unknown
      }
    let destination = try self.destination(request, recipient, profile)
    var terms = GrantTerms(
      profile: profile, recipient: recipient, purpose: purpose, basis: basis,
      sources: try meters(request.meters), destination: destination,
      notice: Notice(sha256: "", lang: request.noticeLanguage ?? "en", title: "", blob: ""),
      validFrom: now)
    try narrow(&terms, request)
    terms.aggregate = try aggregate(request)
    var text = request.notice ?? Self.summary(of: terms, recipient, document)
    if let words = request.theirWords { text += "\nThey say: \(words)" }
    let hash = Crypto.sha256Text(text)
    terms.notice.sha256 = hash
    terms.notice.title = "\(recipient.legalName): \(purpose)"
    terms.notice.blob = "notices/\(hash.prefix(8))"
    return Outcome(recipient: recipient, terms: terms, notice: text)
  }

  private func recipient(
    _ request: ProposalRequest, _ profile: Profile
  ) throws(ControlFailure) -> Recipient {
    let role =
      if let text = request.role {
        try Self.word(text, "--role", Role.self)
      } else if profile.isInHouse {
        Role.inHouse
      } else {
        profile.roles.contains(.controller) ? .controller : profile.roles.first ?? .controller
      }
    guard role == .inHouse || request.country != nil else {
      throw Self.refusal(
        "E_RECIPIENT_UNNAMED", "--country: expected two letters, where the recipient's broker is")
    }
    return Recipient(
      id: request.recipient,
      legalName: request.legalName ?? (role == .inHouse ? "the household" : ""),
      role: role, country: request.country ?? "", authority: "datatilsynet.no")
  }

  private func destination(
    _ request: ProposalRequest, _ recipient: Recipient, _ profile: Profile
  ) throws(ControlFailure) -> Destination {
    let isInHouse = recipient.role == .inHouse
    var destination = Destination(
      broker: request.broker,
      topicRoot: request.topicRoot
        ?? (isInHouse ? configuration.topicRoot : "gateway/\(request.recipient)"),
      qos: isInHouse ? configuration.inHouse.qos : 1, retain: request.retain,
      country: recipient.country)
    if let qos = request.qos {
      guard (0...2).contains(qos) else {
        throw Self.refusal("E_LIMIT", "--qos: expected 0, 1 or 2")
      }
      destination.qos = UInt8(qos)
    }
    if let text = request.route { destination.route = try Self.word(text, "--route", Route.self) }
    if let text = request.transfer {
      destination.transfer = try Self.word(text, "--transfer", Transfer.self)
    }
    return destination
  }

  private func aggregate(_ request: ProposalRequest) throws(ControlFailure) -> AggregateRule? {
    guard request.kMin != nil || request.maxSharePercent != nil || request.undertaking != nil else {
      return nil
    }
    guard let homes = UInt32(exactly: request.kMin ?? 0),
      let share = UInt8(exactly: request.maxSharePercent ?? 0)
    else {
      throw Self.refusal("E_AGG_RULE", "--k-min, --max-share: expected homes and per cent")
    }
    return AggregateRule(
      kMin: homes, maxSharePercent: share, attestation: request.undertaking ?? "")
  }

  private func meters(_ names: [String]) throws(ControlFailure) -> [UniqueID] {
    guard !names.isEmpty else { return sources.map(\.id) }
    var ids: [UniqueID] = []
    for name in names {
      guard let source = sources.first(where: { $0.nickname == name }) else {
        throw Self.refusal("E_GRANT_UNKNOWN", "--meter: the configuration has no meter \(name)")
      }
      ids.append(source.id)
    }
    return ids
  }

  private func narrow(
    _ terms: inout GrantTerms, _ request: ProposalRequest
  ) throws(ControlFailure) {
    terms.basisText = request.basisText
    try limit(
      &terms,
      NarrowingRequest(
        categories: request.categories, channels: request.channels,
        granularity: request.granularity, quantum: request.quantum,
        delaySeconds: request.delaySeconds, rotateDays: request.rotateDays,
        validDays: request.validDays))
    if let text = request.identifier {
      terms.identifier = try Self.word(text, "--identifier", IdentifierMode.self)
    }
    if request.absolute { terms.absolute = true }
  }

  /// The terms with what is asked for in place of what was there; the store says whether it is less.
  func narrowed(
    _ terms: GrantTerms, _ request: NarrowingRequest
  ) throws(ControlFailure) -> GrantTerms {
    var terms = terms
    try limit(&terms, request)
    if let names = request.meters { terms.sources = try meters(names) }
    if request.dropsAbsolute == true {
      terms.absolute = false
      terms.categories.subtract([.e1, .e2])
    }
    return terms
  }

  private func limit(
    _ terms: inout GrantTerms, _ request: NarrowingRequest
  ) throws(ControlFailure) {
    if let codes = request.categories {
      guard let chosen = CategorySet(codes: codes) else {
        throw Self.refusal("E_PROFILE_EXCEEDED", "--categories: expected codes such as P1,E3")
      }
      terms.categories = chosen
      terms.optional = []
    }
    if let channels = request.channels {
      guard channels.allSatisfy({ (1...4).contains($0) }) else {
        throw Self.refusal("E_LIMIT", "--channels: expected numbers from 1 to 4")
      }
      terms.channels = channels.map { UInt8($0) }
    }
    if let text = request.granularity {
      terms.granularity = try Self.level(text, "G", "--granularity", Granularity.allCases)
    }
    if let text = request.quantum {
      terms.quantum = try Self.level(text, "R", "--quantum", Rounding.allCases)
    }
    if let seconds = request.delaySeconds {
      guard let delay = UInt32(exactly: seconds) else {
        throw Self.refusal("E_LIMIT", "--delay-seconds: expected 0 or more")
      }
      terms.minDelay = delay
    }
    if let days = request.rotateDays {
      guard let number = UInt16(exactly: days) else {
        throw Self.refusal("E_LIMIT", "--rotate-days: expected 0 to 65535")
      }
      terms.rotateDays = number
    }
    guard let days = request.validDays else { return }
    guard (1...36_525).contains(days) else {
      throw Self.refusal("E_VALIDITY", "--valid-days: expected 1 to 36525")
    }
    terms.validUntil = now + Int64(days) * 86_400_000
  }

  /// What the household reads before it accepts, where the recipient brought no text of its own.
  static func summary(
    of terms: GrantTerms, _ recipient: Recipient, _ document: ProfileDocument
  ) -> String {
    var lines = [document.explanation]
    let who =
      recipient.role == .inHouse ? "In the house" : "\(recipient.legalName) (\(recipient.country))"
    lines.append("Who: \(who), for \(terms.purpose), basis \(terms.basis.rawValue)")
    for code in terms.categories.codes { lines.append("  [x] \(CategoryText.text(code))") }
    for code in terms.optional.codes {
      lines.append("  [ ] \(CategoryText.text(code)) (only with --optional \(code))")
    }
    lines.append("How finely: G\(terms.granularity.rawValue), rounded R\(terms.quantum.rawValue)")
    if recipient.role != .inHouse, terms.granularity <= .g3 {
      lines.append("This shows when somebody is at home, asleep or ill.")
    }
    lines.append(
      "Until: \(terms.validUntil.map(Timestamp.text) ?? "you end it"); "
        + "named to them as: \(terms.identifier.rawValue)")
    return lines.joined(separator: "\n")
  }

  private static func word<Word: RawRepresentable & CaseIterable>(
    _ text: String, _ option: String, _ type: Word.Type
  ) throws(ControlFailure) -> Word where Word.RawValue == String {
    if let word = Word(rawValue: text) { return word }
    let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
    throw refusal("E_LIMIT", "\(option): expected one of \(known), found \(text)")
  }

  private static func level<Level: RawRepresentable>(
    _ text: String, _ letter: String, _ option: String, _ all: [Level]
  ) throws(ControlFailure) -> Level where Level.RawValue == UInt8 {
    if let level = all.first(where: { "\(letter)\($0.rawValue)" == text }) { return level }
    throw refusal(
      "E_LIMIT", "\(option): expected \(letter)0 to \(letter)\(all.count - 1), found \(text)")
  }

  private static func refusal(_ code: String, _ message: String) -> ControlFailure {
    ControlFailure(code: code, message: message)
  }
}
