import ConsentLedger
import PrivacyFilter

/// The `[[brokers]]` tables.
extension ConfigurationReader {
  /// Reads all brokers; an empty list is allowed.
  func brokers(_ document: inout ConfigurationTable) -> [Configuration.Broker] {
    let tables = document.subtables("brokers", atMost: Configuration.Limits.brokers)
    var brokers: [Configuration.Broker] = []
    for var table in tables {
      let name = self.name(&table, taken: brokers.map(\.name), isOnly: tables.count == 1)
      if let broker = broker(&table, named: name) { brokers.append(broker) }
      table.finish(hints: [
        "password": "password_file: the name of a file with mode 0600 that holds it",
        "client_id": "no client id: the agent draws one for each connection",
      ])
    }
    return brokers
  }

  /// The tables about recipients: `[profiles]` and `[proposals]`.
  func recipients(
    _ document: inout ConfigurationTable, _ configuration: inout Configuration
  ) {
    if var table = document.subtable("profiles") {
      let known = Profiles.names
      configuration.enabledProfiles = Set(
        table.texts("enabled", expected: "names of profiles, such as \"dso-hourly-copy\"") {
          known.contains($0)
        })
      table.finish()
    }
    guard var table = document.subtable("proposals") else { return }
    let brokers = configuration.brokers.map(\.name)
    configuration.proposalBroker = table.text("broker", expected: "the name of a broker") {
      brokers.contains($0)
    }
    table.finish()
  }

  private func broker(
    _ table: inout ConfigurationTable, named name: String
  ) -> Configuration.Broker? {
    let expected = "a host name or address"
    if !table.has("host") { table.note("host", expected: expected, found: "none") }
    let host = table.text("host", expected: expected, where: PortText.isHost)
    let port = table.integer("port", in: 1...65_535)
    let tls = self.tls(&table)
    let typed = table.text("username", expected: "a user name of at most 256 bytes") {
      $0.utf8.count <= 256
    }
    let username = lint(typed, as: .label, "username", table)
    let passwordFile = secret("password_file", &table)
    if table.has("password_file"), !table.has("username") {
      table.note("password_file", expected: "a username beside it", found: "none")
    }
    let version = table.choice("mqtt_version", of: Configuration.MQTTVersion.self)
    let keepalive = table.integer("keepalive_seconds", in: 5...3600)
    guard let host else { return nil }
    return Configuration.Broker(
      name: name, host: host, port: UInt16(clamping: port ?? (tls == nil ? 1883 : 8883)),
      tls: tls, username: username, passwordFile: passwordFile, mqttVersion: version ?? .auto,
      keepaliveSeconds: keepalive ?? 15)
  }

  /// `tls = true`, `tls = false`, or a table of files.
  private func tls(_ table: inout ConfigurationTable) -> Configuration.TLS? {
    if table.isBoolean("tls") {
      return table.boolean("tls") == true ? Configuration.TLS() : nil
    }
    guard var inner = table.subtable("tls", expected: "true, false or a table") else {
      return nil
    }
    var tls = Configuration.TLS()
    tls.caFile = file("ca_file", &inner)
    tls.certificateFile = file("certificate_file", &inner)
    tls.keyFile = secret("key_file", &inner)
    if inner.has("certificate_file") != inner.has("key_file") {
      let present = inner.has("key_file") ? "key_file" : "certificate_file"
      let absent = inner.has("key_file") ? "certificate_file" : "key_file"
      inner.note(present, expected: "\(absent) beside it", found: "none")
    }
    inner.finish()
    return tls
  }

  /// A readable file with an absolute path.
  private func file(_ key: String, _ table: inout ConfigurationTable) -> String? {
    let path = table.text(key, expected: "an absolute path", where: isAbsolute)
    guard let path, checksFiles else { return path }
    do {
      _ = try FileAccess.status(path)
    } catch {
      table.note(key, expected: "a readable file", found: "\(path): \(error.lowercaseText)")
    }
    return path
  }

  /// A file that only its owner may read; relative names are below the secrets directory.
  func secret(_ key: String, _ table: inout ConfigurationTable) -> String? {
    let name = table.text(key, expected: "the name of a file with mode 0600") { name in
      !name.split(separator: "/").contains("..")
    }
    guard let name else { return nil }
    let path = isAbsolute(name) ? name : "\(secretsDirectory)/\(name)"
    if checksFiles, let fault = SecretFile.fault(of: path) {
      table.note(key, expected: "a file that only its owner can read", found: fault)
    }
    return path
  }
}
