public import PrivacyFilter

// Reading the journal: its rows, its gaps, and the digest of each day that goes into the ledger.

/// One row of the journal.
public struct EgressRow: Equatable, Sendable {
  /// Of what.
  public var key: EgressKey
  /// How much.
  public var count: EgressCount
}

/// A time in which counts may be missing, because the agent was killed or the power failed.
public struct EgressGap: Equatable, Sendable {
  /// Counts to this instant are complete, ms since 1970 UTC.
  public var after: Int64
  /// Counts from this instant on are complete.
  public var before: Int64

  /// How many seconds' counts can be missing at most: counts are flushed every 60 s.
  public var seconds: Int64 { min(60, max(0, (before - after + 999) / 1000)) }
}

/// Which rows of the journal are wanted.
public struct EgressQuery: Sendable {
  /// The first UTC day, in days since 1970-01-01; nil for the very first.
  public var from: Int64?
  /// The last UTC day, included; nil for the very last.
  public var to: Int64?
  /// Only these grants; nil for all.
  public var grants: Set<UniqueID>?
  /// Rows to leave out at the beginning.
  public var offset = 0
  /// Rows at most.
  public var limit = Int.max

  /// Asks for everything.
  public init() {}

  fileprivate func wants(_ id: UniqueID) -> Bool { grants?.contains(id) ?? true }
}

extension ConsentStore {
  /// Whether counts wait in memory that the disk did not take.
  public var hasUnwrittenCounts: Bool { !journal.counts.isEmpty }

  /// The flushed rows of the journal that fit, by day, then grant.
  public func egressRows(_ query: EgressQuery) throws(StoreError) -> [EgressRow] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        """
        SELECT grant_id, day, categories, rung, messages, bytes, acknowledged, dropped, first_at,
          last_at FROM journal WHERE day BETWEEN ? AND ?
        ORDER BY day, grant_id, categories, rung
        """)
      try rows.bind([
        .text(query.from.map(EgressKey.text) ?? ""), .text(query.to.map(EgressKey.text) ?? "~"),
      ])
      var found: [EgressRow] = []
      var skipped = 0
      while found.count < query.limit, try rows.step() {
        guard let row = EgressRow(rows), query.wants(row.key.grant) else { continue }
        if skipped < query.offset { skipped += 1 } else { found.append(row) }
      }
      return found
    }
  }

  /// The times in which counts may be missing, in order.
  public func egressGaps() throws(StoreError) -> [EgressGap] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare("SELECT after_at, before_at FROM gaps ORDER BY after_at")
      var gaps: [EgressGap] = []
      while try rows.step() {
        gaps.append(EgressGap(after: rows.integer(0), before: rows.integer(1)))
      }
      return gaps
    }
  }

  /// Records the digest of every day that is over and has none: what the journal says of it can be
  /// held against the ledger ever after.
  ///
  /// - Throws: `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func recordEgressDays(at system: Int64) throws(StoreError) {
    try requireWholeLedger()
    let today = EgressKey.day(of: time(atLeast: system))
    let recorded = try recordedEgressDays()
    let rows = try self.egressRows(EgressQuery()).filter { $0.key.day < today }
    let last = recorded.last?.day
    for day in Set(rows.map(\.key.day)).sorted() where last.map({ day > $0 }) ?? true {
      let grants = Self.digests(rows.filter { $0.key.day == day })
      let body: CanonicalJSON = [
        "day": .text(EgressKey.text(ofDay: day)), "grants": .object(grants.mapValues { .text($0) }),
      ]
      try writing(.egressDay, body.bytes, at: system) { _ in }
    }
  }

  /// The UTC days of which the journal does not say what it said when the day was recorded.
  ///
  /// Rows that were erased, or deleted when their time was over, are no contradiction.
  public func contradictedEgressDays() throws(StoreError) -> [String] {
    var days: [String] = []
    for recorded in try recordedEgressDays() {
      var query = EgressQuery()
      query.from = recorded.day
      query.to = recorded.day
      let present = Self.digests(try egressRows(query))
      if present.contains(where: { recorded.grants[$0.key] != $0.value }) {
        days.append(EgressKey.text(ofDay: recorded.day))
      }
    }
    return days
  }

  private func recordedEgressDays() throws(StoreError) -> [(day: Int64, grants: [String: String])] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT bh FROM ledger WHERE type = 'EGRESS_DAY' ORDER BY seq")
      var days: [(day: Int64, grants: [String: String])] = []
      while try rows.step() {
        guard let body = try ledger.body(rows.text(0)), let day = RecordBody.egressDay(in: body),
          let start = Timestamp.parse(day.day + "T00:00:00Z")
        else { continue }
        days.append((EgressKey.day(of: start), day.grants))
      }
      return days
    }
  }

  /// SHA-256 of each grant's rows as canonical JSON, by the grant's id.
  private static func digests(_ rows: [EgressRow]) -> [String: String] {
    Dictionary(grouping: rows) { $0.key.grant.text }.mapValues { rows in
      Hex.text(Crypto.sha256(CanonicalJSON.array(rows.map(\.json)).bytes))
    }
  }
}

extension EgressRow {
  fileprivate init?(_ row: borrowing Statement) {
    guard let grant = UniqueID(parsing: row.text(0)),
      let start = Timestamp.parse(row.text(1) + "T00:00:00Z")
    else { return nil }
    key = EgressKey(
      grant: grant, day: EgressKey.day(of: start),
      categories: UInt32(truncatingIfNeeded: row.integer(2)), rung: UInt8(clamping: row.integer(3)))
    count = EgressCount(row, from: 4)
  }

  fileprivate var json: CanonicalJSON {
    [
      "acknowledged": .integer(Int64(clamping: count.acknowledged)),
      "bytes": .integer(Int64(clamping: count.byteCount)),
      "categories": .integer(Int64(key.categories)),
      "dropped": .integer(Int64(clamping: count.dropped)), "first": .integer(count.firstAt),
      "last": .integer(count.lastAt), "messages": .integer(Int64(clamping: count.messages)),
      "rung": .integer(Int64(key.rung)),
    ]
  }
}
