import Testing

@testable import OBISDecoder

/// The A-XDR types: their lengths, their bounds, and what stops the reading.
@Suite struct DLMSTypeTests {
  private func elements(_ bytes: [UInt8]) throws(DecodeError) -> [AXDRElement] {
    var cursor = AXDRCursor(offset: 0, end: bytes.count)
    var all: [AXDRElement] = []
    repeat { all.append(try cursor.next(in: bytes.span)) } while cursor.level > 0
    #expect(cursor.offset == bytes.count)
    return all
  }

  private func error(_ bytes: [UInt8]) -> DecodeError? {
    do throws(DecodeError) {
      _ = try elements(bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    arguments: [
      ([0x00], 0), ([0x03, 1], 1), ([0x04, 0x09, 0xFF, 0x80], 2), ([0x05, 1, 2, 3, 4], 4),
      ([0x06, 1, 2, 3, 4], 4), ([0x09, 2, 1, 2], 2), ([0x0A, 0], 0), ([0x0C, 1, 0x41], 1),
      ([0x0D, 0x12], 1), ([0x0F, 0xFF], 1), ([0x10, 1, 2], 2), ([0x11, 1], 1), ([0x12, 1, 2], 2),
      ([0x14, 1, 2, 3, 4, 5, 6, 7, 8], 8), ([0x15, 1, 2, 3, 4, 5, 6, 7, 8], 8), ([0x16, 27], 1),
      ([0x17, 1, 2, 3, 4], 4), ([0x18, 1, 2, 3, 4, 5, 6, 7, 8], 8),
      ([0x19, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 12), ([0x1A, 1, 2, 3, 4, 5], 5),
      ([0x1B, 1, 2, 3, 4], 4), ([0xFF], 0),
    ] as [([UInt8], Int)])
  func stepsOverEveryType(_ bytes: [UInt8], _ count: Int) throws {
    let element = try #require(try elements(bytes).first)
    #expect(element.count == count)
    #expect(element.byteCount == bytes.count)
    // The same inside a structure, with something behind it.
    let inside = try elements([0x02, 0x02] + bytes + [0x11, 7])
    #expect(inside.map(\.offset) == [0, 2, 2 + bytes.count])
    // One byte fewer is too few.
    guard bytes.count > 1 else { return }
    #expect(error(Array(bytes.dropLast()))?.code == .truncated)
  }

  @Test(
    arguments: [
      ([0x0F, 0x80], -128), ([0x0F, 0x7F], 127), ([0x10, 0xFF, 0xF6], -10),
      ([0x05, 0x80, 0, 0, 0], -2_147_483_648), ([0x06, 0xFF, 0xFF, 0xFF, 0xFF], 4_294_967_295),
      ([0x11, 0xFF], 255), ([0x12, 0xFF, 0xFF], 65_535),
      ([0x14, 0x80, 0, 0, 0, 0, 0, 0, 0], Int64.min),
      ([0x15, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Int64.max),
    ] as [([UInt8], Int64)])
  func readsIntegersWithTheirSign(_ bytes: [UInt8], _ value: Int64) throws {
    let element = try #require(try elements(bytes).first)
    #expect(try element.number(in: bytes.span)?.mantissa == value)
  }

  @Test func refusesIntegersThatDoNotFit() throws {
    let bytes: [UInt8] = [0x15, 0x80, 0, 0, 0, 0, 0, 0, 0]
    let element = try #require(try elements(bytes).first)
    #expect(throws: DecodeError(.numberTooLarge, at: 0)) { try element.number(in: bytes.span) }
  }

  @Test(
    arguments: [
      (127, [0x7F]), (127, [0x81, 0x7F]), (128, [0x81, 0x80]), (255, [0x81, 0xFF]),
      (300, [0x82, 0x01, 0x2C]), (300, [0x84, 0, 0, 0x01, 0x2C]),
    ] as [(Int, [UInt8])])
  func readsCountsInEveryForm(_ count: Int, _ form: [UInt8]) throws {
    let bytes = [0x09] + form + [UInt8](repeating: 1, count: count)
    #expect(try elements(bytes).first?.count == count)
    #expect(error(Array(bytes.dropLast()))?.code == .truncated)
  }

  @Test(arguments: [
    [0x09, 0x80], [0x09, 0x85, 0, 0, 0, 0, 1], [0x09, 0x82, 0x01], [0x09, 0x84, 0xFF, 0xFF, 0xFF],
    [0x09, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], [0x01, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
    [0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
  ])
  func refusesCountsThatCannotBe(_ bytes: [UInt8]) {
    let code = error(bytes)?.code
    #expect(code == .truncated || code == .malformedValue)
  }

  @Test(
    arguments: (UInt8.min...UInt8.max).filter { tag in
      !(0x00...0x06).contains(tag) && ![0x09, 0x0A, 0x0C, 0x0D, 0xFF].contains(tag)
        && !(0x0F...0x12).contains(tag) && !(0x14...0x1B).contains(tag)
    })
  func stopsAtUnknownTagsWithTheirOffset(_ tag: UInt8) {
    let bytes: [UInt8] = [0x02, 0x02, 0x11, 0x01, tag, 0, 0, 0]
    #expect(error(bytes) == DecodeError(.unknownType, at: 4, found: UInt32(tag)))
  }

  @Test func boundsNesting() {
    let limit = Limits.nesting
    let deepest = [[UInt8]](repeating: [0x02, 0x01], count: limit).joined() + [0x00]
    #expect(error(deepest) == nil)
    let tooDeep = [0x02, 0x01] + deepest
    #expect(
      error(tooDeep)
        == DecodeError(.nestingTooDeep, at: 2 * limit, expected: UInt32(limit)))
  }

  @Test func boundsElements() {
    let limit = Limits.elements
    func list(_ count: Int) -> [UInt8] {
      [0x01, 0x82, UInt8(count >> 8), UInt8(count & 0xFF)] + [UInt8](repeating: 0, count: count)
    }
    #expect(error(list(limit - 1)) == nil)
    #expect(error(list(limit))?.code == .tooManyElements)
  }

  @Test func walksEmptyArrays() throws {
    #expect(try elements([0x02, 0x03, 0x01, 0x00, 0x02, 0x00, 0x11, 5]).count == 4)
    #expect(
      HDLCStream.heard(DLMSVector.frame([0x01, 0x00])).problems.map(\.code) == [.unknownList])
  }

  /// Case 81: the list says more than the buffer holds.
  @Test func keepsWhatStandsBeforeAMissingElement() throws {
    var body = AXDR.array([
      DLMSVector.entry(1, 7, 5, 0, 27), DLMSVector.entry(2, 7, 6, 0, 27),
    ])
    body[1] = 3
    let frame = DLMSVector.frame(body)
    let recorder = HDLCStream.heard(frame)
    #expect(recorder.readings.map(\.value.mantissa) == [5, 6])
    let problem = try #require(recorder.problems.first)
    #expect(problem.code == .truncated)
    #expect(problem.offset == frame.count - 3, "where the FCS begins")
  }

  @Test(arguments: DLMSVector.allCases)
  func readsNoElementThatIsCut(_ vector: DLMSVector) {
    let whole = HDLCStream.heard(vector.frame).readings
    for count in 0..<vector.body.count {
      let cut = DLMSVector.frame(Array(vector.body.prefix(count)), header: vector.header)
      let recorder = HDLCStream.heard(cut)
      #expect(recorder.problems.count >= 1, "\(count) bytes of the body")
      #expect(recorder.readings.elementsEqual(whole.prefix(recorder.readings.count)))
      #expect(recorder.readings.count < whole.count)
      #expect(recorder.ended.count == 1)
    }
  }

  @Test(arguments: DLMSVector.allCases)
  func survivesAnyByteInTheBody(_ vector: DLMSVector) {
    for index in vector.body.indices {
      for value: UInt8 in [0x00, 0x01, 0x02, 0x09, 0x7F, 0x80, 0x82, 0x84, 0xFF] {
        var body = vector.body
        body[index] = value
        let recorder = HDLCStream.heard(DLMSVector.frame(body, header: vector.header))
        #expect(recorder.ended.count == 1)
      }
    }
  }

  @Test func readsMessagesThatFollowOneAnother() {
    let message: [UInt8] = [0xE6, 0xE7, 0x00, 0x0F, 0, 0, 0, 0, 0x00]
    let information =
      message + AXDR.array([DLMSVector.entry(1, 7, 5, 0, 27)])
      + message + AXDR.array([DLMSVector.entry(2, 7, 6, 0, 27)])
      + message.dropFirst(3) + AXDR.array([DLMSVector.entry(3, 7, 7, 0, 29)])
    let recorder = HDLCStream.heard(HDLCFrameBuilder().frame(information))
    #expect(recorder.readings.map(\.value.mantissa) == [5, 6, 7])
    #expect(recorder.problems == [])
  }

  @Test func reportsBytesBehindTheList() {
    let body = AXDR.array([DLMSVector.entry(1, 7, 5, 0, 27)]) + [0x11, 0x22]
    let recorder = HDLCStream.heard(DLMSVector.frame(body))
    #expect(recorder.readings.count == 1)
    #expect(recorder.problems.map(\.code) == [.trailingBytes])
  }
}
