public import PrivacyFilter

/// From a proposal to a grant in force, or to its refusal.
extension ConsentStore {
  /// Stores a proposal, which releases nothing until somebody accepts it.
  ///
  /// - Parameter vault: the identifiers seen so far, which no label may contain.
  /// - Throws: `E_LIMIT` if 16 wait already; `E_RECIPIENT_UNNAMED` if the recipient is not
  ///   registered; what validation throws; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func propose(
    _ terms: GrantTerms, by authority: Authority, at system: Int64,
    vault: borrowing IdentifierVault
  ) throws(StoreError) -> UniqueID {
    try requireWholeLedger()
    let now = time(atLeast: system)
    let waiting = try reading { () throws(DatabaseError) in
      try database.integer("SELECT count(*) FROM grants WHERE state = 'PROPOSED'") ?? 0
    }
    guard waiting < Self.proposalLimit else { throw .consent(.tooManyProposals) }
    try validate(terms, at: now, vault)
    let grant = Grant(
      id: makeID(), version: 1, supersedes: nil, terms: terms, state: .proposed, decidedBy: nil,
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
  ///   - ticked: the optional categories that the person ticked; others stay off.
  ///   - vault: the identifiers seen so far, which no label may contain.
  /// - Returns: the receipt, canonical JSON.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` for anything but a living proposal, with the ledger
  ///   unchanged; `E_LIMIT` with 32 grants in force; what validation throws; `E_LEDGER_WRITE`,
  ///   `E_LEDGER_BROKEN`.
  public func accept(
    _ id: UniqueID, ticked: CategorySet, by authority: Authority, at system: Int64,
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
    guard inForce < Self.grantLimit else { throw .consent(.tooManyGrants) }
    var accepted = stored
    accepted.grant = try Self.accepting(stored.grant, ticked, by: authority, at: now)
    try validate(accepted.grant.terms, at: now, vault)
    guard let body = RecordBody.carrying(accepted.grant, by: authority.text) else {
      throw .consent(.ledgerWrite)
    }
    return try put(accepted, body, inForceAt: now)
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
  private static func accepting(
    _ proposal: Grant, _ ticked: CategorySet, by authority: Authority, at now: Int64
  ) throws(StoreError) -> Grant {
    var grant = proposal
    guard ticked.isSubset(of: grant.terms.optional) else { throw .consent(.notOffered) }
    grant.terms.categories.formUnion(ticked)
    grant.terms.optional.subtract(ticked)
    grant.terms.validFrom = max(grant.terms.validFrom, now)
    grant.state = grant.terms.validFrom > now ? .scheduled : .active
    grant.decidedBy = authority.text
    grant.decidedAt = now
    return grant
  }

  private func put(
    _ stored: StoredGrant, _ body: [UInt8], inForceAt now: Int64
  ) throws(StoreError) -> [UInt8] {
    let id = stored.grant.id
    let salt = random(Self.pseudonymSaltByteCount)
    var receipt: Receipt?
    try writing(.grant, body, at: now) { (bodyHash) throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = ?, bh = ?, salt = ?, rotated_at = ? WHERE id = ?",
        .text(RecordBody.name(of: stored.grant.state)), .text(bodyHash), .blob(salt),
        .integer(now), .text(id.text))
      let made = try makeReceipt(of: stored, nil, nil, at: now)
      let (_, receiptHash) = try ledger.append(.receipt, made.bytes, at: now)
      try keep(made, receiptHash, of: id)
      receipt = made
    }
    return receipt?.bytes ?? []
  }

  /// Checks terms against their profile and every rule.
  private func validate(
    _ terms: GrantTerms, at now: Int64, _ vault: borrowing IdentifierVault
  ) throws(StoreError) {
    guard let recipient = try recipient(terms.recipient) else {
      throw .consent(.recipientUnknown)
    }
    guard let profile = Profiles.named(terms.profile)?.profile else {
      throw .consent(.profileUnknown)
    }
    do throws(ConsentError) {
      try terms.validate(against: profile, recipient: recipient, now: now, vault: vault)
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
