import ConsentLedger
import PrivacyFilter

// The tripwire (privacy.md C10): the last look at every packet, when the library is about to get it.
// A gate that let an identifier through is broken; its grant ends, and the ledger says how.

/// An identifier that a gate was about to let out.
struct TrippedGate {
  var gate: UInt8
  var finding: LeakFinding
}

extension Agent {
  /// The check of a connection to the house, or to one recipient.
  func outboundCheck(isExternal: Bool) -> OutboundCheck {
    { [unowned self] topic, payload, gate in
      mayLeave(topic, payload, ofGate: gate, isExternal: isExternal)
    }
  }

  /// Whether a message holds no identifier but the one that its grant names.
  ///
  /// Called while the bank is at work, so it must not be asked: the grant ends on the loop's next
  /// turn, and until then nothing of this gate leaves.
  private func mayLeave(
    _ topic: Span<UInt8>, _ payload: Span<UInt8>, ofGate gate: UInt8, isExternal: Bool
  ) -> Bool {
    guard !tripped.contains(where: { $0.gate == gate }) else { return false }
    let found = vault.withTripwire { tripwire -> (isComplete: Bool, hit: Tripwire.Hit?) in
      (
        tripwire.isComplete,
        tripwire.find(
          inTopic: topic, payload: payload,
          granted: gate == Release.noGate ? nil : namedNumbers[Int(gate)], isExternal: isExternal)
      )
    }
    if isExternal, !found.isComplete {
      Log.event(.error, "E_SCAN_LIMIT")
      return false
    }
    guard let hit = found.hit else { return true }
    Log.event(
      .error, "TRIPWIRE", gate == Release.noGate ? -1 : Int64(gate), Int64(hit.form.rawValue),
      Int64(hit.offset))
    // A document of the agent itself belongs to no grant: it is dropped, and that is all.
    guard gate != Release.noGate else { return false }
    tripped.append(
      TrippedGate(
        gate: gate, finding: LeakFinding(form: "\(hit.form.name)", offset: hit.offset)))
    loop.schedule(afterMilliseconds: 0) { [weak self] in self?.invalidateTripped() }
    return false
  }

  /// Ends the grants whose gates let an identifier through.
  private func invalidateTripped() {
    let found = tripped
    for trip in found {
      guard let grant = running.first(where: { $0?.gates.contains(Int(trip.gate)) == true }) ?? nil
      else { continue }
      invalidate(grant.id, trip.finding)
    }
    tripped = []
  }

  private func invalidate(_ id: UniqueID, _ finding: LeakFinding) {
    do {
      _ = try withdraw(id, .invalidation, by: .agent, finding: finding)
    } catch {
      // It is stopped all the same; what the ledger lacks is written when it can be.
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  // MARK: - When the vault has learnt something

  /// Lends the gates whose grants name a meter's number the number, when the meter has sent it, and
  /// looks at what connections say of themselves.
  func lendIdentifiers() {
    guard lentRevision != vault.vault.revision else { return }
    lentRevision = vault.vault.revision
    for source in sources { bank.lendIdentifiers(from: vault.vault, ofSource: source.index) }
    for index in namedNumbers.indices { namedNumbers[index] = bank.identifier(at: index) }
    checkConnectionTexts()
  }

  /// Ends the grants of a connection whose user name or topics hold an identifier of a meter.
  ///
  /// The configuration was checked before any meter had spoken. CONNECT has gone out by then, once.
  private func checkConnectionTexts() {
    for case .some(let link) in links where !link.isEnding {
      let texts = [("user name", link.broker.username ?? ""), ("topics", link.root)]
      guard let text = texts.first(where: { vault.vault.occurs(in: $0.1) }) else { continue }
      Log.event(.error, "E_LABEL_PERSONAL", Int64(link.index))
      let grants = running.compactMap { $0 }.filter { $0.link == link.index }
      for grant in grants { invalidate(grant.id, LeakFinding(form: text.0, offset: 0)) }
    }
  }
}
