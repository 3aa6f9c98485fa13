import OBISDecoder
import Testing

/// Inputs that `scripts/fuzz.sh` found, cut down by hand: each broke a promise of the decoder once.
struct FuzzFindingTests {
  @Test func hidesNoEmptyPlaceWhereALineLacksItsBracket() {
    let sink = decode(telegram(["1-0:2.8.1(00001.5)\r", "1-0:1.7.0(1*kW\r"]))
    #expect(sink.problems.map(\.code).contains(.malformedLine))
    #expect(sink.secrets.allSatisfy { $0.secret.count > 0 })
  }

  @Test func hidesNoEmptyPlaceWhereBracketsHoldALineEnd() {
    let sink = decode(telegram(["0-0:96.13.0(\r)", "1-0:1.7.0(1*kW)"]))
    #expect(sink.secrets.map(\.secret.kind) == [.meterType])
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["1000 W"])
  }
}
