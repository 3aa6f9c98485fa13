public import PrivacyFilter

/// One decision about a grant, as the ledger has it.
public struct GrantEvent: Equatable, Sendable {
  /// When, ms since 1970 UTC.
  public var at: Int64
  /// What.
  public var type: RecordType
  /// Who decided, as records write it: `uid:1000`, `recipient`, `agent`.
  public var by: String?
}

extension ConsentStore {
  /// Every decision about every grant, in the order of the ledger.
  ///
  /// Those of erased grants are erased with them, but for the erasure itself.
  public func histories() throws(StoreError) -> [UniqueID: [GrantEvent]] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare("SELECT ts, type, bh FROM ledger ORDER BY seq")
      var histories: [UniqueID: [GrantEvent]] = [:]
      while try rows.step() {
        guard let type = RecordType(rawValue: rows.text(1)), type.isHistory,
          let at = Timestamp.parse(rows.text(0)), let body = try ledger.body(rows.text(2))
        else { continue }
        if let erased = RecordBody.erased(in: body) {
          for id in erased.grants.compactMap({ UniqueID(parsing: $0) }) {
            histories[id, default: []].append(GrantEvent(at: at, type: type, by: erased.by))
          }
        } else if let summary = RecordBody.summary(of: body),
          let id = summary.grant.flatMap({ UniqueID(parsing: $0) })
        {
          histories[id, default: []].append(GrantEvent(at: at, type: type, by: summary.by))
        }
      }
      return histories
    }
  }
}

extension RecordType {
  /// Whether the record belongs to one grant's history; the daily ones are not read for it.
  fileprivate var isHistory: Bool {
    isDecision || [.rotate, .erase, .retention].contains(self)
  }
}
