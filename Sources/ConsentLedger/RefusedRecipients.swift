internal import FoundationEssentials

/// Why no grant can name somebody: the recipients of the published policies that have no profile.
///
/// They lie in `Profiles/recipients.json`, beside those that have one; `docs/recipients.md` is made
/// from the same file. Privacy design A2.
public struct RefusedRecipient: Equatable, Sendable {
  /// The code that a grant for it is refused with.
  public let code: String
  /// The reason, for a person.
  public let reason: String

  /// Who of the list a recipient is; nil for everybody else.
  ///
  /// Words of the name decide, without regard to case: `Elhub AS` is Elhub, and `samarbejdspartnere`
  /// is nobody.
  public init?(named legalName: String, id: String) {
    let words = Self.words(legalName)
    let idWords = Self.words(id)
    guard let entry = Self.entries.first(where: { $0.fits(words) || $0.fits(idWords) }),
      let code = entry.code, let reason = entry.reason
    else { return nil }
    self.code = code
    self.reason = reason
  }

  private struct List: Decodable {
    var schema: String
    var recipients: [Entry]
  }

  private struct Entry: Decodable {
    /// Words that stand somewhere in the name.
    var names: [String]?
    /// Words that are the whole name.
    var isNamed: [String]?
    var code: String?
    var reason: String?

    func fits(_ words: [String]) -> Bool {
      (names ?? []).contains { RefusedRecipient.holds(words, RefusedRecipient.words($0)) }
        || (isNamed ?? []).contains { words == RefusedRecipient.words($0) }
    }
  }

  /// Read anew each time: somebody is proposed once a month, and memory always counts.
  private static var entries: [Entry] {
    let data = Data(PackageResources.recipients_json)
    guard let list = try? JSONDecoder().decode(List.self, from: data),
      list.schema == "gateway-recipients/1"
    else { return [] }
    return list.recipients
  }

  private static func words(_ text: String) -> [String] {
    text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
  }

  private static func holds(_ words: [String], _ part: [String]) -> Bool {
    guard !part.isEmpty, part.count <= words.count else { return false }
    return (0...(words.count - part.count)).contains { start in
      Array(words[start..<(start + part.count)]) == part
    }
  }
}
