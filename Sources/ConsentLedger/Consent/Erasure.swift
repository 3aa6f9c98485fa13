public import PrivacyFilter

// Erasure with proof (privacy design C11): bodies go, the chain stays whole, and a record says what
// went. What recipients have received is out of reach.

/// What an erasure, or a sweep of what is kept too long, removed.
public struct Erasure: Equatable, Sendable {
  /// The grants.
  public var grants: [UniqueID] = []
  /// The recipients whose registration went too.
  public var recipients: [String] = []
  /// The hashes of the bodies that went.
  public var removed: [String] = []
  /// The bytes of those bodies.
  public var byteCount: Int64 = 0
  /// Texts that the household was shown and that nothing uses any more.
  public var notices: Int64 = 0
  /// Rows of the journal.
  public var journalRows: Int64 = 0
  /// What had to stay, and why.
  public var kept: [String] = []
  /// The ledger's head before.
  public var headBefore = LedgerRecord.noPrevious
  /// The ledger's head with the record of it.
  public var headAfter = LedgerRecord.noPrevious
  /// Whether the file was rebuilt without the freed pages; false if the disk had no room for that.
  public var isCompacted = false

  /// Nothing.
  public init() {}
}

/// What looking for traces of erased data found.
public struct ErasureCheck: Equatable, Sendable {
  /// Records of erasures.
  public var erasures = 0
  /// Bodies that they name.
  public var removed = 0
  /// Of those, bodies that are there all the same, by hash.
  public var remaining: [String] = []
  /// Erased grants whose pseudonym could still be derived.
  public var derivable: [UniqueID] = []
  /// Pages of the file that are free and not overwritten.
  public var freePages: Int64 = 0

  /// Whether no trace was found.
  public var isClean: Bool { remaining.isEmpty && derivable.isEmpty && freePages == 0 }
}

