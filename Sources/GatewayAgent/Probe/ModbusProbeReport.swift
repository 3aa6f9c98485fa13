import ModbusMeters

/// What a search for Modbus meters came to, for a person and for a script.
struct ModbusProbeReport: ProbeResult {
  /// As the configuration writes it.
  var port: String
  var units: [ProbedUnit]

  /// Whether there is a configuration to paste.
  var isFound: Bool { units.contains { !$0.matches.isEmpty } }

  /// Sentences for a person.
  var sentences: [String] {
    guard !units.isEmpty else {
      return [
        "No unit answered at any speed and parity that meters use.",
        "On RS-485: exchange A and B; is the meter's unit another (--unit), is it switched to Modbus RTU?",
        "On the network: is Modbus switched on in the device, and is another program connected to it?",
      ]
    }
    return units.flatMap(sentences(of:))
  }

  private func sentences(of unit: ProbedUnit) -> [String] {
    let who = "Unit \(unit.unit) answers, \(unit.settings.text)"
    guard let best = unit.matches.first else {
      var sentences = ["\(who), and no known profile fits it. Write one: docs/meter-profiles.md."]
      if let voltage = unit.voltage {
        let order = ["ABCD": "high-first", "CDAB": "low-first"][voltage.order]
        let hint =
          order.map { "word_order = \"\($0)\"" } ?? "bytes are exchanged, which no profile can say"
        sentences.append(
          "Register \(voltage.address) of function \(voltage.function.rawValue) is \(voltage.value) V in the "
            + "order \(voltage.order): \(hint).")
      }
      return sentences
    }
    var sentences = ["\(who): \(best.profile), \(best.values) values."]
    let others = unit.matches.dropFirst().prefix(5).map(\.profile)
    if !best.isCertain, !others.isEmpty {
      sentences.append("It could also be: \(others.joined(separator: ", ")). Its label decides.")
    }
    return sentences
  }

  /// The lines for `config.toml`; nil where no profile fits.
  var configuration: String? {
    let tables = units.compactMap(table(of:))
    return tables.isEmpty ? nil : tables.joined(separator: "\n")
  }

  private func table(of unit: ProbedUnit) -> String? {
    guard let best = unit.matches.first else { return nil }
    var lines = [
      "[[meters]]", "name = \"meter-\(unit.unit)\"", "port = \"\(port)\"",
      "profile = \"\(best.profile)\"", "unit = \(unit.unit)",
    ]
    if let serial = unit.settings.serial {
      if serial.baud != best.serial?.baud { lines.append("speed = \(serial.baud)") }
      if serial.parity != best.serial?.parity {
        lines.append("parity = \"\(serial.parity.rawValue)\"")
      }
      if serial.stopBits != best.serial?.stopBits { lines.append("stop_bits = \(serial.stopBits)") }
    } else if unit.settings.framing == .rtu {
      lines.append("framing = \"rtu\"")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One JSON object, with its line end.
  var json: [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("port", text: port)
    json.member("found", truth: isFound)
    json.key("units")
    json.open("[")
    for unit in units {
      json.open("{")
      json.member("unit", number: String(unit.unit))
      json.member("settings", text: unit.settings.text)
      json.key("profiles")
      json.open("[")
      for match in unit.matches { json.string(match.profile) }
      json.close("]")
      json.close("}")
    }
    json.close("]")
    json.member("text", text: sentences.joined(separator: " "))
    if let configuration { json.member("configuration", text: configuration) }
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
