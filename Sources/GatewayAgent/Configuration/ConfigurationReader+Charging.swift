import ChargingFeed
import PrivacyFilter

/// The tables `[ev]`, `[[ev.charger]]` and `[[ev.sink]]`.
extension ConfigurationReader {
  /// Reads all of it; what is wrong with it counts only where it is enabled.
  func charging(_ document: inout ConfigurationTable, _ configuration: inout Configuration) {
    guard var table = document.subtable("ev") else { return }
    let isEnabled = table.boolean("enabled") ?? false
    let meter = chargingMeter(&table, configuration.meters, isNeeded: isEnabled)
    var settings = supply(&table, isNeeded: isEnabled)
    let retain = table.choice("retain_limit", of: RetainWord.self)
    settings.capacity = capacity(&table)
    let chargers = chargers(&table, settings)
    settings.chargers = chargers.map(\.settings)
    let sinks = sinks(&table, settings, configuration.brokers.map(\.name))
    table.finish()
    guard isEnabled, let meter else { return }
    configuration.charging = Configuration.Charging(
      settings: settings, meter: meter, retainsLimit: retain != .never,
      drawTopics: chargers.map(\.drawTopic), sinks: sinks)
  }

  /// `[enode]`: whether grants of its profile have documents in Enode's shape, and under which name.
  func enode(_ document: inout ConfigurationTable, _ configuration: inout Configuration) {
    guard var table = document.subtable("enode") else { return }
    let isEnabled = table.boolean("enabled") ?? false
    let given = table.text(
      "user_id", expected: "1 to 16 of a-z, A-Z, 0-9, - and _",
      where: { text in
        (1...16).contains(text.utf8.count) && text.utf8.allSatisfy(NameText.isPart)
      })
    let user = lint(given, as: .label, "user_id", table)
    table.finish()
    if isEnabled { configuration.enodeUser = user ?? "home" }
  }

  private func chargingMeter(
    _ table: inout ConfigurationTable, _ meters: [Configuration.Meter], isNeeded: Bool
  ) -> Int? {
    let names = meters.map(\.name)
    let name = table.text(
      "meter", expected: "the name of a meter of this file", where: { names.contains($0) })
    if let name { return names.firstIndex(of: name) }
    if isNeeded, !table.has("meter"), meters.count > 1 {
      table.note("meter", expected: "the name of a meter, as there are several", found: "none")
    }
    return meters.isEmpty ? nil : 0
  }

  private func supply(_ table: inout ConfigurationTable, isNeeded: Bool) -> EVSettings {
    let grid = table.choice("grid", of: Grid.self) ?? .tn
    let phases = table.integer("phases", among: [1, 3]) ?? 3
    let range = 6...400
    let fuse = table.thousandths("main_fuse_a", in: range)
    if isNeeded, !table.has("main_fuse_a") {
      table.note(
        "main_fuse_a",
        expected: "the main fuse in ampere, from \(range.lowerBound) to \(range.upperBound)",
        found: "none")
    }
    let margin = table.thousandths("margin_a", in: 0...100) ?? 1000
    if let fuse, margin * 2 > fuse {
      table.note(
        "margin_a", expected: "at most half of main_fuse_a", found: "\(Double(margin) / 1000)")
    }
    var settings = EVSettings(grid: grid, phases: phases, fuse: fuse ?? 25_000, margin: margin)
    settings.missingLine = table.choice("it_l2", of: MissingLine.self) ?? .estimate
    settings.estimateMargin = table.thousandths("it_l2_margin_a", in: 0...20) ?? 2000
    if !table.isText("stale_after_s", "auto") {
      settings.staleAfterSeconds = table.integer("stale_after_s", in: 2...600).map { Int64($0) }
    }
    settings.holdSeconds = Int64(table.integer("hold_s", in: 10...600) ?? 60)
    return settings
  }

  // MARK: - Chargers

