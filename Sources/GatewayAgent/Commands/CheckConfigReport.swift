import ModbusMeters
import OBISDecoder

/// A configuration and its findings, for a person or a script.
struct CheckConfigReport {
  var file: String
  var configuration: Configuration
  var findings: [ConfigurationFinding]
  /// Names of the household's own meter profiles that are usable.
  var ownMeters: [String]

  /// Lines for a person.
  var text: [UInt8] {
    var rows = [
      ["time zone", "\(configuration.timeZone.name), standard time UTC\(offsetText)"],
      ["state", configuration.stateDirectory],
      ["control", configuration.controlSocket],
      ["topics", "\(configuration.topicRoot)/…"],
    ]
    for meter in configuration.meters {
      rows.append(["meter \(meter.name)", description(meter)])
    }
    if !ownMeters.isEmpty {
      rows.append(["own profiles", ownMeters.joined(separator: ", ")])
    }
    for broker in configuration.brokers {
      rows.append(["broker \(broker.name)", description(broker)])
    }
    if configuration.homeAssistant.enabled {
      rows.append(["discovery", "Home Assistant under \(configuration.homeAssistant.prefix)/"])
    }
    var lines = ["\(file): usable"]
    lines += DecodeTable.aligned(rows)
    lines += findings.map { "\($0.severity.rawValue): \($0.subject): \($0.text)" }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  private var offsetText: String {
    let minutes = Int(configuration.timeZone.standardOffsetMinutes)
    let hours = String(abs(minutes) / 60)
    let rest = String(abs(minutes) % 60)
    return (minutes < 0 ? "-" : "+") + (hours.count < 2 ? "0" : "") + hours + ":"
      + (rest.count < 2 ? "0" : "") + rest
  }

  private func description(_ meter: Configuration.Meter) -> String {
    if let modbus = meter.modbus {
      return "\(CheckConfigReport.text(meter.input)), Modbus \(modbus.framing.rawValue), unit "
        + "\(modbus.unit), \(modbus.profile.id), every \(modbus.pollSeconds) s, "
        + "stale after \(meter.staleAfterSeconds) s"
    }
    let dialect = meter.dialect?.name.description ?? "dialect recognised"
    return "\(CheckConfigReport.text(meter.input)), \(dialect), "
      + "stale after \(meter.staleAfterSeconds) s"
  }

  private func description(_ broker: Configuration.Broker) -> String {
    let scheme = broker.tls == nil ? "mqtt" : "mqtts"
    let host = broker.host.contains(":") ? "[\(broker.host)]" : broker.host
    let version =
      switch broker.mqttVersion {
      case .auto: "MQTT 5, else 3.1.1"
      case .five: "MQTT 5"
      case .threeOneOne: "MQTT 3.1.1"
      }
    let user = broker.username == nil ? "anonymous" : "as \(broker.username ?? "")"
    return "\(scheme)://\(host):\(broker.port), \(user), \(version)"
  }

  /// A port as the configuration writes it, with the line's settings.
  private static func text(_ input: InputKind) -> String {
    switch input {
    case .serial(let path, let settings):
      return "\(path) \(settings.text)"
    default:
      return input.address
    }
  }

  /// One JSON object, with its line end.
  var json: [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("file", text: file)
    json.member("usable", truth: true)
    json.member("time_zone", text: configuration.timeZone.name)
    json.member("state_directory", text: configuration.stateDirectory)
    json.member("control_socket", text: configuration.controlSocket)
    json.member("topic_root", text: configuration.topicRoot)
    json.key("meters")
    json.open("[")
    for meter in configuration.meters {
      json.open("{")
      json.member("name", text: meter.name)
      json.member("port", text: meter.input.address)
      if case .serial(_, let settings) = meter.input {
        json.member("speed", number: String(settings.speed))
      }
      if let modbus = meter.modbus {
        json.member("profile", text: modbus.profile.id)
        json.member("framing", text: modbus.framing.rawValue)
        json.member("unit", number: String(modbus.unit))
        json.member("poll_seconds", number: String(modbus.pollSeconds))
      } else {
        json.member("dialect", text: meter.dialect?.name.description ?? "auto")
      }
      json.member("stale_after_seconds", number: String(meter.staleAfterSeconds))
      json.close("}")
    }
    json.close("]")
    json.key("own_profiles")
    json.open("[")
    for name in ownMeters { json.string(name) }
    json.close("]")
    json.key("brokers")
    json.open("[")
    for broker in configuration.brokers {
      json.open("{")
      json.member("name", text: broker.name)
      json.member("host", text: broker.host)
      json.member("port", number: String(broker.port))
      json.member("tls", truth: broker.tls != nil)
      json.member("mqtt_version", text: broker.mqttVersion.rawValue)
      json.close("}")
    }
    json.close("]")
    json.key("findings")
    json.open("[")
    for finding in findings {
      json.open("{")
      json.member("severity", text: finding.severity.rawValue)
      json.member("subject", text: finding.subject)
      json.member("text", text: finding.text)
      json.close("}")
    }
    json.close("]")
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }

  /// One JSON object for a configuration that cannot be used, with its line end.
  static func json(_ errors: [ConfigurationError], file: String) -> [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("file", text: file)
    json.member("usable", truth: false)
    json.key("errors")
    json.open("[")
    for error in errors {
      json.open("{")
      json.member("file", text: error.file)
      if let line = error.line { json.member("line", number: String(line)) }
      if let key = error.key { json.member("key", text: key) }
      json.member("expected", text: error.expected)
      json.member("found", text: error.found)
      json.close("}")
    }
    json.close("]")
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
