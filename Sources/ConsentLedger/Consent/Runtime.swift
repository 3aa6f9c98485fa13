public import PrivacyFilter

/// A register's value when a grant's count began: what is released is counted from here.
public struct BaseRegister: Equatable, Sendable {
  /// The quantity's frozen id.
  public var quantity: UInt8
  /// The value in thousandths of the quantity's base unit, as `GateBank.base` gives it.
  public var thousandths: Int64

  /// A base of a quantity.
  public init(quantity: UInt8, thousandths: Int64) {
    self.quantity = quantity
    self.thousandths = thousandths
  }
}

/// What a grant needs to run on after a restart: bases, rotation, retained topics.
extension ConsentStore {
  /// Random bytes that belong to one grant; pseudonyms come from them (privacy design C6).
  public static let pseudonymSaltByteCount = 16

  /// Keeps the bases of one grant and meter in place of those kept before.
  ///
  /// - Parameter source: the meter's id as the grant writes it.
  /// - Throws: `E_GRANT_UNKNOWN`, `E_LEDGER_WRITE`.
  public func saveBases(
    _ bases: [BaseRegister], of id: UniqueID, source: String
  ) throws(StoreError) {
    try requireRow(id)
    try writing { () throws(DatabaseError) in
      try database.run(
        "DELETE FROM bases WHERE grant_id = ? AND source = ?", .text(id.text), .text(source))
      var insert = try database.prepare("INSERT INTO bases VALUES(?, ?, ?, ?)")
      for base in bases {
        try insert.run([
          .text(id.text), .text(source), .integer(Int64(base.quantity)),
          .integer(base.thousandths),
        ])
      }
    }
  }

  /// The bases kept for one grant and meter, by quantity; empty if none are.
  public func bases(of id: UniqueID, source: String) throws(StoreError) -> [BaseRegister] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        """
        SELECT quantity, thousandths FROM bases
        WHERE grant_id = ? AND source = ? ORDER BY quantity
        """)
      try rows.bind([.text(id.text), .text(source)])
      var bases: [BaseRegister] = []
      while try rows.step() {
        bases.append(
          BaseRegister(
            quantity: UInt8(clamping: rows.integer(0)), thousandths: rows.integer(1)))
      }
      return bases
    }
  }

  /// Gives a grant a later pseudonym and forgets its bases, so that no counter links the two.
  ///
  /// - Parameter rotation: what `Pseudonyms.rotation` says; more than one step after a long rest.
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` unless the grant is active and has turned less often;
  ///   `E_LEDGER_WRITE`.
  public func rotate(
    _ id: UniqueID, to rotation: UInt32, at system: Int64
  ) throws(StoreError) {
    let now = time(atLeast: system)
    let found = try reading { () throws(DatabaseError) in try row(id) }
    guard let row = found else { throw .consent(.grantUnknown) }
    guard row.state == .active, row.rotation < rotation else { throw .consent(.state) }
    let body: CanonicalJSON = [
      "grant": .text(id.text), "rotation": .integer(Int64(rotation)),
    ]
    try writing(.rotate, body.bytes, at: now) { _ throws(DatabaseError) in
      try database.run(
        "UPDATE grants SET rotation = ?, rotated_at = ? WHERE id = ?",
        .integer(Int64(rotation)), .integer(now), .text(id.text))
      try database.run("DELETE FROM bases WHERE grant_id = ?", .text(id.text))
    }
  }

  /// Notes topics before something is retained on them, so that withdrawal can clear them.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`, `E_LEDGER_WRITE`.
  public func addRetainedTopics(_ topics: [String], of id: UniqueID) throws(StoreError) {
    try requireRow(id)
    try writing { () throws(DatabaseError) in
      var insert = try database.prepare("INSERT OR IGNORE INTO retained VALUES(?, ?)")
      for topic in topics { try insert.run([.text(id.text), .text(topic)]) }
    }
  }

  /// Forgets the topics of an ended grant, which the broker has cleared.
  ///
  /// - Throws: `E_LEDGER_WRITE`.
  public func forgetRetainedTopics(of id: UniqueID) throws(StoreError) {
    try writing { () throws(DatabaseError) in
      try database.run("DELETE FROM retained WHERE grant_id = ?", .text(id.text))
    }
  }

  /// The topics of a grant on which something is retained, sorted; kept until they are forgotten.
  public func retainedTopics(of id: UniqueID) throws(StoreError) -> [String] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT topic FROM retained WHERE grant_id = ? ORDER BY topic")
      try rows.bind([.text(id.text)])
      var topics: [String] = []
      while try rows.step() { topics.append(rows.text(0)) }
      return topics
    }
  }

  private func requireRow(_ id: UniqueID) throws(StoreError) {
    guard try reading({ () throws(DatabaseError) in try row(id) }) != nil else {
      throw .consent(.grantUnknown)
    }
  }
}