extension ConsentStore {
  /// Erases ended grants: their bodies, salts, receipts, counts, and the texts nothing else uses.
  ///
  /// - Parameters:
  ///   - recipients: whose registration goes too, unless another grant or recipient needs it.
  ///   - leavingRetained: whether what a broker keeps may stay there, because nobody can clear it.
  /// - Throws: `E_STATE` if one has not ended, is on hold, or its broker has not cleared what it
  ///   keeps; `E_GRANT_UNKNOWN`; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func erase(
    _ ids: [UniqueID], recipients: [String] = [], leavingRetained: Bool = false,
    by authority: Authority, at system: Int64
  ) throws(StoreError) -> Erasure {
    try requireWholeLedger()
    let holds = try self.holds()
    for id in ids {
      guard let row = try reading({ () throws(DatabaseError) in try row(id) }) else {
        throw .consent(.grantUnknown)
      }
      guard row.state.isTerminal, row.state != .erased else { throw .consent(.state) }
      guard holds[id] == nil else { throw .consent(.onHold) }
      let topics = try retainedTopics(of: id)
      guard leavingRetained || topics.isEmpty else { throw .consent(.notCleared) }
    }
    var erasure = try remove(ids, recipients, at: system) { erasure in
      (.erase, RecordBody.erasure(erasure, by: authority.text))
    }
    erasure.isCompacted = compact()
    return erasure
  }

  /// Looks for traces of everything that was ever erased, and rebuilds the file if pages are free.
  ///
  /// - Throws: `E_LEDGER_BROKEN`, `E_LEDGER_TRUNCATED` if the chain does not verify.
  public func verifyErasure() throws(StoreError) -> ErasureCheck {
    try verify(knownHead: nil)
    _ = compact()
    return try reading { () throws(DatabaseError) in
      var check = ErasureCheck()
      var records = try database.prepare(
        "SELECT bh FROM ledger WHERE type IN ('ERASE','RETENTION') ORDER BY seq")
      while try records.step() {
        guard let body = try ledger.body(records.text(0)), let erased = RecordBody.erased(in: body)
        else { continue }
        check.erasures += 1
        check.removed += erased.removed.count
        for hash in erased.removed where try hasBody(hash) { check.remaining.append(hash) }
      }
      var rows = try database.prepare(
        "SELECT id FROM grants WHERE state = 'ERASED' AND salt <> x''")
      while try rows.step() {
        if let id = UniqueID(parsing: rows.text(0)) { check.derivable.append(id) }
      }
      check.freePages = try database.integer("PRAGMA freelist_count") ?? 0
      return check
    }
  }

  private func hasBody(_ hash: String) throws(DatabaseError) -> Bool {
    var row = try database.prepare("SELECT 1 FROM bodies WHERE bh = ?")
    try row.bind([.text(hash)])
    return try row.step()
  }

  /// Rebuilds the file without freed pages and empties the log beside it; false if that failed.
  func compact() -> Bool {
    do throws(DatabaseError) {
      if try database.integer("PRAGMA freelist_count") ?? 0 > 0 { try database.execute("VACUUM") }
      try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
      return true
    } catch {
      return false
    }
  }

  /// Removes all there is of some grants, and appends the record that `describe` makes of it.
  func remove(
    _ ids: [UniqueID], _ recipients: [String], at system: Int64,
    _ describe: (Erasure) -> (RecordType, [UInt8])
  ) throws(StoreError) -> Erasure {
    var erasure = Erasure()
    erasure.grants = ids
    let now = time(atLeast: system)
    let texts = Set(ids.map(\.text))
    try writing { () throws(DatabaseError) in
      erasure.headBefore = try ledger.head() ?? LedgerRecord.noPrevious
      erasure.recipients = try removable(recipients, without: texts)
      erasure.removed = try bodies(about: texts, Set(erasure.recipients))
      for hash in erasure.removed {
        erasure.byteCount += try size(ofBody: hash)
        try database.run("DELETE FROM bodies WHERE bh = ?", .text(hash))
      }
      for id in texts.sorted() { try removeRows(of: id, &erasure) }
      for id in erasure.recipients {
        try database.run("DELETE FROM recipients WHERE id = ?", .text(id))
      }
      try database.execute(
        """
        DELETE FROM notices WHERE NOT EXISTS (SELECT 1 FROM bodies
          WHERE instr(CAST(body AS TEXT), notices.sha256) > 0)
        """)
      erasure.notices = try database.integer("SELECT changes()") ?? 0
      let (type, body) = describe(erasure)
      erasure.headAfter = try ledger.append(type, body, at: now).head
    }
    floor = max(floor, now)
    for id in ids {
      journal.samples[id] = nil
      standing.pausedUntil[id] = nil
    }
    for key in journal.counts.keys where ids.contains(key.grant) { journal.counts[key] = nil }
    return erasure
  }

  private func removeRows(of id: String, _ erasure: inout Erasure) throws(DatabaseError) {
    try database.run("DELETE FROM journal WHERE grant_id = ?", .text(id))
    erasure.journalRows += try database.integer("SELECT changes()") ?? 0
    try database.run("DELETE FROM receipts WHERE grant_id = ?", .text(id))
    try database.run("DELETE FROM bases WHERE grant_id = ?", .text(id))
    try database.run("DELETE FROM retained WHERE grant_id = ?", .text(id))
    let topics = try database.integer("SELECT changes()") ?? 0
    if topics > 0 { erasure.kept.append("\(topics) topics that a broker may keep, grant \(id)") }
    try database.run(
      """
      UPDATE grants SET state = 'ERASED', bh = '', salt = x'', rotation = 0, completed = 1
      WHERE id = ?
      """, .text(id))
  }

  /// The bodies that are about these grants alone, and the registrations of these recipients.
  private func bodies(
    about grants: Set<String>, _ recipients: Set<String>
  ) throws(DatabaseError) -> [String] {
    var receipts: Set<String> = []
    var filed = try database.prepare("SELECT grant_id, bh FROM receipts")
    while try filed.step() {
      if grants.contains(filed.text(0)) { receipts.insert(filed.text(1)) }
    }
    var rows = try database.prepare(
      """
      SELECT l.type, l.bh, b.body FROM ledger l JOIN bodies b ON b.bh = l.bh
      WHERE l.type NOT IN ('GENESIS','EGRESS_DAY','CHECKPOINT','ERASE','RECOVERY') ORDER BY l.seq
      """)
    var found: [String] = []
    while try rows.step() {
      let hash = rows.text(1)
      let summary = RecordBody.summary(of: rows.bytes(2))
      let isOwn = summary?.grant.map(grants.contains) ?? false
      let isRegistration =
        rows.text(0) == RecordType.recipient.rawValue
        && summary?.recipient.map(recipients.contains) ?? false
      if isOwn || isRegistration || receipts.contains(hash) { found.append(hash) }
    }
    return found
  }

  /// Those of the recipients that no other grant and no other recipient needs.
  private func removable(
    _ asked: [String], without grants: Set<String>
  ) throws(DatabaseError) -> [String] {
    if asked.isEmpty { return [] }
    var needed: Set<String> = []
    for row in try GrantRow.all(in: database, where: "state <> 'ERASED'")
    where !grants.contains(row.id) {
      guard let body = try ledger.body(row.bodyHash) else { continue }
      if let recipient = RecordBody.summary(of: body)?.recipient { needed.insert(recipient) }
    }
    for recipient in try registered("1", []) where !asked.contains(recipient.id) {
      if let principal = recipient.onBehalfOf { needed.insert(principal) }
    }
    return asked.filter { !needed.contains($0) }.sorted()
  }

  private func size(ofBody hash: String) throws(DatabaseError) -> Int64 {
    var row = try database.prepare("SELECT length(body) FROM bodies WHERE bh = ?")
    try row.bind([.text(hash)])
    return try row.step() ? row.integer(0) : 0
  }
}
