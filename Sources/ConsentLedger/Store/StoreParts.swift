internal import PrivacyFilter

/// Opens the files of the state directory in the order that is safe: the secret, the database, the
/// chain, the tombstones.
struct StoreParts: ~Copyable {
  let installSecret: [UInt8]
  let database: Database
  let ledger: Ledger
  let floor: Int64
  let ledgerFault: LedgerFault?
  let recoveries: [Recovery]
  let denylist: Denylist
  let standing: Standing
  let directory: StateDirectory
  let checkpointKey: [UInt8]?
  let anchor: LedgerAnchor.Content

  /// How long to wait for a process that is just letting go of the store, ms.
  private static let busyMilliseconds: Int32 = 2000

  init(
    directory path: String, at now: Int64, random: @escaping (Int) -> [UInt8]
  ) throws(StoreError) {
    let directory = try Self.directory(path)
    let isNew = !directory.holds(Schema.fileName)
    let isListNew = !directory.holds(Denylist.fileName)
    var recoveries: [Recovery] = []
    let secret = try Self.secret(directory, random)
    if secret.created && !isNew { recoveries.append(.installSecret) }
    let log = directory.path(of: Schema.fileName) + "-wal"
    if WriteAheadLog.endsInsideTransaction(log) { recoveries.append(.tornTransaction) }
    let database = try Self.database(directory)
    let ledger = Ledger(database, random: random)
    let (key, anchor) = try Self.anchor(directory)
    let audit = try Self.audit(database, ledger, anchor, at: now)
    let denylist = try Self.denylist(directory)
    if isListNew && !isNew { recoveries.append(.denylist) }
    standing = try Self.standing(database, ledger)
    ledgerFault = audit.fault
    floor = audit.walk.latest ?? now
    self.denylist = denylist
    self.directory = directory
    checkpointKey = key
    self.anchor = anchor
    installSecret = secret.bytes
    self.database = database
    self.ledger = ledger
    self.recoveries = recoveries
  }

  /// Begins the ledger if there is none, and checks it whole.
  private static func audit(
    _ database: Database, _ ledger: Ledger, _ anchor: LedgerAnchor.Content, at now: Int64
  ) throws(StoreError) -> LedgerAudit {
    do throws(DatabaseError) {
      let version = try database.integer("PRAGMA user_version") ?? 0
      if version == 0 {
        try database.transaction { () throws(DatabaseError) in
          try database.execute(Schema.creation)
          try ledger.append(.genesis, Ledger.genesisBody, at: now)
        }
      } else if version < Schema.version {
        try database.transaction { () throws(DatabaseError) in
          try database.execute(Schema.migration(from: version))
        }
      }
      return try LedgerAudit(ledger, database, anchor: anchor)
    } catch {
      throw error.isFull ? .consent(.ledgerWrite) : StoreError(reading: error)
    }
  }

  private static func standing(
    _ database: Database, _ ledger: Ledger
  ) throws(StoreError) -> Standing {
    do throws(DatabaseError) {
      return try Standing(database, ledger)
    } catch {
      throw StoreError(reading: error)
    }
  }

  private static func directory(_ path: String) throws(StoreError) -> StateDirectory {
    do throws(SystemError) {
      return try StateDirectory(preparing: path)
    } catch {
      throw StoreError(error, .directory)
    }
  }

  private static func secret(
    _ directory: StateDirectory, _ random: (Int) -> [UInt8]
  ) throws(StoreError) -> (bytes: [UInt8], created: Bool) {
    do throws(SystemError) {
      return try InstallSecret.load(from: directory, random: random)
    } catch {
      throw StoreError(error, .installSecret)
    }
  }

  private static func anchor(
    _ directory: StateDirectory
  ) throws(StoreError) -> (key: [UInt8]?, LedgerAnchor.Content) {
    let key: [UInt8]?
    do throws(SystemError) {
      key = try LedgerAnchor.key(from: directory)
    } catch {
      throw StoreError(error, .checkpointKey)
    }
    do throws(SystemError) {
      return (key, try LedgerAnchor.load(from: directory, privateKey: key))
    } catch {
      throw StoreError(error, .anchor)
    }
  }

  private static func denylist(_ directory: StateDirectory) throws(StoreError) -> Denylist {
    do throws(SystemError) {
      return try Denylist(in: directory)
    } catch {
      throw StoreError(error, .denylist)
    }
  }

  /// Opens the database file, made with the right permissions before SQLite sees it, and refuses
  /// one that is not this software's.
  private static func database(_ directory: StateDirectory) throws(StoreError) -> Database {
    let path = directory.path(of: Schema.fileName)
    do throws(SystemError) {
      if directory.holds(Schema.fileName) {
        _ = try StateFile(opening: path)
      } else {
        _ = try StateFile(creating: path)
        try directory.sync()
      }
    } catch {
      throw StoreError(error, .database)
    }
    let version: Int64
    let database: Database
    do throws(DatabaseError) {
      database = try Database(path: path, busyMilliseconds: busyMilliseconds)
      try database.execute(Schema.settings)
      let application = try database.integer("PRAGMA application_id") ?? 0
      version = try database.integer("PRAGMA user_version") ?? 0
      let tableCount = try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
      let isEmpty = application == 0 && version == 0 && tableCount == 0
      guard isEmpty || application == Schema.applicationID else { throw DatabaseError.foreign }
    } catch {
      throw error == .foreign ? .foreignDatabase : StoreError(reading: error)
    }
    guard version <= Schema.version else { throw .newerSchema(version) }
    return database
  }
}
