public import PrivacyFilter

// The chain as evidence: its verification, its checkpoints, and how to go on behind a break.

/// What `acceptBreak` did.
public struct AcceptedBreak: Equatable, Sendable {
  /// The head of the chain that broke; nil if it had no record.
  public var oldHead: String?
  /// Grants that ended, because nothing proves them any more.
  public var invalidated: [UniqueID]
}

extension ConsentStore {
  /// Verifies the whole chain, its bodies, that the stored grants are what the ledger says, and that
  /// its end is there.
  ///
  /// - Parameter knownHead: a head hash from a receipt, which the chain must contain.
  /// - Returns: the number of records.
  /// - Throws: `E_LEDGER_BROKEN`; `E_LEDGER_TRUNCATED` if a known head or that of the last checkpoint
  ///   is missing.
  @discardableResult
  public func verify(knownHead: String?) throws(StoreError) -> Int64 {
    let audit = try reading { () throws(DatabaseError) in
      try LedgerAudit(ledger, database, anchor: anchor, wanted: knownHead)
    }
    ledgerFault = audit.fault
    try requireWholeLedger()
    if let knownHead, !audit.walk.met.contains(knownHead) { throw .consent(.ledgerTruncated) }
    return audit.walk.count
  }

  /// The checkpoint that lies outside the database; nil if there is none yet.
  public var checkpoint: Checkpoint? {
    if case .checkpoint(let checkpoint) = anchor { checkpoint } else { nil }
  }

  /// Signs the present head and puts it outside the database, unless that was done already.
  ///
  /// To be called every minute: what was appended since could be cut off unseen.
  /// - Throws: `.fileUnusable(.anchor, …)`; the old one stays.
  public func keepAnchor(at system: Int64) throws(StoreError) {
    guard ledgerFault == nil, let head = try presentHead(), head.hash != checkpoint?.head,
      let made = Checkpoint(
        head: head.hash, sequence: head.sequence, time: Timestamp.text(time(atLeast: system)),
        privateKey: try signingKey())
    else { return }
    do throws(SystemError) {
      try directory.replace(LedgerAnchor.fileName, made.text)
    } catch {
      throw StoreError(error, .anchor)
    }
    anchor = .checkpoint(made)
  }

  /// Records a signed checkpoint, unless this UTC day has one.
  ///
  /// - Throws: `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func recordCheckpoint(at system: Int64) throws(StoreError) {
    try requireWholeLedger()
    let now = Timestamp.text(time(atLeast: system))
    let last = try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT ts FROM ledger WHERE type = 'CHECKPOINT' ORDER BY seq DESC LIMIT 1")
      return try rows.step() ? rows.text(0) : nil
    }
    guard last?.prefix(10) != now.prefix(10), let head = try presentHead(),
      let made = Checkpoint(
        head: head.hash, sequence: head.sequence, time: now, privateKey: try signingKey())
    else { return }
    // The anchor first: a ledger with checkpoints and without an anchor counts as cut.
    try keepAnchor(at: system)
    try writing(.checkpoint, made.text, at: system) { _ in }
  }

  /// The private key of checkpoints, made at the first asking.
  private func signingKey() throws(StoreError) -> [UInt8] {
    if let checkpointKey { return checkpointKey }
    do throws(SystemError) {
      let made = try LedgerAnchor.makeKey(in: directory, random: random)
      checkpointKey = made
      return made
    } catch {
      throw StoreError(error, .checkpointKey)
    }
  }

  private func presentHead() throws(StoreError) -> (sequence: Int64, hash: String)? {
    try reading { () throws(DatabaseError) in
      var last = try database.prepare("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")
      return try last.step() ? (last.integer(0), last.text(1)) : nil
    }
  }

  /// Starts a new chain behind one that broke, with the old head recorded in its first record.
  ///
  /// Nothing proves the grants of recipients outside any more: those that have not ended are
  /// INVALIDATED. Those of the house go on as they are stored.
  /// - Parameter confirmation: the first 8 digits of the old head, as `ledgerHead` gives it.
  /// - Throws: `E_STATE` if the chain is sound or the confirmation differs; `E_LEDGER_WRITE`.
  public func acceptBreak(
    confirmation: String, by authority: Authority, at system: Int64
  ) throws(StoreError) -> AcceptedBreak {
    _ = try? verify(knownHead: nil)
    guard let fault = ledgerFault else { throw .consent(.ledgerSound) }
    let head = try presentHead()
    guard confirmation == String(try ledgerHead().prefix(8)) else {
      throw .consent(.breakUnconfirmed)
    }
    let now = time(atLeast: system)
    let readable = Dictionary(try grants().map { ($0.grant.id.text, $0) }) { $1 }
    let known = try recipients().map(\.id)
    var accepted = AcceptedBreak(oldHead: head?.hash, invalidated: [])
    do throws(DatabaseError) {
      try database.transaction { () throws(DatabaseError) in
        try database.execute(Schema.triggers)
        var grants: [String: CanonicalJSON] = [:]
        for row in try GrantRow.all(in: database, where: "1") {
          var state = row.state
          let id = UniqueID(parsing: row.id)
          let isDenied = id.map { denylist.denies($0.bytes) } ?? false
          if !state.isTerminal, readable[row.id]?.recipient.role != .inHouse, !isDenied {
            try invalidate(row, by: authority, at: now)
            if let id { accepted.invalidated.append(id) }
            state = .invalidated
          }
          grants[row.id] = [
            "bh": .text(row.bodyHash), "state": .text(RecordBody.name(of: state)),
          ]
        }
        let body = RecordBody.acceptedBreak(
          fault, head, by: authority.text, grants: grants,
          recipients: try keptRecipients(known))
        try ledger.append(.genesis, body, at: now)
      }
    } catch {
      throw .consent(.ledgerWrite)
    }
    floor = max(floor, now)
    anchor = .missing
    ledgerFault = nil
    try keepAnchor(at: now)
    try verify(knownHead: nil)
    recordPendingEnds()
    return accepted
  }

  private func invalidate(
    _ row: GrantRow, by authority: Authority, at now: Int64
  ) throws(DatabaseError) {
    try database.run(
      """
      UPDATE grants SET state = 'INVALIDATED', ended_at = ?, ended_by = ?, completed = ?
      WHERE id = ?
      """, .integer(now), .text(authority.text), .integer(row.state == .proposed ? 1 : 0),
      .text(row.id))
    try database.run("DELETE FROM bases WHERE grant_id = ?", .text(row.id))
  }

  /// The recipients whose records can be read; the others' rows go.
  private func keptRecipients(
    _ known: [String]
  ) throws(DatabaseError) -> [String: CanonicalJSON] {
    var kept: [String: CanonicalJSON] = [:]
    var lost: [String] = []
    var rows = try database.prepare("SELECT id, bh FROM recipients")
    while try rows.step() {
      let id = rows.text(0)
      if known.contains(id) { kept[id] = .text(rows.text(1)) } else { lost.append(id) }
    }
    for id in lost { try database.run("DELETE FROM recipients WHERE id = ?", .text(id)) }
    return kept
  }
}
