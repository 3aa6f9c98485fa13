internal import PrivacyFilter

/// How the store's parts read and write: errors become `StoreError`, and every write that changes
/// consent goes with its record in one transaction.
extension ConsentStore {
  /// The states that a grant can still leave, as an SQL list.
  static let unendedStates =
    "'PROPOSED','SCHEDULED','ACTIVE','RESTRICTED','PAUSED','REVIEW_REQUIRED'"

  /// Reads; what cannot be read is damaged.
  func reading<Result>(
    _ work: () throws(DatabaseError) -> Result
  ) throws(StoreError) -> Result {
    do throws(DatabaseError) { return try work() } catch { throw StoreError(reading: error) }
  }

  /// Writes in one transaction; what cannot be written is `E_LEDGER_WRITE`.
  func writing(_ work: () throws(DatabaseError) -> Void) throws(StoreError) {
    do throws(DatabaseError) {
      try database.transaction(work)
    } catch {
      throw .consent(.ledgerWrite)
    }
  }

  /// Appends a record dated now, and does `work` with the hash of its body, in one transaction.
  func writing(
    _ type: RecordType, _ body: [UInt8], at system: Int64,
    _ work: (_ bodyHash: String) throws(DatabaseError) -> Void
  ) throws(StoreError) {
    try writing(type, body, exactlyAt: time(atLeast: system), work)
  }

  /// The same with a time that may lie before the latest record's.
  func writing(
    _ type: RecordType, _ body: [UInt8], exactlyAt time: Int64,
    _ work: (_ bodyHash: String) throws(DatabaseError) -> Void
  ) throws(StoreError) {
    try writing { () throws(DatabaseError) in
      try work(ledger.append(type, body, at: time).bodyHash)
    }
    floor = max(floor, time)
  }

  /// - Throws: `E_LEDGER_BROKEN` or `E_LEDGER_TRUNCATED` while the chain or the stored state has a
  ///   fault.
  func requireWholeLedger() throws(StoreError) {
    switch ledgerFault {
    case nil: return
    case .truncated: throw .consent(.ledgerTruncated)
    case .record, .state: throw .consent(.ledgerBroken)
    }
  }

  /// The recipients whose rows fit `condition`, as their records carry them.
  func registered(
    _ condition: String, _ values: [Database.Value]
  ) throws(DatabaseError) -> [Recipient] {
    var rows = try database.prepare("SELECT bh FROM recipients WHERE \(condition) ORDER BY id")
    try rows.bind(values)
    var recipients: [Recipient] = []
    while try rows.step() {
      guard let body = try ledger.body(rows.text(0)) else { continue }
      if let recipient = RecordBody.document(Recipient.self, in: body) {
        recipients.append(recipient)
      }
    }
    return recipients
  }

  /// The stored row of a grant; nil if there is none.
  func row(_ id: UniqueID) throws(DatabaseError) -> GrantRow? {
    try GrantRow.all(in: database, where: "id = ?", [.text(id.text)]).first
  }

  /// The grants whose rows fit `condition`.
  ///
  /// One whose body was erased or damaged, or whose recipient is unknown, is left out: what cannot
  /// be read releases nothing.
  func storedGrants(
    where condition: String, _ values: Database.Value...
  ) throws(StoreError) -> [StoredGrant] {
    let known = Dictionary(try recipients().map { ($0.id, $0) }) { $1 }
    return try reading { () throws(DatabaseError) in
      var found: [StoredGrant] = []
      for row in try GrantRow.all(in: database, where: condition, values) {
        guard let body = try ledger.body(row.bodyHash),
          var carrier = RecordBody.carrier(Grant.self, in: body),
          carrier.document.id.text == row.id,
          let recipient = known[carrier.document.terms.recipient]
        else { continue }
        carrier.document.state = row.state
        found.append(StoredGrant(row, carrier.document, recipient, carrier.endpoint))
      }
      return found
    }
  }
}

extension StoredGrant {
  fileprivate init(
    _ row: GrantRow, _ grant: Grant, _ recipient: Recipient, _ endpoint: String?
  ) {
    self.grant = grant
    self.recipient = recipient
    self.endpoint = endpoint
    pseudonymSalt = row.salt
    rotation = row.rotation
    rotatedAt = row.rotatedAt
    proposedAt = row.proposedAt
    endedAt = row.endedAt
    endedBy = row.endedBy
    isCompleted = row.isCompleted
  }
}
