/// Which room may import what (ARCHITECTURE.md, "Rooms").
enum ImportRules {
  /// Everything a target may import; a target that is not listed is not judged.
  static let allowed: [Substring: Set<Substring>] = [
    "OBISDecoder": [],
    "MeterCipher": ["OBISDecoder", "CCrypto"],
    "PrivacyFilter": ["OBISDecoder"],
    "ChargingFeed": ["OBISDecoder"],
    "MeterSimulator": ["OBISDecoder", "ModbusMeters", "CCrypto"],
    "ModbusMeters": ["OBISDecoder", "TOMLText", "TOMLKit"],
    "TOMLText": [],
    "ConsentLedger": [
      "OBISDecoder", "PrivacyFilter", "FoundationEssentials", "Glibc", "CSQLite", "CCrypto",
      "CLinux",
    ],
    "GatewayAgent": [
      "OBISDecoder", "MeterCipher", "PrivacyFilter", "ConsentLedger", "ChargingFeed",
      "ModbusMeters", "TOMLText", "MeterSimulator",
      "FoundationEssentials", "Glibc", "ArgumentParser", "TOMLKit", "Synchronization", "CMosquitto",
      "CModbus", "CLinux", "CCrypto", "CTLS",
    ],
  ]

  /// C modules that one file of a target owns: everybody else uses that file's Swift names.
  static let ownedModules: Set<Substring> = [
    "CMosquitto", "CModbus", "CSQLite", "CCrypto", "CTLS",
  ]

  static func findings(in sources: [SwiftSource]) -> [Finding] {
    var findings: [Finding] = []
    var owners: [String: String] = [:]
    for source in sources {
      for module in source.imports {
        if let allowed = allowed[source.target], !allowed.contains(module) {
          findings.append(
            Finding(path: source.path, line: 0, what: "\(source.target) must not import \(module)"))
        }
        if module == "Foundation" {
          findings.append(
            Finding(path: source.path, line: 0, what: "imports full Foundation (40 MB of tables)"))
        }
        guard ownedModules.contains(module) else { continue }
        let key = "\(source.target)/\(module)"
        if let owner = owners[key], owner != source.path {
          findings.append(
            Finding(path: source.path, line: 0, what: "imports \(module), which \(owner) owns"))
        }
        owners[key] = source.path
      }
    }
    return findings
  }
}
