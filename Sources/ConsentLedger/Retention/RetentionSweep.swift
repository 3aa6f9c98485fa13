internal import PrivacyFilter

/// What is kept too long goes (privacy design C11): once a day and at the start, on the first sweep
/// after the last day that a rule allows.
///
///     proposals refused or expired    90 days
///     counts of what left             the grant's end + 3 years
///     records of a grant              its end + its rule, 3 years at least
///     gaps of the journal             3 years
extension ConsentStore {
  /// How long a proposal is kept that was refused or that nobody answered.
  static let proposalDays: Int64 = 90
  /// The shortest time that evidence is kept.
  static let evidenceRule = RetentionRule.threeYears

  /// The last day on which the records of an ended grant are kept; nil while it has not ended, or
  /// where no date says so.
  public func lastDay(
    of stored: StoredGrant, date: (Int64) -> CivilDate
  ) -> CivilDate? {
    guard let end = stored.endedAt else { return nil }
    return Self.lastDay(
      end, wasAccepted: !stored.pseudonymSalt.isEmpty, stored.grant.terms.retention, date)
  }

  private static func lastDay(
    _ end: Int64, wasAccepted: Bool, _ retention: String?, _ date: (Int64) -> CivilDate
  ) -> CivilDate? {
    guard wasAccepted else { return date(end + proposalDays * 86_400_000) }
    let least = evidenceRule.lastDay(after: date(end))
    guard let rule = retention.flatMap(RetentionRule.init) else { return least }
    guard let asked = rule.lastDay(after: date(end)) else {
      return rule == .yearlyReview ? least : nil
    }
    return least.map { max($0, asked) }
  }

  /// Deletes what is kept too long on the day that `system` falls on; to be called once a day.
  ///
  /// Called again it finds nothing more. The caller vouches for the clock: a wrong one from the future
  /// would delete too early.
  /// - Parameter date: the household's civil date of an instant.
  /// - Returns: what went; nil if nothing was due.
  /// - Throws: `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func sweepRetention(
    at system: Int64, date: (Int64) -> CivilDate
  ) throws(StoreError) -> Erasure? {
    try requireWholeLedger()
    let now = time(atLeast: system)
    let today = date(now)
    let holds = try self.holds()
    let ended = try reading { () throws(DatabaseError) in
      try endedRows().filter { holds[$0.id] == nil }
    }
    let due = ended.filter { row in
      Self.lastDay(row.end, wasAccepted: row.wasAccepted, row.retention, date).map { $0 < today }
        ?? false
    }
    let overdueCounts = ended.filter { row in
      Self.evidenceRule.lastDay(after: date(row.end)).map { $0 < today } ?? false
    }
    let oldest = today.adding(years: -3)
    let gaps = try egressGaps().filter { date($0.before) < oldest }
    var counted: [EndedRow] = []
    for row in overdueCounts where try hasCounts(of: row.id) { counted.append(row) }
    guard !due.isEmpty || !counted.isEmpty || !gaps.isEmpty else { return nil }
    var swept = try remove(due.map(\.id), [], at: now) { erasure in
      (.retention, RecordBody.erasure(erasure, by: Authority.agent.text))
    }
    try writing { () throws(DatabaseError) in
      for row in counted {
        try database.run("DELETE FROM journal WHERE grant_id = ?", .text(row.id.text))
        swept.journalRows += try database.integer("SELECT changes()") ?? 0
      }
      for gap in gaps {
        try database.run("DELETE FROM gaps WHERE before_at = ?", .integer(gap.before))
      }
    }
    swept.isCompacted = compact()
    return swept
  }

  private struct EndedRow {
    var id: UniqueID
    var end: Int64
    var wasAccepted: Bool
    var retention: String?
  }

  private func endedRows() throws(DatabaseError) -> [EndedRow] {
    var ended: [EndedRow] = []
    for row in try GrantRow.all(
      in: database, where: "ended_at IS NOT NULL AND state <> 'ERASED' AND completed = 1")
    {
      guard row.state.isTerminal, let end = row.endedAt, let id = UniqueID(parsing: row.id) else {
        continue
      }
      let body = try ledger.body(row.bodyHash)
      let grant = body.flatMap { RecordBody.document(Grant.self, in: $0) }
      ended.append(
        EndedRow(
          id: id, end: end, wasAccepted: !row.salt.isEmpty, retention: grant?.terms.retention))
    }
    return ended
  }

  private func hasCounts(of id: UniqueID) throws(StoreError) -> Bool {
    try reading { () throws(DatabaseError) in
      var row = try database.prepare("SELECT 1 FROM journal WHERE grant_id = ? LIMIT 1")
      try row.bind([.text(id.text)])
      return try row.step()
    }
  }
}
