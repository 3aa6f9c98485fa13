import FoundationEssentials

/// One request on the control socket: a verb and what it needs, one JSON object a line.
///
/// Shape: UTF-8 JSON of at most `ControlLimits.lineBytes`, keys as the properties below.
struct ControlRequest: Codable, Sendable {
  /// What is asked for.
  enum Verb: String, Codable, Sendable {
    case status
    case grantPropose = "grant.propose"
    case grantAccept = "grant.accept"
    case grantRefuse = "grant.refuse"
    case grantList = "grant.list"
    case grantNarrow = "grant.narrow"
    case grantRenew = "grant.renew"
    case grantLift = "grant.lift"
    case grantResume = "grant.resume"
    case grantNotice = "grant.notice"
    case withdraw
    case object
    case restrict
    case pause
    case receipt
    case report
    case support
    case verify
    case acceptBreak = "ledger.acceptBreak"
    case hold = "ledger.hold"
    case erase
    case verifyErasure
    case export
    case enquiry
  }

  var verb: Verb
  /// A grant's id or a unique beginning of it, at least 4 characters.
  var grant: String?
  /// What a proposal asks for.
  var proposal: ProposalRequest?
  /// Optional categories that the household ticked while accepting.
  var optional: [String]?
  /// What the household confirmed while accepting.
  var confirmed: ConfirmedRequest?
  /// What a grant is narrowed to.
  var narrowing: NarrowingRequest?
  /// How long a pause lasts, in seconds; nil until it is ended.
  var seconds: Int?
  /// Whom a pause over all grants stops: `external` or `everything`.
  var scope: String?
  /// A recipient's new text.
  var notice: NoticeRequest?
  /// What a report covers.
  var report: ReportRequest?
  /// The head or the whole checkpoint that the ledger must contain.
  var known: KnownHead?
  /// What an accepted break is confirmed with: the first 8 digits of the old head.
  var confirmation: String?
  /// What is erased beside or instead of one grant.
  var erasure: ErasureRequest?
  /// What of the household's history is wanted.
  var export: ExportRequest?
  /// What is done with enquiries from outside.
  var enquiry: EnquiryRequest?
  /// Whether a hold ends.
  var release: Bool?
  /// Whether a receipt is wanted in the form of Kantara.
  var kantara: Bool?
  /// How many seconds ago the person proved who they are, where a page asks for them (privacy.md
  /// C12); nil for a process of the person's own.
  var provenSecondsAgo: Int?
}

extension ControlRequest.Verb {
  /// Whether data may flow that did not before, or evidence changes: then a page's person has to
  /// have proved who they are just now.
  ///
  /// Stopping never asks for that.
  var needsProof: Bool {
    switch self {
    case .grantAccept, .grantRenew, .grantLift, .grantResume, .acceptBreak, .erase, .hold, .export:
      true
    default: false
    }
  }
}

/// What a person confirms who accepts a proposal; nil is no.
struct ConfirmedRequest: Codable, Sendable {
  /// A finer rung than usual.
  var fine: Bool?
  /// That an adult decides for everybody below the age of consent.
  var age: Bool?
  /// That the others in the home know.
  var household: Bool?
}

/// What shall become less of a grant; nil stays as it is.
struct NarrowingRequest: Codable, Sendable {
  var categories: [String]?
  var channels: [Int]?
  var granularity: String?
  var quantum: String?
  var delaySeconds: Int?
  var meters: [String]?
  var rotateDays: Int?
  /// Days from now that it still holds.
  var validDays: Int?
  /// Whether registers as they stand go no more.
  var dropsAbsolute: Bool?
}

/// A recipient's new text, and what the household takes it for.
struct NoticeRequest: Codable, Sendable {
  var text: String
  var language: String
  /// Whether purpose, category, recipient, country, basis or retention changed.
  var isMaterial: Bool
}

/// A proposal as typed: nil takes the profile's value.
struct ProposalRequest: Codable, Sendable {
  var profile: String
  var recipient: String
  var legalName: String?
  var role: String?
  var country: String?
  var purpose: String?
  var basis: String?
  var basisText: String?
  var categories: [String]?
  var channels: [Int]?
  var granularity: String?
  var quantum: String?
  var delaySeconds: Int?
  var identifier: String?
  var absolute: Bool
  var rotateDays: Int?
  var validDays: Int?
  var meters: [String]
  var broker: String
  var topicRoot: String?
  var qos: Int?
  var retain: Bool
  /// The grant that it takes the place of, by the beginning of its id.
  var supersedes: String?
  /// Fewest homes in a number that the recipient publishes, for statistics and research.
  var kMin: Int?
  /// Largest share of one home in it, in per cent.
  var maxSharePercent: Int?
  /// SHA-256 of the recipient's signed undertaking, in hexadecimal digits.
  var undertaking: String?
  var route: String?
  var transfer: String?
  var notice: String?
  var noticeLanguage: String?
  /// What the recipient says of itself; shown as its words.
  var theirWords: String?
}

