import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct CanonicalJSONTests {
  private func text(_ value: CanonicalJSON) -> String {
    String(decoding: value.bytes, as: UTF8.self)
  }

  @Test func sortsKeysByTheirBytesAndWritesNoSpaces() {
    let value: CanonicalJSON = [
      "b": [true, false, nil], "a10": .integer(-5), "B": [:], "a9": [], "@type": "x",
    ]
    #expect(text(value) == #"{"@type":"x","B":{},"a10":-5,"a9":[],"b":[true,false,null]}"#)
  }

  @Test func escapesWhatJSONDemandsAndNothingElse() {
    #expect(
      text("a/b\"\\\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}æ€") == #""a/b\"\\\b\t\n\f\r\u0001\u001f"#
        + "\u{7f}æ€\"")
  }

  /// The encoder that writes grants must give the same form as the writer of everything else.
  @Test func agreesWithTheEncoderOfGrants() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let row = try #require(try fixture.store.row(id))
    let body = try #require(try fixture.store.ledger.body(row.bodyHash))
    let text = String(decoding: body, as: UTF8.self)
    #expect(text.hasPrefix(#"{"by":"uid:1000","document":{"absolute":false,"ageAttested":false,"#))
    #expect(text.contains(#""aggregate":null,"basis":"f","#))
    #expect(text.contains(#""topicRoot":"gateway/eliq""#))
    #expect(!text.contains(" :") && !text.contains(": ") && !text.contains("\n"))
    let keys = ["by", "document", "grant", "recipient", "state"]
    #expect(keys == keys.sorted())
    let grant = try #require(RecordBody.document(Grant.self, in: body))
    #expect(RecordBody.carrying(grant, by: "uid:1000") == body)
  }
}
