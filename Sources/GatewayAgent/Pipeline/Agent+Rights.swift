import ConsentLedger
import PrivacyFilter

// What the household can do with a grant short of ending it. Whatever stops something stops first
// and records then; whatever lets data flow records first (privacy.md C7, C12).

extension Agent {
  // MARK: - Stopping

  /// Restricts a grant: its data stays in the house until the restriction is lifted.
  func restrict(_ id: UniqueID, by authority: Authority) throws -> ControlResponse {
    try requireActive(id)
    return try suspend(id, .restricted) { [unowned self] in
      try store.restrict(id, by: authority, at: clock.now())
    }
  }

  /// Pauses one grant, or lays a pause over all.
  func pause(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    let until = try request.seconds.map { seconds in
      guard (1...31_622_400).contains(seconds) else {
        throw ControlFailure(code: "E_VALIDITY", message: "--for: expected 1 second to 366 days")
      }
      return store.time(atLeast: clock.now()) + Int64(seconds) * 1000
    }
    guard let word = request.scope else {
      let id = try find(request.grant)
      try requireActive(id)
      return try suspend(id, .paused) { [unowned self] in
        try store.pause(id, until: until, by: authority, at: clock.now())
      }
    }
    guard let scope = PauseScope(rawValue: word) else {
      throw ControlFailure(code: "E_LIMIT", message: "--all: expected external or everything")
    }
    return try pauseAll(GeneralPause(scope: scope, until: until), by: authority)
  }

  private func pauseAll(
    _ pause: GeneralPause, by authority: Authority
  ) throws -> ControlResponse {
    let numbers = running.indices.filter { number in
      running[number].map { pause.stops($0.stored.recipient.role) } ?? false
    }
    let stopped = numbers.map { ($0, stopGates(of: $0)) }
    let recorded = Result {
      try store.pauseAll(pause, by: authority, at: clock.now())
    }
    for (number, rest) in stopped { _ = cleanUp(number, rest, .paused) }
    Log.event(.info, "PAUSE_ALL", Int64(numbers.count))
    try keepTrying(recorded, nil) { [unowned self] in
      try store.pauseAll(pause, by: authority, at: clock.now())
    }
    return ControlResponse(ok: true, grants: try grantViews())
  }

  private func requireActive(_ id: UniqueID) throws {
    guard try store.grant(id).grant.state == .active else {
      throw ConsentError(.state, "only an active grant can be suspended")
    }
  }

