import Glibc

/// What a look at this machine says of a usable configuration.
struct ConfigurationFinding: Equatable, Sendable {
  /// How much it matters.
  enum Severity: String, Sendable {
    /// The agent cannot do its work like this.
    case problem
    /// It can, but something is worth knowing.
    case hint
  }

  var severity: Severity
  /// `meters.NAME` or `brokers.NAME`.
  var subject: String
  /// One sentence.
  var text: String
}

/// Looks whether ports are there and may be read, and whether secrets travel in the clear.
struct ConfigurationInspector {
  /// Where udev puts names that stay the same when an adapter changes its socket.
  var byIDDirectory = "/dev/serial/by-id"

  /// Everything worth telling, in the order of the configuration.
  func findings(_ configuration: Configuration) -> [ConfigurationFinding] {
    var findings = configuration.meters.flatMap(findings(of:))
    if configuration.brokers.isEmpty {
      findings.append(
        ConfigurationFinding(
          severity: .hint, subject: "brokers", text: "no broker is set: nothing is published"))
    }
    return findings + configuration.brokers.flatMap(findings(of:))
  }

  private func findings(of meter: Configuration.Meter) -> [ConfigurationFinding] {
    let subject = "meters.\(meter.name)"
    func finding(_ severity: ConfigurationFinding.Severity, _ text: String) -> ConfigurationFinding
    {
      ConfigurationFinding(severity: severity, subject: subject, text: text)
    }
    switch meter.input {
    case .serial(let path, _):
      if let fault = fault(of: path, isDevice: true) { return [finding(.problem, fault)] }
      guard let name = byIDName(of: path) else { return [] }
      return [
        finding(.hint, "\(path) may change its number; \(name) stays the same adapter's")
      ]
    case .file(let path):
      return fault(of: path, isDevice: false).map { [finding(.problem, $0)] } ?? []
    case .tcp, .standardInput:
      return []
    }
  }

  private func findings(of broker: Configuration.Broker) -> [ConfigurationFinding] {
    let isLocal = ["localhost", "127.0.0.1", "::1"].contains(broker.host)
    guard broker.tls == nil, !isLocal else { return [] }
    let what = broker.passwordFile == nil ? "values travel" : "password and values travel"
    return [
      ConfigurationFinding(
        severity: .hint, subject: "brokers.\(broker.name)",
        text: "\(what) unencrypted to \(broker.host): set tls")
    ]
  }

  private func fault(of path: String, isDevice: Bool) -> String? {
    let status: FileAccess.Status
    do {
      status = try FileAccess.status(path)
    } catch {
      return "\(path): \(error.lowercaseText)"
    }
    if isDevice, !status.isCharacterDevice { return "\(path) is no serial device" }
    if unsafe access(path, R_OK) == 0 { return nil }
    guard let group = ConfigurationInspector.name(ofGroup: status.group) else {
      return "\(path): no permission to read it"
    }
    return "\(path): no permission to read it; group \(group) may (sudo usermod -aG \(group) USER)"
  }

  /// The by-id name of a device that was named in another way.
  private func byIDName(of path: String) -> String? {
    guard !path.hasPrefix(byIDDirectory), let device = ConfigurationInspector.real(path) else {
      return nil
    }
    return FileAccess.names(in: byIDDirectory).sorted()
      .map { "\(byIDDirectory)/\($0)" }
      .first { ConfigurationInspector.real($0) == device }
  }

  private static func real(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  private static func name(ofGroup group: UInt32) -> String? {
    guard let entry = unsafe getgrgid(group) else { return nil }
    return unsafe String(cString: entry.pointee.gr_name)
  }
}
