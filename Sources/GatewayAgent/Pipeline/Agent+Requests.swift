import ConsentLedger
import PrivacyFilter

// What the control socket asks for, and the demo.

extension Agent {
  /// Answers a request of a local person, whom the kernel names.
  func answer(_ request: ControlRequest, by authority: Authority) -> ControlResponse {
    do {
      if request.verb.needsProof, let age = request.provenSecondsAgo,
        !(0...ControlLimits.proofSeconds).contains(age)
      {
        throw ConsentError(
          .reauthentication, "prove who you are once more; stopping needs no proof")
      }
      switch request.verb {
      case .status: return ControlResponse(ok: true, status: try statusView())
      case .grantList: return ControlResponse(ok: true, grants: try grantViews())
      case .grantPropose:
        guard let proposal = request.proposal else { break }
        return try propose(proposal, by: authority)
      case .grantAccept:
        return try accept(try find(request.grant), request, by: authority)
      case .grantRefuse:
        let id = try find(request.grant)
        try store.refuse(id, by: authority, at: clock.now())
        return ControlResponse(ok: true, grant: try grantView(id))
      case .withdraw: return try withdraw(try find(request.grant), .withdrawal, by: authority)
      case .object: return try withdraw(try find(request.grant), .objection, by: authority)
      case .restrict: return try restrict(try find(request.grant), by: authority)
      case .pause: return try pause(request, by: authority)
      case .grantNarrow: return try narrow(request, by: authority)
      case .grantRenew: return try renew(try find(request.grant), by: authority)
      case .grantLift: return try lift(try find(request.grant), by: authority)
      case .grantResume: return try resume(request, by: authority)
      case .grantNotice: return try changeNotice(request, by: authority)
      case .receipt:
        let id = try find(request.grant)
        let receipt =
          request.kantara == true
          ? try store.kantaraReceipt(of: id) : try store.receipts(of: id).last
        return ControlResponse(
          ok: true, receipt: receipt.map { String(decoding: $0, as: UTF8.self) })
      case .verify: return try verify(request.known)
      case .acceptBreak: return try acceptBreak(request.confirmation, by: authority)
      case .export:
        guard let export = request.export else { break }
        return try self.export(export, by: authority)
      case .enquiry: return try enquiry(request.enquiry ?? EnquiryRequest())
      case .hold: return try hold(request, by: authority)
      case .erase: return try erase(request, by: authority)
      case .verifyErasure: return try verifyErasure()
      case .support: return try supportBundle()
      case .report: return try report(request.report ?? ReportRequest())
      }
      return .failure("E_STATE", "the request lacks what its verb needs")
    } catch let error as StoreError {
      return .failure(error.code.isEmpty ? "E_LEDGER_WRITE" : error.code, error.text)
    } catch let error as ConsentError {
      return .failure(error.code.rawValue, error.explanation)
    } catch let error as ControlFailure {
      return .failure(error.code, error.message)
    } catch {
      return .failure("E_STATE", "the request could not be carried out")
    }
  }

  /// The one grant that an id or its beginning (4 characters or more) names.
  func find(_ text: String?) throws -> UniqueID {
    let wanted = (text ?? "").lowercased()
    let matches = try store.grantIDs(beginningWith: wanted)
    guard wanted.utf8.count >= 4, matches.count == 1 else {
      let reason =
        matches.count > 1 ? "several grants begin like that" : "no grant begins like that"
      throw ControlFailure(code: "E_GRANT_UNKNOWN", message: reason)
    }
    return matches[0]
  }

