internal import PrivacyFilter

/// The state of every grant as the ledger tells it, to be held against the stored rows: a row that
/// somebody edited by hand must not widen or revive a grant.
struct Replay {
  /// What the ledger says about one grant.
  struct Entry: Equatable {
    var state: GrantState
    /// Hash of the body that carries the grant in force.
    var bodyHash: String
  }

  private(set) var grants: [String: Entry] = [:]
  /// Hash of the body that carries the recipient in force.
  private(set) var recipients: [String: String] = [:]
  /// A record says what no agent would have written, such as a grant that rose from its end.
  private(set) var isImpossible = false

  /// Takes in one good record; an erased body says nothing.
  mutating func apply(_ record: LedgerRecord, _ body: [UInt8]?) {
    guard let type = RecordType(rawValue: record.type), let body else { return }
    if type == .genesis { return carry(body) }
    if type == .erase || type == .retention { return erase(body) }
    guard type == .recipient || type.isDecision else { return }
    guard let summary = RecordBody.summary(of: body) else { return isImpossible = true }
    if type == .recipient {
      guard let id = summary.recipient else { return isImpossible = true }
      recipients[id] = record.bodyHash
      return
    }
    // A pause over all grants, and its end, change the state of none.
    if summary.grant == nil, summary.scope != nil, type == .pause || type == .resume { return }
    guard let id = summary.grant else { return isImpossible = true }
    let previous = grants[id]
    let isKept =
      type == .narrow || type == .review && summary.reason == ReviewReason.editorial.rawValue
    guard let state = isKept ? previous?.state : type.stateAfter(by: summary.by) else {
      return isImpossible = true
    }
    if let previous, previous.state.isTerminal, state != .erased { return isImpossible = true }
    guard let bodyHash = type.carriesGrant ? record.bodyHash : previous?.bodyHash else {
      return isImpossible = true
    }
    grants[id] = Entry(state: state, bodyHash: bodyHash)
  }

  /// Grants of which nothing is left, whatever their other records said.
  private mutating func erase(_ body: [UInt8]) {
    // A hold is a record of the same type.
    guard let erased = RecordBody.erased(in: body) else { return }
    for id in erased.grants { grants[id] = Entry(state: .erased, bodyHash: "") }
    for id in erased.recipients { recipients[id] = nil }
  }

  /// What an accepted break left to go on.
  private mutating func carry(_ body: [UInt8]) {
    guard let carried = RecordBody.carried(in: body) else { return isImpossible = true }
    recipients = carried.recipients ?? [:]
    for (id, grant) in carried.grants ?? [:] {
      guard let state = RecordBody.state(named: grant.state) else { return isImpossible = true }
      grants[id] = Entry(state: state, bodyHash: grant.bh)
    }
  }
}

extension RecordType {
  /// Whether the record changes a grant's state or content.
  var isDecision: Bool { self == .narrow || stateAfter(by: nil) != nil }

  /// Whether the body carries the whole grant.
  var carriesGrant: Bool { [.propose, .grant, .narrow, .renew].contains(self) }

  /// The state that the record leaves a grant in; nil if it says nothing about a grant's state.
  func stateAfter(by authority: String?) -> GrantState? {
    switch self {
    case .propose: .proposed
    case .grant, .resume, .lift, .renew: .active
    case .refuse: .refused
    case .pause: .paused
    case .restrict: .restricted
    case .object: .objected
    case .withdraw: authority == Authority.recipient.text ? .revokedByRecipient : .withdrawn
    case .expire: .expired
    case .supersede: .superseded
    case .review: .reviewRequired
    case .tripwire: .invalidated
    default: nil
    }
  }
}