/// The answer to a request, one JSON object a line.
struct ControlResponse: Codable, Sendable {
  var ok: Bool
  /// A stable code (`E_STATE` …) when not ok.
  var code: String?
  /// One sentence for a person when not ok.
  var message: String?
  var grant: GrantView?
  var grants: [GrantView]?
  var status: StatusView?
  /// A receipt, already JSON.
  var receipt: String?
  /// What a stranger needs to find a fault, already JSON.
  var support: String?
  /// A report, or a part of one.
  var report: ReportView?
  /// A part of the household's history.
  var export: ExportView?
  /// Enquiries from outside.
  var enquiries: [EnquiryView]?
  /// What was erased.
  var erasure: ErasureView?
  /// What looking for traces of erased data found.
  var traces: TracesView?
  /// The ledger's chain as it was verified.
  var chain: ReportView.Chain?

  static func failure(_ code: String, _ message: String) -> ControlResponse {
    ControlResponse(ok: false, code: code, message: message)
  }
}

/// A grant as `grant list` shows it.
struct GrantView: Codable, Sendable {
  var id: String
  var version: UInt32
  var state: String
  /// Whether gates serve it now: not with its broker or meter missing from the configuration.
  var isInForce: Bool
  var profile: String
  var recipient: String
  var purpose: String
  var basis: String
  var categories: [String]
  var optional: [String]
  var granularity: String
  var quantum: String
  var broker: String
  var topic: String
  var validFrom: String?
  var validUntil: String?
  var messages: UInt64
  var bytes: UInt64
  /// When the household is asked whether it shall go on.
  var reviewDue: String?
  /// When a paused one goes on by itself.
  var pausedUntil: String?
  /// The text that the person who accepts agrees to.
  var notice: String?
}

/// What `status` shows.
struct StatusView: Codable, Sendable {
  /// One of the four states: `state`, why, since when.
  struct Condition: Codable, Sendable {
    var state: String
    var reason: String
    var since: String
  }

  struct Meter: Codable, Sendable {
    var name: String
    var port: Condition
    var meter: Condition
    var frames: UInt64
    var rejected: UInt64
    /// Lines or elements of good frames that could not be read.
    var problems: UInt64
    var discardedBytes: UInt64
    var unknownDropped: UInt64
    var lastFrame: String?
    /// How far the last good frame is known to come from the meter: `clear`, `decrypted`,
    /// `authenticated`; nil before the first.
    var trust: String?
    /// Whether the last good frame's counter was not above the one before: played again.
    var replay: Bool
    /// Good frames of which that was so.
    var replays: UInt64
    /// Frames whose authentication tag differed.
    var tagMismatches: UInt64
    /// Frames that the key did not fit.
    var wrongKeys: UInt64
    /// Frames for which there is no key.
    var encrypted: UInt64
    /// Of a Modbus meter, what its bus has counted; nil for any other.
    var bus: Bus?
  }

  /// A bus of Modbus meters, counted since the start.
  struct Bus: Codable, Sendable {
    /// The meter's address.
    var unit: UInt8
    /// Requests without a whole reply, to any unit of the bus.
    var lostReplies: UInt64
    /// Cycles that ended when the next one was due already.
    var lateCycles: UInt64
    /// Bytes that belonged to no reply.
    var strayBytes: UInt64
    /// From the moment when the meter's last cycle was due to its last reply; nil before the first.
    var cycleMilliseconds: Int64?
  }

  struct Broker: Codable, Sendable {
    var name: String
    var recipient: String
    var link: Condition
    var protocolVersion: String?
    var published: UInt64
    var dropped: UInt64
  }

  var version: String
  var process: Condition
  var ledger: String
  var clock: String
  /// The pause over all grants: `external`, `everything`, or nil.
  var pause: String?
  var meters: [Meter]
  var brokers: [Broker]
  var grants: [GrantView]
}

/// Bounds of the control protocol.
enum ControlLimits {
  /// Longest request or answer in bytes: a list of 32 grants with notices takes about 100 KiB.
  static let lineBytes = 262_144
  /// Rows of the journal in one answer: some 250 bytes each.
  static let reportRows = 400
  /// Values of the history in one answer, at least: some 130 bytes each.
  static let exportRows = 1200
  /// Most clients at once; more are closed at once.
  static let clients = 8
  /// How long a client waits for its answer.
  static let answerSeconds = 20
  /// How long a proof of who somebody is counts where a page asks for them (privacy.md C12).
  static let proofSeconds = 300
}

/// JSON of the control protocol, sorted so that two equal answers are equal bytes.
enum ControlJSON {
  static func line(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { return Array(#"{"ok":false}"#.utf8) + [10] }
    return Array(data) + [10]
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from line: [UInt8]) -> Value? {
    try? JSONDecoder().decode(type, from: Data(line))
  }
}
