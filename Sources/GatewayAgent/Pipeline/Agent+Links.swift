import ConsentLedger
import PrivacyFilter

// Connections: one for the house, broker and topic root, one of its own for each external grant, so
// that neither trouble nor identity of one recipient reaches another.

extension Agent {
  /// The connection for a grant, opened unless it has one already, or the house has.
  ///
  /// - Throws: `E_GRANT_UNKNOWN` without the broker in the configuration, `E_LIMIT` without room.
  func openLink(for stored: StoredGrant) throws(ConsentError) -> Link {
    let terms = stored.grant.terms
    guard let broker = configuration.brokers.first(where: { $0.name == terms.destination.broker })
    else { throw .brokerUnknown }
    let isInHouse = stored.recipient.role == .inHouse
    let root = terms.destination.topicRoot
    for case .some(let link) in links where link.broker.name == broker.name {
      if isInHouse ? link.isInHouse && link.root == root : link.grant == stored.grant.id {
        // One that is about to go stays: two with one client id would throw each other out.
        if link.isEnding { link.connection.keepOn() }
        link.isEnding = false
        return link
      }
    }
    guard let index = links.firstIndex(where: { $0 == nil }) else { throw .tooManyGrants }
    let clientID = pseudonyms.clientID(recipient: terms.recipient, salt: stored.pseudonymSalt)
    var settings: BrokerSettings
    do throws(CommandFailure) {
      settings = try BrokerSettings(broker, clientID: clientID, isDedicated: !isInHouse)
    } catch {
      throw .brokerUnusable
    }
    if isInHouse { settings.will = try will(root: root) }
    let link = Link(
      index: UInt8(index), broker: broker, recipient: isInHouse ? "in-house" : terms.recipient,
      grant: isInHouse ? nil : stored.grant.id, root: root,
      connection: MosquittoConnection(settings, on: loop), at: clock.now())
    links[index] = link
    connect(link)
    return link
  }

  private func will(root: String) throws(ConsentError) -> BrokerSettings.Will {
    let place = try InHousePlace(
      root: root, nickname: sources[0].nickname, connection: 0, vault: vault.vault)
    return BrokerSettings.Will(place.processStatus(isOnline: false))
  }

  private func connect(_ link: Link) {
    let connection = link.connection
    connection.mayLeave = outboundCheck(isExternal: !link.isInHouse)
    connection.onState = { [unowned self, unowned link] state in linkChanged(link, state) }
    connection.onAcknowledged = { [unowned self, unowned link] gateIndex in
      count(.acknowledged, gateIndex)
      noteCleared(by: link)
    }
    connection.onSent = { [unowned self, unowned link] gateIndex, topic, payload in
      count(.sent(byteCount: topic.count + payload.count), gateIndex)
      guard let grant = link.grant, gateIndex != Release.noGate else { return }
      store.keepSample(of: grant, topic: topic, payload: payload, at: clock.now())
    }
    connection.onDropped = { [unowned self] gateIndex in count(.dropped, gateIndex) }
    guard link.isInHouse else {
      listenForRecipient(on: link)
      return connection.start()
    }
    let discovery = configuration.homeAssistant
    if discovery.enabled { connection.subscribe(discovery.birthTopic) }
    for case .some(let topic) in configuration.charging?.drawTopics ?? [] {
      connection.subscribe(topic)
    }
    connection.onMessage = { [unowned self, unowned link] topic, payload in
      heard(topic, payload, on: link)
    }
    connection.start()
  }

  /// Lets a connection go that serves no grant any more, once its clears and notices are out.
  func closeIfUnused(_ link: Link) {
    guard !running.contains(where: { $0?.link == link.index }), !link.isEnding else { return }
    link.isEnding = true
    endedLinkMayBeDone(link)
  }

  /// With a broker away, clears wait for its return; they are the first thing it gets then.
  func endedLinkMayBeDone(_ link: Link) {
    guard link.isEnding, link.isConnected || link.connection.queuedCount == 0 else { return }
    link.connection.finish(withinMilliseconds: 5000) { [unowned self, weak link] in
      // Asked for twice, as after a reconnection, it is told twice: the first time lets it go.
      guard let link, links[Int(link.index)] === link else { return }
      links[Int(link.index)] = nil
    }
  }

  // MARK: - Clearing

  /// Clears what ended grants left retained when the agent or the broker was away.
  func finishEndedGrants() {
    let now = clock.now()
    do throws(StoreError) {
      for stored in try store.uncompletedEnds() {
        let effects = EndEffects(
          purged: 0, retainedCleared: try clearLeftovers(of: stored), tailByteCount: 0,
          brokerAccessChanged: false)
        _ = try store.completeEnd(stored.grant.id, effects, at: now)
      }
      for stored in try store.unclearedEnds() {
        let isUnderWay = links.contains { $0?.clearing.contains(stored.grant.id) == true }
        if !isUnderWay { _ = try clearLeftovers(of: stored) }
      }
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  /// Clears the topics of an ended grant that no other grant uses now; returns how many.
  private func clearLeftovers(of stored: StoredGrant) throws(StoreError) -> UInt64 {
    var topics = Set(try store.retainedTopics(of: stored.grant.id))
    for other in try store.activeGrants(at: clock.now()) {
      topics.subtract(try store.retainedTopics(of: other.grant.id))
    }
    guard !topics.isEmpty else {
      try store.forgetRetainedTopics(of: stored.grant.id)
      return 0
    }
    guard let link = try? openLink(for: stored) else { return 0 }
    for topic in topics.sorted() {
      if let release = Release.clear(topic: topic, connection: link.index) { publish(release) }
    }
    link.clearing.insert(stored.grant.id)
    closeIfUnused(link)
    noteCleared(by: link)
    return UInt64(topics.count)
  }

  /// Forgets retained topics once the broker has confirmed that they are cleared.
  func noteCleared(by link: Link) {
    guard !link.clearing.isEmpty, link.isConnected, link.connection.queuedCount == 0 else { return }
    do throws(StoreError) {
      for id in link.clearing { try store.forgetRetainedTopics(of: id) }
      link.clearing = []
    } catch {
      // They are cleared once more after the next start, which harms nobody.
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }
}

extension ConsentError {
  /// A secret file of the broker cannot be used.
  static let brokerUnusable = ConsentError(
    .grantUnknown, "the broker's password file cannot be read; check-config says why")
}
