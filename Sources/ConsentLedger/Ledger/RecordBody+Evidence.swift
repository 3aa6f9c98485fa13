internal import FoundationEssentials
internal import PrivacyFilter

// The bodies of the records about what is no more: erasures, sweeps, and the holds against them.

extension RecordBody {
  /// What an erasure's or sweep's record names.
  struct Erased: Decodable {
    var grants: [String]
    var recipients: [String]
    var removed: [String]
    var by: String?
  }

  /// A hold, or its end.
  struct Held: Decodable {
    var grant: String
    var hold: Bool
  }

  /// A body that says what was removed: everything of it by its hash, nothing by its content.
  static func erasure(_ erasure: Erasure, by: String) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(by), "bytes": .integer(erasure.byteCount), "files": .integer(0),
      "grants": .array(erasure.grants.map { .text($0.text) }),
      "kept": .array(erasure.kept.map { .text($0) }), "notices": .integer(erasure.notices),
      "recipients": .array(erasure.recipients.map { .text($0) }),
      "removed": .array(erasure.removed.map { .text($0) }),
    ]
    return body.bytes
  }

  /// What an erasure's record names; nil if it is none.
  static func erased(in body: [UInt8]) -> Erased? {
    try? JSONDecoder().decode(Erased.self, from: Data(body))
  }

  /// A body that lays a hold on a grant's evidence, or lets go.
  static func hold(_ grant: UniqueID, _ isHeld: Bool, by: String) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(by), "grant": .text(grant.text), "hold": .boolean(isHeld),
    ]
    return body.bytes
  }

  /// A hold or its end; nil if the body is none.
  static func hold(in body: [UInt8]) -> Held? {
    try? JSONDecoder().decode(Held.self, from: Data(body))
  }
}