  /// Stops, records, cleans up.
  ///
  /// What the ledger did not take holds all the same, and is tried again every minute.
  private func suspend(
    _ id: UniqueID, _ end: EndOfGrant, _ record: @escaping () throws -> Void
  ) throws -> ControlResponse {
    let number = running.firstIndex { $0?.id == id }
    let stopped = number.map { stopGates(of: $0) }
    let recorded = Result { try record() }
    if let number, let stopped { _ = cleanUp(number, stopped, end) }
    Log.event(.info, "SUSPEND", Int64(end.rawValue))
    try keepTrying(recorded, id, record)
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  private func keepTrying(
    _ result: Result<Void, any Error>, _ id: UniqueID?, _ record: @escaping () throws -> Void
  ) throws {
    if case .failure(let error) = result {
      unrecorded.append((id, record))
      throw error
    }
  }

  /// Records suspensions that the ledger did not take before.
  func recordSuspensions() {
    var left: [(id: UniqueID?, record: () throws -> Void)] = []
    for entry in unrecorded {
      do {
        try entry.record()
      } catch StoreError.consent(let error) where error.code == .ledgerWrite {
        left.append(entry)
      } catch {
        // It has ended meanwhile, or the pause would be over: nothing is left to record.
        Log.event(.warning, "SUSPENSION_OVER")
      }
    }
    unrecorded = left
  }

  /// Stops a running grant and cleans up behind it.
  @discardableResult
  func stopAndClean(_ id: UniqueID, _ end: EndOfGrant) -> EndEffects {
    guard let number = running.firstIndex(where: { $0?.id == id }) else { return .none }
    return cleanUp(number, stopGates(of: number), end)
  }

  // MARK: - Going on

  /// Lifts a restriction.
  func lift(_ id: UniqueID, by authority: Authority) throws -> ControlResponse {
    try forget(id)
    try store.lift(id, by: authority, at: clock.now())
    try putWaitingInForce()
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  /// Ends the pause of one grant, or that over all.
  func resume(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    guard request.scope == nil else {
      unrecorded.removeAll { $0.id == nil }
      if store.generalPause != nil { try store.resumeAll(by: authority, at: clock.now()) }
      try putWaitingInForce()
      return ControlResponse(ok: true, grants: try grantViews())
    }
    let id = try find(request.grant)
    try forget(id)
    try store.resume(id, by: authority, at: clock.now())
    try putWaitingInForce()
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  /// A suspension that was never recorded has to be, before it can end.
  private func forget(_ id: UniqueID) throws {
    recordSuspensions()
    guard !unrecorded.contains(where: { $0.id == id }) else {
      throw ConsentError(.ledgerWrite, "the ledger cannot be written, so nothing can go on")
    }
  }

  /// Makes less of a grant, at once; what waited under the old terms is dropped.
  func narrow(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    let id = try find(request.grant)
    guard let narrowing = request.narrowing else {
      throw ControlFailure(code: "E_LIMIT", message: "nothing to narrow was named")
    }
    let builder = ProposalBuilder(
      configuration: configuration, sources: sources, now: store.time(atLeast: clock.now()))
    let terms = try builder.narrowed(try store.grant(id).grant.terms, narrowing)
    saveRuntime()
    try store.narrow(id, to: terms, by: authority, at: clock.now(), vault: vault.vault)
    if isRunning(id) {
      stopAndClean(id, .replaced)
      try putInForce(try store.grant(id))
    }
    return ControlResponse(ok: true, grant: try grantView(id))
  }

  /// Confirms a grant anew: after a change of the recipient's text, or when its review is due.
  func renew(_ id: UniqueID, by authority: Authority) throws -> ControlResponse {
    let stored = try store.grant(id)
    if stored.recipient.role != .inHouse { try requireTrustedClock() }
    let receipt = try store.renew(
      id, endpoint: endpoint(of: stored), by: authority, at: clock.now(), vault: vault.vault)
    try putWaitingInForce()
    if let number = running.firstIndex(where: { $0?.id == id }) {
      running[number]?.stored = try store.grant(id)
    }
    return ControlResponse(
      ok: true, grant: try grantView(id), receipt: String(decoding: receipt, as: UTF8.self))
  }

  /// Keeps a recipient's new text; a material change stops its data until the grant is renewed.
  func changeNotice(_ request: ControlRequest, by authority: Authority) throws -> ControlResponse {
    let id = try find(request.grant)
    guard let new = request.notice, !new.text.isEmpty else {
      throw ControlFailure(code: "E_NOTICE_MISSING", message: "--file: expected the new text")
    }
    let stored = try store.grant(id)
    let hash = Crypto.sha256Text(new.text)
    let notice = Notice(
      sha256: hash, lang: new.language, title: stored.grant.terms.notice.title,
      blob: "notices/\(hash.prefix(8))")
    try store.keepNotice(new.text, notice)
    let record = { [unowned self] in
      try store.changeNotice(
        id, to: notice, isMaterial: new.isMaterial, by: authority, at: clock.now())
    }
    guard new.isMaterial, !stored.grant.state.isTerminal, stored.grant.state != .proposed else {
      try record()
      return ControlResponse(ok: true, grant: try grantView(id))
    }
    return try suspend(id, .suspended, record)
  }

  // MARK: - Where it goes

  /// The broker's host as the configuration has it; nil for grants of the house.
  func endpoint(of stored: StoredGrant) -> String? {
    guard stored.recipient.role != .inHouse else { return nil }
    let name = stored.grant.terms.destination.broker
    return configuration.brokers.first { $0.name == name }?.host
  }

  /// Whether a grant's broker is still the one that was accepted; if not, the grant waits for a
  /// review.
  ///
  /// Nobody can see where a host stands: what was declared is frozen (privacy.md C8).
  func isAtItsEndpoint(_ stored: StoredGrant) throws(ConsentError) -> Bool {
    guard let accepted = stored.endpoint, let present = endpoint(of: stored), accepted != present
    else { return true }
    Log.event(.warning, "ENDPOINT_CHANGED")
    do throws(StoreError) {
      try store.requireReview(stored.grant.id, .endpoint, by: .agent, at: clock.now())
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
    return false
  }
}
