public import PrivacyFilter

// What the household stores of its own use: the exact differences of registers by the quarter-hour.
// It never leaves by itself; `export` is the household's own doing (GDPR article 20).

/// How well a difference fits its time.
public enum HistoryQuality: String, Sendable {
  /// Between two readings at its ends.
  case ok
  /// Exact, but over a time in which the meter was not read.
  case bridged
  /// A part of the time is missing, or its ends are not those of the time.
  case part
}

/// What a register grew by in some time.
public struct HistoryValue: Equatable, Sendable {
  /// The quantity's frozen id.
  public var quantity: UInt8
  /// When the time begins, ms since 1970 UTC.
  public var at: Int64
  /// How long it is.
  public var seconds: Int64
  /// The growth, in thousandths of the quantity's unit.
  public var thousandths: Int64
  /// How well it fits.
  public var quality: HistoryQuality

  /// Makes a value.
  public init(
    quantity: UInt8, at: Int64, seconds: Int64, thousandths: Int64, quality: HistoryQuality
  ) {
    self.quantity = quantity
    self.at = at
    self.seconds = seconds
    self.thousandths = thousandths
    self.quality = quality
  }
}

/// The register from which the next difference counts.
public struct HistoryBase: Equatable, Sendable {
  /// The quantity's frozen id.
  public var quantity: UInt8
  /// The boundary that it stands for, ms since 1970 UTC.
  public var at: Int64
  /// The register, in thousandths of the quantity's unit.
  public var thousandths: Int64
  /// Whether it was read right behind the boundary.
  public var isExact: Bool

  /// Makes a base.
  public init(quantity: UInt8, at: Int64, thousandths: Int64, isExact: Bool) {
    self.quantity = quantity
    self.at = at
    self.thousandths = thousandths
    self.isExact = isExact
  }
}

extension ConsentStore {
  /// How long quarter-hours are kept before they become hours: 400 days.
  static let quarterMilliseconds: Int64 = 400 * 86_400_000

  /// Keeps what a meter's registers grew by, and from where the next differences count.
  ///
  /// - Throws: `E_LEDGER_WRITE`.
  public func keepHistory(
    _ values: [HistoryValue], bases: [HistoryBase], of source: UniqueID
  ) throws(StoreError) {
    try writing { () throws(DatabaseError) in
      var insert = try database.prepare("INSERT OR IGNORE INTO history VALUES(?, ?, ?, ?, ?, ?)")
      for value in values {
        try insert.run([
          .text(source.text), .integer(value.at), .integer(Int64(value.quantity)),
          .integer(value.seconds), .integer(value.thousandths), .text(value.quality.rawValue),
        ])
      }
      var replace = try database.prepare(
        "INSERT OR REPLACE INTO history_bases VALUES(?, ?, ?, ?, ?)")
      for base in bases {
        try replace.run([
          .text(source.text), .integer(Int64(base.quantity)), .integer(base.at),
          .integer(base.thousandths), .integer(base.isExact ? 1 : 0),
        ])
      }
    }
  }

