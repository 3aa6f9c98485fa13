/// The least that a recipient undertakes who is to make statistics of a contribution (privacy
/// design C9).
public struct AggregateFloor: Codable, Equatable, Sendable {
  /// Fewest homes in a published number.
  public var kMin: UInt32
  /// Largest share of one home, in per cent.
  public var maxSharePercent: UInt8
  /// Hours, 1 or more, over which the sending of one contribution is spread by chance.
  public var spreadHours: UInt32
}

/// The ceiling that a grant cannot exceed; the owner may only narrow it.
///
/// One JSON file each:
/// ```json
/// {"schema":"gateway-profile/1","name":"eliq-disaggregation","enabled":true,
///  "purposes":["disaggregation"],"roles":["processor","controller"],"bases":["f"],
///  "categories":["E3","E4","T1","X1","X2"],"optional":["X1","X2"],
///  "granularity":"G3","fineGranularity":null,"fineRequired":false,"floors":false,
///  "quantum":"R2","minDelay":60,"identifiers":["pseudonym"],"absolute":false,
///  "validityHours":8760,"maxValidityHours":8784,"rotateDays":90,"reviewEveryDays":365,
///  "ageAttestation":false,"retention":["R-WITHDRAW"]}
/// ```
public struct Profile: Codable, Equatable, Sendable {
  /// Name of the profile whose grants may have documents in Enode's shape.
  public static let enode = "enode-smartcharge"

  /// Name of the JSON form.
  public var schema: String
  /// Its name.
  public var name: String
  /// Whether grants can be made with it.
  public var enabled: Bool
  /// Purposes it serves.
  public var purposes: [Purpose]
  /// Roles a recipient may have.
  public var roles: [Role]
  /// Bases it accepts; empty: none is asked (in-house).
  public var bases: [Basis]
  /// Widest set of categories.
  public var categories: CategorySet
  /// Those of them that start unticked.
  public var optional: CategorySet
  /// Finest granularity.
  public var granularity: Granularity
  /// A finer one that `fineConfirmed` opens; nil if there is none.
  public var fineGranularity: Granularity?
  /// Whether no grant is possible without `fineConfirmed`.
  public var fineRequired: Bool
  /// Whether the floor of each category binds too (profile `custom`).
  public var floors: Bool
  /// Least rounding.
  public var quantum: Rounding
  /// Least delay behind a window in seconds.
  public var minDelay: UInt32
  /// Identifier modes; the first is the usual one.
  public var identifiers: [IdentifierMode]
  /// Whether absolute registers may be granted.
  public var absolute: Bool
  /// Usual validity in hours; nil without end.
  public var validityHours: UInt32?
  /// Longest validity in hours; nil: no end is needed.
  public var maxValidityHours: UInt32?
  /// Days between changes of the pseudonym, 0 for never.
  public var rotateDays: UInt16
  /// Days between reviews.
  public var reviewEveryDays: UInt16
  /// Whether an adult must attest for minors.
  public var ageAttestation: Bool
  /// Retention rules to ask for; the first is the usual one.
  public var retention: [String]
  /// What a recipient of statistics has to undertake at least; nil for every other profile.
  public var aggregate: AggregateFloor?

  /// Whether its grants stay in the house.
  public var isInHouse: Bool { roles == [.inHouse] }
}
