internal import PrivacyFilter

// The rights clock (privacy design C12): who asks for a right from outside has an answer within 30
// days. What the household asks itself is answered at once, and needs no clock.

/// Which right somebody asks for (GDPR, articles 15 to 21).
public enum EnquiryKind: String, Sendable, CaseIterable {
  case access, rectification, erasure, restriction, portability, objection, other
}

/// An enquiry that came from outside, and its answer's date.
///
/// It holds no word of what was written: that lies where it came in, and belongs to who wrote it.
public struct Enquiry: Equatable, Sendable {
  /// Days until the answer is due.
  public static let dueDays: Int64 = 30
  /// Days until the household is reminded.
  public static let reminderDays: Int64 = 23

  /// Its number, counted from 1.
  public var number: Int64
  /// What is asked for.
  public var kind: EnquiryKind
  /// The short name of the recipient that asked over MQTT; nil if it came another way.
  public var recipient: String?
  /// When it came, ms since 1970 UTC.
  public var receivedAt: Int64
  /// When it was answered, ms since 1970 UTC; nil while it is open.
  public var answeredAt: Int64?

  /// When the answer is due, ms since 1970 UTC.
  public var due: Int64 { receivedAt + Self.dueDays * 86_400_000 }

  /// Whether the household is to be reminded at `now`.
  public func needsReminder(at now: Int64) -> Bool {
    answeredAt == nil && now >= receivedAt + Self.reminderDays * 86_400_000
  }
}

extension ConsentStore {
  /// Enquiries that may be open at once.
  public static let enquiryLimit = 16

  /// Opens an enquiry; returns its number.
  ///
  /// - Parameter receivedAt: when it came, if that was earlier; no time to come.
  /// - Throws: `E_LIMIT` if 16 are open; `E_VALIDITY` if it comes from the future; `E_LEDGER_WRITE`.
  @discardableResult
  public func openEnquiry(
    _ kind: EnquiryKind, of recipient: String? = nil, receivedAt: Int64? = nil, at system: Int64
  ) throws(StoreError) -> Int64 {
    let now = time(atLeast: system)
    let received = receivedAt ?? now
    guard received <= now, received >= 0 else { throw .consent(.enquiryToCome) }
    let open = try enquiries().count { $0.answeredAt == nil }
    guard open < Self.enquiryLimit else { throw .consent(.tooManyEnquiries) }
    var number: Int64 = 0
    try writing { () throws(DatabaseError) in
      number = (try database.integer("SELECT max(number) FROM enquiries") ?? 0) + 1
      try database.run(
        "INSERT INTO enquiries VALUES(?, ?, ?, ?, 0)", .integer(number), .text(kind.rawValue),
        .text(recipient ?? ""), .integer(received))
    }
    return number
  }

  /// Notes that an enquiry was answered.
  ///
  /// - Throws: `E_STATE` if there is no open enquiry of this number; `E_LEDGER_WRITE`.
  public func answerEnquiry(_ number: Int64, at system: Int64) throws(StoreError) {
    guard try enquiries().contains(where: { $0.number == number && $0.answeredAt == nil }) else {
      throw .consent(.noSuchEnquiry)
    }
    let now = time(atLeast: system)
    try writing { () throws(DatabaseError) in
      try database.run(
        "UPDATE enquiries SET answered_at = ? WHERE number = ?", .integer(now), .integer(number))
    }
  }

  /// Every enquiry, oldest first.
  public func enquiries() throws(StoreError) -> [Enquiry] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare(
        "SELECT number, kind, recipient, received_at, answered_at FROM enquiries ORDER BY number")
      var found: [Enquiry] = []
      while try rows.step() {
        let (recipient, answered) = (rows.text(2), rows.integer(4))
        found.append(
          Enquiry(
            number: rows.integer(0), kind: EnquiryKind(rawValue: rows.text(1)) ?? .other,
            recipient: recipient.isEmpty ? nil : recipient, receivedAt: rows.integer(3),
            answeredAt: answered == 0 ? nil : answered))
      }
      return found
    }
  }

  /// Deletes enquiries that were answered more than three years ago.
  ///
  /// - Parameter date: the household's civil date of an instant.
  /// - Throws: `E_LEDGER_WRITE`.
  public func sweepEnquiries(at system: Int64, date: (Int64) -> CivilDate) throws(StoreError) {
    let today = date(time(atLeast: system))
    for enquiry in try enquiries() {
      guard let answered = enquiry.answeredAt,
        let last = Self.evidenceRule.lastDay(after: date(answered)), last < today
      else { continue }
      try writing { () throws(DatabaseError) in
        try database.run("DELETE FROM enquiries WHERE number = ?", .integer(enquiry.number))
      }
    }
  }

  /// Erases the enquiries of these recipients, or all of them (nil).
  ///
  /// - Throws: `E_LEDGER_WRITE`.
  public func eraseEnquiries(of recipients: [String]?) throws(StoreError) {
    try writing { () throws(DatabaseError) in
      guard let recipients else { return try database.execute("DELETE FROM enquiries") }
      for recipient in recipients {
        try database.run("DELETE FROM enquiries WHERE recipient = ?", .text(recipient))
      }
    }
    _ = compact()
  }
}

extension ConsentError {
  static let tooManyEnquiries = ConsentError(
    .limit, "16 enquiries are open already; answer one first")
  static let noSuchEnquiry = ConsentError(.state, "there is no open enquiry of this number")
  static let enquiryToCome = ConsentError(
    .validity, "an enquiry is received now or earlier, not in the time to come")
}
