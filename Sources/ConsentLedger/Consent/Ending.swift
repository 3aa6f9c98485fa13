public import PrivacyFilter

/// How a grant ends.
public enum GrantEnd: Sendable {
  /// The household withdraws it, or the recipient gives it back.
  case withdrawal
  /// The household objects to a use that needs no consent.
  case objection
  /// A leak or another failure of integrity was found.
  case invalidation
}

/// What was about to leave without a grant: for the ledger, without its value.
public struct LeakFinding: Equatable, Sendable {
  /// In which form, such as `hex`.
  public var form: String
  /// How many bytes into the message.
  public var offset: Int

  /// Makes a finding.
  public init(form: String, offset: Int) {
    self.form = form
    self.offset = offset
  }
}

/// What cleaning up after a grant did, for its last receipt (privacy design C7, steps 4–8).
public struct EndEffects: Equatable, Sendable {
  /// Nothing was left to do.
  public static let none = EndEffects(
    purged: 0, retainedCleared: 0, tailByteCount: 0, brokerAccessChanged: false)

  /// Messages that were waiting and were discarded.
  public var purged: UInt64
  /// Retained topics that were cleared.
  public var retainedCleared: UInt64
  /// Bytes of a packet that was under way and had to be completed.
  public var tailByteCount: UInt64
  /// Whether the broker's own access list was changed.
  public var brokerAccessChanged: Bool

  /// All counts.
  public init(
    purged: UInt64, retainedCleared: UInt64, tailByteCount: UInt64, brokerAccessChanged: Bool
  ) {
    self.purged = purged
    self.retainedCleared = retainedCleared
    self.tailByteCount = tailByteCount
    self.brokerAccessChanged = brokerAccessChanged
  }
}

extension ConsentStore {
  /// Step 2 of C7: marks a grant as ended, on the disk, without needing free space there.
  ///
  /// The caller has stopped the gate before. From the return on the grant is denied for good, also
  /// after a power cut. If this throws, it is denied in this process only.
  /// - Throws: `.fileUnusable(.denylist, …)`.
  public func tombstone(
    _ id: UniqueID, _ end: GrantEnd, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    let mark = Tombstone(
      kind: end.tombstoneKind(by: authority), at: time(atLeast: system), grant: id.bytes,
      uid: authority.uid)
    do throws(SystemError) {
      try denylist.add(mark) { bytes in
        guard let id = UniqueID(bytes: bytes), let row = try? row(id) else { return true }
        return row.state.isTerminal
      }
    } catch {
      throw StoreError(error, .denylist)
    }
  }

  /// Step 3 of C7: records the end that `tombstone` marked, with the time it had.
  ///
  /// Recording twice is no error, so that a caller may simply try again. Of an invalidation the
  /// record says what was found, if it can be written at once: the tombstone has no room for it.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` without a tombstone; `E_LEDGER_WRITE`: the grant stays
  ///   denied, and `recordPendingEnds` tries again.
  public func recordEnd(_ id: UniqueID, _ finding: LeakFinding? = nil) throws(StoreError) {
    let tombstones = denylist.tombstones
    let isKnown = try reading { () throws(DatabaseError) in try row(id) } != nil
    guard isKnown else { throw .consent(.grantUnknown) }
    guard let tombstone = tombstones.first(where: { $0.grant == id.bytes }) else {
      throw .consent(.state)
    }
    try record(tombstone, of: id, finding)
  }

  /// Grants that ended and have no receipt of it yet: their queues and retained topics may still
  /// need clearing, also after a restart.
  public func uncompletedEnds() throws(StoreError) -> [StoredGrant] {
    try storedGrants(where: "completed = 0 AND state NOT IN (\(Self.unendedStates))")
  }

  /// Grants that ended or are suspended, and on whose topics a broker may still keep something:
  /// step 5 of C7 goes on when the broker is back, also after a restart.
  public func unclearedEnds() throws(StoreError) -> [StoredGrant] {
    try storedGrants(where: "id IN (SELECT grant_id FROM retained)").filter {
      switch $0.grant.state {
      case .active, .scheduled, .proposed: standing.general?.stops($0.recipient.role) == true
      default: true
      }
    }
  }

