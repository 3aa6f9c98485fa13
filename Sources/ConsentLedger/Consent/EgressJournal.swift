public import PrivacyFilter

/// What left under one grant, as far as it was counted.
public struct EgressCount: Equatable, Sendable {
  /// Messages handed over for sending; one that was sent again counts again.
  public var messages: UInt64 = 0
  /// Their payload and topic bytes.
  public var byteCount: UInt64 = 0
  /// Messages that the broker acknowledged; it never acknowledges those of QoS 0.
  public var acknowledged: UInt64 = 0
  /// Messages that were released and never left: broker away or too slow, or too old by then.
  public var dropped: UInt64 = 0
  /// When the first message left, ms since 1970 UTC; `Int64.max` if none did.
  public var firstAt: Int64 = .max
  /// When the last message left, ms since 1970 UTC; `Int64.min` if none did.
  public var lastAt: Int64 = .min

  /// Nothing so far.
  public init() {}

  init(
    messages: UInt64 = 0, byteCount: UInt64 = 0, acknowledged: UInt64 = 0, dropped: UInt64 = 0,
    firstAt: Int64 = .max, lastAt: Int64 = .min
  ) {
    self.messages = messages
    self.byteCount = byteCount
    self.acknowledged = acknowledged
    self.dropped = dropped
    self.firstAt = firstAt
    self.lastAt = lastAt
  }

  /// Whether nothing was counted.
  public var isEmpty: Bool { messages == 0 && acknowledged == 0 && dropped == 0 }

  /// Counts what became of one message at `now`, ms since 1970 UTC.
  public mutating func note(_ event: EgressEvent, at now: Int64) {
    switch event {
    case .acknowledged: acknowledged &+= 1
    case .dropped: dropped &+= 1
    case .sent(let count):
      messages &+= 1
      byteCount &+= UInt64(clamping: count)
      firstAt = min(firstAt, now)
      lastAt = max(lastAt, now)
    }
  }

  mutating func add(_ other: EgressCount) {
    messages = messages.addingReportingOverflow(other.messages).partialValue
    byteCount = byteCount.addingReportingOverflow(other.byteCount).partialValue
    acknowledged = acknowledged.addingReportingOverflow(other.acknowledged).partialValue
    dropped = dropped.addingReportingOverflow(other.dropped).partialValue
    firstAt = min(firstAt, other.firstAt)
    lastAt = max(lastAt, other.lastAt)
  }
}

/// What became of one message.
public enum EgressEvent: Sendable {
  /// It was handed over, with so many bytes of topic and payload.
  case sent(byteCount: Int)
  /// The broker has it.
  case acknowledged
  /// It never left.
  case dropped
}

/// One row of the journal: a grant, a UTC day, what its messages carried, and how finely.
public struct EgressKey: Hashable, Sendable {
  /// The grant.
  public var grant: UniqueID
  /// The UTC day, in days since 1970-01-01.
  public var day: Int64
  /// The categories that each of the messages carried; bits of a `CategorySet`.
  public var categories: UInt32
  /// The rung.
  public var rung: UInt8

  /// The day as `2026-01-15`.
  public var dayText: String { Self.text(ofDay: day) }

  static func text(ofDay day: Int64) -> String {
    String(Timestamp.text(day * 86_400_000).prefix(10))
  }

  static func day(of instant: Int64) -> Int64 {
    instant / 86_400_000 - (instant % 86_400_000 < 0 ? 1 : 0)
  }
}

/// Counts in memory since the last flush; a crash loses at most these.
struct EgressJournal {
  /// How often the mark that the journal is open is renewed, with nothing to write: an hour.
  static let markMilliseconds: Int64 = 3_600_000

  var counts: [EgressKey: EgressCount] = [:]
  /// What left last, in memory only.
  var samples: [UniqueID: SampleRing] = [:]
  /// When the disk last learnt that the journal is open; nil while it is not.
  var markedAt: Int64?
}

extension ConsentStore {
  /// Counts what became of one message, in memory; no disk is touched.
  public func count(
    _ event: EgressEvent, of id: UniqueID, categories: CategorySet, granularity: Granularity,
    at system: Int64
  ) {
    let now = time(atLeast: system)
    var count = EgressCount()
    count.note(event, at: now)
    add(count, of: id, categories: categories, granularity: granularity, at: now)
  }

  /// Adds what was counted elsewhere on the UTC day of `system`, in memory.
  public func add(
    _ count: EgressCount, of id: UniqueID, categories: CategorySet, granularity: Granularity,
    at system: Int64
  ) {
    let key = EgressKey(
      grant: id, day: EgressKey.day(of: time(atLeast: system)), categories: categories.rawValue,
      rung: granularity.rawValue)
    journal.counts[key, default: EgressCount()].add(count)
  }

