/// The only file of this room that speaks to SQLite: one connection, prepared statements, typed
/// errors.
///
/// It is a class because statements and the store share one connection. It belongs to one thread:
/// the connection is opened without SQLite's own locks.

internal import CSQLite

/// What SQLite refused, by its extended result code; no text, because text could quote data.
struct DatabaseError: Error, Equatable {
  /// The extended result code, <https://sqlite.org/rescode.html>.
  var code: Int32

  /// Another process holds the database.
  var isBusy: Bool { code & 0xFF == SQLITE_BUSY || code & 0xFF == SQLITE_LOCKED }
  /// The disk, or the allowed number of pages, is used up.
  var isFull: Bool { code & 0xFF == SQLITE_FULL }
  /// A trigger or constraint forbids the change.
  var isConstraint: Bool { code & 0xFF == SQLITE_CONSTRAINT }
}

/// One connection to an existing database file.
///
/// `@safe`: the handle is private, made in `init` and closed in `deinit`; statements keep the
/// connection alive, so no handle outlives it.
@safe
final class Database {
  fileprivate let handle: OpaquePointer

  /// Opens the file at `path`, which exists.
  ///
  /// Calls `sqlite3_open_v2`.
  init(path: String, busyMilliseconds: Int32) throws(DatabaseError) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let handle = unsafe opened else {
      unsafe sqlite3_close_v2(opened)
      throw DatabaseError(code: code)
    }
    unsafe self.handle = handle
    unsafe sqlite3_busy_timeout(handle, busyMilliseconds)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Whether a transaction is open.
  ///
  /// Calls `sqlite3_get_autocommit`.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Gives cached pages back to the allocator.
  ///
  /// Calls `sqlite3_db_release_memory`.
  func releaseMemory() { unsafe sqlite3_db_release_memory(handle) }

  /// Runs statements without parameters and ignores their rows.
  ///
  /// Calls `sqlite3_exec`.
  func execute(_ sql: String) throws(DatabaseError) {
    let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw DatabaseError(code: code) }
  }

  /// Prepares one statement.
  func prepare(_ sql: String) throws(DatabaseError) -> Statement {
    try Statement(sql, on: self)
  }

  /// The first column of the first row, or nil without a row.
  func integer(_ sql: String) throws(DatabaseError) -> Int64? {
    var statement = try prepare(sql)
    return try statement.step() ? statement.integer(0) : nil
  }

  /// Runs a statement with parameters to its end.
  func run(_ sql: String, _ values: Value...) throws(DatabaseError) {
    var statement = try prepare(sql)
    try statement.run(values)
  }

  /// Runs `work` in one transaction: all of it is durable, or none of it happened.
  func transaction<Result>(
    _ work: () throws(DatabaseError) -> Result
  ) throws(DatabaseError) -> Result {
    try execute("BEGIN IMMEDIATE")
    do throws(DatabaseError) {
      let result = try work()
      try execute("COMMIT")
      return result
    } catch {
      // A full disk makes SQLite roll back by itself; otherwise a rollback cannot fail usefully.
      if isInTransaction { try? execute("ROLLBACK") }
      throw error
    }
  }

  /// A parameter of a statement.
  enum Value {
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    case null
  }
}

/// A prepared statement, finalised when it goes out of scope.
///
/// `@safe`: the handle is private, made in `init` and finalised in `deinit`; column pointers are
/// copied before the next step.
@safe
struct Statement: ~Copyable {
  private let handle: OpaquePointer
  private let database: Database

  /// Calls `sqlite3_prepare_v2`.
  fileprivate init(_ sql: String, on database: Database) throws(DatabaseError) {
    var prepared: OpaquePointer?
    let code = unsafe sqlite3_prepare_v2(database.handle, sql, -1, &prepared, nil)
    guard code == SQLITE_OK, let handle = unsafe prepared else {
      throw DatabaseError(code: code == SQLITE_OK ? SQLITE_MISUSE : code)
    }
    unsafe self.handle = handle
    self.database = database
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Binds `values` to the parameters from the first on, runs to the end and resets.
  mutating func run(_ values: [Database.Value]) throws(DatabaseError) {
    try bind(values)
    while try step() {}
    reset()
  }

  /// Binds `values` to the parameters from the first on.
  mutating func bind(_ values: [Database.Value]) throws(DatabaseError) {
    for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
  }

  /// Advances to the next row; false at the end.
  ///
  /// Calls `sqlite3_step`.
  mutating func step() throws(DatabaseError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      unsafe sqlite3_reset(handle)
      throw DatabaseError(code: code)
    }
  }

  /// Makes the statement ready to run again.
  ///
  /// Calls `sqlite3_reset`.
  mutating func reset() { unsafe sqlite3_reset(handle) }

  /// A column of the row as an integer; 0 for NULL.
  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  /// Whether a column of the row is NULL.
  func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

  /// A column of the row as text; bytes that are no UTF-8 become replacement characters.
  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

  /// A column of the row as bytes; empty for NULL.
  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = unsafe Int(sqlite3_column_bytes(handle, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  private func bind(_ value: Database.Value, at index: Int32) throws(DatabaseError) {
    let code: Int32
    switch value {
    case .integer(let number): code = unsafe sqlite3_bind_int64(handle, index, number)
    case .null: code = unsafe sqlite3_bind_null(handle, index)
    case .text(let text):
      var text = text
      code = text.withUTF8 { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
          unsafe sqlite3_bind_text(
            handle, index, characters.baseAddress, Int32(characters.count), copyingBytes)
        }
      }
    case .blob(let bytes):
      code = unsafe bytes.withUnsafeBytes { raw in
        // Without an address SQLite would bind NULL, but empty is not absent.
        guard let start = raw.baseAddress else {
          return unsafe sqlite3_bind_zeroblob(handle, index, 0)
        }
        return unsafe sqlite3_bind_blob(handle, index, start, Int32(raw.count), copyingBytes)
      }
    }
    guard code == SQLITE_OK else { throw DatabaseError(code: code) }
  }

  /// `SQLITE_TRANSIENT`, a macro that Swift cannot import: SQLite copies the bytes at once.
  private var copyingBytes: sqlite3_destructor_type? {
    unsafe unsafeBitCast(-1, to: sqlite3_destructor_type?.self)
  }
}

extension DatabaseError {
  /// The file is a database, but not this software's; no code of SQLite's.
  static let foreign = DatabaseError(code: -1)
}