  /// From where a meter's next differences count.
  public func historyBases(of source: UniqueID) throws(StoreError) -> [HistoryBase] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT quantity, at, thousandths, exact FROM history_bases WHERE source = ?")
      try rows.bind([.text(source.text)])
      var bases: [HistoryBase] = []
      while try rows.step() {
        bases.append(
          HistoryBase(
            quantity: UInt8(clamping: rows.integer(0)), at: rows.integer(1),
            thousandths: rows.integer(2), isExact: rows.integer(3) != 0))
      }
      return bases
    }
  }

  /// A meter's history in windows of `seconds`, in the order of time; at least one window, and no
  /// more windows once there are `limit` values.
  ///
  /// What was kept for a longer time than a window stays as it is.
  /// - Returns: the values, and where the next part begins; nil if this was the last.
  public func history(
    of source: UniqueID, from: Int64, to: Int64, seconds: Int64, limit: Int
  ) throws(StoreError) -> (values: [HistoryValue], next: Int64?) {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        """
        SELECT quantity, at, seconds, amount, quality FROM history
        WHERE source = ? AND at >= ? AND at < ? ORDER BY at, quantity
        """)
      try rows.bind([.text(source.text), .integer(from), .integer(to)])
      var values: [HistoryValue] = []
      var window = HistoryWindow(seconds: seconds)
      while try rows.step() {
        let value = HistoryValue(
          quantity: UInt8(clamping: rows.integer(0)), at: rows.integer(1),
          seconds: rows.integer(2), thousandths: rows.integer(3),
          quality: HistoryQuality(rawValue: rows.text(4)) ?? .part)
        if window.isOver(at: value.at) {
          values += window.take()
          if values.count >= limit { return (values, value.at) }
        }
        window.add(value)
      }
      return (values + window.take(), nil)
    }
  }

  /// Makes hours of quarter-hours that are older than 400 days, and forgets what is older than three
  /// years.
  ///
  /// - Throws: `E_LEDGER_WRITE`.
  public func sweepHistory(at system: Int64, date: (Int64) -> CivilDate) throws(StoreError) {
    let now = time(atLeast: system)
    let oldest = Timestamp.parse(date(now).adding(years: -3).text + "T00:00:00Z") ?? 0
    // Whole hours only, so that no hour is made twice.
    let limit = (now - Self.quarterMilliseconds) / 3_600_000 * 3_600_000
    try writing { () throws(DatabaseError) in
      try database.run("DELETE FROM history WHERE at < ?", .integer(oldest))
      try database.run(
        """
        CREATE TEMP TABLE hours AS SELECT source, at / 3600000 * 3600000 AS hour, quantity,
          sum(amount) AS amount, count(*) AS parts, min(quality) AS first, max(quality) AS last
        FROM history WHERE at < ? AND seconds = 900 GROUP BY source, hour, quantity
        """, .integer(limit))
      try database.run("DELETE FROM history WHERE at < ? AND seconds = 900", .integer(limit))
      try database.execute(
        """
        INSERT OR IGNORE INTO history SELECT source, hour, quantity, 3600, amount,
          CASE WHEN parts = 4 AND first = 'ok' AND last = 'ok' THEN 'ok' ELSE 'part' END FROM hours;
        DROP TABLE hours;
        """)
    }
  }

  /// Forgets the whole history.
  ///
  /// - Returns: how many values it had.
  /// - Throws: `E_LEDGER_WRITE`.
  public func eraseHistory() throws(StoreError) -> Int64 {
    var count: Int64 = 0
    try writing { () throws(DatabaseError) in
      count = try database.integer("SELECT count(*) FROM history") ?? 0
      try database.execute("DELETE FROM history; DELETE FROM history_bases;")
    }
    _ = compact()
    return count
  }

  /// Records that the household took its history out.
  ///
  /// - Throws: `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func recordExport(
    of source: UniqueID, from: Int64, to: Int64, seconds: Int64, by authority: Authority,
    at system: Int64
  ) throws(StoreError) {
    try requireWholeLedger()
    let body: CanonicalJSON = [
      "by": .text(authority.text), "from": .text(Timestamp.text(from)),
      "granularity": .integer(seconds), "source": .text(source.text),
      "to": .text(Timestamp.text(to)),
    ]
    try writing(.export, body.bytes, at: system) { _ in }
  }
}

/// The values of one window while it is put together.
private struct HistoryWindow {
  private let seconds: Int64
  private var start: Int64?
  private var parts: [UInt8: [HistoryValue]] = [:]

  init(seconds: Int64) { self.seconds = seconds }

  private func start(of instant: Int64) -> Int64 { instant - instant % (seconds * 1000) }

  func isOver(at instant: Int64) -> Bool { start.map { $0 != start(of: instant) } ?? false }

  mutating func add(_ value: HistoryValue) {
    start = start(of: value.at)
    parts[value.quantity, default: []].append(value)
  }

  mutating func take() -> [HistoryValue] {
    defer {
      parts = [:]
      start = nil
    }
    return parts.keys.sorted().flatMap { sum(parts[$0] ?? []) }
  }

  private func sum(_ values: [HistoryValue]) -> [HistoryValue] {
    guard let first = values.first, let start, values.allSatisfy({ $0.seconds <= seconds }) else {
      return values
    }
    let covered = values.reduce(0) { $0 + $1.seconds }
    let isWhole = covered == seconds && !values.contains { $0.quality == .part }
    let isBridged = values.contains { $0.quality == .bridged }
    return [
      HistoryValue(
        quantity: first.quantity, at: start, seconds: seconds,
        thousandths: values.reduce(0) { $0 &+ $1.thousandths },
        quality: isWhole ? (isBridged ? .bridged : .ok) : .part)
    ]
  }
}
