import ChargingFeed
import OBISDecoder
import PrivacyFilter

// Sinks of the charging feed: other systems on the household's broker, in their own words. Each hears
// of a sample through the same gates as everything else of the feed (ev-charging.md §10).

extension Agent {
  private func houses(of sink: Configuration.Sink, _ charging: Charging) -> [HouseMeter] {
    let now = clock.now()
    // One is enough: two grants to one broker would tell it everything twice.
    let house = houses.first { house in
      house.gate.source == charging.source
        && links[Int(house.place.connection)]?.broker.name == sink.broker
        && bank.admits(.limit, through: house.gateIndex, at: now)
    }
    return house.map { [$0] } ?? []
  }

  /// A sample came, or none did for too long.
  func publishSinks(at now: Instant) {
    guard let charging, !charging.configuration.sinks.isEmpty else { return }
    guard charging.feed.state == .ok else { return endSinks(at: now) }
    charging.sinksKnowStale = false
    for sink in charging.configuration.sinks { tell(sink, at: now) }
    charging.sinkAt = now.monotonic + Charging.sinkMilliseconds
  }

  /// Some sinks take silence for a failure sooner than the meter speaks again.
  func repeatSinks(at now: Instant) {
    guard let charging else { return }
    charging.sinkAt = nil
    for sink in charging.configuration.sinks where sink.kind == .smartEVSE || sink.kind == .goE {
      guard charging.feed.mayRepeat(isSmartEVSE: sink.kind == .smartEVSE, at: now) else { continue }
      tell(sink, at: now)
      charging.sinkAt = now.monotonic + Charging.sinkMilliseconds
    }
  }

  /// The feed is stale, or the process ends: each sink is told in the way that stops it, once.
  func endSinks(at now: Instant) {
    guard let charging, !charging.sinksKnowStale else { return }
    charging.sinksKnowStale = true
    charging.sinkAt = nil
    for sink in charging.configuration.sinks {
      let serving = houses(of: sink, charging)
      switch sink.kind {
      case .smartEVSE, .everest:
        // SmartEVSE's watchdog and EVerest's schedule end by themselves.
        continue
      case .goE:
        emitSink(sink.topic, retained: false, serving) { charging.feed.writeGoEFailsafe(to: &$0) }
      case .openWB:
        // `power` gone while something else is there is openWB's word for a fault.
        for value in EVFeed.OpenWBValue.allCases where value.goesStale {
          for house in serving { clear("\(sink.topic)/\(value.leaf)", of: house) }
        }
      }
    }
  }

  private func tell(_ sink: Configuration.Sink, at now: Instant) {
    guard let charging else { return }
    let feed = charging.feed
    let serving = houses(of: sink, charging)
    switch sink.kind {
    case .smartEVSE:
      emitSink(sink.topic, retained: false, serving) { feed.writeSmartEVSE(to: &$0) }
    case .goE:
      emitSink(sink.topic, retained: false, serving) { feed.writeGoE(to: &$0) }
    case .everest:
      emitSink(sink.topic, retained: false, serving) {
        feed.writeEVerest(charger: sink.charger, at: now, to: &$0)
      }
    case .openWB:
      for value in EVFeed.OpenWBValue.allCases {
        let seconds = value.goesStale ? UInt32(clamping: feed.staleAfterSeconds) : 0
        emitSink("\(sink.topic)/\(value.leaf)", retained: true, expirySeconds: seconds, serving) {
          feed.write(value, to: &$0)
        }
      }
    }
  }

  private func emitSink(
    _ topic: String, retained: Bool, expirySeconds: UInt32 = 0, _ serving: [HouseMeter],
    _ write: (inout ByteBuffer<4096>) -> Bool
  ) {
    guard let name = FixedText<112>(topic) else { return }
    emit(.sink(name, retained: retained), expirySeconds: expirySeconds, serving, write)
  }

  // MARK: - What chargers draw

  /// A message of the household's broker: a charger's own current, or Home Assistant's birth.
  func heard(_ topic: Span<UInt8>, _ payload: Span<UInt8>, on link: Link) {
    if let charging,
      let index = charging.configuration.drawTopics.firstIndex(where: {
        $0.map { Self.isEqual(topic, $0) } ?? false
      })
    {
      // A kept message may be from yesterday.
      guard !link.connection.isMessageRetained,
        let amperes = Decimal(parsing: payload, in: 0..<payload.count),
        let tenths = MeterSample.tenths(ofAmperes: amperes)
      else { return }
      return charging.feed.note(draw: tenths, ofCharger: index, at: instant())
    }
    if configuration.homeAssistant.enabled, Self.isEqual(payload, "online") {
      homeAssistantBorn(on: link)
    }
  }

  private static func isEqual(_ bytes: Span<UInt8>, _ text: String) -> Bool {
    guard bytes.count == text.utf8.count else { return false }
    var index = 0
    for byte in text.utf8 {
      if bytes[index] != byte { return false }
      index += 1
    }
    return true
  }
}
