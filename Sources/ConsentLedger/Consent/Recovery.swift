internal import PrivacyFilter

/// What opening the store had to mend; written into the RECOVERY record.
public enum Recovery: String, Sendable {
  /// The last process died inside a transaction, which was rolled back.
  case tornTransaction = "torn-transaction"
  /// A tombstone had no record in the ledger; the record was written with the tombstone's time.
  case endRecorded = "end-recorded"
  /// A tombstone had no record, and none could be written yet: `E_LEDGER_WRITE`.
  case endUnrecorded = "end-unrecorded"
  /// `denylist.bin` was missing and was made anew.
  case denylist = "denylist-missing"
  /// `install.secret` was missing and was made anew: every pseudonym is another now.
  case installSecret = "install-secret-missing"
}

extension ConsentStore {
  /// Applies tombstones whose grants the stored rows still take for living, and notes what opening
  /// mended.
  ///
  /// Nothing here may fail the opening: what cannot be written is denied all the same.
  func recover(at now: Int64) {
    let missing = unrecordedEnds
    if !missing.isEmpty {
      recoveries.append(recordPendingEnds() ? .endRecorded : .endUnrecorded)
    }
    guard !recoveries.isEmpty, ledgerFault == nil else { return }
    let reasons: CanonicalJSON = ["reasons": .array(recoveries.map { .text($0.rawValue) })]
    try? writing(.recovery, reasons.bytes, at: now) { _ in }
  }

  /// Tombstones whose grant has no end in the stored rows.
  var unrecordedEnds: [Tombstone] {
    denylist.tombstones.filter { tombstone in
      guard let id = UniqueID(bytes: tombstone.grant), let row = try? row(id) else { return false }
      return !row.state.isTerminal
    }
  }

  /// Records every end that so far only a tombstone tells of, with the time it had; to be called
  /// every 60 s while `E_LEDGER_WRITE` stands.
  ///
  /// - Returns: whether none is left.
  @discardableResult
  public func recordPendingEnds() -> Bool {
    for tombstone in unrecordedEnds {
      guard let id = UniqueID(bytes: tombstone.grant) else { continue }
      try? record(tombstone, of: id)
    }
    return unrecordedEnds.isEmpty
  }
}
