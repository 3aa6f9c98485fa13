public import PrivacyFilter

/// From a proposal to a grant in force, or to its refusal.
extension ConsentStore {
  /// Stores a proposal, which releases nothing until somebody accepts it.
  ///
  /// Confirmations in the terms that permit anything are not taken over: whoever accepts gives them.
  /// - Parameters:
  ///   - supersedes: the grant in force that it takes the place of once it is accepted.
  ///   - vault: the identifiers seen so far, which no label may contain.
  /// - Throws: `E_LIMIT` if 16 wait already; `E_RECIPIENT_UNNAMED` if the recipient is not
  ///   registered; a `refusedRecipient`; `E_STATE` if there is no such grant to take the place of;
  ///   what validation throws; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func propose(
    _ asked: GrantTerms, supersedes: UniqueID? = nil, by authority: Authority, at system: Int64,
    vault: borrowing IdentifierVault
  ) throws(StoreError) -> UniqueID {
    try requireWholeLedger()
    let now = time(atLeast: system)
    let waiting = try reading { () throws(DatabaseError) in
      try database.integer("SELECT count(*) FROM grants WHERE state = 'PROPOSED'") ?? 0
    }
    guard waiting < Self.proposalLimit else { throw .consent(.tooManyProposals) }
    var terms = asked
    terms.fineConfirmed = false
    terms.ageAttested = false
    try validate(terms, at: now, vault, authority == .recipient ? .remoteProposal : .proposal)
    if let supersedes { _ = try replaceable(supersedes, by: terms) }
    let grant = Grant(
      id: makeID(), version: 1, supersedes: supersedes, terms: terms, state: .proposed,
      decidedBy: nil,
      decidedAt: nil)
    guard let body = RecordBody.carrying(grant, by: authority.text) else {
      throw .consent(.ledgerWrite)
    }
    try writing(.propose, body, at: now) { (bodyHash) throws(DatabaseError) in
      try database.run(
        "INSERT INTO grants(id, state, bh, proposed_at, salt) VALUES(?, 'PROPOSED', ?, ?, x'')",
        .text(grant.id.text), .text(bodyHash), .integer(now))
    }
    return grant.id
  }

  /// Puts a proposal in force: record, row, salt and receipt in one transaction.
  ///
  /// - Parameters:
  ///   - ticked: the optional categories that the person ticked; others stay off. A register ticked
  ///     is released as it stands, a number ticked names the meter.
  ///   - confirmed: what the person confirmed besides.
  ///   - endpoint: the broker's address as it is now.
  ///   - vault: the identifiers seen so far, which no label may contain.
  /// - Returns: the receipt, canonical JSON.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` for anything but a living proposal, with the ledger
  ///   unchanged; `E_LIMIT` with 32 grants in force; what validation throws; `E_LEDGER_WRITE`,
  ///   `E_LEDGER_BROKEN`.
  public func accept(
    _ id: UniqueID, ticked: CategorySet, confirmed: Confirmations = Confirmations(),
    endpoint: String? = nil, by authority: Authority, at system: Int64,
    vault: borrowing IdentifierVault
  ) throws(StoreError) -> [UInt8] {
    try requireWholeLedger()
    let now = time(atLeast: system)
    let stored = try waitingProposal(id, at: now)
    let inForce = try reading { () throws(DatabaseError) in
      try database.integer(
        """
        SELECT count(*) FROM grants
        WHERE state <> 'PROPOSED' AND state IN (\(Self.unendedStates))
        """) ?? 0
    }
    var accepted = stored
    accepted.endpoint = endpoint
    accepted.grant = try accepting(stored.grant, ticked, confirmed, by: authority, at: now)
    try validate(accepted.grant.terms, at: now, vault, .grant)
    // One that has ended meanwhile leaves nothing to replace.
    let old = stored.grant.supersedes.flatMap { id in
      try? replaceable(id, by: accepted.grant.terms)
    }
    guard inForce - (old == nil ? 0 : 1) < Self.grantLimit else { throw .consent(.tooManyGrants) }
    guard
      let body = RecordBody.carrying(accepted.grant, by: authority.text, endpoint: endpoint)
    else { throw .consent(.ledgerWrite) }
    return try put(accepted, body, inPlaceOf: old, by: authority, at: now)
  }

  /// Says no to a proposal.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` for anything but a proposal; `E_LEDGER_WRITE`.
  public func refuse(
    _ id: UniqueID, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    _ = try waitingProposal(id, at: time(atLeast: system))
    try writing(.refuse, RecordBody.decision(id, by: authority.text), at: system) {
      _ throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = 'REFUSED', ended_at = ?, ended_by = ?, completed = 1 WHERE id = ?",
        .integer(time(atLeast: system)), .text(authority.text), .text(id.text))
    }
  }

  private func waitingProposal(_ id: UniqueID, at now: Int64) throws(StoreError) -> StoredGrant {
    let stored = try grant(id)
    let age = now.subtractingReportingOverflow(stored.proposedAt)
    guard stored.grant.state == .proposed, !denylist.denies(id.bytes), !age.overflow,
      age.partialValue < Self.proposalLifetime
    else { throw .consent(.state) }
    return stored
  }

  /// The proposal as the person accepted it.
  ///
  /// It cannot begin before it was accepted.
  private func accepting(
    _ proposal: Grant, _ ticked: CategorySet, _ confirmed: Confirmations,
    by authority: Authority, at now: Int64
  ) throws(StoreError) -> Grant {
    var grant = proposal
    guard ticked.isSubset(of: grant.terms.optional) else { throw .consent(.notOffered) }
    grant.terms.categories.formUnion(ticked)
    grant.terms.optional.subtract(ticked)
    if !ticked.isDisjoint(with: [.e1, .e2]) { grant.terms.absolute = true }
    guard !ticked.isSuperset(of: [.i1, .i2]) else { throw .consent(.numbersExcludeEachOther) }
    if ticked.contains(.i1) { grant.terms.identifier = .meterNumber }
    if ticked.contains(.i2) { grant.terms.identifier = .meteringPoint }
    grant.terms.fineConfirmed = confirmed.fine
    grant.terms.ageAttested = confirmed.age
    if confirmed.household { grant.terms.householdInformed = true }
    grant.terms.validFrom = max(grant.terms.validFrom, now)
    grant.state = grant.terms.validFrom > now ? .scheduled : .active
    grant.decidedBy = authority.text
    grant.decidedAt = now
    return grant
  }

  /// The grant in force that new terms may take the place of.
  private func replaceable(
    _ id: UniqueID, by terms: GrantTerms
  ) throws(StoreError) -> UniqueID {
    let old = try grant(id)
    guard !old.grant.state.isTerminal, old.grant.state != .proposed, !denylist.denies(id.bytes),
      old.grant.terms.recipient == terms.recipient
    else { throw .consent(.supersedesNothing) }
    return id
  }

  private func put(
    _ stored: StoredGrant, _ body: [UInt8], inPlaceOf old: UniqueID?, by authority: Authority,
    at now: Int64
  ) throws(StoreError) -> [UInt8] {
    let id = stored.grant.id
    let salt = random(Self.pseudonymSaltByteCount)
    var receipt: Receipt?
    try writing(.grant, body, at: now) { (bodyHash) throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = ?, bh = ?, salt = ?, rotated_at = ? WHERE id = ?",
        .text(RecordBody.name(of: stored.grant.state)), .text(bodyHash), .blob(salt),
        .integer(now), .text(id.text))
      if let old {
        let body = RecordBody.supersession(of: old, by: id, authority.text)
        try ledger.append(.supersede, body, at: now)
        try database.run(
          "UPDATE grants SET state = 'SUPERSEDED', ended_at = ?, ended_by = ? WHERE id = ?",
          .integer(now), .text(authority.text), .text(old.text))
      }
      let made = try makeReceipt(of: stored, nil, nil, at: now)
      let (_, receiptHash) = try ledger.append(.receipt, made.bytes, at: now)
      try keep(made, receiptHash, of: id)
      receipt = made
    }
    return receipt?.bytes ?? []
  }

  /// Checks terms against their profile and every rule.
  func validate(
    _ terms: GrantTerms, at now: Int64, _ vault: borrowing IdentifierVault,
    _ stage: ValidationStage
  ) throws(StoreError) {
    guard let recipient = try recipient(terms.recipient) else {
      throw .consent(.recipientUnknown)
    }
    if recipient.role != .inHouse,
      let refused = RefusedRecipient(named: recipient.legalName, id: recipient.id)
    {
      throw .refusedRecipient(refused)
    }
    guard var profile = Profiles.named(terms.profile)?.profile else {
      throw .consent(.profileUnknown)
    }
    if enabledProfiles.contains(profile.name) { profile.enabled = true }
    do throws(ConsentError) {
      try terms.validate(
        against: profile, recipient: recipient, now: now, vault: vault, stage: stage)
    } catch {
      throw .consent(error)
    }
  }

  /// A new random id.
  func makeID() -> UniqueID {
    guard let id = UniqueID(random: random(16)) else {
      preconditionFailure("a source of randomness gives as many bytes as it is asked for")
    }
    return id
  }
}
