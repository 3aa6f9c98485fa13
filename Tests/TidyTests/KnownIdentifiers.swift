import Foundation
import Glibc

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
  ///
  /// The identifier itself stays out of the finding.
  static func findings(_ known: [String], in bytes: [UInt8], of path: String) -> [Finding] {
    let upperCase = UInt8(ascii: "A")...UInt8(ascii: "Z")
    let text = bytes.map { upperCase.contains($0) || $0 == 0 ? $0 | 0x20 : $0 } + [0]
    return known.filter { identifier in
      forms(of: identifier).contains { contains($0, in: text) }
    }.map {
      Finding(path: path, line: 0, what: "holds a recorded identifier of \($0.count) characters")
    }
  }

  private static func forms(of identifier: String) -> [[UInt8]] {
    let hexadecimal = [identifier, identifier.uppercased()].map { text in
      Array(text.utf8.map { String($0, radix: 16) }.joined().utf8)
    }
    return ([Array(identifier.utf8)] + hexadecimal).map { $0 + [0] }
  }

  /// Calls `strstr`, since the repository is searched for hundreds of texts; both end with a zero.
  private static func contains(_ part: [UInt8], in whole: [UInt8]) -> Bool {
    unsafe whole.withUnsafeBytes { whole in
      unsafe part.withUnsafeBytes { part in
        guard let whole = unsafe whole.bindMemory(to: CChar.self).baseAddress,
          let part = unsafe part.bindMemory(to: CChar.self).baseAddress
        else { return false }
        return unsafe strstr(whole, part) != nil
      }
    }
  }

  private static func normalised(_ identifier: String) -> String {
    identifier.trimmingCharacters(in: .whitespaces).lowercased()
  }

  /// Whether it says something: fillers such as 00000000 and counting examples occur by chance.
  ///
  /// Those with a mark inside are typed differently in every place.
  static func isTelling(_ identifier: String) -> Bool {
    identifier.count >= 8 && Set(identifier).count >= 5 && !identifier.contains("12345678")
      && !identifier.contains("1122334455") && !identifier.contains("3132333435")
      && identifier.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }
}
