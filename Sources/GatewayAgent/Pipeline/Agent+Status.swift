import ConsentLedger
import OBISDecoder
import PrivacyFilter

// What `status` and `grant list` show.

extension Agent {
  func statusView() throws -> StatusView {
    let now = clock.now()
    var view = StatusView(
      version: Gateway.release, process: Self.view(processHealth),
      ledger: store.ledgerFault == nil ? "sound" : "broken",
      clock: isClockTrusted(at: now) ? "trusted" : "untrusted", meters: [], brokers: [],
      grants: [])
    for (feed, condition) in zip(feeds, conditions) {
      view.meters.append(
        StatusView.Meter(
          name: feed.configuration.name, port: Self.view(condition.port),
          meter: Self.view(condition.meter), frames: feed.frames, rejected: feed.rejected,
          problems: feed.problems,
          discardedBytes: feed.discardedBytes, unknownDropped: feed.unknownDropped,
          lastFrame: feed.lastFrameAt.map(Timestamp.text),
          trust: feed.cipherWatch.trust?.name.description, replay: feed.cipherWatch.isReplay,
          replays: feed.cipherWatch.replays, tagMismatches: feed.cipherWatch.tagMismatches,
          wrongKeys: feed.cipherWatch.wrongKeys, encrypted: feed.cipherWatch.unread,
          bus: busView(of: feed)))
    }
    for case .some(let link) in links {
      let counters = link.connection.counters
      let version: String? =
        switch link.connection.state {
        case .connected(.five): "5"
        case .connected(.threeOneOne): "3.1.1"
        default: nil
        }
      view.brokers.append(
        StatusView.Broker(
          name: link.broker.name, recipient: link.recipient, link: Self.view(link.health),
          protocolVersion: version, published: UInt64(counters.sent),
          dropped: UInt64(counters.droppedOffline + counters.droppedCongested)
            + UInt64(link.connection.overflowCount)))
    }
    view.pause = store.generalPause?.scope.rawValue
    view.grants = try store.grants().filter { !$0.grant.state.isTerminal }.map {
      try self.view(of: $0)
    }
    return view
  }

  private func busView(of feed: MeterFeed) -> StatusView.Bus? {
    guard let modbus = feed.configuration.modbus, let counters = bus(of: feed.source)?.counters
    else { return nil }
    return StatusView.Bus(
      unit: modbus.unit, lostReplies: counters.lostReplies, lateCycles: counters.lateCycles,
      strayBytes: counters.strayBytes, cycleMilliseconds: feed.cycleMilliseconds)
  }

  func grantViews() throws -> [GrantView] {
    try store.grants().map { try view(of: $0) }
  }

  func grantView(_ id: UniqueID) throws -> GrantView { try view(of: try store.grant(id)) }

  private func view(of stored: StoredGrant) throws -> GrantView {
    let grant = stored.grant
    let terms = grant.terms
    tellJournal()
    let egress = try store.egress(of: grant.id)
    let gate = running.compactMap { $0 }.first { $0.id == grant.id }?.gates.first
    let place = gate.flatMap { bank.gate(at: $0) }?.topicText
    return GrantView(
      id: grant.id.text, version: grant.version, state: grant.state.rawValue,
      isInForce: isRunning(grant.id),
      profile: terms.profile, recipient: terms.recipient, purpose: terms.purpose,
      basis: terms.basis.rawValue, categories: terms.categories.codes,
      optional: terms.optional.codes, granularity: "G\(terms.granularity.rawValue)",
      quantum: "R\(terms.quantum.rawValue)", broker: terms.destination.broker,
      topic: place ?? terms.destination.topicRoot, validFrom: Timestamp.text(terms.validFrom),
      validUntil: terms.validUntil.map(Timestamp.text), messages: egress?.messages ?? 0,
      bytes: egress?.byteCount ?? 0,
      reviewDue: grant.state.isTerminal || grant.state == .proposed
        ? nil : ConsentStore.reviewDue(stored).map(Timestamp.text),
      pausedUntil: store.pausedUntil(grant.id).map(Timestamp.text),
      notice: grant.state.isTerminal ? nil : try store.notice(terms.notice.sha256))
  }

  private static func view(_ health: PartHealth) -> StatusView.Condition {
    StatusView.Condition(
      state: "\(health.state.name)", reason: "\(health.reason.name)",
      since: Timestamp.text(health.since))
  }
}
