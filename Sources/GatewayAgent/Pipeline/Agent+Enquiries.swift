import ConsentLedger
import PrivacyFilter

// Rights that somebody outside asks for: a task for a person, with a date (privacy.md C12).

extension Agent {
  /// Opens an enquiry, notes its answer, or lists them all.
  func enquiry(_ request: EnquiryRequest) throws -> ControlResponse {
    let now = clock.now()
    if let number = request.answered {
      try store.answerEnquiry(number, at: now)
    } else if let name = request.kind {
      guard let kind = EnquiryKind(rawValue: name) else {
        let known = EnquiryKind.allCases.map(\.rawValue).joined(separator: ", ")
        throw ControlFailure(code: "E_LIMIT", message: "expected one of \(known)")
      }
      let received = try request.received.map { try Self.instant($0, "--received") }
      try store.openEnquiry(kind, receivedAt: received, at: now)
    }
    return ControlResponse(ok: true, enquiries: try enquiryViews(at: now))
  }

  private func enquiryViews(at now: Int64) throws -> [EnquiryView] {
    try store.enquiries().map { enquiry in
      EnquiryView(
        number: enquiry.number, kind: enquiry.kind.rawValue, recipient: enquiry.recipient,
        received: Timestamp.text(enquiry.receivedAt), due: Timestamp.text(enquiry.due),
        answered: enquiry.answeredAt.map(Timestamp.text), isUrgent: enquiry.needsReminder(at: now))
    }
  }

  /// Opens the enquiry of a recipient, which the household sees with its next look at them.
  func hear(_ kind: EnquiryKind, of recipient: String) throws {
    let now = clock.now()
    guard Recipient.isName(recipient), proposalDesk.admits(recipient, at: now) else {
      return Log.event(.warning, "E_LIMIT")
    }
    try requireTrustedClock()
    try LabelLinter.check(recipient, as: .label, vault: vault.vault)
    Log.event(.info, "ENQUIRY", try store.openEnquiry(kind, of: recipient, at: now))
  }

  /// Says in the log, once a day, which enquiries wait: number and days left, less than 0 when late.
  func remindOfEnquiries(at now: Int64) throws(StoreError) {
    for enquiry in try store.enquiries() where enquiry.needsReminder(at: now) {
      let days = (enquiry.due - now) / 86_400_000
      Log.event(.warning, "ENQUIRY_DUE", enquiry.number, days)
    }
  }
}