  /// Begins to count: from now on a crash is noticed at the next beginning.
  ///
  /// - Returns: whether the last journal was not ended, so that counts may be missing.
  /// - Throws: `E_LEDGER_WRITE`.
  @discardableResult
  public func beginJournal(at system: Int64) throws(StoreError) -> Bool {
    let now = time(atLeast: system)
    let marked = try reading { () throws(DatabaseError) in
      try database.integer("SELECT marked_at FROM runs WHERE closed = 0")
    }
    try writing { () throws(DatabaseError) in
      if let marked {
        try database.run("INSERT INTO gaps VALUES(?, ?)", .integer(marked), .integer(now))
      }
      try database.run("DELETE FROM runs")
      try database.run("INSERT INTO runs VALUES(?, 0)", .integer(now))
    }
    journal.markedAt = now
    return marked != nil
  }

  /// Writes the counts since the last flush; to be called every 60 s.
  ///
  /// One transaction, and none if nothing was counted, but for a mark an hour: the disk may be a
  /// memory card.
  /// - Throws: `E_LEDGER_WRITE`; the counts are kept for the next flush.
  public func flushJournal(at system: Int64) throws(StoreError) {
    let now = time(atLeast: system)
    let isMarkDue = journal.markedAt.map { now - $0 >= EgressJournal.markMilliseconds } ?? false
    if journal.counts.isEmpty && !isMarkDue { return }
    try writing { () throws(DatabaseError) in try writeCounts(at: now) }
    forgetCounts(at: now)
  }

  /// Writes what is left and notes that nothing is missing; to be called before the end.
  ///
  /// - Throws: `E_LEDGER_WRITE`; the next beginning takes it for a crash.
  public func endJournal(at system: Int64) throws(StoreError) {
    let now = time(atLeast: system)
    try writing { () throws(DatabaseError) in
      try writeCounts(at: now)
      try database.run("UPDATE runs SET closed = 1")
    }
    forgetCounts(at: now)
    journal.markedAt = nil
  }

  private func forgetCounts(at now: Int64) {
    journal.counts.removeAll(keepingCapacity: true)
    if journal.markedAt != nil { journal.markedAt = now }
  }

  private func writeCounts(at now: Int64) throws(DatabaseError) {
    var upsert = try database.prepare(
      """
      INSERT INTO journal SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
      WHERE EXISTS (SELECT 1 FROM grants WHERE id = ?1)
      ON CONFLICT DO UPDATE SET messages = messages + excluded.messages,
        bytes = bytes + excluded.bytes, acknowledged = acknowledged + excluded.acknowledged,
        dropped = dropped + excluded.dropped, first_at = min(first_at, excluded.first_at),
        last_at = max(last_at, excluded.last_at)
      """)
    for (key, count) in journal.counts {
      try upsert.run([
        .text(key.grant.text), .text(key.dayText), .integer(Int64(key.categories)),
        .integer(Int64(key.rung)), .integer(Int64(clamping: count.messages)),
        .integer(Int64(clamping: count.byteCount)), .integer(Int64(clamping: count.acknowledged)),
        .integer(Int64(clamping: count.dropped)), .integer(count.firstAt), .integer(count.lastAt),
      ])
    }
    try database.run("UPDATE runs SET marked_at = ?", .integer(now))
  }

  /// Everything that left under a grant, with what is not flushed yet; nil if nothing did.
  public func egress(of id: UniqueID) throws(StoreError) -> EgressCount? {
    var total = try reading { () throws(DatabaseError) in
      var row = try database.prepare(
        """
        SELECT sum(messages), sum(bytes), sum(acknowledged), sum(dropped), min(first_at),
          max(last_at) FROM journal WHERE grant_id = ?
        """)
      try row.bind([.text(id.text)])
      guard try row.step(), !row.isNull(0) else { return EgressCount() }
      return EgressCount(row, from: 0)
    }
    for (key, count) in journal.counts where key.grant == id { total.add(count) }
    return total.messages == 0 ? nil : total
  }
}

extension EgressCount {
  /// The columns messages, bytes, acknowledged, dropped, first_at and last_at, from `first` on.
  init(_ row: borrowing Statement, from first: Int32) {
    messages = UInt64(clamping: row.integer(first))
    byteCount = UInt64(clamping: row.integer(first + 1))
    acknowledged = UInt64(clamping: row.integer(first + 2))
    dropped = UInt64(clamping: row.integer(first + 3))
    firstAt = row.integer(first + 4)
    lastAt = row.integer(first + 5)
  }
}
