import Testing

@testable import OBISDecoder

/// Messages in several HDLC frames, several in one, and what is lost when one of them is damaged.
@Suite struct HDLCSegmentTests {
  private let vector = DLMSVector.aidonSwedish
  private var message: [UInt8] { Link.message(vector) }
  private var values: [OBISDecoder.Decimal] { decode(vector.frame).decimals }

  @Test("case 47: keeps to the length over flags in the list and in the checksum")
  func keepsToTheLength() throws {
    let code = OBISCode(1, 0, 1, 7, 0)
    for value: UInt32 in [0x7E7E_7E7E, 0x7E_A0_7E, 0x7D7E] {
      let frame = DLMSVector.frame(AXDR.array([DLMSVector.entry(1, 7, value, 0, 27)]))
      let sink = try #require(decodedInAnyPieces(frame + frame))
      #expect(sink.values(code) == ["\(value) W", "\(value) W"])
    }
  }

  @Test("case 48: believes no length that stands behind a stray flag")
  func believesNoLengthBehindAStrayFlag() throws {
    let stray: [UInt8] = [0x7E, 0xA7, 0xFF, 0x21, 0x13, 0x00]
    let bytes = stray + vector.frame + stray + vector.frame
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == values + values)
    #expect(accountingFault(sink, total: bytes.count) == nil)
  }

  @Test("case 49: takes shared and doubled flags and bytes behind a frame")
  func takesFlagsAsTheyCome() throws {
    let frame = vector.frame
    for between in [[], [0x7E], [0x7E, 0x7E], [0x00], [0x0D, 0x0A], [0xFF, 0x7E]] as [[UInt8]] {
      let sink = try #require(decodedInAnyPieces(frame + between + frame + between))
      #expect(sink.decimals == values + values)
      #expect(sink.rejections.isEmpty)
    }
    let shared = try #require(decodedInAnyPieces(frame + frame.dropFirst()))
    #expect(shared.decimals == values + values)
  }

  @Test("case 50: reads each of several frames that come in one read")
  func readsEachFrameOfARead() throws {
    let bytes =
      DLMSVector.kaifaThreePhase.frame + DLMSVector.kamstrupHourly.frame
      + DLMSVector.aidonList1.frame
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.summaries.count == 3)
    #expect(sink.rejections.isEmpty && sink.discards.isEmpty)
  }

  @Test("case 51: puts HDLC segments together, splitting in mid-type", arguments: 4...90)
  func putsSegmentsTogether(_ size: Int) throws {
    let segments = Link.segments(message, size: size)
    guard segments.count > 1, segments.count <= Limits.pieces else { return }
    let bytes = Array(segments.joined())
    let sink = try #require(decodedInAnyPieces(bytes, sizes: [1, 13]))
    #expect(sink.decimals == values)
    #expect(sink.problems == [])
    #expect(sink.summaries.map(\.count) == [bytes.count])
    #expect(sink.summaries.map(\.offset) == [0])
    #expect(sink.pieces.count == segments.count)
    for piece in sink.pieces {
      let start = Int(piece.position)
      let part = Array(bytes[start..<start + piece.count])
      #expect(part == Array((Link.llc + message)[piece.offset..<piece.offset + piece.count]))
    }
  }

  @Test("case 51: segments may share their flags")
  func segmentsMayShareFlags() throws {
    let segments = Link.segments(message, size: 60)
    let bytes = segments.dropFirst().reduce(segments[0]) { $0 + $1.dropFirst() }
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == values)
  }

  @Test("case 51: a missing segment discards the message, and no other one")
  func missingSegmentDiscardsTheMessage() throws {
    let segments = Link.segments(message, size: 50)
    for index in segments.indices {
      var rest = segments
      rest.remove(at: index)
      let bytes = vector.frame + Array(rest.joined()) + vector.frame
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == values + values, "without segment \(index)")
      #expect(sink.claimedCount == bytes.count)
      #expect(Set(sink.rejections.map(\.error.code)).isSubset(of: [.segmented, .truncated]))
      #expect(!sink.rejections.isEmpty)
    }
  }

  @Test("case 51: a damaged segment costs its message alone")
  func damagedSegmentCostsOneMessage() throws {
    let segments = Link.segments(message, size: 50)
    let count = segments.joined().count
    for index in stride(from: 0, to: count, by: 3) {
      var damaged = Array(segments.joined())
      damaged[index] ^= 0x10
      let sink = decode(damaged + segments.joined() + vector.frame)
      let good = values + values
      // A flag is not missed where the next frame's stands beside it.
      #expect(sink.decimals == good || sink.decimals == values + good, "byte \(index)")
    }
  }

  @Test("case 51: a message waits through silences, and not for ever")
  func waitsThroughSilences() {
    let segments = Link.segments(message, size: 50)
    for silences in [1, Limits.silences, Limits.silences + 1] {
      var decoder = MeterDecoder(DecoderOptions())
      var sink = RecordingSink()
      let first = segments[0]
      decoder.push(first.span, to: &sink)
      for _ in 0..<silences { decoder.idle(to: &sink) }
      let waits = decoder.isMidFrame
      #expect(waits == (silences <= Limits.silences))
      for segment in segments.dropFirst() { decoder.push(segment.span, to: &sink) }
      decoder.finish(to: &sink)
      let isInTime = silences <= Limits.silences
      #expect(sink.decimals == (isInTime ? values : []))
      #expect(sink.rejections.isEmpty == isInTime)
    }
  }

  @Test("case 51: the end of input rejects a message that is not whole")
  func endRejectsWhatIsNotWhole() {
    let segments = Link.segments(message, size: 50)
    let sink = decode(segments[0] + segments[1])
    #expect(sink.rejections.map(\.error.code) == [.segmented])
    #expect(sink.rejections.map(\.summary.count) == [segments[0].count + segments[1].count])
    #expect(sink.readings.isEmpty)
  }

  @Test("case 51: rejects a message of more segments than it keeps in mind")
  func rejectsTooManySegments() {
    let segments = Link.segments(message, size: 4)
    #expect(segments.count > Limits.pieces)
    let sink = decode(Array(segments.joined()) + vector.frame)
    #expect(sink.decimals == values)
    #expect(sink.rejections.first?.error.code == .tooLong)
  }

  @Test("case 52: strips an LLC header from the first segment only")
  func stripsTheFirstHeaderOnly() throws {
    for text in [[0xE6, 0xE7, 0x00, 0x41], [0xE6, 0xE7, 0x00, 0x0F], [0xE6, 0xE6, 0x00, 0xE0]]
      as [[UInt8]]
    {
      let body = AXDR.array([
        AXDR.structure([AXDR.obis(OBISCode(0, 0, 96, 1, 0)), AXDR.octets(text)]),
        DLMSVector.entry(1, 7, 1234, 0, 27),
      ])
      let message = [0x0F, 0x40, 0, 0, 0, 0x00] + body
      // The second segment begins with the text.
      let size = Link.llc.count + 6 + 2 + 2 + 8 + 2
      let second = Array((Link.llc + message)[size..<size + 4])
      #expect(second == text)
      // As the last segment, and as one in the middle.
      for rest in [200, 20] {
        let parts =
          [Array((Link.llc + message).prefix(size))]
          + Link.cut(Array((Link.llc + message).dropFirst(size)), rest)
        let segments = parts.enumerated().map { index, part in
          HDLCFrameBuilder(isSegmented: index < parts.count - 1).frame(part)
        }
        let sink = try #require(decodedInAnyPieces(Array(segments.joined())))
        #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["1234 W"])
        #expect(sink.secrets.map(\.text) == [text])
      }
    }
  }

  @Test("case 52: a lost last segment does not swallow the message behind it")
  func lostLastSegmentSwallowsNothing() throws {
    let segments = Link.segments(message, size: 50)
    let other = Link.message(.kamstrupHourly)
    let expected = decode(DLMSVector.kamstrupHourly.frame).decimals
    for next in [[DLMSVector.kamstrupHourly.frame], Link.segments(other, size: 70)] {
      let bytes = Array(segments.dropLast().joined()) + next.joined()
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == expected)
      #expect(sink.rejections.map(\.error.code) == [.segmented])
      #expect(sink.claimedCount == bytes.count)
    }
  }

  @Test("case 56: reads every message in one information field")
  func readsEveryMessageOfAFrame() throws {
    let lists: [DLMSVector] = [.aidonList1, .kaifaThreePhase, .kamstrupOnePhase]
    let information = lists.flatMap { Link.llc + Link.message($0) }
    let sink = try #require(decodedInAnyPieces(HDLCFrameBuilder().frame(information)))
    #expect(sink.summaries.count == 1)
    #expect(sink.problems.map(\.code).filter { $0 != .duplicateCode } == [])
    #expect(sink.readings.count > decode(DLMSVector.kaifaThreePhase.frame).readings.count)
  }

  @Test("case 59: takes addresses of one, two and four bytes, whatever they are")
  func takesEveryAddress() {
    for destination: [UInt8] in [[0x03], [0xCE, 0xFF], [0xCF, 0x02, 0x23], [2, 2, 4, 0x21]] {
      let isAddress = destination.count != 3
      let frame =
        isAddress
        ? HDLCFrameBuilder(destination: destination, source: [0x23]).frame(Link.llc + message)
        : HDLCFrameBuilder(destination: [0xCF], source: [0x02, 0x23]).frame(Link.llc + message)
      #expect(decode(frame).decimals == values)
    }
  }

  @Test("case 61: checks checksums of zero like any other")
  func checksChecksumsOfZero() {
    var frame = vector.frame
    frame[frame.count - 3] = 0
    frame[frame.count - 2] = 0
    #expect(decode(frame).rejections.map(\.error.code) == [.checksumMismatch])
  }
}
