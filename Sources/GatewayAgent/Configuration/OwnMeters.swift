import ModbusMeters

/// The household's own profiles of Modbus meters: every `*.toml` of a directory.
struct OwnMeters {
  /// Where they are, unless something else is asked for.
  static let directory = "/etc/gateway-agent/meters"
  /// The directory `meters` beside a configuration file.
  static func directory(beside configuration: String) -> String {
    guard let slash = configuration.lastIndex(of: "/") else { return "meters" }
    return configuration[..<slash] + "/meters"
  }

  /// Most files that are read: more than a house has meters.
  static let files = 256

  /// The usable profiles in front of the built-in ones; a file of the same name takes their place.
  var catalogue: MeterCatalogue
  /// Everything that is wrong or worth knowing, file by file.
  var findings: [ProfileFinding]
  /// Names of the usable ones, in the order of the alphabet.
  var ids: [String]

  /// Whether there is a file of that name which cannot be used.
  func isFaulty(_ id: String) -> Bool {
    findings.contains { $0.severity == .error && $0.file.hasSuffix("/\(id).toml") }
  }

  /// Whether a file cannot be used.
  var hasError: Bool { findings.contains { $0.severity == .error } }

  /// Reads a directory; one that is not there has no profiles, which is no fault.
  init(_ directory: String = OwnMeters.directory) {
    let names = FileAccess.names(in: directory).filter { $0.hasSuffix(".toml") }.sorted()
    var profiles: [MeterProfile] = []
    findings = []
    for name in names.prefix(OwnMeters.files) {
      let outcome = OwnMeters.read("\(directory)/\(name)", id: String(name.dropLast(5)))
      findings += outcome.findings
      if let profile = outcome.profile { profiles.append(profile) }
    }
    if names.count > OwnMeters.files {
      findings.append(
        ProfileFinding(
          severity: .error, file: directory, line: nil, field: nil,
          text: "\(names.count) files: at most \(OwnMeters.files) are read"))
    }
    catalogue = MeterCatalogue(own: profiles)
    ids = profiles.map(\.id)
  }

  private static func read(_ path: String, id: String) -> ProfileReader.Outcome {
    func unusable(_ text: String) -> ProfileReader.Outcome {
      ProfileReader.Outcome(
        profile: nil,
        findings: [
          ProfileFinding(severity: .error, file: path, line: nil, field: nil, text: text)
        ])
    }
    let bytes: [UInt8]
    do {
      bytes = try FileAccess.read(path, limit: ProfileReader.fileBytes)
    } catch {
      return unusable(error.lowercaseText)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return unusable("not UTF-8 text")
    }
    return ProfileReader.read(text, id: id, file: path)
  }
}
