import ConsentLedger
import FoundationEssentials
import PrivacyFilter

// What recipients may say: ask, and end. On the topic `gateway/propose/<recipient>` of a broker, JSON
// of at most 4096 bytes (privacy.md C12):
//
//     {"v":1,"end":"all"}                      ends every grant to this recipient on this broker
//     {"v":1,"end":"<grant id>"}               ends one
//     {"v":1,"enquiry":"access"}               asks for a right: a task for the household, due in 30 days
//     {"v":1,"profile":…,"name":…, …}          asks; the keys of `RemoteAsk` and no others
//
// Everything else is a command, which nobody outside can give: `W_REMOTE_COMMAND`. Nothing is answered.

/// How often each recipient has asked.
struct ProposalDesk {
  /// Longest message in bytes.
  static let messageBytes = 4096
  /// Longest text of a recipient about itself, in characters.
  static let textCharacters = 500
  /// How long a recipient waits until it may ask again.
  static let pauseMilliseconds: Int64 = 60_000
  /// Recipients remembered; the one that asked longest ago goes first.
  static let memory = 32
  /// First levels of the topic.
  static let topicRoot = "gateway/propose/"

  private var lastAsked: [String: Int64] = [:]

  /// Whether a recipient may ask now; it has asked then.
  mutating func admits(_ recipient: String, at now: Int64) -> Bool {
    if let last = lastAsked[recipient], now >= last, now - last < Self.pauseMilliseconds {
      return false
    }
    if lastAsked.count >= Self.memory, lastAsked[recipient] == nil,
      let oldest = lastAsked.min(by: { $0.value < $1.value })?.key
    {
      lastAsked[oldest] = nil
    }
    lastAsked[recipient] = now
    return true
  }
}

/// What a message from outside is.
enum RemoteMessage: Equatable {
  /// The recipient ends one grant, or all (nil).
  case end(UniqueID?)
  /// It asks for a grant.
  case ask(RemoteAsk)
  /// It asks for a right.
  case enquiry(EnquiryKind)
  /// It commands, or is nothing that is known.
  case command

  init(_ bytes: [UInt8]) {
    let data = Data(bytes)
    guard let keys = (try? JSONDecoder().decode(RemoteKeys.self, from: data))?.names else {
      self = .command
      return
    }
    if keys == RemoteEnd.keys, let end = try? JSONDecoder().decode(RemoteEnd.self, from: data),
      end.v == 1
    {
      let id = UniqueID(parsing: end.end)
      self = end.end == "all" || id != nil ? .end(id) : .command
    } else if keys == RemoteEnquiry.keys,
      let enquiry = try? JSONDecoder().decode(RemoteEnquiry.self, from: data), enquiry.v == 1,
      let kind = EnquiryKind(rawValue: enquiry.enquiry)
    {
      self = .enquiry(kind)
    } else if keys.isSubset(of: RemoteAsk.keys),
      let ask = try? JSONDecoder().decode(RemoteAsk.self, from: data), ask.v == 1
    {
      self = .ask(ask)
    } else {
      self = .command
    }
  }
}

/// The keys of a message, whatever they are.
private struct RemoteKeys: Decodable {
  var names: Set<String>

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    names = Set(try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue))
  }
}

private struct RemoteEnd: Decodable {
  static let keys: Set<String> = ["v", "end"]

  var v: Int
  var end: String
}

private struct RemoteEnquiry: Decodable {
  static let keys: Set<String> = ["v", "enquiry"]

  var v: Int
  var enquiry: String
}

/// What a recipient asks for; its own name stands in the topic.
struct RemoteAsk: Decodable, Equatable {
  var v: Int
  var profile: String
  var name: String?
  var country: String?
  var purpose: String?
  var basis: String?
  var basisText: String?
  var categories: [String]?
  var granularity: String?
  var quantum: String?
  var delaySeconds: Int?
  var validDays: Int?
  var topicRoot: String?
  var kMin: Int?
  var maxSharePercent: Int?
  var undertaking: String?
  var text: String?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case v, profile, name, country, purpose, basis, categories, granularity, quantum, undertaking
    case text
    case basisText = "basis_text"
    case delaySeconds = "delay_s"
    case validDays = "valid_days"
    case topicRoot = "topic_root"
    case kMin = "k_min"
    case maxSharePercent = "max_share_percent"
  }

  /// Every key that it may have.
  fileprivate static let keys = Set(CodingKeys.allCases.map(\.rawValue))

  /// Whether every text can be shown to a person: printable, and no longer than allowed.
  var isShowable: Bool {
    let limit = ProposalDesk.textCharacters
    return [name, basisText, text].allSatisfy { words in
      guard let words else { return true }
      return words.count <= limit && words.unicodeScalars.allSatisfy { $0.properties.isShowable }
    }
  }

  /// The same as somebody in the house would type it.
  func request(of recipient: String, broker: String) -> ProposalRequest {
    ProposalRequest(
      profile: profile, recipient: recipient, legalName: name, country: country, purpose: purpose,
      basis: basis, basisText: basisText, categories: categories, granularity: granularity,
      quantum: quantum, delaySeconds: delaySeconds, absolute: false, validDays: validDays,
      meters: [], broker: broker, topicRoot: topicRoot, retain: false, kMin: kMin,
      maxSharePercent: maxSharePercent, undertaking: undertaking, theirWords: text)
  }
}

