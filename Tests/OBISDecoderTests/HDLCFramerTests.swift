import Testing

@testable import OBISDecoder

/// Where a frame begins and ends, and what its checksums say.
@Suite struct HDLCFramerTests {
  private let information: [UInt8] = [0xE6, 0xE7, 0x00, 0x0F, 1, 2, 3, 4, 0x00, 0x02, 0x00]

  private func verdict(_ bytes: [UInt8]) -> FramingVerdict {
    var framer = HDLCFramer()
    return framer.advance(over: bytes.span)
  }

  @Test(
    arguments: [[0x03], [0xCE, 0xFF], [0x02, 0x02, 0x04, 0x21]],
    [[0x21], [0x02, 0x23], [0x00, 0x02, 0x04, 0x23]])
  func takesAddressesOfOneTwoAndFourBytes(_ destination: [UInt8], _ source: [UInt8]) {
    let frame = HDLCFrameBuilder(destination: destination, source: source).frame(information)
    #expect(verdict(frame) == .complete(count: frame.count, integrity: .ok))
  }

  @Test func refusesAddressesOfOtherSizes() {
    let three = HDLCFrameBuilder(destination: [0x02, 0x02, 0x03]).frame(information)
    #expect(verdict(three) == .notAFrame)
    let endless = HDLCFrameBuilder(destination: [2, 2, 2, 2, 3]).frame(information)
    #expect(verdict(endless) == .notAFrame)
  }

  @Test(arguments: [0x13, 0x03, 0x10, 0x32])
  func takesEveryControlField(_ control: UInt8) {
    let frame = HDLCFrameBuilder(control: control).frame(information)
    #expect(verdict(frame) == .complete(count: frame.count, integrity: .ok))
  }

  @Test func takesFramesWithoutInformation() {
    let frame = HDLCFrameBuilder().frame([])
    #expect(verdict(frame) == .complete(count: frame.count, integrity: .ok))
    let recorder = HDLCStream.heard(frame)
    #expect(recorder.ended.count == 1)
    #expect(recorder.problems == [])
  }

  @Test func waitsForTheByteBehindTheFrame() {
    let frame = HDLCFrameBuilder().frame(information)
    for count in 1..<frame.count {
      #expect(verdict(Array(frame.prefix(count))) == .incomplete)
    }
    let open = Array(frame.dropLast())
    #expect(verdict(open + [0x55]) == .complete(count: open.count, integrity: .ok))
    var framer = HDLCFramer()
    #expect(framer.finish(over: open.span) == .complete(count: open.count, integrity: .ok))
  }

  @Test func keepsLengthOverFlags() {
    let frame = HDLCFrameBuilder().frame(information + [0x7E, 0x7E, 0xA0, 0x7D, 0x7E])
    #expect(verdict(frame) == .complete(count: frame.count, integrity: .ok))
  }

  @Test func refusesAnAbortedFrame() {
    let frame = HDLCFrameBuilder().frame(information)
    let aborted = Array(frame.dropLast()) + [0x7D, 0x7E]
    guard case .damaged(let error, let count) = verdict(aborted) else {
      Issue.record("an aborted frame is damaged")
      return
    }
    #expect(error.code == .truncated)
    #expect(count == frame.count, "the flag behind may open another frame")
  }

  @Test func rejectsFrameWithWrongChecksum() {
    var frame = HDLCFrameBuilder().frame(information)
    let right = UInt32(frame[frame.count - 3]) | UInt32(frame[frame.count - 2]) << 8
    frame[frame.count - 3] ^= 1
    let error = DecodeError(
      .checksumMismatch, at: frame.count - 3, expected: right, found: right ^ 1)
    #expect(verdict(frame) == .damaged(error, count: frame.count - 1))
  }

  @Test func believesNoLengthBeforeTheHeaderChecksum() {
    var frame = HDLCFrameBuilder().frame(information)
    frame[2] = 0xFF
    guard case .damaged(let error, let count) = verdict(frame) else {
      Issue.record("a wrong header checksum is damage")
      return
    }
    #expect(error.code == .headerChecksumMismatch)
    #expect(count == 1)
  }

  /// Case 61: zero is no "none".
  @Test func checksChecksumsOfZero() {
    var frame = HDLCFrameBuilder().frame(information)
    frame[frame.count - 3] = 0
    frame[frame.count - 2] = 0
    let recorder = HDLCStream.heard(frame)
    #expect(recorder.ended == [])
    #expect(recorder.rejected.map(\.code) == [.checksumMismatch])
    var header = HDLCFrameBuilder().frame(information)
    header[6] = 0
    header[7] = 0
    #expect(HDLCStream.heard(header).ended == [])
  }

  @Test func takesAFrameWhoseChecksumIsZero() {
    // Two bytes can bring a CRC to any value: look for those that make it zero.
    for filler in UInt16.min...UInt16.max {
      let bytes = information + [UInt8(filler >> 8), UInt8(filler & 0xFF)]
      let frame = HDLCFrameBuilder().frame(bytes)
      guard frame[frame.count - 3] == 0, frame[frame.count - 2] == 0 else { continue }
      #expect(verdict(frame) == .complete(count: frame.count, integrity: .ok))
      return
    }
    Issue.record("no filler makes the checksum zero")
  }

  @Test func takesTheLongestFrame() {
    let longest = HDLCFrameBuilder().frame([UInt8](repeating: 0x7E, count: 2047 - 9))
    #expect(longest.count == 2049)
    #expect(verdict(longest) == .complete(count: 2049, integrity: .ok))
  }

  @Test(arguments: [
    [0x7E, 0x7E], [0x7E, 0x00], [0x7E, 0xB0], [0x7E, 0xA0, 0x06], [0x7E, 0xA0, 0x08, 0x01, 0x02],
  ])
  func refusesOrAwaitsWhatIsNoHeader(_ bytes: [UInt8]) {
    let expected: FramingVerdict = bytes.count == 5 ? .incomplete : .notAFrame
    #expect(verdict(bytes) == expected)
  }

  @Test func rejectsATruncatedFrameAtTheEnd() {
    let frame = HDLCFrameBuilder().frame(information)
    var framer = HDLCFramer()
    let half = Array(frame.prefix(12))
    #expect(
      framer.finish(over: half.span)
        == .damaged(
          DecodeError(.truncated, at: 12, expected: UInt32(frame.count - 1), found: 12), count: 12))
  }
}
