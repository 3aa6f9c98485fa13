import Foundation

/// Identifiers of recorded frames, which live beside the checkout and must never come into it.
enum KnownIdentifiers {
  /// Lower-case texts; nil where the frames are absent.
  static let all: [String]? = {
    let named = ProcessInfo.processInfo.environment["GATEWAY_SHARED"].map { URL(filePath: $0) }
    let shared = named ?? Checkout.root.deletingLastPathComponent().appending(path: "shared")
    guard let data = try? Data(contentsOf: shared.appending(path: "frames/manifest.json")) else {
      return nil
    }
    guard let manifest = try? JSONDecoder().decode(Manifest.self, from: data) else { return nil }
    let recorded = manifest.entries.filter { $0.kind.hasPrefix("recorded") }
    return Set(recorded.flatMap(\.identifiers).map(normalised).filter(isTelling)).sorted()
  }()

  /// The part of the manifest that matters here.
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      let kind: String
      let identifiers: [String]
    }
    let entries: [Entry]
  }

  /// Where a file holds one, as text or as hexadecimal of its text, in any case.
  static func findings(_ known: [String], in bytes: [UInt8], of path: String) -> [Finding] {
    let text = String(decoding: bytes.map { $0 & 0x7F }, as: UTF8.self).lowercased()
    let runs = Set(
      text.split { !($0.isLetter || $0.isNumber) }.filter { $0.utf8.count >= 8 }.map(String.init))
    guard !runs.isEmpty else { return [] }
    var findings: [Finding] = []
    for identifier in known {
      let hexadecimal = identifier.utf8.map { String($0, radix: 16) }.joined()
      let upper = identifier.uppercased().utf8.map { String($0, radix: 16) }.joined()
      for form in [identifier, hexadecimal, upper] where runs.contains(where: { $0.contains(form) })
      {
        // The identifier itself stays out of the message.
        findings.append(
          Finding(
            path: path, line: 0, what: "holds a recorded identifier of \(form.count) characters"))
        break
      }
    }
    return findings
  }

  private static func normalised(_ identifier: String) -> String {
    identifier.trimmingCharacters(in: .whitespaces).lowercased()
  }

  /// Whether it says something: fillers such as 00000000 and counting examples occur by chance.
  ///
  /// Those with a mark inside, such as a hyphen, would need more than whole words to be found.
  static func isTelling(_ identifier: String) -> Bool {
    identifier.count >= 8 && Set(identifier).count >= 4 && !identifier.contains("12345678")
      && !identifier.contains("1122334455") && !identifier.contains("3132333435")
      && identifier.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
}
