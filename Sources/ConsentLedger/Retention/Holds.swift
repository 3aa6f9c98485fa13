public import PrivacyFilter

// R-HOLD: a dispute keeps what would be deleted. Only the owner lays a hold and lets go, and the
// ledger alone says so.

/// A hold on the evidence of one grant.
public struct Hold: Equatable, Sendable {
  /// When it was laid or last confirmed, ms since 1970 UTC.
  public var confirmedAt: Int64

  /// How long a hold counts after it was confirmed: a year, and 30 days to be asked.
  static let milliseconds: Int64 = 395 * 86_400_000

  /// Whether it still counts.
  func counts(at now: Int64) -> Bool { now < confirmedAt + Self.milliseconds }
}

extension ConsentStore {
  /// Lays a hold on a grant's evidence, confirms one, or lets go.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`, `E_STATE` if it was erased; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func hold(
    _ id: UniqueID, _ isHeld: Bool, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    try requireWholeLedger()
    _ = try grant(id)
    let body = RecordBody.hold(id, isHeld, by: authority.text)
    try writing(.retention, body, at: system) { _ in }
  }

  /// The grants on hold; a hold that nobody confirmed for a year and 30 days counts no more.
  public func holds() throws(StoreError) -> [UniqueID: Hold] {
    let now = floor
    return try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT ts, bh FROM ledger WHERE type = 'RETENTION' ORDER BY seq")
      var holds: [UniqueID: Hold] = [:]
      while try rows.step() {
        guard let at = Timestamp.parse(rows.text(0)), let body = try ledger.body(rows.text(1)),
          let hold = RecordBody.hold(in: body), let id = UniqueID(parsing: hold.grant)
        else { continue }
        holds[id] = hold.hold ? Hold(confirmedAt: at) : nil
      }
      return holds.filter { $0.value.counts(at: now) }
    }
  }
}
