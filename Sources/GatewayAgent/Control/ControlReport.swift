import ConsentLedger

// What `report`, `verify` and their like ask for and get on the control socket.

/// What a report covers; nil leaves it open.
struct ReportRequest: Codable, Sendable {
  /// Only grants to this recipient, by its short name.
  var recipient: String?
  /// The first UTC day, `2026-01-15`.
  var from: String?
  /// The last UTC day, included.
  var to: String?
  /// Rows of the journal that were answered before: an answer holds `ControlLimits.reportRows`.
  var offset: Int?
}

/// What somebody kept of the ledger: a head, or a checkpoint as `verify --json` gave it.
struct KnownHead: Codable, Sendable {
  var head: String?
  var checkpoint: String?
}

/// What the household knows of its data: what left, to whom, when, under which grant.
struct ReportView: Codable, Sendable, Equatable {
  /// One grant and its life.
  struct Grant: Codable, Sendable, Equatable {
    var id: String
    var recipient: String
    var legalName: String
    var country: String
    /// The authority that takes complaints about the recipient.
    var authority: String
    var profile: String
    var purpose: String
    var basis: String
    var state: String
    var categories: [String]
    var granularity: String
    var validFrom: String
    var validUntil: String?
    var endedAt: String?
    /// What the recipient says of how long it keeps the data.
    var retention: String
    /// The last day on which the records of an ended grant are kept here; nil where none is known.
    var keptUntil: String?
    /// By when a hold on its evidence wants to be confirmed anew; nil without one.
    var holdUntil: String?
    var history: [Event]
    /// The last messages as sent, since the agent's start.
    var samples: [Sample]
  }

  /// A decision.
  struct Event: Codable, Sendable, Equatable {
    var at: String
    var type: String
    var by: String?
  }

  /// A message as sent.
  struct Sample: Codable, Sendable, Equatable {
    var at: String
    var topic: String
    var payload: String
  }

  /// What left under one grant on one UTC day with one set of categories at one rung.
  struct Row: Codable, Sendable, Equatable {
    var day: String
    var grant: String
    var recipient: String
    var country: String
    var categories: [String]
    var granularity: String
    var messages: UInt64
    var bytes: UInt64
    var acknowledged: UInt64
    var dropped: UInt64
    var first: String?
    var last: String?
  }

  /// A time in which counts may be missing.
  struct Gap: Codable, Sendable, Equatable {
    /// `W_EGRESS_GAP`.
    var code: String
    var after: String
    var before: String
    /// How many seconds' counts can be missing at most.
    var seconds: Int64
  }

  /// What a meter said that nobody can be granted.
  struct Meter: Codable, Sendable, Equatable {
    var name: String
    /// Readings that no category names: they never leave.
    var unknownDropped: UInt64
  }

  /// The ledger's chain as it was verified for this report.
  struct Chain: Codable, Sendable, Equatable {
    /// `sound`, or a code.
    var verdict: String
    var records: Int64
    var head: String
    /// UTC days of which the journal does not say what it said when the day was recorded.
    var contradictedDays: [String]
    /// One sentence for a person where the chain is not sound.
    var message: String?
    /// The last checkpoint outside the database.
    var checkpoint: Checkpoint?
  }

  var madeAt: String
  var chain: Chain
  var grants: [Grant]
  var rows: [Row]
  var gaps: [Gap]
  var meters: [Meter]
  /// How many identifiers the process knows at present, in memory only.
  var identifiersHeld: Int
  /// Whether counts wait in memory that the disk did not take.
  var isUnwritten: Bool
  /// `offset` of the next part; nil in the last.
  var next: Int?
}
