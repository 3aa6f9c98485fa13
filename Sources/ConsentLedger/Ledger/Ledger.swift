/// The append-only, hash-chained record of every decision about consent.
///
/// Appending happens inside the caller's transaction, so that a record and what it changed are
/// durable together. Privacy design C11.

internal import PrivacyFilter

/// What walking the chain from its first record found.
struct LedgerWalk: Equatable {
  /// The sequence number of the chain's first record: 0, or that of the last accepted break.
  var first: Int64 = 0
  /// Records read up to the end or the fault.
  var count: Int64 = 0
  /// The hash of the last good record; nil for none.
  var head: String?
  /// The latest time that a record carries, ms since 1970 UTC.
  ///
  /// Records need not be in the order of time: a withdrawal is recorded with its own.
  var latest: Int64?
  /// The sequence number of the first record that does not fit; nil for a whole chain.
  var brokenAt: Int64?
  /// Which of the wanted heads were met.
  var met: Set<String> = []
}

/// The ledger's tables in one database.
///
/// A class, because the store and its parts share it; it belongs to the store's thread.
final class Ledger {
  private let database: Database
  private let random: (Int) -> [UInt8]
  private var hasher = SHA256Hasher()

  /// - Parameter random: where salts come from, `Crypto.random` outside tests.
  init(_ database: Database, random: @escaping (Int) -> [UInt8]) {
    self.database = database
    self.random = random
  }

  /// The body of the first record of every ledger.
  static let genesisBody = Array(#"{"device":"gateway"}"#.utf8)

  /// Appends a record with its body; the caller has a transaction open.
  ///
  /// - Parameter body: canonical JSON.
  /// - Returns: the record's hash, which is the new head, and its body's hash.
  @discardableResult
  func append(
    _ type: RecordType, _ body: [UInt8], at time: Int64
  ) throws(DatabaseError) -> (head: String, bodyHash: String) {
    let salt = random(LedgerRecord.saltByteCount)
    let bodyHash = LedgerRecord.bodyHash(salt: salt, body: body, &hasher)
    var last = try database.prepare("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")
    let exists = try last.step()
    let record = LedgerRecord(
      sequence: exists ? last.integer(0) + 1 : 0, time: Self.text(of: time), type: type.rawValue,
      bodyHash: bodyHash,
      previous: exists && type != .genesis ? last.text(1) : LedgerRecord.noPrevious)
    last.reset()
    let hash = record.hash(&hasher)
    try database.run(
      "INSERT INTO bodies(bh, salt, body) VALUES(?, ?, ?)",
      .text(bodyHash), .blob(salt), .blob(body))
    try database.run(
      "INSERT INTO ledger(seq, ts, type, bh, prev, hash) VALUES(?, ?, ?, ?, ?, ?)",
      .integer(record.sequence), .text(record.time), .text(record.type), .text(bodyHash),
      .text(record.previous), .text(hash))
    return (hash, bodyHash)
  }

  /// A record's time; what no record can carry becomes the nearest that it can.
  private static func text(of time: Int64) -> String {
    Timestamp.text(min(max(time, 0), 253_402_300_799_000))
  }

  /// The hash of the last record; nil for an empty ledger.
  func head() throws(DatabaseError) -> String? {
    var last = try database.prepare("SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1")
    return try last.step() ? last.text(0) : nil
  }

  /// The body with this hash if it is there and unchanged; nil if it was erased or damaged.
  func body(_ bodyHash: String) throws(DatabaseError) -> [UInt8]? {
    var row = try database.prepare("SELECT salt, body FROM bodies WHERE bh = ?")
    try row.bind([.text(bodyHash)])
    guard try row.step() else { return nil }
    let body = row.bytes(1)
    let found = LedgerRecord.bodyHash(salt: row.bytes(0), body: body, &hasher)
    return found == bodyHash ? body : nil
  }

  /// Walks the chain to its end or its first fault, and shows every good record with its body.
  ///
  /// It begins at the last GENESIS: an accepted break starts a chain of its own, numbered on.
  ///
  /// A body that is not there was erased, which is no fault; one that is there and does not fit its
  /// hash is. An empty ledger is a fault at 0: every ledger has its first record.
  func walk(
    wanted: Set<String> = [], _ visit: (LedgerRecord, [UInt8]?) -> Void = { _, _ in }
  ) throws(DatabaseError) -> LedgerWalk {
    var rows = try database.prepare(
      """
      SELECT l.seq, l.ts, l.type, l.bh, l.prev, l.hash, b.salt, b.body
      FROM ledger l LEFT JOIN bodies b ON b.bh = l.bh WHERE l.seq >= ? ORDER BY l.seq
      """)
    var result = LedgerWalk()
    result.first =
      try database.integer("SELECT max(seq) FROM ledger WHERE type = 'GENESIS'") ?? 0
    try rows.bind([.integer(result.first)])
    while try rows.step() {
      let record = LedgerRecord(
        sequence: rows.integer(0), time: rows.text(1), type: rows.text(2), bodyHash: rows.text(3),
        previous: rows.text(4))
      let body = rows.isNull(7) ? nil : rows.bytes(7)
      let hash = rows.text(5)
      guard let time = check(record, hash, salt: rows.bytes(6), body, after: result) else {
        result.brokenAt = result.first + result.count
        return result
      }
      result.count += 1
      result.head = hash
      result.latest = max(result.latest ?? time, time)
      if wanted.contains(hash) { result.met.insert(hash) }
      visit(record, body)
    }
    if result.count == 0 { result.brokenAt = 0 }
    return result
  }

  /// The record's time if it fits the chain so far.
  private func check(
    _ record: LedgerRecord, _ hash: String, salt: [UInt8], _ body: [UInt8]?,
    after previous: LedgerWalk
  ) -> Int64? {
    let isGenesis = record.type == RecordType.genesis.rawValue
    guard record.sequence == previous.first + previous.count,
      record.previous == previous.head ?? LedgerRecord.noPrevious,
      isGenesis == (previous.count == 0), RecordType(rawValue: record.type) != nil,
      record.hash(&hasher) == hash
    else { return nil }
    if let body, LedgerRecord.bodyHash(salt: salt, body: body, &hasher) != record.bodyHash {
      return nil
    }
    return Timestamp.parse(record.time)
  }
}
