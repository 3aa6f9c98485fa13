public import PrivacyFilter

/// A grant with what the store keeps beside it.
public struct StoredGrant: Sendable {
  /// The grant as accepted, or as proposed; its `state` is the present one.
  public var grant: Grant
  /// The recipient as registered.
  public var recipient: Recipient
  /// The broker's address as it was when the grant was accepted or renewed; nil if none was noted.
  public var endpoint: String?
  /// 16 random bytes of this grant, from which its pseudonyms come; empty before acceptance.
  public var pseudonymSalt: [UInt8]
  /// How often the pseudonym has changed.
  public var rotation: UInt32
  /// When it last changed, or when the grant was accepted; ms since 1970 UTC.
  public var rotatedAt: Int64
  /// When it was proposed, ms since 1970 UTC.
  public var proposedAt: Int64
  /// When it ended, ms since 1970 UTC; nil while it has not.
  public var endedAt: Int64?
  /// Who ended it, as records write it: `uid:1000`, `recipient`, `agent`.
  public var endedBy: String?
  /// Whether its end has been cleaned up behind and has its receipt.
  public var isCompleted: Bool
}

/// A row of the table `grants`, with the grant still in its body.
struct GrantRow {
  var id: String
  var state: GrantState
  var bodyHash: String
  var proposedAt: Int64
  var endedAt: Int64?
  var endedBy: String?
  var isCompleted: Bool
  var salt: [UInt8]
  var rotation: UInt32
  var rotatedAt: Int64

  /// Every row that fits `condition`, oldest proposal first.
  static func all(
    in database: Database, where condition: String, _ values: [Database.Value] = []
  ) throws(DatabaseError) -> [GrantRow] {
    var statement = try database.prepare(
      """
      SELECT id, state, bh, proposed_at, ended_at, ended_by, completed, salt, rotation, rotated_at
      FROM grants WHERE \(condition) ORDER BY proposed_at, id
      """)
    try statement.bind(values)
    var rows: [GrantRow] = []
    while try statement.step() { rows.append(GrantRow(statement)) }
    return rows
  }

  private init(_ row: borrowing Statement) {
    id = row.text(0)
    // A state that this software does not know must not release anything.
    state = RecordBody.state(named: row.text(1)) ?? .invalidated
    bodyHash = row.text(2)
    proposedAt = row.integer(3)
    endedAt = row.isNull(4) ? nil : row.integer(4)
    endedBy = row.isNull(5) ? nil : row.text(5)
    isCompleted = row.integer(6) != 0
    salt = row.bytes(7)
    rotation = UInt32(clamping: row.integer(8))
    rotatedAt = row.integer(9)
  }
}
