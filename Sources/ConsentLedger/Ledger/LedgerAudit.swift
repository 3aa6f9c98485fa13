internal import PrivacyFilter

/// Where the ledger and the stored state do not fit; `E_LEDGER_BROKEN` to the outside.
public enum LedgerFault: Equatable, Sendable {
  /// The record with this sequence number is missing, changed, or not what an agent writes.
  case record(Int64)
  /// The chain holds, but the stored grants or recipients are not what it says.
  case state
  /// The chain holds, but the record that the last checkpoint names is not in it, or the checkpoint
  /// is gone: the chain's end was cut off.
  case truncated

  /// In the words of the record of an accepted break.
  var name: String {
    switch self {
    case .record(let sequence): "record \(sequence)"
    case .state: "state"
    case .truncated: "truncated"
    }
  }
}

/// One full check of the ledger and of the state that hangs off it.
struct LedgerAudit {
  let walk: LedgerWalk
  let fault: LedgerFault?

  /// Walks the chain, replays its decisions, compares the stored rows with them, and looks for the
  /// record that the last checkpoint names.
  init(
    _ ledger: Ledger, _ database: Database, anchor: LedgerAnchor.Content, wanted: String? = nil
  ) throws(DatabaseError) {
    var replay = Replay()
    var hasCheckpoints = false
    var heads: Set<String> = []
    if let wanted { heads.insert(wanted) }
    if case .checkpoint(let checkpoint) = anchor { heads.insert(checkpoint.head) }
    walk = try ledger.walk(wanted: heads) { record, body in
      replay.apply(record, body)
      if record.type == RecordType.checkpoint.rawValue { hasCheckpoints = true }
    }
    if let sequence = walk.brokenAt {
      fault = .record(sequence)
    } else if replay.isImpossible {
      fault = .state
    } else {
      let isCut =
        switch anchor {
        case .checkpoint(let checkpoint): !walk.met.contains(checkpoint.head)
        // A ledger that has checkpoints had an anchor.
        case .missing: hasCheckpoints
        case .damaged: true
        }
      fault = try Self.fits(replay, database) ? (isCut ? .truncated : nil) : .state
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
