import FoundationEssentials
import Testing

@testable import PrivacyFilter

struct GrantCodingTests {
  private let json = #"""
    {"schema":"gateway-consent/1","id":"5f0e2d3c-0000-4000-8000-000000000001","version":1,"supersedes":null,
     "sources":["7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b"],"profile":"eliq-disaggregation",
     "recipient":"eliq","purpose":"disaggregation","basis":"f","basisText":"GDPR artikel 6 (1)(f), Elekt 3.2",
     "categories":["E3","E4","T1"],"optional":["X1","X2"],"channels":[],
     "granularity":"G4","quantum":"R2","minDelay":60,"fineConfirmed":false,
     "identifier":"pseudonym","absolute":false,"rotateDays":90,
     "validFrom":"2026-01-01T00:05:00Z","validUntil":"2027-01-01T00:05:00Z","reviewEveryDays":365,
     "retention":"R-WITHDRAW",
     "destination":{"broker":"eliq-eu","topicRoot":"gateway/eliq","qos":1,"retain":false,"country":"SE","route":"direct","transfer":"none","mqtt5Expiry":true},
     "aggregate":null,
     "notice":{"sha256":"22db4f0d2fbb4bd830dd855ed62a5781870d2d6ebfd697b69727d1d8461162b9","lang":"da","title":"Elekt privatlivserklæring 3.2","blob":"notices/22db4f0d"},
     "ageAttested":true,"householdInformed":true,"state":"active","decidedBy":"uid:1000","decidedAt":"2026-01-01T00:05:00Z"}
    """#

  @Test func storedFormOfTheDesignIsReadAndWrittenUnchanged() throws {
    let grant = try JSONDecoder().decode(Grant.self, from: Data(json.utf8))
    #expect(grant.terms.categories == [.e3, .e4, .t1])
    #expect(grant.terms.granularity == .g4 && grant.terms.quantum == .r2)
    #expect(grant.terms.validUntil == at("2027-01-01T00:05:00Z"))
    #expect(grant.state == .active && grant.id == grantID)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let written = String(decoding: try encoder.encode(grant), as: UTF8.self)
    let again = try JSONDecoder().decode(Grant.self, from: Data(written.utf8))
    #expect(again == grant)
    for part in [
      #""aggregate":null"#, #""supersedes":null"#, #""categories":["E3","E4","T1"]"#,
      #""granularity":"G4""#, #""quantum":"R2""#, #""validFrom":"2026-01-01T00:05:00Z""#,
      #""channels":[]"#, #""topicRoot":"gateway/eliq""#,
    ] {
      #expect(written.contains(part))
    }
  }

  @Test(arguments: [
    ("gateway-consent/1", "gateway-consent/2"), (#""E3","#, #""E9","#), ("G4", "G7"),
    ("\"R2\"", "\"R5\""), ("2026-01-01T00:05:00Z", "2026-13-01T00:05:00Z"),
    ("2027-01-01T00:05:00Z", "2027-01-01"), ("\"active\"", "\"Active\""),
    ("7b1f0c52-", "7b1f0c5-"), ("\"basis\":\"f\"", "\"basis\":\"g\""),
  ])
  func anythingElseIsRefused(part: String, replacement: String) throws {
    let range = try #require(json.range(of: part))
    let broken = json.replacingCharacters(range, replacement)
    #expect(throws: (any Error).self) {
      try JSONDecoder().decode(Grant.self, from: Data(broken.utf8))
    }
  }

  @Test func categoriesKeepTheirFrozenBits() {
    #expect(CategorySet.codes.count == 28)
    for (bit, entry) in CategorySet.codes.enumerated() {
      #expect(entry.category.rawValue == 1 << UInt32(bit))
    }
    #expect(CategorySet(codes: ["E3", "E9"]) == nil)
  }

  @Test(arguments: [
    "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-01-15T14:30:07Z", "2100-03-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
  ])
  func timesAreWrittenAsRead(text: String) throws {
    let instant = try #require(Timestamp.parse(text))
    #expect(Timestamp.text(instant) == text)
    #expect(Timestamp.text(instant + 999) == text)
  }

  @Test(arguments: ["2023-02-29T00:00:00Z", "2026-01-15T24:00:00Z", "2026-01-15 14:30:07Z", ""])
  func timesThatNoCalendarHasAreRefused(text: String) {
    #expect(Timestamp.parse(text) == nil)
  }
}

extension String {
  func replacingCharacters(_ range: Range<Index>, _ part: String) -> String {
    String(self[..<range.lowerBound]) + part + String(self[range.upperBound...])
  }
}
