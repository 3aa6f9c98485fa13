// The stored JSON of a grant: the fields of the privacy design §C5, all always present.

extension Grant: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case schema, id, version, supersedes, sources, profile, recipient, purpose, basis, basisText
    case categories, optional, channels, granularity, quantum, minDelay, fineConfirmed
    case identifier, absolute, rotateDays, validFrom, validUntil, reviewEveryDays, retention
    case destination, aggregate, notice, ageAttested, householdInformed, state, decidedBy
    case decidedAt
  }

  /// Reads the JSON form.
  ///
  /// - Throws: `DecodingError` if a field is absent, misspelt or of another schema.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    guard try fields.decode(String.self, forKey: .schema) == Grant.schema else {
      throw DecodingError.dataCorruptedError(
        forKey: .schema, in: fields, debugDescription: "not a gateway-consent/1 document")
    }
    id = try fields.decode(UniqueID.self, forKey: .id)
    version = try fields.decode(UInt32.self, forKey: .version)
    supersedes = try fields.decodeIfPresent(UniqueID.self, forKey: .supersedes)
    terms = try Grant.terms(fields)
    state = try fields.decode(GrantState.self, forKey: .state)
    decidedBy = try fields.decodeIfPresent(String.self, forKey: .decidedBy)
    decidedAt = try fields.instantIfPresent(.decidedAt)
  }

  private static func terms(_ fields: KeyedDecodingContainer<Key>) throws -> GrantTerms {
    GrantTerms(
      sources: try fields.decode([UniqueID].self, forKey: .sources),
      profile: try fields.decode(String.self, forKey: .profile),
      recipient: try fields.decode(String.self, forKey: .recipient),
      purpose: try fields.decode(String.self, forKey: .purpose),
      basis: try fields.decode(Basis.self, forKey: .basis),
      basisText: try fields.decodeIfPresent(String.self, forKey: .basisText),
      categories: try fields.decode(CategorySet.self, forKey: .categories),
      optional: try fields.decode(CategorySet.self, forKey: .optional),
      channels: try fields.decode([UInt8].self, forKey: .channels),
      granularity: try fields.decode(Granularity.self, forKey: .granularity),
      quantum: try fields.decode(Rounding.self, forKey: .quantum),
      minDelay: try fields.decode(UInt32.self, forKey: .minDelay),
      fineConfirmed: try fields.decode(Bool.self, forKey: .fineConfirmed),
      identifier: try fields.decode(IdentifierMode.self, forKey: .identifier),
      absolute: try fields.decode(Bool.self, forKey: .absolute),
      rotateDays: try fields.decode(UInt16.self, forKey: .rotateDays),
      validFrom: try fields.instant(.validFrom),
      validUntil: try fields.instantIfPresent(.validUntil),
      reviewEveryDays: try fields.decode(UInt16.self, forKey: .reviewEveryDays),
      retention: try fields.decode(String.self, forKey: .retention),
      destination: try fields.decode(Destination.self, forKey: .destination),
      aggregate: try fields.decodeIfPresent(AggregateRule.self, forKey: .aggregate),
      notice: try fields.decode(Notice.self, forKey: .notice),
      ageAttested: try fields.decode(Bool.self, forKey: .ageAttested),
      householdInformed: try fields.decode(Bool.self, forKey: .householdInformed))
  }

  /// Writes the JSON form; what is absent is null.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(Grant.schema, forKey: .schema)
    try fields.encode(id, forKey: .id)
    try fields.encode(version, forKey: .version)
    try fields.encode(supersedes, forKey: .supersedes)
    try fields.encode(terms.sources, forKey: .sources)
    try fields.encode(terms.profile, forKey: .profile)
    try fields.encode(terms.recipient, forKey: .recipient)
    try fields.encode(terms.purpose, forKey: .purpose)
    try fields.encode(terms.basis, forKey: .basis)
    try fields.encode(terms.basisText, forKey: .basisText)
    try fields.encode(terms.categories, forKey: .categories)
    try fields.encode(terms.optional, forKey: .optional)
    try fields.encode(terms.channels, forKey: .channels)
    try fields.encode(terms.granularity, forKey: .granularity)
    try fields.encode(terms.quantum, forKey: .quantum)
    try fields.encode(terms.minDelay, forKey: .minDelay)
    try fields.encode(terms.fineConfirmed, forKey: .fineConfirmed)
    try fields.encode(terms.identifier, forKey: .identifier)
    try fields.encode(terms.absolute, forKey: .absolute)
    try fields.encode(terms.rotateDays, forKey: .rotateDays)
    try fields.encode(Timestamp.text(terms.validFrom), forKey: .validFrom)
    try fields.encode(terms.validUntil.map(Timestamp.text), forKey: .validUntil)
    try fields.encode(terms.reviewEveryDays, forKey: .reviewEveryDays)
    try fields.encode(terms.retention, forKey: .retention)
    try fields.encode(terms.destination, forKey: .destination)
    try fields.encode(terms.aggregate, forKey: .aggregate)
    try fields.encode(terms.notice, forKey: .notice)
    try fields.encode(terms.ageAttested, forKey: .ageAttested)
    try fields.encode(terms.householdInformed, forKey: .householdInformed)
    try fields.encode(state, forKey: .state)
    try fields.encode(decidedBy, forKey: .decidedBy)
    try fields.encode(decidedAt.map(Timestamp.text), forKey: .decidedAt)
  }
}

extension GrantTerms {
  init(
    sources: [UniqueID], profile: String, recipient: String, purpose: String, basis: Basis,
    basisText: String?, categories: CategorySet, optional: CategorySet, channels: [UInt8],
    granularity: Granularity, quantum: Rounding, minDelay: UInt32, fineConfirmed: Bool,
    identifier: IdentifierMode, absolute: Bool, rotateDays: UInt16, validFrom: Int64,
    validUntil: Int64?, reviewEveryDays: UInt16, retention: String, destination: Destination,
    aggregate: AggregateRule?, notice: Notice, ageAttested: Bool, householdInformed: Bool
  ) {
    self.sources = sources
    self.profile = profile
    self.recipient = recipient
    self.purpose = purpose
    self.basis = basis
    self.basisText = basisText
    self.categories = categories
    self.optional = optional
    self.channels = channels
    self.granularity = granularity
    self.quantum = quantum
    self.minDelay = minDelay
    self.fineConfirmed = fineConfirmed
    self.identifier = identifier
    self.absolute = absolute
    self.rotateDays = rotateDays
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.reviewEveryDays = reviewEveryDays
    self.retention = retention
    self.destination = destination
    self.aggregate = aggregate
    self.notice = notice
    self.ageAttested = ageAttested
    self.householdInformed = householdInformed
  }
}
