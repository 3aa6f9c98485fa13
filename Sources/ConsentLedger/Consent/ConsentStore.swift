public import PrivacyFilter

/// The household's decisions about its data, durable: recipients, grants, the ledger that records
/// them, tombstones, counts of what left, and receipts.
///
/// It is a class because the agent has one, with open files, and belongs to the agent's one loop
/// thread. Every time is an argument in ms since 1970 UTC; the store takes none earlier than its
/// latest record, so that setting the clock back revives nothing. Whatever it throws, nothing has
/// changed, except that a tombstone holds in memory even if the disk refused it.
public final class ConsentStore {
  /// Proposals that may wait for an answer at once (privacy design C5).
  public static let proposalLimit = 16
  /// Grants that may be in force at once (C5: gates).
  public static let grantLimit = 32
  /// A proposal nobody answers ends after this many milliseconds: 30 days (C7).
  public static let proposalLifetime: Int64 = 30 * 86_400_000

  /// The 32 bytes that pseudonyms, client ids and phases are derived from; never to be shown.
  public let installSecret: [UInt8]
  /// Where the chain or the stored state does not fit; nil if all is well.
  ///
  /// While it is set no grant of an external recipient is active and nothing can be granted, but
  /// every grant can be ended.
  public internal(set) var ledgerFault: LedgerFault?
  /// The country of the household for receipts, ISO 3166-1 alpha-2; nil leaves it out.
  public var householdCountry: String?
  /// Profiles that are switched off unless they are named here.
  public var enabledProfiles: Set<String> = []
  /// What opening had to mend, in the words of the RECOVERY record.
  public internal(set) var recoveries: [Recovery] = []

  let database: Database
  let ledger: Ledger
  let random: (Int) -> [UInt8]
  let directory: StateDirectory
  var checkpointKey: [UInt8]?
  var anchor: LedgerAnchor.Content
  var denylist: Denylist
  var journal = EgressJournal()
  var standing: Standing
  /// The latest time that the ledger knows, ms since 1970 UTC.
  var floor: Int64

  /// Opens the store in `directory`, or makes one there: verifies the chain, applies tombstones,
  /// and records withdrawals that a crash or a full disk kept out of the ledger.
  ///
  /// A broken chain is no error here but `ledgerFault`, because in-house grants run on.
  /// - Parameter random: where secrets, salts and ids come from; `Crypto.random` outside tests.
  /// - Throws: `StoreError`; after one, no grant exists.
  public init(
    directory path: String, at now: Int64, random: @escaping (Int) -> [UInt8]
  ) throws(StoreError) {
    let parts = try StoreParts(directory: path, at: now, random: random)
    installSecret = parts.installSecret
    database = parts.database
    ledger = parts.ledger
    floor = parts.floor
    ledgerFault = parts.ledgerFault
    recoveries = parts.recoveries
    directory = parts.directory
    checkpointKey = parts.checkpointKey
    anchor = parts.anchor
    self.random = random
    denylist = parts.denylist
    standing = parts.standing
    recover(at: now)
    database.releaseMemory()
  }

  /// The time that counts: `system`, but never before the ledger's latest record (C7).
  public func time(atLeast system: Int64) -> Int64 { max(system, floor) }

  /// The hash of the ledger's last record, 64 hexadecimal digits.
  public func ledgerHead() throws(StoreError) -> String {
    try reading { () throws(DatabaseError) in try ledger.head() } ?? LedgerRecord.noPrevious
  }

  // MARK: - Recipients

  /// Registers a recipient, or changes what is known about one.
  ///
  /// - Throws: `E_STATE` if a grant to this recipient is in force: its identity must not change
  ///   under it. `E_LEDGER_WRITE`, `E_LEDGER_BROKEN`.
  public func register(
    _ recipient: Recipient, by authority: Authority, at system: Int64
  ) throws(StoreError) {
    try requireWholeLedger()
    if try self.recipient(recipient.id) == recipient { return }
    let isUsed = try storedGrants(where: "state IN (\(Self.unendedStates))").contains {
      $0.recipient.id == recipient.id
    }
    guard !isUsed else { throw .consent(.recipientInUse) }
    guard let body = RecordBody.carrying(recipient, by: authority.text) else {
      throw .consent(.ledgerWrite)
    }
    try writing(.recipient, body, at: system) { (bodyHash) throws(DatabaseError) in
      try database.run(
        "INSERT INTO recipients(id, bh) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET bh = excluded.bh",
        .text(recipient.id), .text(bodyHash))
    }
  }

  /// Every registered recipient, by id.
  public func recipients() throws(StoreError) -> [Recipient] {
    try reading { () throws(DatabaseError) in try registered("1", []) }
  }

  func recipient(_ id: String) throws(StoreError) -> Recipient? {
    try reading { () throws(DatabaseError) in try registered("id = ?", [.text(id)]).first }
  }

  // MARK: - Reading grants

  /// Every grant the store knows, ended ones too, oldest proposal first.
  public func grants() throws(StoreError) -> [StoredGrant] { try storedGrants(where: "1") }

  /// The grants that may release now or later: accepted, not ended, without tombstone.
  ///
  /// A grant that is not valid yet is among them, its gate knows from when it may release; one
  /// whose time is over at `system` is not. With a `ledgerFault` only in-house grants are; those that
  /// a general pause stops are not.
  public func activeGrants(at system: Int64) throws(StoreError) -> [StoredGrant] {
    let now = time(atLeast: system)
    return try storedGrants(where: "state IN ('SCHEDULED', 'ACTIVE')").filter {
      !denylist.denies($0.grant.id.bytes)
        && (ledgerFault == nil || $0.recipient.role == .inHouse)
        && standing.general?.stops($0.recipient.role) != true
        && $0.grant.terms.validUntil.map { now < $0 } ?? true
    }
  }

  /// The ids that begin with these characters, at most two: one is the grant meant, two are not.
  ///
  /// Reads no grant: whoever stops one has no time for the others.
  public func grantIDs(beginningWith text: String) throws(StoreError) -> [UniqueID] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT id FROM grants WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2")
      try rows.bind([.text(text)])
      var found: [UniqueID] = []
      while try rows.step() {
        if let id = UniqueID(parsing: rows.text(0)) { found.append(id) }
      }
      return found
    }
  }

  /// One grant.
  ///
  /// - Throws: `E_GRANT_UNKNOWN`; `E_STATE` if it was erased.
  public func grant(_ id: UniqueID) throws(StoreError) -> StoredGrant {
    if let found = try storedGrants(where: "id = ?", .text(id.text)).first { return found }
    let left = try reading { () throws(DatabaseError) in try row(id) }
    throw .consent(left?.state == .erased ? .erased : .grantUnknown)
  }
}
