import Testing

@testable import OBISDecoder

/// DLMS in frames of the wired M-Bus.
@Suite struct MBusTests {
  private let vector = DLMSVector.aidonSwedish
  private var message: [UInt8] { Link.message(vector) }
  private var values: [OBISDecoder.Decimal] { decode(vector.frame).decimals }

  @Test("case 92: puts two frames together by number and last flag")
  func putsFramesTogether() throws {
    for size in [60, 100, 150] {
      let bytes = Array(MBusFrame.frames(message, size: size).joined())
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == values)
      #expect(sink.summaries.map(\.dialect) == [.mbus])
      #expect(sink.summaries.map(\.count) == [bytes.count])
      #expect(sink.summaries.map(\.integrity) == [.ok])
    }
  }

  @Test("case 92: waits over the gap between two frames of a message")
  func waitsOverTheGap() {
    let frames = MBusFrame.frames(message, size: 100)
    var decoder = MeterDecoder(DecoderOptions())
    var sink = RecordingSink()
    for frame in frames {
      decoder.push(frame.span, to: &sink)
      decoder.idle(to: &sink)
    }
    #expect(sink.decimals == values)
    #expect(sink.rejections.isEmpty)
  }

  @Test("case 92: takes a single frame whose control information is 10")
  func takesASingleFrame() throws {
    let sink = try #require(decodedInAnyPieces(MBusFrame.frame(message)))
    #expect(sink.decimals == values)
  }

  @Test("case 92: reads nothing of frames out of their order")
  func checksTheOrder() throws {
    let frames = MBusFrame.frames(message, size: 60)
    let whole = MBusFrame.frame(message)
    for index in frames.indices {
      var rest = frames
      rest.remove(at: index)
      let bytes = whole + Array(rest.joined()) + whole
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.decimals == values + values, "without frame \(index)")
      #expect(sink.claimedCount == bytes.count)
      #expect(sink.rejections.allSatisfy { $0.error.code == .segmented })
    }
    let swapped = decode(frames[1] + frames[0] + frames[2])
    #expect(swapped.readings.isEmpty)
  }

  @Test("case 93: takes a length of 256 or more, of which the low byte was sent")
  func takesAWrappedLength() throws {
    for count in [256, 257, 258, 261, 270] {
      let frame = MBusFrame.frame(Self.message(count: count - 5))
      #expect(frame[1] == UInt8(count - 256))
      let sink = try #require(decodedInAnyPieces(frame + MBusFrame.frame(message)))
      #expect(sink.decimals == [OBISDecoder.Decimal(mantissa: 77, exponent: 0)] + values)
      #expect(sink.rejections.isEmpty)
    }
  }

  /// A notification of `count` bytes with one reading and a text as long as it takes.
  private static func message(count: Int) -> [UInt8] {
    let entry = DLMSVector.entry(1, 7, 77, 0, 27)
    let fixed = 6 + 2 + entry.count + 2 + 8 + 3
    let text: [UInt8] =
      [0x09, 0x81, UInt8(count - fixed)]
      + [UInt8](repeating: 0x41, count: count - fixed)
    return [0x0F, 0x40, 0, 0, 0, 0x00, 0x01, 0x02] + entry
      + [0x02, 0x02] + AXDR.obis(OBISCode(0, 0, 96, 1, 0)) + text
  }

  @Test("case 94: a lost stop byte or a second header costs one frame")
  func findsTheFrameBehindADamagedOne() throws {
    let frame = MBusFrame.frame(message)
    let cut = Array(frame.dropLast()) + frame
    #expect(try #require(decodedInAnyPieces(cut)).decimals == values)
    for length in 4..<frame.count {
      let bytes = Array(frame.prefix(length)) + frame + frame
      let sink = decode(bytes)
      #expect(sink.decimals == values + values, "cut behind \(length)")
      #expect(accountingFault(sink, total: bytes.count) == nil)
    }
  }

  @Test("case 94: reads nothing with a bit flipped, and the frame behind it")
  func readsNothingFalse() {
    let frame = MBusFrame.frame(message)
    for bit in 0..<frame.count * 8 {
      var damaged = frame
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(damaged + frame)
      #expect(sink.decimals == values, "bit \(bit)")
      #expect(accountingFault(sink, total: 2 * frame.count) == nil)
    }
  }

  @Test("passes over single characters and short frames of the bus")
  func passesOverShortFrames() throws {
    let short: [UInt8] = [0xE5, 0x10, 0x5B, 0xFE, 0x59, 0x16]
    let frames = MBusFrame.frames(message, size: 100)
    let bytes = short + frames[0] + short + frames[1] + Array(frames[2...].joined()) + short
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == values)
    #expect(sink.rejections.isEmpty)
  }

  @Test("names a frame that carries no DLMS")
  func namesOtherControlInformation() {
    let body: [UInt8] = [0x08, 0x01, 0x72, 1, 2, 3, 4]
    let frame = [0x68, 7, 7, 0x68] + body + [body.reduce(0) { $0 &+ $1 }, 0x16]
    let sink = decode(frame)
    #expect(sink.problems == [DecodeError(.unsupportedAPDU, at: 6, found: 0x72)])
    #expect(sink.summaries.count == 1)
  }

  @Test("case 95: a meter of one phase has no values for the others")
  func onePhaseHasNoOthers() {
    let sink = decode(MBusFrame.frame(Link.message(.kamstrupOnePhase)))
    #expect(sink.readings.count == 3)
    #expect(sink.values(OBISCode(1, 1, 52, 7, 0)).isEmpty)
  }
}