  private func chargers(
    _ document: inout ConfigurationTable, _ settings: EVSettings
  ) -> [(settings: ChargerSettings, drawTopic: String?)] {
    let tables = document.subtables("charger", atMost: Configuration.Limits.chargers)
    var chargers: [(settings: ChargerSettings, drawTopic: String?)] = []
    for var table in tables {
      let name = self.name(&table, taken: chargers.map(\.settings.name), isOnly: false)
      let connection = connection(&table, settings)
      let minimum = table.thousandths("min_a", in: 6...32) ?? 6000
      let maximum = table.thousandths("max_a", in: 6...80) ?? 16_000
      let step = table.thousandths("step_a", in: 0...16) ?? 1000
      let failsafe = table.thousandths("failsafe_a", in: 0...80) ?? 6000
      if minimum > maximum {
        table.note("max_a", expected: "at least min_a", found: "\(Double(maximum) / 1000)")
      }
      if step < 100 {
        table.note("step_a", expected: "at least 0.1", found: "\(Double(step) / 1000)")
      }
      if failsafe > 0, failsafe < minimum || failsafe > maximum {
        table.note(
          "failsafe_a", expected: "0 for a pause, or from min_a to max_a",
          found: "\(Double(failsafe) / 1000)")
      }
      // An empty text is what the example file shows: none.
      let hasDraw = !table.isText("draw_topic", "")
      let topic = hasDraw ? topic("draw_topic", &table, limit: 100) : nil
      table.finish()
      chargers.append(
        (
          ChargerSettings(
            name: name, connection: connection, minimum: minimum, maximum: maximum, step: step,
            failsafe: failsafe, hasDraw: topic != nil), topic
        ))
    }
    return chargers
  }

  private func connection(
    _ table: inout ConfigurationTable, _ settings: EVSettings
  ) -> Connection {
    let given = table.choice("connection", of: Connection.self)
    let connection = given ?? (settings.phases == 1 ? .l1 : .all)
    let found = "\"\(connection.rawValue)\""
    if settings.phases == 1 {
      if connection != .l1 {
        table.note("connection", expected: "\"L1\", as phases is 1", found: found)
      }
    } else if settings.grid.hasNeutral {
      if connection.lines.count == 2 {
        table.note(
          "connection", expected: "one line or \"L1+L2+L3\": TN has 400 V between lines",
          found: found)
      }
    } else if connection.usesNeutral {
      table.note(
        "connection",
        expected: "two lines or \"L1+L2+L3\": \(settings.grid.rawValue) has no neutral",
        found: found)
    }
    return connection
  }

  // MARK: - Sinks

  private func sinks(
    _ document: inout ConfigurationTable, _ settings: EVSettings, _ brokers: [String]
  ) -> [Configuration.Sink] {
    var sinks: [Configuration.Sink] = []
    for var table in document.subtables("sink", atMost: Configuration.Limits.sinks) {
      for key in ["broker", "type", "topic"] where !table.has(key) {
        table.note(key, expected: "a \(key) for the sink", found: "none")
      }
      let broker = table.text(
        "broker", expected: "the name of a broker of this file", where: { brokers.contains($0) })
      let kind = table.choice("type", of: Configuration.Sink.Kind.self)
      let topic = topic("topic", &table, limit: Configuration.Limits.sinkTopicBytes)
      let charger = sinkCharger(&table, kind, settings.chargers)
      if kind == .smartEVSE, !settings.grid.hasNeutral, settings.phases == 3,
        settings.missingLine == .ignore
      {
        table.note(
          "type", expected: "it_l2 other than \"ignore\": SmartEVSE wants every line",
          found: "\"smartevse\"")
      }
      table.finish()
      guard let broker, let kind, let topic else { continue }
      sinks.append(
        Configuration.Sink(broker: broker, kind: kind, topic: topic, charger: charger ?? 0))
    }
    return sinks
  }

  /// The charger that EVerest is told of: it needs one whose current is known.
  private func sinkCharger(
    _ table: inout ConfigurationTable, _ kind: Configuration.Sink.Kind?,
    _ chargers: [ChargerSettings]
  ) -> Int? {
    let names = chargers.map(\.name)
    let name = table.text(
      "charger", expected: "the name of a charger of this file", where: { names.contains($0) })
    guard kind == .everest else {
      if table.has("charger") {
        table.note("charger", expected: "this key only for type \"everest\"", found: "another type")
      }
      return nil
    }
    if !table.has("charger"), chargers.count > 1 {
      table.note("charger", expected: "the name of a charger, as there are several", found: "none")
    }
    let index = name.flatMap { names.firstIndex(of: $0) } ?? 0
    if !chargers.indices.contains(index) || !chargers[index].hasDraw {
      table.note(
        "type", expected: "a charger with a draw_topic for type \"everest\"", found: "none")
    }
    return index
  }
}

/// How the configuration names the ways to keep `ev/limit`.
private enum RetainWord: String, CaseIterable {
  case expiry
  case never
}
