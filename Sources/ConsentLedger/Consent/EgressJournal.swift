public import PrivacyFilter

/// What left under one grant, as far as it was counted.
public struct EgressCount: Equatable, Sendable {
  /// Messages.
  public var messages: UInt64 = 0
  /// Payload and topic bytes.
  public var byteCount: UInt64 = 0
  /// When the first message left, ms since 1970 UTC.
  public var firstAt: Int64 = .max
  /// When the last message left, ms since 1970 UTC.
  public var lastAt: Int64 = .min

  mutating func add(_ other: EgressCount) {
    messages = messages.addingReportingOverflow(other.messages).partialValue
    byteCount = byteCount.addingReportingOverflow(other.byteCount).partialValue
    firstAt = min(firstAt, other.firstAt)
    lastAt = max(lastAt, other.lastAt)
  }
}

/// Counts in memory since the last flush; a crash loses at most these.
struct EgressJournal {
  /// One row: a grant, a UTC day, and the categories that its messages carried.
  struct Key: Hashable {
    var grant: UniqueID
    var day: Int64
    var categories: UInt32
  }

  var counts: [Key: EgressCount] = [:]

  mutating func count(_ key: Key, byteCount: Int, at now: Int64) {
    counts[key, default: EgressCount()].add(
      EgressCount(messages: 1, byteCount: UInt64(clamping: byteCount), firstAt: now, lastAt: now))
  }
}

extension ConsentStore {
  /// Counts one message that left, in memory; no disk is touched.
  public func countRelease(
    of id: UniqueID, categories: CategorySet, byteCount: Int, at now: Int64
  ) {
    let day = now / 86_400_000 - (now % 86_400_000 < 0 ? 1 : 0)
    journal.count(
      EgressJournal.Key(grant: id, day: day, categories: categories.rawValue),
      byteCount: byteCount, at: now)
  }

  /// Writes the counts since the last flush; to be called every 60 s and before the end.
  ///
  /// - Throws: `E_LEDGER_WRITE`; the counts are kept for the next flush.
  public func flushJournal() throws(StoreError) {
    if journal.counts.isEmpty { return }
    try writing { () throws(DatabaseError) in
      var upsert = try database.prepare(
        """
        INSERT INTO journal SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
        WHERE EXISTS (SELECT 1 FROM grants WHERE id = ?1)
        ON CONFLICT DO UPDATE SET messages = messages + excluded.messages,
          bytes = bytes + excluded.bytes, first_at = min(first_at, excluded.first_at),
          last_at = max(last_at, excluded.last_at)
        """)
      for (key, count) in journal.counts {
        try upsert.run([
          .text(key.grant.text), .text(String(Timestamp.text(key.day * 86_400_000).prefix(10))),
          .integer(Int64(key.categories)), .integer(Int64(clamping: count.messages)),
          .integer(Int64(clamping: count.byteCount)), .integer(count.firstAt),
          .integer(count.lastAt),
        ])
      }
    }
    journal.counts.removeAll(keepingCapacity: true)
  }

  /// Everything that left under a grant, with what is not flushed yet; nil if nothing did.
  public func egress(of id: UniqueID) throws(StoreError) -> EgressCount? {
    var total = try reading { () throws(DatabaseError) in
      var row = try database.prepare(
        """
        SELECT sum(messages), sum(bytes), min(first_at), max(last_at) FROM journal
        WHERE grant_id = ?
        """)
      try row.bind([.text(id.text)])
      guard try row.step(), !row.isNull(0) else { return EgressCount() }
      return EgressCount(
        messages: UInt64(clamping: row.integer(0)), byteCount: UInt64(clamping: row.integer(1)),
        firstAt: row.integer(2), lastAt: row.integer(3))
    }
    for (key, count) in journal.counts where key.grant == id { total.add(count) }
    return total.messages == 0 ? nil : total
  }
}
