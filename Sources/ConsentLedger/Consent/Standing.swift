public import PrivacyFilter

/// Whose grants a general pause stops.
public enum PauseScope: String, Sendable, CaseIterable {
  /// Those of recipients outside the house.
  case external
  /// Those of the house too.
  case everything
}

/// A pause that lies over all grants, whatever their own state (privacy design C7, overlay).
public struct GeneralPause: Equatable, Sendable {
  /// Whom it stops.
  public var scope: PauseScope
  /// When it ends by itself, ms since 1970 UTC; nil for not before somebody ends it.
  public var until: Int64?

  /// Makes a pause.
  public init(scope: PauseScope, until: Int64?) {
    self.scope = scope
    self.until = until
  }

  /// Whether it stops grants to a recipient of this role.
  public func stops(_ role: Role) -> Bool { scope == .everything || role != .inHouse }
}

/// What a person confirms who accepts: nothing of it is taken over from a proposal.
public struct Confirmations: Equatable, Sendable {
  /// A finer rung than usual, or a pseudonym that never changes.
  public var fine: Bool
  /// That an adult decides for everybody below the age of consent.
  public var age: Bool
  /// That the others in the home know.
  public var household: Bool

  /// Confirms what is said.
  public init(fine: Bool = false, age: Bool = false, household: Bool = false) {
    self.fine = fine
    self.age = age
    self.household = household
  }
}

/// What pauses grants, as the ledger has it: no table beside it could be edited apart.
struct Standing {
  /// When each paused grant goes on by itself, if it does.
  var pausedUntil: [UniqueID: Int64] = [:]
  /// The pause over all grants.
  var general: GeneralPause?

  init() {}

  /// Reads what the ledger says last.
  init(_ database: Database, _ ledger: Ledger) throws(DatabaseError) {
    var rows = try database.prepare(
      "SELECT type, bh FROM ledger WHERE type IN ('PAUSE','RESUME') ORDER BY seq")
    while try rows.step() {
      guard let body = try ledger.body(rows.text(1)), let summary = RecordBody.summary(of: body)
      else { continue }
      apply(isPause: rows.text(0) == RecordType.pause.rawValue, summary)
    }
  }

  private mutating func apply(isPause: Bool, _ summary: RecordBody.Summary) {
    let until = summary.until.flatMap(Timestamp.parse)
    if let id = summary.grant.flatMap({ UniqueID(parsing: $0) }) {
      pausedUntil[id] = isPause ? until : nil
    } else if let scope = summary.scope.flatMap(PauseScope.init(rawValue:)) {
      general = isPause ? GeneralPause(scope: scope, until: until) : nil
    }
  }
}

extension ConsentStore {
  /// The pause over all grants; nil if there is none.
  public var generalPause: GeneralPause? { standing.general }

  /// When a paused grant goes on by itself; nil if somebody has to resume it.
  public func pausedUntil(_ id: UniqueID) -> Int64? { standing.pausedUntil[id] }

  /// Puts a pause over all grants, in place of one that was there; it survives a restart.
  ///
  /// The caller has stopped the gates before.
  /// - Throws: `E_VALIDITY` if it would be over already; `E_LEDGER_WRITE`.
  public func pauseAll(
    _ pause: GeneralPause, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    let now = time(atLeast: system)
    guard pause.until.map({ $0 > now }) ?? true else { throw .consent(.pauseIsOver) }
    let body = RecordBody.general(pause, by: authority.text)
    try writing(.pause, body, at: now) { _ in }
    standing.general = pause
  }

  /// Ends the pause over all grants; each goes on in its own state.
  ///
  /// - Throws: `E_STATE` without such a pause; `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func resumeAll(by authority: Authority, at system: Int64) throws(StoreError) {
    try requireWholeLedger()
    guard let pause = standing.general else { throw .consent(.notPaused) }
    let body = RecordBody.general(
      GeneralPause(scope: pause.scope, until: nil), by: authority.text)
    try writing(.resume, body, at: system) { _ in }
    standing.general = nil
  }
}
