public import PrivacyFilter

/// Why the consent store refused or could not do what was asked; nothing has changed then.
public enum StoreError: Error, Equatable, Sendable {
  /// The consent rules forbid it, or the ledger could not be written or trusted.
  case consent(ConsentError)
  /// Nobody can be this recipient: the published policies name it and it has no profile.
  case refusedRecipient(RefusedRecipient)
  /// The state directory cannot be made or used; carries the system's error number.
  case directoryUnusable(errno: Int32)
  /// Others may write into the state directory, or read a file in it.
  case exposed(StateFileName)
  /// A file cannot be read or made; carries the system's error number.
  case fileUnusable(StateFileName, errno: Int32)
  /// A file is no database, or not as long as this software makes it.
  case damaged(StateFileName)
  /// The database was written by a newer agent; carries its schema version.
  case newerSchema(Int64)
  /// The database belongs to other software.
  case foreignDatabase
  /// Another process holds the store open.
  case inUse
}

/// The parts of the state directory.
public enum StateFileName: String, Sendable {
  /// The directory itself.
  case directory = "state directory"
  /// Grants, ledger, journal.
  case database = "state.sqlite3"
  /// Tombstones.
  case denylist = "denylist.bin"
  /// What pseudonyms are derived from.
  case installSecret = "install.secret"
  /// What checkpoints are signed with.
  case checkpointKey = "checkpoint.key"
  /// The last checkpoint.
  case anchor = "ledger.anchor"
}

extension StoreError {
  /// What a failed system call on `file` means.
  init(_ error: SystemError, _ file: StateFileName) {
    switch error {
    case .exposed: self = .exposed(file)
    case .truncated: self = .damaged(file)
    default:
      self =
        file == .directory
        ? .directoryUnusable(errno: error.number) : .fileUnusable(file, errno: error.number)
    }
  }

  /// What a failure to open or read the database means.
  init(reading error: DatabaseError) {
    self = error.isBusy ? .inUse : .damaged(.database)
  }
}

/// The refusals of the store itself, each with the sentence that a person reads.
extension ConsentError {
  static let ledgerBroken = ConsentError(
    .ledgerBroken, "the consent ledger does not verify, so nothing can be granted; ending works")
  static let ledgerTruncated = ConsentError(
    .ledgerTruncated,
    "the ledger does not contain a record that a receipt or checkpoint names: its end was cut off")
  static let ledgerSound = ConsentError(
    .state, "the ledger verifies: there is no break to accept")
  static let onHold = ConsentError(
    .state, "a hold is on the grant's evidence; let go first: ledger hold --release")
  /// An erasure that waits for a broker.
  public static let notCleared = ConsentError(
    .state, "the broker has not cleared what it keeps of the grant; ask again when it has")
  static let erased = ConsentError(
    .state, "the grant was erased; nothing of it is left but its number")
  static let breakUnconfirmed = ConsentError(
    .state, "confirm with the first 8 digits of the head that verify shows")
  static let ledgerWrite = ConsentError(
    .ledgerWrite, "the consent ledger could not be written; check the free space of its disk")
  static let grantUnknown = ConsentError(.grantUnknown, "there is no grant with this id")
  static let state = ConsentError(
    .state, "the grant is not in a state that allows this; an ended grant needs a new one")
  static let notPaused = ConsentError(.state, "there is no pause over all grants")
  static let pauseIsOver = ConsentError(.validity, "the pause would be over already")
  static let validityOver = ConsentError(
    .validity, "the grant's time is over; a new one is needed")
  static let wider = ConsentError(
    .profileExceeded,
    "that is more than the grant permits, or another agreement; propose a new grant for it")
  static let numbersExcludeEachOther = ConsentError(
    .profileExceeded, "one number at most: tick the meter's or the metering point's")
  static let supersedesNothing = ConsentError(
    .state, "the grant that this one would replace has ended or is to another recipient")
  static let recipientInUse = ConsentError(
    .state, "a recipient cannot change while a grant or proposal names it; end that first")
  static let recipientUnknown = ConsentError(
    .recipientUnnamed, "the recipient is not registered; register it with its legal name first")
  static let noticeOfAnotherText = ConsentError(
    .noticeMissing, "the text that was shown does not have the hash that the grant names")
  static let profileUnknown = ConsentError(
    .profileExceeded, "there is no profile of this name, so nothing may be granted under it")
  static let notOffered = ConsentError(
    .profileExceeded, "only categories that the proposal offered as optional can be ticked")
  static let tooManyProposals = ConsentError(
    .limit, "16 proposals wait for an answer already; accept or refuse one first")
  static let tooManyGrants = ConsentError(
    .limit, "32 grants are in force already; withdraw one first")
}
