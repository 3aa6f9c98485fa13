internal import FoundationEssentials
internal import PrivacyFilter

/// The bodies of the records that change consent: written as canonical JSON, read back when the
/// store opens.
///
///     GENESIS               {"device":"gateway"}; behind an accepted break also "broken":{"fault":…,
///                           "head":…,"seq":…}, "by", and what goes on: "grants":{id:{"bh":…,"state":…}},
///                           "recipients":{id:bh}
///     RECIPIENT             {"by":…,"document":{the recipient},"recipient":id}
///     PROPOSE, GRANT …      {"by":…,"document":{the grant},"grant":id,"recipient":id,"state":…}
///                           GRANT and RENEW also "endpoint": the broker's address then
///     REFUSE, WITHDRAW …    {"by":…,"grant":id}
///     TRIPWIRE              {"by":…,"form":…,"grant":id,"offset":n}
///     PAUSE                 {"by":…,"grant":id,"until":time or null}
///     PAUSE, RESUME of all  {"by":…,"scope":"external" or "everything","until":time or null}
///     REVIEW                {"by":…,"grant":id,"notice":{…} or null,"reason":…}
///     SUPERSEDE             {"by":…,"grant":id,"new":id}
///     ROTATE                {"grant":id,"rotation":n}
///     ERASE, RETENTION      {"by":…,"bytes":n,"files":0,"grants":[id…],"kept":[…],"notices":n,
///                           "recipients":[id…],"removed":[bh…]}
///     RETENTION of a hold   {"by":…,"grant":id,"hold":true or false}
///     EXPORT                {"by":…,"from":time,"granularity":seconds,"source":id,"to":time}
///     EGRESS_DAY            {"day":"2026-01-15","grants":{id:SHA-256 of its rows in the journal}}
///     CHECKPOINT            a `Checkpoint`
///     RECOVERY              {"reasons":[…]}
///     RECEIPT               the receipt itself
enum RecordBody {
  /// What the replay needs of any body; every part may be missing.
  struct Summary: Decodable {
    var grant: String?
    var recipient: String?
    var by: String?
    var until: String?
    var scope: String?
    var reason: String?
    var notice: Notice?
  }

  /// A body's document and what stands beside it.
  struct Carrier<Document: Decodable>: Decodable {
    var document: Document
    var endpoint: String?
  }

  /// The body of EGRESS_DAY: the digest of each grant's rows of one UTC day.
  struct EgressDay: Decodable {
    var day: String
    var grants: [String: String]
  }

  /// A body that carries a whole grant.
  static func carrying(_ grant: Grant, by: String, endpoint: String? = nil) -> [UInt8]? {
    guard let document = encode(grant) else { return nil }
    var members: [String: CanonicalJSON] = [
      "by": .text(by), "document": .canonical(document), "grant": .text(grant.id.text),
      "recipient": .text(grant.terms.recipient), "state": .text(name(of: grant.state)),
    ]
    if let endpoint { members["endpoint"] = .text(endpoint) }
    return CanonicalJSON.object(members).bytes
  }

  /// A body that carries a recipient.
  static func carrying(_ recipient: Recipient, by: String) -> [UInt8]? {
    guard let document = encode(recipient) else { return nil }
    let body: CanonicalJSON = [
      "by": .text(by), "document": .canonical(document), "recipient": .text(recipient.id),
    ]
    return body.bytes
  }

  /// What goes on behind an accepted break.
  struct Carried: Decodable {
    struct Grant: Decodable {
      var bh: String
      var state: String
    }

    var grants: [String: Grant]?
    var recipients: [String: String]?
  }

  /// The body of the first record behind a break.
  static func acceptedBreak(
    _ fault: LedgerFault, _ head: (sequence: Int64, hash: String)?, by: String,
    grants: [String: CanonicalJSON], recipients: [String: CanonicalJSON]
  ) -> [UInt8] {
    let body: CanonicalJSON = [
      "broken": [
        "fault": .text(fault.name), "head": head.map { .text($0.hash) } ?? .null,
        "seq": head.map { .integer($0.sequence) } ?? .null,
      ],
      "by": .text(by), "device": "gateway", "grants": .object(grants),
      "recipients": .object(recipients),
    ]
    return body.bytes
  }

  /// What a GENESIS says that goes on; nil if it cannot be read.
  static func carried(in body: [UInt8]) -> Carried? {
    try? JSONDecoder().decode(Carried.self, from: Data(body))
  }

  /// A body that names a grant, who decided, and what was found.
  static func decision(
    _ grant: UniqueID, by: String, _ finding: LeakFinding? = nil
  ) -> [UInt8] {
    var members: [String: CanonicalJSON] = ["by": .text(by), "grant": .text(grant.text)]
    if let finding {
      members["form"] = .text(finding.form)
      members["offset"] = .integer(Int64(finding.offset))
    }
    return CanonicalJSON.object(members).bytes
  }

  /// A body that says until when a grant is paused.
  static func pause(_ grant: UniqueID, until: Int64?, by: String) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(by), "grant": .text(grant.text), "until": time(until),
    ]
    return body.bytes
  }

  /// A body about the pause over all grants.
  static func general(_ pause: GeneralPause, by: String) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(by), "scope": .text(pause.scope.rawValue), "until": time(pause.until),
    ]
    return body.bytes
  }

  /// A body that says why a grant is looked at again, and under which text.
  static func review(
    _ grant: UniqueID, _ reason: ReviewReason, _ notice: Notice?, by: String
  ) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(by), "grant": .text(grant.text), "reason": .text(reason.rawValue),
      "notice": notice.flatMap { encode($0) }.map { .canonical($0) } ?? .null,
    ]
    return body.bytes
  }

  /// A body that says which grant takes a grant's place.
  static func supersession(of old: UniqueID, by new: UniqueID, _ authority: String) -> [UInt8] {
    let body: CanonicalJSON = [
      "by": .text(authority), "grant": .text(old.text), "new": .text(new.text),
    ]
    return body.bytes
  }

  private static func time(_ time: Int64?) -> CanonicalJSON {
    time.map { .text(Timestamp.text($0)) } ?? .null
  }

  /// The document in a body; nil if it cannot be read.
  static func document<Document: Decodable>(_: Document.Type, in body: [UInt8]) -> Document? {
    carrier(Document.self, in: body)?.document
  }

  /// A body's document and what stands beside it; nil if it cannot be read.
  static func carrier<Document: Decodable>(
    _: Document.Type, in body: [UInt8]
  ) -> Carrier<Document>? {
    try? JSONDecoder().decode(Carrier<Document>.self, from: Data(body))
  }

  /// What a day's record says; nil if it cannot be read.
  static func egressDay(in body: [UInt8]) -> EgressDay? {
    try? JSONDecoder().decode(EgressDay.self, from: Data(body))
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
