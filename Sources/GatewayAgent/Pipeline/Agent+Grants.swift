import ConsentLedger
import PrivacyFilter

// Grants in force: from the store to gates and connections, and back out again in the order of
// privacy.md C7: stop, record, purge, clear.

extension Agent {
  // MARK: - Starting

  /// Puts every active grant of the store in force; a grant that cannot be is logged and stays out.
  func loadGrants() {
    let now = clock.now()
    do throws(StoreError) {
      for stored in try store.activeGrants(at: now) where stored.grant.state == .active {
        do throws(ConsentError) {
          try putInForce(stored)
        } catch {
          Log.event(.error, "GRANT_NOT_IN_FORCE")
        }
      }
    } catch {
      Log.event(.error, "GRANTS_UNREADABLE")
    }
    if store.ledgerFault != nil { Log.event(.error, "E_LEDGER_BROKEN") }
  }

  /// Compiles a grant and installs its gates; all of them or none.
  ///
  /// - Throws: `E_LIMIT` without room for its gates or connection; `E_GRANT_UNKNOWN` if a meter or
  ///   the broker is not configured any more; what compiling throws.
  func putInForce(_ stored: StoredGrant) throws(ConsentError) {
    guard let number = running.firstIndex(where: { $0 == nil }) else { throw .tooManyGrants }
    guard try isAtItsEndpoint(stored) else { return }
    let spread = Self.spread(of: stored)
    let link = spread > 0 ? nil : try openLink(for: stored)
    do throws(ConsentError) {
      var context = CompilationContext(
        sources: sources, salt: stored.pseudonymSalt, rotation: stored.rotation,
        connection: link?.index ?? RunningGrant.noLink, grantIndex: UInt8(number),
        publishesValues: configuration.inHouse.valueTopics, pseudonyms: pseudonyms)
      context.enodeUser = configuration.enodeUser
      let gates = try stored.grant.compile(role: stored.recipient.role, context)
      let places = try install(gates, of: stored)
      let retained = (try? store.retainedTopics(of: stored.grant.id)) ?? []
      running[number] = RunningGrant(
        stored: stored, link: link?.index ?? RunningGrant.noLink, gates: places,
        retained: Set(retained), spreadMilliseconds: spread)
      if stored.recipient.role == .inHouse, let link { try addHouses(places, stored, link) }
    } catch {
      _ = stopGates(of: number)
      running[number] = nil
      if let link { closeIfUnused(link) }
      throw error
    }
    // What it retains from now on is its own again: an earlier clearing must not forget it.
    for case .some(let link) in links { link.clearing.remove(stored.grant.id) }
    lentRevision = -1
    armTick()
  }

  private func install(
    _ gates: [CompiledGate], of stored: StoredGrant
  ) throws(ConsentError) -> [Int] {
    // Asked in place: what does not change the bank copies 230 KB of it to the stack.
    let free = (0..<GateBank.capacity).filter { bank.gate(at: $0) == nil }
    guard free.count >= gates.count else { throw .tooManyGrants }
    let now = clock.now()
    var places: [Int] = []
    for (gate, place) in zip(gates, free) {
      guard bank.install(gate, at: place, now: now) else {
        for place in places { bank.stop(place, at: now) }
        throw .tooManyGrants
      }
      places.append(place)
      let kept = (try? store.bases(of: stored.grant.id, source: sourceKey(of: gate))) ?? []
      for base in kept {
        bank.restoreBase(base.thousandths, of: Quantity(rawValue: base.quantity), at: place)
      }
    }
    return places
  }

  /// A gate's meter and channel, as its bases are kept.
  func sourceKey(of gate: CompiledGate) -> String {
    "\(sources[Int(gate.source)].id.text)/\(gate.channel)"
  }

  private func addHouses(
    _ places: [Int], _ stored: StoredGrant, _ link: Link
  ) throws(ConsentError) {
    for index in places {
      guard let gate = bank.gate(at: index) else { continue }
      let source = sources[Int(gate.source)]
      let place = try InHousePlace(
        root: stored.grant.terms.destination.topicRoot, nickname: source.nickname,
        connection: link.index, vault: vault.vault)
      let discovery = configuration.homeAssistant
      let homeAssistant =
        discovery.enabled ? try HomeAssistant(prefix: discovery.prefix, place: place) : nil
      houses.append(
        HouseMeter(gateIndex: index, gate: gate, place: place, homeAssistant: homeAssistant))
      if link.isConnected { greet(link) }
    }
  }

  // MARK: - Ending

