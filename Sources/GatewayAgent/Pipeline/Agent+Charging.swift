import ChargingFeed
import OBISDecoder
import PrivacyFilter

// The charging feed: what the in-house gate released goes in, documents go out through the gates of
// in-house grants that hold every category they are made of (ev-charging.md §7 to §9).

extension Agent {
  /// This moment as the feed is told it.
  func instant() -> Instant {
    let now = clock.now()
    return Instant(
      monotonic: clock.steady(), utc: now, offsetSeconds: LocalDays.offsetSeconds(at: now),
      isSynchronised: isClockTrusted(at: now))
  }

  /// The houses that the feed may speak to.
  private func chargingHouses(of charging: Charging) -> [HouseMeter] {
    let now = clock.now()
    var serving: [HouseMeter] = []
    for house in houses
    where house.gate.source == charging.source
      && bank.admits(.limit, through: house.gateIndex, at: now)
    {
      // Of two grants for the same topics one speaks.
      let isDouble = serving.contains {
        $0.place.connection == house.place.connection && $0.gate.topicText == house.gate.topicText
      }
      if !isDouble { serving.append(house) }
    }
    return serving
  }

  // MARK: - Events

  /// A good frame: its values as the first gate that serves the feed lets them through.
  func chargingFrame(_ feed: MeterFeed) {
    guard let charging, feed.source == charging.source,
      let gate = chargingHouses(of: charging).first?.gateIndex
    else { return }
    var sample = MeterSample()
    for (id, field) in Charging.fields {
      let quantity = Quantity(rawValue: id)
      if let value = bank.value(of: quantity, in: feed.snapshot, through: gate) {
        sample.set(field, value)
      }
    }
    let now = instant()
    charging.load(at: now)
    var due = charging.feed.take(sample, at: now)
    due.formUnion(charging.feed.pass(to: now))
    publishCharging(due, at: now)
    armCharging(at: now)
  }

  /// Something of the feed is due by its own timers.
  func chargingTick() {
    guard let charging else { return }
    let now = instant()
    charging.load(at: now)
    publishCharging(charging.feed.pass(to: now), at: now)
    if let at = charging.sinkAt, now.monotonic >= at { repeatSinks(at: now) }
    charging.saveIfDue(at: now)
    armCharging(at: now)
  }

  /// Arms the timer for what is due next; called once at the start.
  func armCharging(at now: Instant) {
    guard let charging else { return }
    var wait = charging.feed.waitMilliseconds(from: now)
    if let at = charging.sinkAt { wait = min(wait, max(1, at - now.monotonic)) }
    charging.timer?.arm(afterMilliseconds: max(1, Int(wait) / clock.rate))
  }

  /// Whether a connection is to hear from the feed at once: only what does not age.
  func greetCharging(_ house: HouseMeter) {
    guard let charging, house.gate.source == charging.source else { return }
    let now = instant()
    if charging.feed.state == .initial {
      emit(.state, expirySeconds: 0, [house]) { out in
        charging.feed.writeState(at: now, to: &out)
        return true
      }
    }
    if let hour = charging.lastHour {
      emit(.hour, expirySeconds: 0, [house]) { out in
        charging.feed.write(hour: hour, to: &out)
        return true
      }
    }
    emit(.capacity, expirySeconds: 0, [house]) { charging.feed.writeCapacity(to: &$0) }
  }

  /// The process is about to end: no limit of it may stay (F-5).
  func endCharging() {
    guard let charging else { return }
    let now = instant()
    let serving = chargingHouses(of: charging)
    // Unretained, as the retained one is cleared.
    emit(.limit, expirySeconds: 0, serving) { out in
      charging.feed.writeFailsafe(at: now, to: &out)
      return true
    }
    for house in serving { clear(ChargingTopic.limit.text(at: house.gate), of: house) }
    if charging.feed.state != .initial { endSinks(at: now) }
    charging.timer?.cancel()
    charging.save(at: now)
  }

  /// A grant has ended for good: without another one for the feed, its memory goes too.
  func forgetChargingIfUnused() {
    guard let charging, chargingHouses(of: charging).isEmpty else { return }
    charging.forget()
  }

  /// Whether the feed keeps something there through this house, so that it is not to be cleared for
  /// another grant's sake.
  func isChargingTopic(_ topic: String, of house: HouseMeter) -> Bool {
    guard let charging, house.gate.source == charging.source else { return false }
    return [ChargingTopic.limit, .hour, .capacity].contains {
      bank.admits($0, through: house.gateIndex, at: clock.now()) && $0.text(at: house.gate) == topic
    }
  }

  // MARK: - Documents

  private func publishCharging(_ due: EVFeed.Due, at now: Instant) {
    guard let charging, !due.isEmpty else { return }
    let serving = chargingHouses(of: charging)
    if due.contains(.documents) { publishDocuments(of: charging, serving, at: now) }
    if due.contains(.interval) {
      emit(.interval, expirySeconds: 0, serving) { charging.feed.writeInterval(at: now, to: &$0) }
    }
    if due.contains(.hours) {
      while let hour = charging.feed.takeHour() {
        charging.lastHour = hour
        emit(.hour, expirySeconds: 0, serving) { out in
          charging.feed.write(hour: hour, to: &out)
          return true
        }
      }
    }
    if due.contains(.capacity) {
      emit(.capacity, expirySeconds: 0, serving) { charging.feed.writeCapacity(to: &$0) }
      charging.save(at: now)
    }
  }

  /// The limit first: it is what a charger waits for.
  private func publishDocuments(
    of charging: Charging, _ serving: [HouseMeter], at now: Instant
  ) {
    let feed = charging.feed
    let isKept = charging.configuration.retainsLimit && now.isSynchronised
    emit(
      .limit, expirySeconds: isKept ? UInt32(clamping: feed.staleAfterSeconds) : 0, serving
    ) { feed.writeLimit(at: now, to: &$0) }
    emit(.state, expirySeconds: 0, serving) { out in
      feed.writeState(at: now, to: &out)
      return true
    }
    for (index, name) in charging.chargerNames.enumerated() {
      guard let name else { continue }
      emit(.charger(name), expirySeconds: 0, serving) {
        feed.writeCharger(index, at: now, to: &$0)
      }
    }
    for plain in EVFeed.plains {
      emit(plain.topic, expirySeconds: 0, serving) { feed.write(plain, at: now, to: &$0) }
    }
    publishSinks(at: now)
  }

  /// Writes a document once and releases it through each house's gate.
  func emit(
    _ topic: ChargingTopic, expirySeconds: UInt32, _ serving: [HouseMeter],
    _ write: (inout ByteBuffer<4096>) -> Bool
  ) {
    guard !serving.isEmpty else { return }
    var document = ByteBuffer<4096>()
    guard write(&document) else { return }
    let now = clock.now()
    for house in serving {
      bank.emit(
        document, as: topic, expirySeconds: expirySeconds, through: house.gateIndex, at: now
      ) { (release: consuming Release) in publish(release) }
    }
  }

  /// Removes what a broker keeps on a topic.
  func clear(_ topic: String, of house: HouseMeter) {
    if let release = Release.clear(topic: topic, connection: house.place.connection) {
      publish(release)
    }
  }
}

extension EVFeed.Plain {
  /// Where the number goes.
  fileprivate var topic: ChargingTopic {
    switch self {
    case .power: .power
    case .current(let line): .current(line: line)
    case .headroom(let line): .headroom(line: line)
    case .maxImportWatts: .maxImportWatts
    case .maxImportAmperes: .maxImportAmperes
    }
  }
}
