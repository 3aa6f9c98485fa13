import PrivacyFilter
import Testing

@testable import ConsentLedger

/// The rights clock of privacy design C12.
struct EnquiryTests {
  private let start = Fixture.start
  private static func utc(_ instant: Int64) -> CivilDate {
    CivilDate(of: instant, offsetSeconds: 0)
  }

  @Test("an enquiry is due after 30 days, reminds after 23, and no more once it is answered")
  func countsThirtyDays() throws {
    let fixture = try Fixture()
    let number = try fixture.store.openEnquiry(.access, of: "eliq", at: start)
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    let enquiry = try #require(try reopened.enquiries().first)
    #expect(enquiry.number == number && enquiry.kind == .access && enquiry.recipient == "eliq")
    #expect(Timestamp.text(enquiry.due) == "2026-01-31T00:00:00Z")
    #expect(!enquiry.needsReminder(at: start + 23 * Fixture.day - 1))
    #expect(enquiry.needsReminder(at: start + 23 * Fixture.day))
    #expect(enquiry.needsReminder(at: start + 40 * Fixture.day))
    try fixture.store.answerEnquiry(number, at: start + Fixture.day)
    let answered = try #require(try fixture.store.enquiries().first)
    #expect(answered.answeredAt == start + Fixture.day)
    #expect(!answered.needsReminder(at: start + 40 * Fixture.day))
    refuses(.state) { try fixture.store.answerEnquiry(number, at: start) }
  }

  @Test("the day it came counts, not the day it was typed; one to come is refused, so is the 17th")
  func countsFromTheDayItCame() throws {
    let fixture = try Fixture()
    let now = start + 10 * Fixture.day
    try fixture.store.openEnquiry(.erasure, receivedAt: start, at: now)
    #expect(try fixture.store.enquiries().map(\.due) == [start + 30 * Fixture.day])
    refuses(.validity) { try fixture.store.openEnquiry(.other, receivedAt: now + 1, at: now) }
    for _ in 1..<16 { try fixture.store.openEnquiry(.other, at: now) }
    refuses(.limit) { try fixture.store.openEnquiry(.other, at: now) }
    try fixture.store.answerEnquiry(1, at: now)
    #expect(try fixture.store.openEnquiry(.other, at: now) == 17)
  }

  @Test("answered ones go after three years, open ones never; erasing takes a recipient's, or all")
  func goesAgain() throws {
    let fixture = try Fixture()
    for recipient in [nil, "eliq", "elekt"] {
      try fixture.store.openEnquiry(.access, of: recipient, at: start)
    }
    try fixture.store.answerEnquiry(1, at: start)
    let lastDay = try #require(Timestamp.parse("2029-01-01T12:00:00Z"))
    try fixture.store.sweepEnquiries(at: lastDay, date: Self.utc)
    #expect(try fixture.store.enquiries().count == 3)
    try fixture.store.sweepEnquiries(at: lastDay + Fixture.day, date: Self.utc)
    #expect(try fixture.store.enquiries().map(\.number) == [2, 3])
    try fixture.store.eraseEnquiries(of: ["eliq"])
    #expect(try fixture.store.enquiries().map(\.recipient) == ["elekt"])
    try fixture.store.eraseEnquiries(of: nil)
    #expect(try fixture.store.enquiries().isEmpty)
  }
}