  /// Step 1 of a withdrawal: nothing more of it is released, and nothing that waits here or in the
  /// kernel goes out any more.
  ///
  /// It touches no disk and waits for nobody. What it forgets is what step 4 would have purged: to
  /// leave it in place until the ledger has been written would let the kernel send on meanwhile.
  func stopGates(of number: Int) -> StoppedGates {
    var stopped = StoppedGates()
    guard let grant = running[number] else { return stopped }
    let now = clock.now()
    let link = grant.link == RunningGrant.noLink ? nil : links[Int(grant.link)]
    for index in grant.gates {
      if let gate = bank.gate(at: index) { stopped.epilogues.append(GateEpilogue(gate)) }
      stopped.effects.purged += UInt64(bank.stop(index, at: now))
    }
    for index in grant.gates {
      guard let purge = link?.connection.purge(gateIndex: UInt8(index)) else { continue }
      stopped.effects.purged += UInt64(purge.messageCount)
      stopped.effects.tailByteCount += UInt64(purge.tailBytes)
    }
    tellJournal(of: grant)
    stopped.effects.purged += dropContributions(of: grant.id)
    houses.removeAll { grant.gates.contains($0.gateIndex) }
    return stopped
  }

  /// Steps 5 to 7: clears what the broker keeps, tells the recipient.
  ///
  /// The connection goes too if nobody needs it, unless the grant goes on under another name.
  func cleanUp(
    _ number: Int, _ stopped: StoppedGates, _ end: EndOfGrant
  ) -> EndEffects {
    var effects = stopped.effects
    guard let grant = running[number] else { return effects }
    running[number] = nil
    guard grant.link != RunningGrant.noLink, let link = links[Int(grant.link)] else {
      return effects
    }
    effects.retainedCleared = clearRetained(of: grant, on: link)
    if end != .replaced, !grant.retained.isEmpty { link.clearing.insert(grant.id) }
    if !grant.isInHouse, let receipt = FixedText<36>(grant.id.text) {
      for epilogue in stopped.epilogues {
        let now = clock.now()
        // One that only rests comes back under the same id.
        if end.isFinal, let deletion = epilogue.deletion(at: now) { publish(deletion) }
        publish(epilogue.notice(receipt: receipt, end, at: now))
      }
    }
    if grant.isInHouse, end == .withdrawn || end == .objected || end == .expired {
      forgetChargingIfUnused()
    }
    if end != .replaced { closeIfUnused(link) }
    return effects
  }

  /// Clears what only this grant had kept; status and health may be another in-house grant's too.
  private func clearRetained(of grant: RunningGrant, on link: Link) -> UInt64 {
    var cleared: UInt64 = 0
    for topic in grant.retained.sorted() {
      if let heir = heir(of: topic, on: link) {
        remember([topic], of: heir)
      } else if let release = Release.clear(topic: topic, connection: link.index) {
        publish(release)
        cleared += 1
      }
    }
    return cleared
  }

  /// The grant that says the same of the same meter on the same connection, and goes on.
  private func heir(of topic: String, on link: Link) -> Int? {
    let house = houses.first { house in
      house.place.connection == link.index
        && (house.place.processStatus(isOnline: true).topicText == topic
          || house.place.meterStatus(isOnline: true).topicText == topic
          || processHealth(of: link, at: house).topicText == topic
          || health(of: house).topicText == topic || isChargingTopic(topic, of: house))
    }
    guard let house else { return nil }
    return running.firstIndex { $0?.gates.contains(house.gateIndex) == true }
  }

  // MARK: - Retained topics

  /// Remembers the topic of a retained release before it goes out, so that it can be cleared.
  func noteRetained(_ release: borrowing Release, on link: Link) {
    let topic = release.topicText
    let isKnown = running.contains {
      $0?.link == link.index && $0?.retained.contains(topic) == true
    }
    guard !isKnown else { return }
    let number = running.firstIndex { grant in
      guard let grant, grant.link == link.index else { return false }
      return release.gateIndex == Release.noGate || grant.gates.contains(Int(release.gateIndex))
    }
    if let number { remember([topic], of: number) }
  }

  /// Remembers several topics of one gate in one go.
  func noteRetained(_ topics: [String], ofGate gate: Int) {
    guard let number = running.firstIndex(where: { $0?.gates.contains(gate) == true }) else {
      return
    }
    remember(topics.filter { running[number]?.retained.contains($0) == false }, of: number)
  }

