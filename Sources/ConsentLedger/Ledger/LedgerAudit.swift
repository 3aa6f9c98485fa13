internal import PrivacyFilter

/// Where the ledger and the stored state do not fit; `E_LEDGER_BROKEN` to the outside.
public enum LedgerFault: Equatable, Sendable {
  /// The record with this sequence number is missing, changed, or not what an agent writes.
  case record(Int64)
  /// The chain holds, but the stored grants or recipients are not what it says.
  case state
}

/// One full check of the ledger and of the state that hangs off it.
struct LedgerAudit {
  let walk: LedgerWalk
  let fault: LedgerFault?

  /// Walks the chain, replays its decisions and compares the stored rows with them.
  init(_ ledger: Ledger, _ database: Database, wanted: String?) throws(DatabaseError) {
    var replay = Replay()
    walk = try ledger.walk(wanted: wanted) { replay.apply($0, $1) }
    if let sequence = walk.brokenAt {
      fault = .record(sequence)
    } else if replay.isImpossible {
      fault = .state
    } else {
      fault = try Self.fits(replay, database) ? nil : .state
    }
  }

  private static func fits(_ replay: Replay, _ database: Database) throws(DatabaseError) -> Bool {
    var recipients = try database.prepare("SELECT id, bh FROM recipients")
    while try recipients.step() {
      guard replay.recipients[recipients.text(0)] == recipients.text(1) else { return false }
    }
    let rows = try GrantRow.all(in: database, where: "1")
    for row in rows {
      guard let entry = replay.grants[row.id], entry.bodyHash == row.bodyHash,
        entry.state == row.state || (entry.state == .active && row.state == .scheduled)
      else { return false }
    }
    // A grant without a row can release nothing, but its withdrawal would find nothing either.
    let known = Set(rows.map(\.id))
    return replay.grants.allSatisfy { $0.value.state.isTerminal || known.contains($0.key) }
  }
}
