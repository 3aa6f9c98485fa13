// The words of a grant, each a closed list; their text forms are those of the stored JSON.

/// Where a grant stands.
public enum GrantState: String, Codable, Sendable, CaseIterable {
  case proposed, scheduled, active, restricted, paused, reviewRequired
  case withdrawn, objected, expired, superseded, revokedByRecipient, invalidated, refused, erased

  /// Whether the grant has ended: it never becomes active again, a new one is needed.
  public var isTerminal: Bool {
    switch self {
    case .proposed, .scheduled, .active, .restricted, .paused, .reviewRequired: false
    case .withdrawn, .objected, .expired, .superseded, .revokedByRecipient, .invalidated,
      .refused, .erased:
      true
    }
  }

  /// Whether the privacy design §C7 has a transition from this state to `next`.
  public func canBecome(_ next: GrantState) -> Bool {
    if isTerminal { return next == .erased && self != .erased }
    switch next {
    case .proposed: return false
    case .refused: return self == .proposed
    case .scheduled: return self == .proposed
    case .active: return self != .active
    case .restricted, .paused: return self == .active
    case .reviewRequired: return self != .proposed && self != .reviewRequired
    case .withdrawn, .objected, .expired, .superseded, .revokedByRecipient, .invalidated:
      return true
    case .erased: return false
    }
  }

  /// The next state.
  ///
  /// - Throws: `E_STATE` if there is no such transition.
  public func becoming(_ next: GrantState) throws(ConsentError) -> GrantState {
    guard canBecome(next) else {
      throw ConsentError(
        .state, "the grant is not in a state that allows this; an ended grant needs a new one")
    }
    return next
  }
}

/// The article 6 (1) letter that a recipient claims.
public enum Basis: String, Codable, Sendable, CaseIterable {
  case unknown, a, b, c, d, e, f
}

/// Which identifier a recipient sees.
public enum IdentifierMode: String, Codable, Sendable, CaseIterable {
  case none, pseudonym, meterNumber, meteringPoint
}

/// What a recipient is to the household.
public enum Role: String, Codable, Sendable, CaseIterable {
  case person, controller, processor, inHouse
}

/// How data reaches the recipient.
public enum Route: String, Codable, Sendable, CaseIterable {
  case direct, relayEEA
}

/// The ground on which data may go to a country outside the EEA.
public enum Transfer: String, Codable, Sendable, CaseIterable {
  case none, adequacy45, scc46, bcr46, explicitConsent49
}

/// What a grant is for; other purposes do not exist.
public enum Purpose: String, Codable, Sendable, CaseIterable {
  case insight, adviceContract, disaggregation, smartCharging, familyView, billingCheck, supply
  case gridOperation, faultFinding, research, statistics, productImprovement, localDisplay
  case localAutomation
}

/// Rounding levels R0…R4; the steps are in `Quantum`.
public enum Rounding: UInt8, Sendable, CaseIterable {
  case r0, r1, r2, r3, r4
}

extension Rounding: Codable {
  /// Reads `R0`…`R4`.
  ///
  /// - Throws: `DecodingError.dataCorrupted` for anything else.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    self = try coded(Rounding.allCases, "R", container)
  }

  /// Writes `R0`…`R4`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode("R\(rawValue)")
  }
}

extension Granularity: Codable, CaseIterable, Comparable {
  /// From the finest to the coarsest.
  public static let allCases: [Granularity] = [.g0, .g1, .g2, .g3, .g4, .g5, .g6]

  /// Finer is less.
  public static func < (left: Granularity, right: Granularity) -> Bool {
    left.rawValue < right.rawValue
  }

  /// Reads `G0`…`G6`.
  ///
  /// - Throws: `DecodingError.dataCorrupted` for anything else.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    self = try coded(Granularity.allCases, "G", container)
  }

  /// Writes `G0`…`G6`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode("G\(rawValue)")
  }
}

private func coded<Term: RawRepresentable>(
  _ all: [Term], _ letter: String, _ container: any SingleValueDecodingContainer
) throws -> Term where Term.RawValue == UInt8 {
  let text = try container.decode(String.self)
  guard let term = all.first(where: { "\(letter)\($0.rawValue)" == text }) else {
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a known level")
  }
  return term
}

extension CategorySet: Codable {
  /// Code and bit of every category, in the order of the bits.
  static let codes: [(code: String, category: CategorySet)] = [
    ("E1", .e1), ("E2", .e2), ("E3", .e3), ("E4", .e4), ("E5", .e5), ("P1", .p1), ("P3", .p3),
    ("P2", .p2), ("V1", .v1), ("A1", .a1), ("Q1", .q1), ("F1", .f1), ("D1", .d1), ("O1", .o1),
    ("T1", .t1), ("L1", .l1), ("C1", .c1), ("U1", .u1), ("M1", .m1), ("M2", .m2), ("M3", .m3),
    ("X1", .x1), ("X2", .x2), ("N1", .n1), ("I1", .i1), ("I2", .i2), ("I3", .i3), ("I6", .i6),
  ]

  /// The codes of the categories held (`["E3", "E4"]`).
  public var codes: [String] { Self.codes.filter { contains($0.category) }.map(\.code) }

  /// Makes a set from codes, nil if one of them does not exist.
  public init?(codes: [String]) {
    self.init(rawValue: 0)
    for code in codes {
      guard let known = Self.codes.first(where: { $0.code == code }) else { return nil }
      formUnion(known.category)
    }
  }

  /// Reads an array of codes.
  ///
  /// - Throws: `DecodingError.dataCorrupted` if one does not exist.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let set = CategorySet(codes: try container.decode([String].self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "unknown category")
    }
    self = set
  }

  /// Writes an array of codes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(codes)
  }
}