  /// Step 8 of C7: notes what was cleaned up and makes the grant's last receipt.
  ///
  /// Base registers go, the journal's counts stay; the list of retained topics stays until the
  /// broker has cleared them (`forgetRetainedTopics`).
  /// - Returns: the receipt, canonical JSON.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` if the grant has not ended, or has its receipt;
  ///   `E_LEDGER_WRITE`.
  public func completeEnd(
    _ id: UniqueID, _ effects: EndEffects, at system: Int64
  ) throws(StoreError) -> [UInt8] {
    try flushJournal(at: system)
    let stored = try grant(id)
    guard stored.grant.state.isTerminal, !stored.isCompleted else { throw .consent(.state) }
    let now = time(atLeast: system)
    let egress = try egress(of: id)
    let receipt = try reading { () throws(DatabaseError) in
      try makeReceipt(of: stored, egress, effects, at: now)
    }
    try writing(.receipt, receipt.bytes, at: now) { (bodyHash) throws(DatabaseError) in
      try keep(receipt, bodyHash, of: id)
      try database.run("UPDATE grants SET completed = 1 WHERE id = ?", .text(id.text))
      try database.run("DELETE FROM bases WHERE grant_id = ?", .text(id.text))
    }
    journal.samples[id] = nil
    return receipt.bytes
  }

  /// Ends what is over at `system`: grants at their `validUntil`, proposals unanswered for 30 days.
  ///
  /// A scheduled grant whose time has come becomes active.
  ///
  /// - Returns: grants that ended now, for the caller to clean up behind; not the proposals.
  /// - Throws: `E_LEDGER_WRITE`; what was over is denied all the same, by its time.
  @discardableResult
  public func sweep(at system: Int64) throws(StoreError) -> [UniqueID] {
    let now = time(atLeast: system)
    var ended: [UniqueID] = []
    for stored in try storedGrants(where: "state IN (\(Self.unendedStates))") {
      let isProposal = stored.grant.state == .proposed
      let answerBy = stored.proposedAt.addingReportingOverflow(Self.proposalLifetime)
      let end = isProposal ? answerBy.partialValue : stored.grant.terms.validUntil
      if let end, end <= now {
        try expire(stored, isProposal: isProposal, at: now)
        if !isProposal { ended.append(stored.grant.id) }
      } else if stored.grant.state == .scheduled, stored.grant.terms.validFrom <= now {
        try writing { () throws(DatabaseError) in
          try database.run(
            "UPDATE grants SET state = 'ACTIVE' WHERE id = ?", .text(stored.grant.id.text))
        }
      }
    }
    return ended
  }

  private func expire(
    _ stored: StoredGrant, isProposal: Bool, at now: Int64
  ) throws(StoreError) {
    let id = stored.grant.id
    let body = RecordBody.decision(id, by: Authority.agent.text)
    try writing(.expire, body, at: now) { _ throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = 'EXPIRED', ended_at = ?, ended_by = ?, completed = ? WHERE id = ?",
        .integer(now), .text(Authority.agent.text), .integer(isProposal ? 1 : 0), .text(id.text))
    }
  }

  /// Writes the record that belongs to a tombstone, and the end into the grant's row.
  func record(
    _ tombstone: Tombstone, of id: UniqueID, _ finding: LeakFinding? = nil
  ) throws(StoreError) {
    let found = try reading { () throws(DatabaseError) in try row(id) }
    guard let row = found else { throw .consent(.grantUnknown) }
    if row.state.isTerminal { return }
    // A torn slot keeps neither kind nor time: then the household withdrew it, at the latest now.
    let kind = tombstone.kind ?? .withdrawn
    let authority = tombstone.authority
    let at = tombstone.at ?? floor
    let body = RecordBody.decision(id, by: authority.text, finding)
    try writing(kind.recordType, body, exactlyAt: at) { _ throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET state = ?, ended_at = ?, ended_by = ?, completed = ? WHERE id = ?",
        .text(RecordBody.name(of: kind.state)), .integer(at), .text(authority.text),
        .integer(row.state == .proposed ? 1 : 0), .text(id.text))
    }
  }
}

extension GrantEnd {
  fileprivate func tombstoneKind(by authority: Authority) -> Tombstone.Kind {
    switch self {
    case .withdrawal: authority == .recipient ? .revokedByRecipient : .withdrawn
    case .objection: .objected
    case .invalidation: .invalidated
    }
  }
}

extension Authority {
  fileprivate var uid: UInt32? {
    if case .uid(let uid) = self { uid } else { nil }
  }
}

extension Tombstone {
  fileprivate var authority: Authority {
    if let uid { return .uid(uid) }
    return kind == .revokedByRecipient ? .recipient : .agent
  }
}

extension Tombstone.Kind {
  fileprivate var recordType: RecordType {
    switch self {
    case .withdrawn, .revokedByRecipient: .withdraw
    case .objected: .object
    case .invalidated: .tripwire
    }
  }

  fileprivate var state: GrantState {
    switch self {
    case .withdrawn: .withdrawn
    case .objected: .objected
    case .revokedByRecipient: .revokedByRecipient
    case .invalidated: .invalidated
    }
  }
}
