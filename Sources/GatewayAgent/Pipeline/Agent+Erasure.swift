import ConsentLedger
import PrivacyFilter

// Erasure, its proof, and what is kept no longer (privacy.md C11).

extension Agent {
  // MARK: - Erasure

  /// Ends what has not ended, then erases it.
  func erase(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    let wanted = request.erasure ?? ErasureRequest()
    let all = try store.grants()
    let chosen: [StoredGrant]
    if wanted.all == true {
      chosen = all
    } else if let recipient = wanted.recipient {
      chosen = all.filter { $0.recipient.id == recipient }
      let isKnown = try store.recipients().contains { $0.id == recipient }
      guard isKnown else {
        throw ControlFailure(
          code: "E_GRANT_UNKNOWN", message: "--recipient: \(recipient) is not registered")
      }
    } else {
      let id = try find(request.grant)
      chosen = [try store.grant(id)]
    }
    tellJournal()
    let letters = try chosen.filter { $0.recipient.role != .inHouse }.compactMap {
      try letter(to: $0)
    }
    for stored in chosen where !stored.grant.state.isTerminal {
      if stored.grant.state == .proposed {
        try store.refuse(stored.grant.id, by: authority, at: clock.now())
      } else {
        _ = try withdraw(stored.grant.id, .withdrawal, by: authority)
      }
    }
    let recipients =
      try wanted.all == true ? store.recipients().map(\.id) : [wanted.recipient].compactMap { $0 }
    let erasure = try store.erase(
      chosen.map(\.grant.id), recipients: recipients,
      leavingRetained: wanted.leavesRetained == true, by: authority, at: clock.now())
    try store.eraseEnquiries(of: wanted.all == true ? nil : recipients)
    var historyRows: Int64 = 0
    if wanted.all == true {
      historyRows = try store.eraseHistory()
      histories = [:]
    }
    Log.event(.info, "ERASE", Int64(erasure.removed.count))
    return ControlResponse(ok: true, erasure: Self.view(erasure, letters, historyRows))
  }

  private static func view(
    _ erasure: Erasure, _ letters: [ErasureView.Letter], _ historyRows: Int64
  ) -> ErasureView {
    ErasureView(
      grants: erasure.grants.map(\.text), recipients: erasure.recipients,
      removed: erasure.removed, bytes: erasure.byteCount, journalRows: erasure.journalRows,
      historyRows: historyRows, notices: erasure.notices, kept: erasure.kept,
      headBefore: erasure.headBefore, headAfter: erasure.headAfter,
      isCompacted: erasure.isCompacted, letters: letters)
  }

  /// What a letter to a recipient can name; nil if nothing ever left.
  private func letter(to stored: StoredGrant) throws -> ErasureView.Letter? {
    guard let egress = try store.egress(of: stored.grant.id) else { return nil }
    return ErasureView.Letter(
      recipient: stored.recipient.id, legalName: stored.recipient.legalName,
      contact: stored.recipient.contact, authority: stored.recipient.authority,
      grant: stored.grant.id.text, purpose: stored.grant.terms.purpose,
      messages: egress.messages, first: Timestamp.text(egress.firstAt),
      last: Timestamp.text(egress.lastAt))
  }

  /// Looks for traces of what was erased.
  func verifyErasure() throws -> ControlResponse {
    let check = try store.verifyErasure()
    return ControlResponse(
      ok: true,
      traces: TracesView(
        isClean: check.isClean, erasures: check.erasures, removed: check.removed,
        remaining: check.remaining, derivable: check.derivable.map(\.text),
        freePages: check.freePages, chain: try chainView()))
  }

  /// Lays a hold on a grant's evidence, confirms it, or lets go.
  func hold(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    let id = try find(request.grant)
    try store.hold(id, request.release != true, by: authority, at: clock.now())
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  // MARK: - Retention

  /// The household's civil date of an instant.
  static func civilDate(_ instant: Int64) -> CivilDate {
    CivilDate(of: instant, offsetSeconds: LocalDays.offsetSeconds(at: instant))
  }

  /// When the day's sweep is due: 03:15 of the household's clock.
  static func sweepTime(after now: Int64) -> Int64 {
    let quarterPastThree: Int64 = 11_700_000
    return LocalDays.starts(around: now, count: 3).map { $0 + quarterPastThree }
      .first { $0 > now } ?? now + 86_400_000
  }

  /// Deletes what is kept too long, once a day and soon after the start.
  ///
  /// Not while the clock is in doubt: one from a wrong future would delete everything.
  func sweepRetention() {
    let now = clock.now()
    guard now >= retentionDue, store.ledgerFault == nil, isClockTrusted(at: now) else { return }
    do throws(StoreError) {
      try store.sweepHistory(at: now, date: Self.civilDate)
      try store.sweepEnquiries(at: now, date: Self.civilDate)
      try remindOfEnquiries(at: now)
      let swept = try store.sweepRetention(at: now, date: Self.civilDate)
      retentionDue = Self.sweepTime(after: now)
      if let swept { Log.event(.info, "RETENTION", Int64(swept.removed.count)) }
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }
}
