public import PrivacyFilter

// What a household can do with a grant in force, short of ending it (privacy design C7). Stopping
// asks for nothing; whatever lets data flow again asks for a whole ledger.

extension ConsentStore {
  /// Days behind a review's date after which the grant waits for it.
  public static let reviewGraceDays: Int64 = 30

  /// Restricts a grant: what is known is kept, nothing is released until it is lifted.
  ///
  /// The caller has stopped the gates before. Counting begins anew afterwards, so that nothing of
  /// the time between is ever told.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless the grant is active; `E_LEDGER_WRITE`.
  public func restrict(
    _ id: UniqueID, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    try suspend(id, .restrict, .restricted, RecordBody.decision(id, by: authority.text), at: system)
  }

  /// Lifts a restriction.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless it is restricted; `E_VALIDITY` if its time is
  ///   over; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func lift(_ id: UniqueID, by authority: Authority, at system: Int64) throws(StoreError) {
    try release(id, .lift, from: .restricted, by: authority, at: system)
  }

  /// Pauses a grant, until a time or until it is resumed.
  ///
  /// The caller has stopped the gates before; counting begins anew afterwards.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless the grant is active; `E_VALIDITY` if the pause
  ///   would be over already; `E_LEDGER_WRITE`.
  public func pause(
    _ id: UniqueID, until: Int64?, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    guard until.map({ $0 > time(atLeast: system) }) ?? true else {
      throw .consent(.pauseIsOver)
    }
    let body = RecordBody.pause(id, until: until, by: authority.text)
    try suspend(id, .pause, .paused, body, at: system)
    standing.pausedUntil[id] = until
  }

  /// Ends a pause.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless it is paused; `E_VALIDITY` if its time is over;
  ///   `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func resume(
    _ id: UniqueID, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    try release(id, .resume, from: .paused, by: authority, at: system)
    standing.pausedUntil[id] = nil
  }

  /// Narrows a grant in place, at once: what is released under it becomes less.
  ///
  /// - Parameter vault: the identifiers seen so far, which no label may contain.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless it is in force or suspended; `E_PROFILE_EXCEEDED`
  ///   if anything becomes more, which needs a new grant; what validation throws; `E_LEDGER_WRITE`,
  ///   `E_LEDGER_BROKEN`.
  public func narrow(
    _ id: UniqueID, to terms: GrantTerms, by authority: Authority, at system: Int64,
    vault: borrowing IdentifierVault
  ) throws(StoreError) {
    try requireWholeLedger()
    var stored = try grant(id)
    guard !stored.grant.state.isTerminal, stored.grant.state != .proposed,
      !denylist.denies(id.bytes)
    else { throw .consent(.state) }
    guard stored.grant.terms.isNarrowed(by: terms) else { throw .consent(.wider) }
    try validate(terms, at: time(atLeast: system), vault, .grant)
    stored.grant.terms = terms
    try replace(stored, .narrow, stored.grant.state, by: authority, at: system) {}
  }

  /// Notes that a recipient's text has changed.
  ///
  /// A material change (purpose, category, recipient, country, basis, retention) suspends the grant
  /// until it is renewed; the caller has stopped its gates before. An editorial one is recorded.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` if the grant has ended or was not accepted;
  ///   `E_LEDGER_WRITE`.
  public func changeNotice(
    _ id: UniqueID, to notice: Notice, isMaterial: Bool, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    let stored = try grant(id)
    guard !stored.grant.state.isTerminal, stored.grant.state != .proposed else {
      throw .consent(.state)
    }
    let body = RecordBody.review(
      id, isMaterial ? .material : .editorial, notice, by: authority.text)
    try writing(.review, body, at: system) { _ throws(DatabaseError) in
      guard isMaterial else { return }
      try setState(.reviewRequired, of: id)
      try database.run("DELETE FROM bases WHERE grant_id = ?", .text(id.text))
    }
  }

  /// Suspends a grant until it is renewed, for a reason that the agent found.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless it is active; `E_LEDGER_WRITE`.
  public func requireReview(
    _ id: UniqueID, _ reason: ReviewReason, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    let body = RecordBody.review(id, reason, nil, by: authority.text)
    try suspend(id, .review, .reviewRequired, body, at: system)
  }

  /// Confirms a grant anew, under the notice that it waits for if there is one: its next version.
  ///
  /// Nothing of its terms becomes more, its end included.
  /// - Parameters:
  ///   - endpoint: the broker's address as it is now.
  ///   - vault: the identifiers seen so far, which no label may contain.
  /// - Returns: the receipt, canonical JSON.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless it is active or waits for a review; what
  ///   validation throws; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func renew(
    _ id: UniqueID, endpoint: String?, by authority: Authority, at system: Int64,
    vault: borrowing IdentifierVault
  ) throws(StoreError) -> [UInt8] {
    try requireWholeLedger()
    let now = time(atLeast: system)
    var stored = try grant(id)
    guard [.reviewRequired, .active].contains(stored.grant.state), !denylist.denies(id.bytes) else {
      throw .consent(.state)
    }
    let (version, overflow) = stored.grant.version.addingReportingOverflow(1)
    guard !overflow else { throw .consent(.state) }
    if let notice = try pendingNotice(of: id) { stored.grant.terms.notice = notice }
    stored.grant.version = version
    stored.grant.state = .active
    stored.grant.decidedBy = authority.text
    stored.grant.decidedAt = now
    stored.endpoint = endpoint
    try validate(stored.grant.terms, at: now, vault, .grant)
    var receipt: Receipt?
    try replace(stored, .renew, .active, by: authority, at: now) { () throws(DatabaseError) in
      let made = try makeReceipt(of: stored, nil, nil, at: now)
      try keep(made, try ledger.append(.receipt, made.bytes, at: now).bodyHash, of: id)
      receipt = made
    }
    return receipt?.bytes ?? []
  }

  /// When the household is asked whether a grant shall go on, ms since 1970 UTC; nil for those of
  /// the house, which nobody but the owner ends.
  public static func reviewDue(_ stored: StoredGrant) -> Int64? {
    guard stored.recipient.role != .inHouse, let decided = stored.grant.decidedAt else {
      return nil
    }
    return decided + Int64(stored.grant.terms.reviewEveryDays) * 86_400_000
  }

  /// Suspends what waits too long for its review, and lets go on whose pause is over.
  ///
  /// - Returns: the grants suspended now, for the caller to stop and clean up behind.
  /// - Throws: `E_LEDGER_WRITE`.
  public func sweepSuspensions(at system: Int64) throws(StoreError) -> [UniqueID] {
    let now = time(atLeast: system)
    var suspended: [UniqueID] = []
    for stored in try storedGrants(where: "state = 'ACTIVE'") {
      guard let due = Self.reviewDue(stored), due + Self.reviewGraceDays * 86_400_000 <= now else {
        continue
      }
      try requireReview(stored.grant.id, .overdue, by: .agent, at: now)
      suspended.append(stored.grant.id)
    }
    guard ledgerFault == nil else { return suspended }
    for (id, until) in standing.pausedUntil where until <= now {
      // One that has ended meanwhile has nothing left to resume.
      do throws(StoreError) {
        try resume(id, by: .agent, at: now)
      } catch {
        guard error != .consent(.ledgerWrite) else { throw error }
        standing.pausedUntil[id] = nil
      }
    }
    if let until = standing.general?.until, until <= now { try resumeAll(by: .agent, at: now) }
    return suspended
  }

  // MARK: - Parts

  /// From active to a state that a grant can leave again; its count begins anew then.
  private func suspend(
    _ id: UniqueID, _ type: RecordType, _ state: GrantState, _ body: [UInt8], at system: Int64
  ) throws(StoreError) {
    let stored = try grant(id)
    guard stored.grant.state == .active, !denylist.denies(id.bytes) else {
      throw .consent(.state)
    }
    try writing(type, body, at: system) { _ throws(DatabaseError) in
      try setState(state, of: id)
      try database.run("DELETE FROM bases WHERE grant_id = ?", .text(id.text))
    }
  }

  /// Back to active.
  private func release(
    _ id: UniqueID, _ type: RecordType, from state: GrantState, by authority: Authority,
    at system: Int64
  ) throws(StoreError) {
    try requireWholeLedger()
    let stored = try grant(id)
    guard stored.grant.state == state, !denylist.denies(id.bytes) else { throw .consent(.state) }
    let now = time(atLeast: system)
    guard stored.grant.terms.validUntil.map({ now < $0 }) ?? true else {
      throw .consent(.validityOver)
    }
    try writing(type, RecordBody.decision(id, by: authority.text), at: now) {
      _ throws(DatabaseError) in try setState(.active, of: id)
    }
  }

  /// Puts another body of the grant in force, with its record.
  private func replace(
    _ stored: StoredGrant, _ type: RecordType, _ state: GrantState, by authority: Authority,
    at system: Int64, _ more: () throws(DatabaseError) -> Void
  ) throws(StoreError) {
    guard
      let body = RecordBody.carrying(
        stored.grant, by: authority.text, endpoint: stored.endpoint)
    else { throw .consent(.ledgerWrite) }
    try writing(type, body, at: system) { (bodyHash) throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = ?, bh = ? WHERE id = ?", .text(RecordBody.name(of: state)),
        .text(bodyHash), .text(stored.grant.id.text))
      try more()
    }
  }

  private func setState(_ state: GrantState, of id: UniqueID) throws(DatabaseError) {
    try database.run(
      "UPDATE grants SET state = ? WHERE id = ?", .text(RecordBody.name(of: state)),
      .text(id.text))
  }

  /// The notice of the last material change since the grant was last decided on.
  private func pendingNotice(of id: UniqueID) throws(StoreError) -> Notice? {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT type, bh FROM ledger WHERE type IN ('REVIEW','RENEW') ORDER BY seq DESC")
      while try rows.step() {
        guard let body = try ledger.body(rows.text(1)),
          let summary = RecordBody.summary(of: body), summary.grant == id.text
        else { continue }
        if rows.text(0) == RecordType.renew.rawValue { return nil }
        if summary.reason == ReviewReason.material.rawValue { return summary.notice }
      }
      return nil
    }
  }
}

/// Why a grant is looked at again.
public enum ReviewReason: String, Sendable {
  /// The recipient's text changed in a way that matters.
  case material
  /// The recipient's text changed in its words only; the grant goes on.
  case editorial
  /// Nobody reviewed it for 30 days after it was due.
  case overdue
  /// The broker's address is not the one that was accepted.
  case endpoint
}
