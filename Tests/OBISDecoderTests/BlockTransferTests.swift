import Testing

@testable import OBISDecoder

/// General block transfer over HDLC frames.
@Suite struct BlockTransferTests {
  private let vector = DLMSVector.aidonSwedish
  private var message: [UInt8] { Link.message(vector) }
  private var values: [OBISDecoder.Decimal] { decode(vector.frame).decimals }
  private var billing: [UInt8] { Link.message(.kamstrupHourly) }
  private var billingValues: [OBISDecoder.Decimal] {
    decode(DLMSVector.kamstrupHourly.frame).decimals
  }

  @Test("case 53: puts the blocks of a transfer together", arguments: [20, 40, 60, 112])
  func putsBlocksTogether(_ size: Int) throws {
    let bytes = Array(Link.blocks(message, size: size).joined())
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == values)
    #expect(sink.problems == [])
    #expect(sink.summaries.map(\.count) == [bytes.count])
    for piece in sink.pieces {
      let start = Int(piece.position)
      #expect(
        Array(bytes[start..<start + piece.count])
          == Array(message[piece.offset..<piece.offset + piece.count]))
    }
  }

  @Test("case 53: reads nothing of a transfer that is not whole")
  func readsNothingOfAPart() throws {
    let blocks = Link.blocks(message, size: 40)
    for count in 1..<blocks.count {
      let sink = decode(Array(blocks.prefix(count).joined()))
      #expect(sink.readings.isEmpty && sink.summaries.isEmpty)
      #expect(sink.rejections.map(\.error.code) == [.segmented])
    }
    for index in blocks.indices {
      #expect(decode(blocks[index]).readings.isEmpty)
      var rest = blocks
      rest.remove(at: index)
      let bytes = Array(rest.joined()) + vector.frame
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == values, "without block \(index + 1)")
      #expect(sink.claimedCount == bytes.count)
    }
  }

  @Test("case 53: names the block that is out of order")
  func namesTheBlockOutOfOrder() {
    let blocks = Link.blocks(message, size: 40)
    let sink = decode(blocks[0] + blocks[2])
    let error = DecodeError(.blockOutOfOrder, at: 8, expected: 2, found: 3)
    #expect(sink.rejections.map(\.error) == [error, error])
  }

  @Test("case 53: takes a transfer that begins anew in the middle")
  func takesATransferBegunAnew() throws {
    let blocks = Link.blocks(message, size: 40)
    for count in 1..<blocks.count {
      let bytes = Array(blocks.prefix(count).joined()) + blocks.joined()
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == values)
      #expect(sink.rejections.map(\.error.code) == [.segmented])
      #expect(sink.claimedCount == bytes.count)
    }
  }

  @Test("case 53: a damaged block costs one transfer")
  func damagedBlockCostsOneTransfer() {
    let blocks = Link.blocks(message, size: 40)
    for index in blocks.indices {
      var damaged = blocks
      damaged[index][12] ^= 0x40
      let sink = decode(Array(damaged.joined()) + blocks.joined() + blocks.joined())
      #expect(sink.decimals == values + values, "block \(index + 1)")
    }
  }

  @Test("case 54: keeps two transfers apart that interleave")
  func keepsTransfersApart() throws {
    let long = Link.blocks(billing, size: 50)
    let short = Link.blocks(message, size: 60)
    // The short push comes between any two blocks of the long one.
    for split in 1..<long.count {
      let bytes =
        Array(long.prefix(split).joined()) + short.joined() + long.dropFirst(split).joined()
      let sink = try #require(decodedInAnyPieces(bytes, sizes: [1, 33]))
      #expect(sink.decimals == values + billingValues, "behind block \(split)")
      #expect(sink.rejections.isEmpty)
      #expect(sink.claimedCount == bytes.count)
    }
  }

  @Test("case 54: gives blocks that take turns to the message they belong to")
  func sortsBlocksThatTakeTurns() throws {
    let long = Link.blocks(billing, size: 50)
    let short = Link.blocks(message, size: 60)
    var bytes: [UInt8] = []
    for index in 0..<max(long.count, short.count) {
      if index < long.count { bytes += long[index] }
      if index < short.count { bytes += short[index] }
    }
    let sink = try #require(decodedInAnyPieces(bytes, sizes: [1, 33]))
    let all = sink.decimals
    // Never a mixture: each message whole, or not at all.
    #expect(
      [values + billingValues, billingValues + values, values, billingValues, []].contains(all))
    #expect(all == values + billingValues || all == billingValues + values)
  }

  @Test("case 54: tells transfers apart by the addresses of their frames")
  func tellsTransfersApartByAddress() throws {
    let long = Link.blocks(billing, size: 50, destination: [0xCE, 0xFF])
    let short = Link.blocks(message, size: 60, destination: [0xCE, 0x9B])
    // The younger one waits for the same number while the older one goes on to its end.
    let bytes = long[0] + short[0] + long.dropFirst().joined() + short.dropFirst().joined()
    let sink = try #require(decodedInAnyPieces(bytes, sizes: [1, 33]))
    #expect(sink.decimals == billingValues + values)
    #expect(sink.rejections.isEmpty)
    // One that begins anew takes the place of its own, though the other one is older.
    let anew = long[0] + short[0] + short.joined() + long.dropFirst().joined()
    let second = try #require(decodedInAnyPieces(anew, sizes: [1, 33]))
    #expect(second.decimals == values + billingValues)
    #expect(second.rejections.map(\.error.code) == [.segmented])
  }

  @Test("case 54: takes transfers back to back in one read")
  func takesTransfersBackToBack() throws {
    let bytes =
      Array(Link.blocks(billing, size: 100).joined()) + Link.blocks(message, size: 100).joined()
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == billingValues + values)
    #expect(sink.rejections.isEmpty)
  }

  @Test("case 53: rejects a transfer that is too long")
  func rejectsATransferTooLong() {
    let blocks = Link.blocks([UInt8](repeating: 0x0F, count: 9000), size: 250)
    let sink = decode(Array(blocks.joined()) + vector.frame)
    #expect(sink.rejections.first?.error.code == .tooLong)
    #expect(sink.decimals == values)
  }
}
