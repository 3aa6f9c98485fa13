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

  /// A '!' of a telegram with rubbish behind it, and far behind it another that would end a readout.
  @Test func tellsTelegramFromReadoutByWhatTheVerdictIsOn() throws {
    let text = "/TST5\\Made\r\n\r\n1.8.0(001.5*kWh)\r\n!50.0(2)\r\n2.8.0(001.5*kWh)\r\n!\r\n"
    let sink = try #require(decodedInAnyPieces(Array(text.utf8)))
    #expect(sink.rejections.map(\.error.code) == [.malformedChecksum])
    #expect(sink.claimedCount == text.utf8.count)
  }

  /// A frame that ends one transfer and begins another, of which nothing more comes.
  @Test func givesEachTransferItsOwnBytes() throws {
    let message = Link.message(.aidonSwedish)
    let parts = Link.cut(message, 50)
    try #require(parts.count > 2)
    let first = HDLCFrameBuilder().frame(
      Link.llc + Link.block(parts[0], number: 1, isLast: false))
    var second: [UInt8] = []
    for (index, part) in parts.enumerated().dropFirst() {
      let isLast = index == parts.count - 1
      second += Link.block(part, number: UInt16(index + 1), isLast: isLast)
    }
    let begun = Link.block(parts[0], number: 1, isLast: false)
    let bytes = first + HDLCFrameBuilder().frame(second + begun)
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == decode(DLMSVector.aidonSwedish.frame).decimals)
    #expect(sink.extents.allSatisfy { !$0.isEmpty })
    #expect(sink.rejections.map(\.summary.count) == [begun.count])
    #expect(sink.claimedCount == bytes.count)
    // Nor does a block that belongs to none take more than what is left of its frame.
    let stray = Link.block(parts[0], number: 9, isLast: false)
    let other = first + HDLCFrameBuilder().frame(second + stray)
    let rest = try #require(decodedInAnyPieces(other))
    #expect(rest.rejections.map(\.summary.count) == [stray.count])
    #expect(rest.claimedCount == other.count)
  }
}
