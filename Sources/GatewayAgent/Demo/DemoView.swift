import OBISDecoder
import PrivacyFilter

/// The demo's table: what the meter says, and beside it what each recipient receives of it.
struct DemoView {
  /// Quantities in the table, in its order.
  static let quantities = [
    "energy_import", "active_power_import", "active_power_export", "voltage_l1", "voltage_l2",
    "voltage_l3", "current_l1", "current_l2", "current_l3", "gas_volume",
  ]

  /// Identifiers that the meter sends; they are invented, and never leave.
  var identifiers: [String] = []
  /// Telegrams so far.
  var telegrams = 0
  /// The meter's values by quantity.
  var meter: [String: String] = [:]
  /// The last document of each recipient, as it came from the broker.
  var house = DemoDocument()
  var app = DemoDocument()

  private static let widths = [22, 20, 22, 24]

  /// The whole table as lines.
  func lines(seconds: Int) -> [String] {
    var lines = [
      "\(seconds) s  \(telegrams) telegrams  clock runs 60 times faster  Ctrl-C ends",
      "",
      row(["", "the meter says", "home-assistant", "demo-app"]),
      row(["", "(P1, every second)", "(in-house, each one)", "(1 min, rounded 10 W)"]),
      row(["topic", "", house.topic, app.topic]),
      row(["messages", "\(telegrams)", "\(house.count)", "\(app.count)"]),
    ]
    for name in Self.quantities {
      lines.append(
        row([name, meter[name] ?? "-", house.value(of: name), app.value(of: name)]))
    }
    for identifier in identifiers.prefix(4) {
      lines.append(row(["an identifier", identifier, "- never -", "- never -"]))
    }
    return lines
  }

  /// One line for a pipe.
  func summary(seconds: Int) -> String {
    "\(seconds) s: \(telegrams) telegrams in; home-assistant got \(house.count) "
      + "(\(house.topic) power \(house.value(of: "active_power_import"))); "
      + "demo-app got \(app.count) (\(app.topic) \(app.payload))"
  }

  private func row(_ cells: [String]) -> String {
    var line = ""
    for (cell, width) in zip(cells, Self.widths) {
      line +=
        cell.count < width ? cell + String(repeating: " ", count: width - cell.count) : cell + " "
    }
    return line
  }
}

/// What a recipient last received, as text from the broker.
struct DemoDocument {
  var topic = "-"
  var payload = "-"
  var count = 0

  /// The number under a quantity's key, `-` if the document has none.
  ///
  /// Reads flat JSON only, which is what the agent publishes.
  func value(of quantity: String) -> String {
    for part in payload.split(whereSeparator: { $0 == "," || $0 == "{" || $0 == "}" }) {
      let pair = part.split(separator: ":", maxSplits: 1)
      guard pair.count == 2, pair[0].hasPrefix("\"\(quantity)_") else { continue }
      let unit = pair[0].dropFirst(quantity.count + 2).dropLast()
      guard !unit.contains("_") else { continue }
      return String(pair[1])
    }
    return "-"
  }
}
