import ConsentLedger
import PrivacyFilter

// What the agent does for the evidence: the journal of what left, its daily digest in the ledger.

extension Agent {
  /// Notes that the journal is open, so that a crash is seen at the next start.
  func beginEvidence() {
    do throws(StoreError) {
      if try store.beginJournal(at: clock.now()) { Log.event(.warning, "W_EGRESS_GAP") }
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  /// What is due once a day and in the first minute after the start, if its day has come; and the
  /// ledger's head outside the database, if it is another.
  ///
  /// No record while the clock is in doubt: one from a wrong future would hold every later one.
  func keepEvidence() {
    let now = clock.now()
    guard store.ledgerFault == nil else { return }
    let day = now / 86_400_000
    do throws(StoreError) {
      if day != evidenceDay, isClockTrusted(at: now) {
        try store.recordEgressDays(at: now)
        try store.recordCheckpoint(at: now)
        evidenceDay = day
      }
      try store.keepAnchor(at: now)
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  /// Writes what is counted and notes that nothing is missing.
  func endEvidence() {
    do throws(StoreError) {
      try store.endJournal(at: clock.now())
      try store.keepAnchor(at: clock.now())
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }
}
