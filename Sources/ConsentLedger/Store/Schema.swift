/// The tables of `state.sqlite3` and how a connection to it is set up.
///
/// `ledger` is append-only: triggers refuse every change of a record. Bodies may go, but not change.
/// `grants` and what hangs off it is the present state; on opening it is compared with the ledger.

enum Schema {
  static let fileName = "state.sqlite3"
  /// "GWAG": marks the file as this software's.
  static let applicationID: Int64 = 0x4757_4147
  /// The version this software writes; an older agent refuses a newer file.
  static let version: Int64 = 4

  /// Pages of 4 KiB that the connection may keep: consent is rarely read, memory always counts.
  static let cachedPageCount = 64
  /// Pages in the write-ahead log before it is folded into the file.
  static let checkpointPageCount = 256

  /// Settings of every connection.
  ///
  /// An exclusive lock needs no shared memory file beside the database and keeps a second agent
  /// out.
  static let settings = """
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = \(cachedPageCount);
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = \(checkpointPageCount);
    """

  /// Makes all tables and marks the file.
  static let creation = """
    CREATE TABLE ledger(
      seq INTEGER PRIMARY KEY, ts TEXT NOT NULL, type TEXT NOT NULL, bh TEXT NOT NULL,
      prev TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
    CREATE TABLE bodies(bh TEXT PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL) STRICT;
    \(triggers)
    CREATE TABLE recipients(id TEXT PRIMARY KEY, bh TEXT NOT NULL) STRICT;
    CREATE TABLE grants(
      id TEXT PRIMARY KEY, state TEXT NOT NULL, bh TEXT NOT NULL, proposed_at INTEGER NOT NULL,
      ended_at INTEGER, ended_by TEXT, completed INTEGER NOT NULL DEFAULT 0,
      salt BLOB NOT NULL, rotation INTEGER NOT NULL DEFAULT 0,
      rotated_at INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE bases(
      grant_id TEXT NOT NULL REFERENCES grants(id) ON DELETE CASCADE, source TEXT NOT NULL,
      quantity INTEGER NOT NULL, thousandths INTEGER NOT NULL,
      PRIMARY KEY (grant_id, source, quantity)) STRICT;
    CREATE TABLE retained(
      grant_id TEXT NOT NULL REFERENCES grants(id) ON DELETE CASCADE, topic TEXT NOT NULL,
      PRIMARY KEY (grant_id, topic)) STRICT;
    CREATE TABLE receipts(
      id TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants(id) ON DELETE CASCADE,
      bh TEXT NOT NULL) STRICT;
    CREATE TABLE sources(name TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE notices(sha256 TEXT PRIMARY KEY, lang TEXT NOT NULL, text TEXT NOT NULL) STRICT;
    \(evidence)
    \(history)
    \(enquiries)
    PRAGMA application_id = \(applicationID);
    PRAGMA user_version = \(version);
    """

  /// What keeps the ledger append-only; put back where somebody removed it.
  static let triggers = """
    CREATE TRIGGER IF NOT EXISTS ledger_refuses_update BEFORE UPDATE ON ledger
      BEGIN SELECT RAISE(ABORT, 'append-only'); END;
    CREATE TRIGGER IF NOT EXISTS ledger_refuses_delete BEFORE DELETE ON ledger
      BEGIN SELECT RAISE(ABORT, 'append-only'); END;
    CREATE TRIGGER IF NOT EXISTS ledger_refuses_gap BEFORE INSERT ON ledger
      WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM ledger)
      BEGIN SELECT RAISE(ABORT, 'append-only'); END;
    CREATE TRIGGER IF NOT EXISTS bodies_refuse_update BEFORE UPDATE ON bodies
      BEGIN SELECT RAISE(ABORT, 'append-only'); END;
    """

  /// The tables of the evidence, as version 2 has them.
  ///
  /// `runs` has one row: when the disk last learnt that the journal is open, and whether it was
  /// closed. `gaps` holds the times between a mark and the next start where it was not.
  private static let evidence = """
    CREATE TABLE journal(
      grant_id TEXT NOT NULL REFERENCES grants(id) ON DELETE CASCADE, day TEXT NOT NULL,
      categories INTEGER NOT NULL, rung INTEGER NOT NULL, messages INTEGER NOT NULL,
      bytes INTEGER NOT NULL, acknowledged INTEGER NOT NULL, dropped INTEGER NOT NULL,
      first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
      PRIMARY KEY (grant_id, day, categories, rung)) STRICT;
    CREATE TABLE runs(marked_at INTEGER NOT NULL, closed INTEGER NOT NULL) STRICT;
    CREATE TABLE gaps(after_at INTEGER NOT NULL, before_at INTEGER NOT NULL) STRICT;
    """

  /// The household's own use, as version 3 has it: `amount` and `thousandths` are in thousandths of
  /// the quantity's unit, times in ms since 1970 UTC.
  private static let history = """
    CREATE TABLE history(
      source TEXT NOT NULL, at INTEGER NOT NULL, quantity INTEGER NOT NULL,
      seconds INTEGER NOT NULL, amount INTEGER NOT NULL, quality TEXT NOT NULL,
      PRIMARY KEY (source, at, quantity)) STRICT;
    CREATE TABLE history_bases(
      source TEXT NOT NULL, quantity INTEGER NOT NULL, at INTEGER NOT NULL,
      thousandths INTEGER NOT NULL, exact INTEGER NOT NULL,
      PRIMARY KEY (source, quantity)) STRICT;
    """

  /// Enquiries from outside, as version 4 has them; `answered_at` is 0 while one is open.
  private static let enquiries = """
    CREATE TABLE enquiries(
      number INTEGER PRIMARY KEY, kind TEXT NOT NULL, recipient TEXT NOT NULL,
      received_at INTEGER NOT NULL, answered_at INTEGER NOT NULL) STRICT;
    """

  /// Brings a file of an older version to the present one.
  ///
  /// Counts of version 1 knew no rung: they become those of every frame (0).
  static func migration(from old: Int64) -> String {
    let toSecond = """
      ALTER TABLE journal RENAME TO journal_1;
      \(evidence)
      INSERT INTO journal
        SELECT grant_id, day, categories, 0, messages, bytes, 0, 0, first_at, last_at FROM journal_1;
      DROP TABLE journal_1;
      """
    return (old < 2 ? toSecond : "") + (old < 3 ? history : "") + enquiries
      + "PRAGMA user_version = \(version);"
  }
}
