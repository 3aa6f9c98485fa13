internal import FoundationEssentials
internal import PrivacyFilter

/// The bodies of the records that change consent: written as canonical JSON, read back when the
/// store opens.
///
///     RECIPIENT             {"by":…,"document":{the recipient},"recipient":id}
///     PROPOSE, GRANT …      {"by":…,"document":{the grant},"grant":id,"recipient":id,"state":…}
///     REFUSE, WITHDRAW …    {"by":…,"grant":id}
///     ROTATE                {"grant":id,"rotation":n}
///     RECOVERY              {"reasons":[…]}
///     RECEIPT               the receipt itself
enum RecordBody {
  /// What the replay needs of any body; every part may be missing.
  struct Summary: Decodable {
    var grant: String?
    var recipient: String?
    var by: String?
  }

  private struct Carrier<Document: Decodable>: Decodable {
    var document: Document
  }

  /// A body that carries a whole grant.
  static func carrying(_ grant: Grant, by: String) -> [UInt8]? {
    guard let document = encode(grant) else { return nil }
    let body: CanonicalJSON = [
      "by": .text(by), "document": .canonical(document), "grant": .text(grant.id.text),
      "recipient": .text(grant.terms.recipient), "state": .text(name(of: grant.state)),
    ]
    return body.bytes
  }

  /// A body that carries a recipient.
  static func carrying(_ recipient: Recipient, by: String) -> [UInt8]? {
    guard let document = encode(recipient) else { return nil }
    let body: CanonicalJSON = [
      "by": .text(by), "document": .canonical(document), "recipient": .text(recipient.id),
    ]
    return body.bytes
  }

  /// A body that names a grant and who decided.
  static func decision(_ grant: UniqueID, by: String) -> [UInt8] {
    let body: CanonicalJSON = ["by": .text(by), "grant": .text(grant.text)]
    return body.bytes
  }

  /// The document in a body; nil if it cannot be read.
  static func document<Document: Decodable>(_: Document.Type, in body: [UInt8]) -> Document? {
    try? JSONDecoder().decode(Carrier<Document>.self, from: Data(body)).document
  }

  /// What a body says about whom; nil if it is no object.
  static func summary(of body: [UInt8]) -> Summary? {
    try? JSONDecoder().decode(Summary.self, from: Data(body))
  }

  /// The state as ledger bodies and status documents write it: `ACTIVE`, `REVIEW_REQUIRED` ….
  static func name(of state: GrantState) -> String {
    switch state {
    case .proposed: "PROPOSED"
    case .scheduled: "SCHEDULED"
    case .active: "ACTIVE"
    case .restricted: "RESTRICTED"
    case .paused: "PAUSED"
    case .reviewRequired: "REVIEW_REQUIRED"
    case .withdrawn: "WITHDRAWN"
    case .objected: "OBJECTED"
    case .expired: "EXPIRED"
    case .superseded: "SUPERSEDED"
    case .revokedByRecipient: "REVOKED_BY_RECIPIENT"
    case .invalidated: "INVALIDATED"
    case .refused: "REFUSED"
    case .erased: "ERASED"
    }
  }

  /// The state that a name stands for; nil for an unknown name.
  static func state(named name: String) -> GrantState? { states[name] }

  private static let states: [String: GrantState] = Dictionary(
    [
      GrantState.proposed, .scheduled, .active, .restricted, .paused, .reviewRequired, .withdrawn,
      .objected, .expired, .superseded, .revokedByRecipient, .invalidated, .refused, .erased,
    ].map { (name(of: $0), $0) }
  ) { $1 }

  /// Sorted keys and plain slashes make the encoder's output canonical; whole numbers keep it so.
  private static func encode(_ document: some Encodable) -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(document)).map { [UInt8]($0) }
  }
}
