import ConsentLedger
import PrivacyFilter

// The ledger's chain as the household sees it: verified, and taken up again behind a break.

extension Agent {
  /// Verifies the chain, against what somebody kept of it if they have something.
  func verify(_ known: KnownHead?) throws -> ControlResponse {
    var head = known?.head
    if let text = known?.checkpoint {
      guard let checkpoint = Checkpoint(Array(text.utf8)) else {
        throw ControlFailure(
          code: "E_STATE", message: "--checkpoint: no checkpoint, or its signature does not fit")
      }
      head = checkpoint.head
    }
    return ControlResponse(ok: true, chain: try chainView(knownHead: head))
  }

  /// The chain, verified anew.
  func chainView(knownHead: String? = nil) throws -> ReportView.Chain {
    var view = ReportView.Chain(
      verdict: "sound", records: 0, head: try store.ledgerHead(), contradictedDays: [])
    do throws(StoreError) {
      view.records = try store.verify(knownHead: knownHead)
      view.contradictedDays = try store.contradictedEgressDays()
    } catch {
      guard case .consent = error else { throw error }
      view.verdict = error.code
      view.message = error.text
      stopUnprovenGrants()
    }
    view.checkpoint = store.checkpoint
    return view
  }

  /// A fault that showed while the agent ran: what goes outside stops at once.
  private func stopUnprovenGrants() {
    guard store.ledgerFault != nil else { return }
    Log.event(.error, "E_LEDGER_BROKEN")
    for case .some(let grant) in running where !grant.isInHouse {
      stopAndClean(grant.id, .suspended)
    }
  }

  /// Goes on behind a break with a new chain; grants of recipients outside end.
  func acceptBreak(_ confirmation: String?, by authority: Authority) throws -> ControlResponse {
    let accepted = try store.acceptBreak(
      confirmation: confirmation ?? "", by: authority, at: clock.now())
    for id in accepted.invalidated { stopAndClean(id, .suspended) }
    Log.event(.warning, "LEDGER_BREAK_ACCEPTED", Int64(accepted.invalidated.count))
    finishEndedGrants()
    try putWaitingInForce()
    return ControlResponse(ok: true, grants: try grantViews(), chain: try chainView())
  }
}
