import PrivacyFilter
import Testing

@testable import ConsentLedger

/// The three records of privacy design C11, written through the real ledger.
struct VectorLedger {
  static let hashes = [
    "8db910fa0eaf531fccc6bc1f4894e185d7be5fb37379d48818ec9258a4d29e7c",
    "c83233d20a2ffe849fb072a02838bbd0f464fb11c9462e54d412d63d16385c78",
    "880b7602bab75b88d8830e39d1bc5e178fc9fe91f8e5bb91df7b31a15b398a94",
  ]
  static let bodyHashes = ["a4d33a2b2646cf11", "71bf615e4fcc26a6", "f9cdf8c3deec2bb3"]
  private static let grant = "5f0e2d3c-0000-4000-8000-000000000001"
  private static let records: [(RecordType, String, String)] = [
    (.genesis, "2026-01-01T00:00:00Z", #"{"device":"gateway"}"#),
    (.grant, "2026-01-01T00:05:00Z", #"{"grant":"\#(grant)","recipient":"eliq","state":"ACTIVE"}"#),
    (.withdraw, "2026-01-02T10:00:00Z", #"{"by":"uid:1000","grant":"\#(grant)"}"#),
  ]

  let directory = TemporaryDirectory()
  let database: Database
  let ledger: Ledger
  private(set) var appended: [(head: String, bodyHash: String)] = []

  init() throws {
    _ = try StateFile(creating: directory.path + "/" + Schema.fileName)
    database = try Database(path: directory.path + "/" + Schema.fileName, busyMilliseconds: 0)
    try database.execute(Schema.settings)
    try database.execute(Schema.creation)
    var salt: UInt8 = 0
    ledger = Ledger(database) { count in
      salt += 1
      return [UInt8](repeating: salt, count: count)
    }
    for (type, time, body) in Self.records {
      let stamp = try #require(Timestamp.parse(time))
      appended.append(try ledger.append(type, Array(body.utf8), at: stamp))
    }
  }

  /// Changes a record behind the ledger's back, as somebody with the file could.
  func tamper(_ sql: String) throws {
    try database.execute(
      """
      DROP TRIGGER ledger_refuses_update; DROP TRIGGER ledger_refuses_delete;
      DROP TRIGGER bodies_refuse_update;
      """ + sql)
  }
}

@Suite struct LedgerTests {
  @Test("C13.42: the hashes are those of the design")
  func matchesTheVectorsOfTheDesign() throws {
    let vector = try VectorLedger()
    #expect(vector.appended.map(\.head) == VectorLedger.hashes)
    #expect(vector.appended.map { String($0.bodyHash.prefix(16)) } == VectorLedger.bodyHashes)
    let walk = try vector.ledger.walk()
    #expect(walk.count == 3)
    #expect(walk.head == VectorLedger.hashes[2])
    #expect(walk.latest == Timestamp.parse("2026-01-02T10:00:00Z"))
    #expect(walk.brokenAt == nil)
  }

  @Test(arguments: ["ts", "type", "bh", "prev", "hash"])
  func findsEveryFlippedBitInARecord(_ column: String) throws {
    let original = try VectorLedger()
    var row = try original.database.prepare("SELECT \(column) FROM ledger WHERE seq = 1")
    #expect(try row.step())
    let bytes = row.bytes(0)
    row.reset()
    try original.tamper("")
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let hex = Hex.text(damaged)
      try original.database.execute(
        "UPDATE ledger SET \(column) = CAST(x'\(hex)' AS TEXT) WHERE seq = 1")
      #expect(try original.ledger.walk().brokenAt == 1, "bit \(bit) of \(column)")
    }
  }

  @Test func findsEveryFlippedBitInABody() throws {
    let vector = try VectorLedger()
    try vector.tamper("")
    let bodyHash = vector.appended[1].bodyHash
    let body = try #require(try vector.ledger.body(bodyHash))
    for bit in 0..<body.count * 8 {
      var damaged = body
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      try vector.database.run(
        "UPDATE bodies SET body = ? WHERE bh = ?", .blob(damaged), .text(bodyHash))
      #expect(try vector.ledger.walk().brokenAt == 1)
      #expect(try vector.ledger.body(bodyHash) == nil)
    }
  }

  @Test func staysWholeWhenABodyIsErased() throws {
    let vector = try VectorLedger()
    let bodyHash = vector.appended[1].bodyHash
    try vector.database.run("DELETE FROM bodies WHERE bh = ?", .text(bodyHash))
    var bodies: [Bool] = []
    #expect(try vector.ledger.walk { bodies.append($1 != nil) }.brokenAt == nil)
    #expect(bodies == [true, false, true])
    #expect(try vector.ledger.body(bodyHash) == nil)
  }

  @Test func missesTheWantedHeadWhenTheTailIsCut() throws {
    let vector = try VectorLedger()
    let whole = try vector.ledger.walk(wanted: [VectorLedger.hashes[2]])
    #expect(whole.met == [VectorLedger.hashes[2]])
    try vector.tamper("DELETE FROM ledger WHERE seq = 2")
    let cut = try vector.ledger.walk(wanted: [VectorLedger.hashes[2]])
    #expect(cut.brokenAt == nil)
    #expect(cut.met.isEmpty)
  }

  @Test(arguments: [0, 1])
  func findsARemovedRecord(_ sequence: Int64) throws {
    let vector = try VectorLedger()
    try vector.tamper("DELETE FROM ledger WHERE seq = \(sequence)")
    #expect(try vector.ledger.walk().brokenAt == sequence)
  }

  @Test func takesAnEmptyLedgerForBroken() throws {
    let vector = try VectorLedger()
    try vector.tamper("DELETE FROM ledger")
    #expect(try vector.ledger.walk().brokenAt == 0)
  }

  @Test(arguments: [
    "UPDATE ledger SET type = 'GRANT' WHERE seq = 2", "DELETE FROM ledger WHERE seq = 2",
    "DELETE FROM ledger", "UPDATE bodies SET body = x'00'",
    "INSERT OR REPLACE INTO ledger SELECT 1, ts, type, bh, prev, hash FROM ledger WHERE seq = 2",
    "INSERT INTO ledger SELECT 7, ts, type, bh, prev, hash FROM ledger WHERE seq = 2",
  ])
  func refusesEveryChangeOfARecord(_ sql: String) throws {
    let vector = try VectorLedger()
    let error = #expect(throws: DatabaseError.self) { try vector.database.execute(sql) }
    #expect(error?.isConstraint == true)
    #expect(try vector.ledger.walk().head == VectorLedger.hashes[2])
  }

  @Test func rollsBackAFailedTransactionWhole() throws {
    let vector = try VectorLedger()
    let time = try #require(Timestamp.parse("2026-01-03T00:00:00Z"))
    #expect(throws: DatabaseError.self) {
      try vector.database.transaction { () throws(DatabaseError) in
        try vector.ledger.append(.clock, Array("{}".utf8), at: time)
        try vector.database.execute("DELETE FROM ledger")
      }
    }
    #expect(try vector.ledger.walk().head == VectorLedger.hashes[2])
    #expect(!vector.database.isInTransaction)
  }
}
