import OBISDecoder
import PrivacyFilter

// What the house is told besides values: who is there, why not, since when, and Home Assistant's
// discovery. Everything here goes to connections of in-house grants only.

extension Agent {
  // MARK: - Meters

  /// A good frame: the meter is fresh, and what it sends for the first time is announced.
  func noteFresh(_ feed: MeterFeed, at now: Int64) {
    let source = Int(feed.source)
    if conditions[source].setMeter(.fresh, .none, at: now) {
      Log.event(.info, "METER_FRESH", Int64(source))
      publishCondition(of: source, withStatus: true)
    }
    let present = feed.snapshot.present
    for index in houses.indices
    where houses[index].gate.source == feed.source
      && !present.subtracting(houses[index].announced).isEmpty
    {
      announce(present, in: index)
    }
  }

  /// No good frame for `stale_after_seconds`: said once, and never an old number or a zero.
  func meterWentStale(_ feed: MeterFeed) {
    let source = Int(feed.source)
    let reason: PartReason =
      feed.cipherWatch.trouble?.reason
      ?? (feed.rejected > 0 && feed.lastError == .checksumMismatch ? .checksumErrors : .noFrame)
    let state: PartState = feed.frames == 0 ? .silent : .stale
    // What the port's loss has said already stays the reason.
    guard conditions[source].meter.state != .stale,
      conditions[source].setMeter(state, reason, at: clock.now())
    else { return }
    Log.event(.warning, "METER_STALE", Int64(source))
    // Of a meter that never spoke there is no last frame to name.
    if feed.frames > 0 {
      publishStale(feed)
    } else {
      publishCondition(of: source, withStatus: true)
    }
  }

  /// Frames come that cannot be deciphered: said at once, since waiting for silence would hide why.
  func cannotDecipher(_ feed: MeterFeed) {
    let source = Int(feed.source)
    guard let reason = feed.cipherWatch.trouble?.reason else { return }
    let state = conditions[source].meter.state
    // What is fresh becomes stale by its timer: single frames may be damaged.
    guard state != .fresh, conditions[source].setMeter(state, reason, at: clock.now()) else {
      return
    }
    publishCondition(of: source, withStatus: false)
  }

  /// The port opened, failed, or went away; with the port goes the freshness of its meter.
  func portChanged(_ feed: MeterFeed) {
    let source = Int(feed.source)
    let now = clock.now()
    guard let state = feed.portState else { return }
    let (part, reason) = state.health
    guard conditions[source].setPort(part, reason, at: now) else { return }
    Log.event(
      part == .open ? .info : .warning, "PORT", Int64(source), Int64(part.rawValue),
      Int64(reason.rawValue))
    let isGone = part == .closed || part == .absent
    if isGone, conditions[source].meter.state == .fresh,
      conditions[source].setMeter(.stale, reason, at: now)
    {
      publishStale(feed)
    } else {
      publishCondition(of: source, withStatus: false)
    }
  }

  private func publishStale(_ feed: MeterFeed) {
    bank.emitStale(feed.snapshot, at: clock.now()) { (release: consuming Release) in
      publish(release)
    }
    publishCondition(of: Int(feed.source), withStatus: true)
  }

  private func publishCondition(of source: Int, withStatus: Bool) {
    for house in houses where house.gate.source == source {
      if withStatus {
        publish(house.place.meterStatus(isOnline: conditions[source].isOnline))
      }
      publish(health(of: house))
    }
  }

  /// `{root}/health` as it is now.
  func processHealth(of link: Link, at house: HouseMeter) -> Release {
    house.place.processHealth(process: processHealth, broker: link.health)
  }

  /// `{root}/{meter}/health` as it is now.
  func health(of house: HouseMeter) -> Release {
    let condition = conditions[Int(house.gate.source)]
    let broker = links[Int(house.place.connection)]?.health ?? processHealth
    return house.place.meterHealth(
      process: processHealth, broker: broker, port: condition.port, meter: condition.meter)
  }

  // MARK: - Connections

  /// A connection came or went: the log knows, and on the house's everything retained is said anew.
  func linkChanged(_ link: Link, _ state: BrokerState) {
    guard link.note(state, at: clock.now()) else { return }
    let isUp = link.isConnected
    Log.event(
      isUp ? .info : .warning, "BROKER", Int64(link.index), Int64(link.health.state.rawValue),
      Int64(link.health.reason.rawValue))
    if isUp, link.isInHouse, !link.isEnding { greet(link) }
    noteCleared(by: link)
    endedLinkMayBeDone(link)
  }

  /// Says who is there: the process, its meters and what they measure.
  func greet(_ link: Link) {
    bank.refreshValues(ofConnection: link.index)
    guard let first = houses.first(where: { $0.place.connection == link.index }) else { return }
    publish(first.place.processStatus(isOnline: true))
    publish(processHealth(of: link, at: first))
    for index in houses.indices where houses[index].place.connection == link.index {
      let house = houses[index]
      publish(house.place.meterStatus(isOnline: conditions[Int(house.gate.source)].isOnline))
      publish(health(of: house))
      announceAgain(in: index)
      greetCharging(house)
    }
  }

  /// The process is about to end: said before the connections close, since then no will is sent.
  func sayGoodbye() {
    var told: Set<UInt8> = []
    for house in houses {
      publish(house.place.meterStatus(isOnline: false))
      publish(health(of: house))
      guard told.insert(house.place.connection).inserted,
        let link = links[Int(house.place.connection)]
      else { continue }
      publish(processHealth(of: link, at: house))
      publish(house.place.processStatus(isOnline: false))
    }
  }

  // MARK: - Home Assistant

  /// Home Assistant has started: it forgot what was announced if its broker did.
  func homeAssistantBorn(on link: Link) {
    for index in houses.indices where houses[index].place.connection == link.index {
      announceAgain(in: index)
    }
  }

  private func announceAgain(in index: Int) {
    let known = houses[index].announced
    houses[index].announced = QuantitySet()
    announce(known, in: index)
  }

  /// Announces the quantities of `present` that the gate lets through and nobody was told of.
  private func announce(_ present: QuantitySet, in index: Int) {
    let house = houses[index]
    let expiry = UInt32(feeds[Int(house.gate.source)].configuration.staleAfterSeconds)
    let new = present.subtracting(house.announced)
    houses[index].announced = house.announced.union(present)
    guard let homeAssistant = house.homeAssistant else { return }
    func eachAnnouncement(_ body: (consuming Release) -> Void) {
      var id = 0
      while let quantity = new.next(from: id) {
        id = Int(quantity.rawValue) + 1
        if let release = homeAssistant.announcement(
          of: quantity, for: house.gate, expireAfterSeconds: expiry)
        {
          body(release)
        }
      }
    }
    // All topics are noted in one go, before the first goes out: one write to the disk, not forty.
    var topics: [String] = []
    eachAnnouncement { release in topics.append(release.topicText) }
    noteRetained(topics, ofGate: house.gateIndex)
    eachAnnouncement { (release: consuming Release) in publish(release) }
  }
}

extension CipherWatch.Trouble {
  /// The word of health documents.
  fileprivate var reason: PartReason {
    switch self {
    case .needsKey: .encrypted
    case .wrongKey: .wrongKey
    case .tagMismatch: .tagMismatch
    }
  }
}