  private func propose(
    _ request: ProposalRequest, by authority: Authority
  ) throws -> ControlResponse {
    let now = clock.now()
    let builder = ProposalBuilder(
      configuration: configuration, sources: sources, now: store.time(atLeast: now))
    let outcome = try builder.build(request)
    if outcome.recipient.role != .inHouse { try requireTrustedClock() }
    try store.register(outcome.recipient, by: authority, at: now)
    try store.keepNotice(outcome.notice, outcome.terms.notice)
    let old = try request.supersedes.map { try find($0) }
    let id = try store.propose(
      outcome.terms, supersedes: old, by: authority, at: now, vault: vault.vault)
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  /// Dates of external grants must not come from a clock that may be years off.
  func requireTrustedClock() throws(ConsentError) {
    guard isClockTrusted(at: clock.now()) else {
      throw ConsentError(
        .clockUntrusted,
        "the clock is not synchronised and no meter agrees with it; wait, or set clock.trust")
    }
  }

  private func accept(
    _ id: UniqueID, _ request: ControlRequest, by authority: Authority
  ) throws -> ControlResponse {
    guard let ticked = CategorySet(codes: request.optional ?? []) else {
      throw ControlFailure(code: "E_PROFILE_EXCEEDED", message: "--optional: no such category")
    }
    let proposal = try store.grant(id)
    if proposal.recipient.role != .inHouse { try requireTrustedClock() }
    let confirmed = Confirmations(
      fine: request.confirmed?.fine == true, age: request.confirmed?.age == true,
      household: request.confirmed?.household == true)
    let receipt = try store.accept(
      id, ticked: ticked, confirmed: confirmed, endpoint: endpoint(of: proposal), by: authority,
      at: clock.now(), vault: vault.vault)
    let stored = try store.grant(id)
    if let old = stored.grant.supersedes, isRunning(old) {
      let effects = stopAndClean(old, .superseded)
      _ = try store.completeEnd(old, effects, at: clock.now())
    }
    if stored.grant.state == .active, mayRun(stored) {
      do throws(ConsentError) {
        try putInForce(stored)
      } catch {
        // In the ledger but not in force would be a lie: it ends at once.
        _ = try? withdraw(id, .withdrawal, by: .agent)
        throw error
      }
    }
    Log.event(.info, "GRANT")
    return ControlResponse(
      ok: true, grant: try grantView(id), receipt: String(decoding: receipt, as: UTF8.self))
  }

  /// Ends a grant in the order of privacy.md C7: stop, tombstone, record, purge, clear, receipt.
  ///
  /// An objection is the same to a use that needs no consent.
  func withdraw(
    _ id: UniqueID, _ kind: GrantEnd, by authority: Authority, finding: LeakFinding? = nil
  ) throws -> ControlResponse {
    let began = GatewayClock.monotonicNanoseconds()
    let now = clock.now()
    let number = running.firstIndex { $0?.id == id }
    // Before anything is read: whatever the store has to say, this grant has been ended.
    let stopped = number.map { stopGates(of: $0) } ?? StoppedGates()
    let microseconds = (GatewayClock.monotonicNanoseconds() - began) / 1000
    let state =
      try number.flatMap { running[$0]?.stored.grant.state } ?? store.grant(id).grant.state
    guard !state.isTerminal else {
      throw ControlFailure(code: "E_STATE", message: "the grant has ended before")
    }
    let marked = Result { try store.tombstone(id, kind, by: authority, at: now) }
    let recorded = Result { try store.recordEnd(id, finding) }
    let end = EndOfGrant(kind, by: authority)
    let effects = number.map { cleanUp($0, stopped, end) } ?? .none
    Log.event(.info, "WITHDRAW", Int64(clamping: effects.purged), microseconds)
    // A proposal released nothing, so it has no receipt to wait for.
    if state != .proposed, case .failure = recorded { unfinished[id] = effects }
    try marked.get()
    try recorded.get()
    guard state != .proposed else { return ControlResponse(ok: true, grant: try grantView(id)) }
    let receipt = try store.completeEnd(id, effects, at: now)
    return ControlResponse(
      ok: true, grant: try grantView(id), receipt: String(decoding: receipt, as: UTF8.self))
  }
}

extension EndOfGrant {
  fileprivate init(_ end: GrantEnd, by authority: Authority) {
    self =
      switch end {
      case .withdrawal: authority == .recipient ? .revoked : .withdrawn
      case .objection: .objected
      case .invalidation: .invalidated
      }
  }
}
