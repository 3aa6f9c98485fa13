/// A recipient: one legal or natural person.
public struct Recipient: Codable, Equatable, Sendable {
  /// Short name, `^[a-z][a-z0-9-]{1,31}$`.
  public var id: String
  /// Registered name of a company; nickname of a person.
  public var legalName: String
  /// Registration number of a company.
  public var orgNo: String?
  /// What it is to the household.
  public var role: Role
  /// ISO 3166-1 alpha-2 country code.
  public var country: String
  /// Id of the recipient it works for.
  public var onBehalfOf: String?
  /// Where it can be reached, as it published it.
  public var contact: String?
  /// The authority that takes complaints.
  public var authority: String

  /// Makes a recipient.
  public init(
    id: String, legalName: String, orgNo: String? = nil, role: Role, country: String,
    onBehalfOf: String? = nil, contact: String? = nil, authority: String
  ) {
    self.id = id
    self.legalName = legalName
    self.orgNo = orgNo
    self.role = role
    self.country = country
    self.onBehalfOf = onBehalfOf
    self.contact = contact
    self.authority = authority
  }
}

/// Where a grant's messages go; address and password of the broker are in the configuration.
public struct Destination: Codable, Equatable, Sendable {
  /// Name of the broker in the configuration.
  public var broker: String
  /// First levels of every topic.
  public var topicRoot: String
  /// MQTT quality of service, 0…2.
  public var qos: UInt8
  /// Whether the broker keeps the last data message.
  public var retain: Bool
  /// ISO 3166-1 alpha-2 code of the country where the broker stands, as declared.
  public var country: String
  /// How data reaches it.
  public var route: Route
  /// Ground for a transfer outside the EEA.
  public var transfer: Transfer
  /// Whether messages carry an expiry interval (MQTT 5).
  public var mqtt5Expiry: Bool

  /// Makes a destination.
  public init(
    broker: String, topicRoot: String, qos: UInt8, retain: Bool, country: String,
    route: Route = .direct, transfer: Transfer = .none, mqtt5Expiry: Bool = true
  ) {
    self.broker = broker
    self.topicRoot = topicRoot
    self.qos = qos
    self.retain = retain
    self.country = country
    self.route = route
    self.transfer = transfer
    self.mqtt5Expiry = mqtt5Expiry
  }
}

/// The text that was shown when consent was given, by its hash.
public struct Notice: Codable, Equatable, Sendable {
  /// SHA-256 of the UTF-8 text, 64 lower-case hexadecimal digits.
  public var sha256: String
  /// Language code (`da`).
  public var lang: String
  /// Title of the text.
  public var title: String
  /// Where the text is kept under the state directory.
  public var blob: String

  /// Makes a notice.
  public init(sha256: String, lang: String, title: String, blob: String) {
    self.sha256 = sha256
    self.lang = lang
    self.title = title
    self.blob = blob
  }
}

/// What a recipient has undertaken to aggregate, for statistics and research.
public struct AggregateRule: Codable, Equatable, Sendable {
  /// Fewest homes in a published number.
  public var kMin: UInt32
  /// Largest share of one home, in per cent.
  public var maxSharePercent: UInt8
  /// SHA-256 of the signed undertaking, 64 lower-case hexadecimal digits.
  public var attestation: String

  /// Makes a rule.
  public init(kMin: UInt32, maxSharePercent: UInt8, attestation: String) {
    self.kMin = kMin
    self.maxSharePercent = maxSharePercent
    self.attestation = attestation
  }
}

/// What somebody asks for, before anybody decided.
public struct GrantTerms: Equatable, Sendable {
  /// Meters covered, one gate each; empty is invalid.
  public var sources: [UniqueID]
  /// Name of the profile that is its ceiling.
  public var profile: String
  /// Id of the recipient.
  public var recipient: String
  /// A `Purpose`; a text here so that a forbidden one can be refused by its code.
  public var purpose: String
  /// Basis that the recipient claims.
  public var basis: Basis
  /// The recipient's own citation of it.
  public var basisText: String?
  /// What is granted, ticked optional categories included.
  public var categories: CategorySet
  /// Optional categories that were offered.
  public var optional: CategorySet
  /// M-Bus channels covered, 1…4.
  public var channels: [UInt8]
  /// How finely in time.
  public var granularity: Granularity
  /// How much is rounded.
  public var quantum: Rounding
  /// Seconds to wait after a window.
  public var minDelay: UInt32
  /// Whether a finer rung than usual was confirmed separately.
  public var fineConfirmed: Bool
  /// Which identifier the recipient sees.
  public var identifier: IdentifierMode
  /// Whether absolute registers are released.
  public var absolute: Bool
  /// Days between changes of the pseudonym, 0 for never.
  public var rotateDays: UInt16
  /// First instant, milliseconds since 1970 UTC.
  public var validFrom: Int64
  /// First instant behind the grant; nil without end (in-house and family only).
  public var validUntil: Int64?
  /// Days between reviews, at most 365.
  public var reviewEveryDays: UInt16
  /// Retention rule asked of the recipient.
  public var retention: String
  /// Where it goes.
  public var destination: Destination
  /// Rule for statistics and research.
  public var aggregate: AggregateRule?
  /// The text that was shown.
  public var notice: Notice
  /// Whether an adult decides for everybody below the age of consent.
  public var ageAttested: Bool
  /// Whether the others in the home know.
  public var householdInformed: Bool

  /// Makes terms at the ceiling of a profile: its own rung, optional categories unticked.
  public init(
    profile: Profile, recipient: Recipient, purpose: String, basis: Basis, sources: [UniqueID],
    destination: Destination, notice: Notice, validFrom: Int64
  ) {
    self.sources = sources
    self.profile = profile.name
    self.recipient = recipient.id
    self.purpose = purpose
    self.basis = basis
    basisText = nil
    categories = profile.categories.subtracting(profile.optional)
    optional = profile.optional
    channels = []
    granularity = profile.granularity
    quantum = profile.quantum
    minDelay = profile.minDelay
    fineConfirmed = false
    identifier = profile.identifiers.first ?? .none
    absolute = false
    rotateDays = profile.rotateDays
    self.validFrom = validFrom
    validUntil = profile.validityHours.map { validFrom + Int64($0) * 3_600_000 }
    reviewEveryDays = profile.reviewEveryDays
    retention = profile.retention.first ?? ""
    self.destination = destination
    aggregate = nil
    self.notice = notice
    ageAttested = false
    householdInformed = false
  }
}

/// A grant as stored: terms, identity, state, who decided.
///
/// Its JSON form is `gateway-consent/1`.
public struct Grant: Equatable, Sendable {
  /// Name of the JSON form.
  public static let schema = "gateway-consent/1"

  /// Its id.
  public var id: UniqueID
  /// Counts renewals from 1.
  public var version: UInt32
  /// Id of the grant that it replaces.
  public var supersedes: UniqueID?
  /// What was agreed.
  public var terms: GrantTerms
  /// Where it stands.
  public var state: GrantState
  /// Who decided: `uid:1000`.
  public var decidedBy: String?
  /// When, milliseconds since 1970 UTC.
  public var decidedAt: Int64?

  /// Makes a grant.
  public init(
    id: UniqueID, version: UInt32, supersedes: UniqueID?, terms: GrantTerms, state: GrantState,
    decidedBy: String?, decidedAt: Int64?
  ) {
    self.id = id
    self.version = version
    self.supersedes = supersedes
    self.terms = terms
    self.state = state
    self.decidedBy = decidedBy
    self.decidedAt = decidedAt
  }
}