extension Unicode.Scalar.Properties {
  /// Whether a character is text, not one that moves or hides what stands beside it.
  fileprivate var isShowable: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      false
    default: true
    }
  }
}

extension Agent {
  /// Opens the connection over which recipients ask who have no grant yet, if the household wants
  /// one.
  func listenForProposals() {
    guard let name = configuration.proposalBroker,
      let broker = configuration.brokers.first(where: { $0.name == name })
    else { return }
    let clientID = pseudonyms.clientID(recipient: "proposals", salt: [])
    guard
      let settings = try? BrokerSettings(broker, clientID: clientID, isDedicated: true)
    else { return Log.event(.error, "PROPOSALS_UNHEARD") }
    let connection = MosquittoConnection(settings, on: loop)
    connection.mayLeave = outboundCheck(isExternal: true)
    connection.subscribe(ProposalDesk.topicRoot + "+")
    connection.onMessage = { [unowned self] in hear($0, $1, over: name) }
    proposalConnection = connection
    connection.start()
  }

  /// Hears a recipient on the connection of its own grant.
  func listenForRecipient(on link: Link) {
    link.connection.subscribe(ProposalDesk.topicRoot + link.recipient)
    let name = link.broker.name
    link.connection.onMessage = { [unowned self] in hear($0, $1, over: name) }
  }

  private func hear(_ topic: Span<UInt8>, _ payload: Span<UInt8>, over broker: String) {
    let name = Self.text(topic)
    guard name.hasPrefix(ProposalDesk.topicRoot), payload.count <= ProposalDesk.messageBytes else {
      return Log.event(.warning, "E_LIMIT", Int64(payload.count))
    }
    let recipient = String(name.dropFirst(ProposalDesk.topicRoot.utf8.count))
    let message = RemoteMessage(Array(Self.text(payload).utf8))
    // Not inside the connection that it came over, which it may end.
    loop.schedule(afterMilliseconds: 0) { [weak self] in
      self?.attend(message, of: recipient, over: broker)
    }
  }

  private static func text(_ bytes: Span<UInt8>) -> String {
    var units: [UInt8] = []
    for index in bytes.indices { units.append(bytes[index]) }
    return String(decoding: units, as: UTF8.self)
  }

  /// Does what a recipient may have done; the log says a code, the recipient hears nothing.
  func attend(_ message: RemoteMessage, of recipient: String, over broker: String) {
    do {
      switch message {
      case .command: Log.event(.warning, "W_REMOTE_COMMAND")
      case .end(let id): try end(id, of: recipient, over: broker)
      case .ask(let ask): try hear(ask, of: recipient, over: broker)
      case .enquiry(let kind): try hear(kind, of: recipient)
      }
    } catch {
      Log.event(.warning, "PROPOSAL_REFUSED")
    }
  }

  private func end(_ id: UniqueID?, of recipient: String, over broker: String) throws {
    for stored in try store.grants()
    where !stored.grant.state.isTerminal && stored.grant.terms.recipient == recipient
      && stored.grant.terms.destination.broker == broker && stored.recipient.role != .inHouse
      && (id == nil || id == stored.grant.id)
    {
      _ = try withdraw(stored.grant.id, .withdrawal, by: .recipient)
    }
  }

  private func hear(_ ask: RemoteAsk, of recipient: String, over broker: String) throws {
    let now = clock.now()
    guard ask.isShowable, proposalDesk.admits(recipient, at: now) else {
      return Log.event(.warning, "E_LIMIT")
    }
    guard Profiles.named(ask.profile)?.profile.isInHouse != true else {
      return Log.event(.warning, "E_AUTH")
    }
    try requireTrustedClock()
    let builder = ProposalBuilder(
      configuration: configuration, sources: sources, now: store.time(atLeast: now))
    var request = ask.request(of: recipient, broker: broker)
    let known = try store.recipients().first { $0.id == recipient }
    // Whom the household knows keeps the name and place that it knows.
    if let known {
      request.legalName = known.legalName
      request.country = known.country
    }
    let outcome = try builder.build(request)
    guard known?.role != .inHouse else { return Log.event(.warning, "E_AUTH") }
    if known == nil { try store.register(outcome.recipient, by: .recipient, at: now) }
    try store.keepNotice(outcome.notice, outcome.terms.notice)
    _ = try store.propose(outcome.terms, by: .recipient, at: now, vault: vault.vault)
    Log.event(.info, "PROPOSAL")
  }
}
