internal import TOMLKit

/// Refuses consent in files and environment: it is only ever given at the control socket
/// (privacy.md C12; acceptance test 29 of C13).
enum ConsentKeys {
  private static let words = ["grant", "consent"]
  private static let expected =
    "no consent outside the ledger (give it with: gateway-agent grant)"

  /// Whether a key or variable speaks of consent.
  static func isAboutConsent(_ name: String) -> Bool {
    let name = name.lowercased()
    return words.contains { name.contains($0) }
  }

  /// One error for each environment variable `GATEWAY…` that speaks of consent, by name.
  static func errors(in environment: [String: String]) -> [ConfigurationError] {
    environment.keys.sorted()
      .filter { $0.uppercased().hasPrefix("GATEWAY") && isAboutConsent($0) }
      .map { name in
        ConfigurationError(
          file: "environment", key: name, expected: expected, found: "this variable (E_AUTH)")
      }
  }

  /// Notes each key at any depth that speaks of consent.
  static func check(_ table: TOMLTable, path: String, _ problems: ConfigurationProblems) {
    for key in table.keys {
      let keyPath = path.isEmpty ? key : "\(path).\(key)"
      if isAboutConsent(key) {
        problems.note(keyPath, expected: expected, found: "this key (E_AUTH)")
      }
      check(table[key]?.tomlValue, path: keyPath, problems)
    }
  }

  private static func check(
    _ value: TOMLValue?, path: String, _ problems: ConfigurationProblems
  ) {
    if let table = value?.table {
      check(table, path: path, problems)
    } else if let array = value?.array {
      for index in array.indices {
        check(array[index].tomlValue, path: "\(path)[\(index)]", problems)
      }
    }
  }
}