  private func remember(_ topics: [String], of number: Int) {
    guard !topics.isEmpty, let id = running[number]?.id else { return }
    running[number]?.retained.formUnion(topics)
    do throws(StoreError) {
      try store.addRetainedTopics(topics, of: id)
    } catch {
      // It is cleared at withdrawal all the same, unless the agent is killed before.
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  // MARK: - Housekeeping

  /// Ends what is over, puts in force what begins.
  ///
  /// Not while the clock is in doubt: a record from a wrong future would hold every later one.
  func sweepGrants() {
    let now = clock.now()
    recordSuspensions()
    guard isClockTrusted(at: now) else { return }
    do throws(StoreError) {
      try completeUnfinished(at: now)
      for id in try store.sweepSuspensions(at: now) { stopAndClean(id, .suspended) }
      let ended = try store.sweep(at: now)
      for number in running.indices {
        guard let id = running[number]?.id, ended.contains(id) else { continue }
        let effects = cleanUp(number, stopGates(of: number), .expired)
        _ = try store.completeEnd(id, effects, at: now)
      }
      try putWaitingInForce()
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  /// Whether no pause lies over an active grant, nor a suspension that the ledger does not know yet.
  func mayRun(_ stored: StoredGrant) -> Bool {
    store.generalPause?.stops(stored.recipient.role) != true
      && !unrecorded.contains { $0.id == nil || $0.id == stored.grant.id }
  }

  /// Puts in force what may run and does not yet, unless it was stopped and the ledger lags behind.
  func putWaitingInForce() throws(StoreError) {
    for stored in try store.activeGrants(at: clock.now())
    where stored.grant.state == .active && !isRunning(stored.grant.id)
      && mayRun(stored)
    {
      try? putInForce(stored)
    }
  }

  /// Gives the grants that ended while the ledger could not be written their record and receipt.
  ///
  /// Also those that an earlier process left with nothing but a tombstone.
  private func completeUnfinished(at now: Int64) throws(StoreError) {
    guard store.recordPendingEnds() else { return }
    for (id, effects) in unfinished {
      _ = try store.completeEnd(id, effects, at: now)
      unfinished[id] = nil
    }
    for case .some(let link) in links { noteCleared(by: link) }
    finishEndedGrants()
  }

  func isRunning(_ id: UniqueID) -> Bool { running.contains { $0?.id == id } }

  /// Gives grants whose days are over their next pseudonym, with a new base.
  func rotatePseudonyms() {
    let now = clock.now()
    guard isClockTrusted(at: now) else { return }
    for number in running.indices {
      guard let grant = running[number], !grant.isInHouse else { continue }
      let rotation = Pseudonyms.rotation(of: grant.stored.grant.terms, at: now)
      guard rotation > grant.stored.rotation else { continue }
      do throws(StoreError) {
        try store.rotate(grant.id, to: rotation, at: now)
        _ = cleanUp(number, stopGates(of: number), .replaced)
        let stored = try store.grant(grant.id)
        // On the same connection: two with one client id would throw each other out.
        try? putInForce(stored)
      } catch {
        Log.event(.error, "E_LEDGER_WRITE")
      }
    }
  }

  /// Writes counts and base registers: what a crash may lose is a minute's.
  func saveRuntime() {
    do throws(StoreError) {
      tellJournal()
      try store.flushJournal(at: clock.now())
      for case .some(let grant) in running where !grant.isInHouse {
        for index in grant.gates { try saveBases(ofGate: index, grant.id) }
      }
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  private func saveBases(ofGate index: Int, _ id: UniqueID) throws(StoreError) {
    guard let gate = bank.gate(at: index) else { return }
    var bases: [BaseRegister] = []
    for number in 0..<Quantity.idBound {
      let quantity = Quantity(rawValue: UInt8(number))
      if let base = bank.base(of: quantity, at: index) {
        bases.append(BaseRegister(quantity: quantity.rawValue, thousandths: base))
      }
    }
    let key = sourceKey(of: gate)
    let kept = try store.bases(of: id, source: key)
    guard !bases.isEmpty, kept != bases else { return }
    try store.saveBases(bases, of: id, source: key)
  }
}

/// What stopping the gates of a grant left to do and to count.
struct StoppedGates {
  /// What its recipient is told with.
  var epilogues: [GateEpilogue] = []
  /// What was forgotten, and what may still have arrived.
  var effects = EndEffects.none
}

extension ConsentError {
  /// No room for another gate or connection.
  static let tooManyGrants = ConsentError(
    .limit, "no more than 32 gates; withdraw a grant or narrow it to fewer meters")
  /// The grant's broker is not in the configuration.
  static let brokerUnknown = ConsentError(
    .grantUnknown, "the broker of this grant is not in the configuration")
}
