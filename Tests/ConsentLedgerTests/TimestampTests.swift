import Testing

@testable import ConsentLedger

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64(0)), ("2026-01-01T00:05:00Z", 1_767_225_900),
    ("2024-02-29T23:59:59Z", 1_709_251_199), ("2000-03-01T00:00:00Z", 951_868_800),
    ("1969-12-31T23:59:59Z", -1), ("0000-01-01T00:00:00Z", Timestamp.earliest),
    ("9999-12-31T23:59:59Z", Timestamp.latest),
  ])
  func readsAndWrites(_ text: String, _ seconds: Int64) {
    #expect(Timestamp(parsing: text)?.seconds == seconds)
    #expect(Timestamp(milliseconds: seconds * 1000).text == text)
  }

  @Test(arguments: [
    "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00", "2026-01-01T00:00:00.0Z", "+026-01-01T00:00:00Z", "",
  ])
  func refusesWhatIsNoTime(_ text: String) {
    #expect(Timestamp(parsing: text) == nil)
  }

  @Test func roundsDownAndClamps() {
    #expect(Timestamp(milliseconds: 1_999).seconds == 1)
    #expect(Timestamp(milliseconds: -1).seconds == -1)
    #expect(Timestamp(milliseconds: .max).text == "9999-12-31T23:59:59Z")
    #expect(Timestamp(milliseconds: .min).text == "0000-01-01T00:00:00Z")
    #expect(Timestamp(milliseconds: -1).day == "1969-12-31")
  }
}
