import Testing

@testable import OBISDecoder

/// Recognition in a running stream: pieces, noise, damage, limits.
struct MeterDecoderTests {
  @Test(arguments: Vectors.all)
  func saysTheSameHoweverTheBytesAreCut(_ name: String) {
    let bytes = Array("noise/(".utf8) + Vectors.telegram(name) + Vectors.telegram(name)
    let whole = decode(bytes).events
    for chunk in [1, 2, 3, 7, 64] { #expect(decode(bytes, chunk: chunk).events == whole) }
  }

  @Test(arguments: Vectors.all)
  func readsNothingFalseFromAnyBeginning(_ name: String) {
    let bytes = Vectors.telegram(name)
    let whole = decode(bytes).readings
    for length in 0..<bytes.count {
      let sink = decode(Array(bytes.prefix(length)))
      #expect(sink.readings.isEmpty || sink.readings == whole, "\(length) bytes")
      #expect(accountingFault(sink, total: length) == nil)
    }
  }

  @Test(arguments: Vectors.all)
  func readsNothingFalseWithAnyBitFlipped(_ name: String) {
    let bytes = Vectors.telegram(name)
    let whole = decode(bytes)
    guard whole.summaries.first?.integrity == .ok else { return }
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(damaged)
      #expect(sink.readings.isEmpty || sink.readings == whole.readings, "bit \(bit)")
      #expect(accountingFault(sink, total: bytes.count) == nil)
    }
  }

  @Test func losesOneTelegramAtMostToADamagedByte() {
    let one = Vectors.telegram("p1/dsmr5")
    for index in one.indices {
      for value: UInt8 in [0x00, 0x0A, 0x0D, 0x21, 0x28, 0x2F, 0x7E, 0xFF] where one[index] != value
      {
        var damaged = one
        damaged[index] = value
        let sink = decode(one + damaged + one)
        #expect((2...3).contains(sink.summaries.count), "byte \(index) is \(value)")
        #expect(sink.readings.count == sink.summaries.count * 13)
      }
    }
  }

  @Test func losesOneTelegramAtMostToACutAnywhere() {
    let one = Vectors.telegram("p1/dsmr5")
    for length in one.indices {
      let sink = decode(Array(one.prefix(length)) + one)
      // Only the line end is missing where two come out.
      #expect((1...2).contains(sink.summaries.count), "cut behind \(length)")
      #expect(
        sink.summaries.last.map { $0.offset + UInt64($0.count) } == UInt64(length + one.count))
      #expect(accountingFault(sink, total: length + one.count) == nil)
    }
  }

  @Test func losesNoTelegramWithoutChecksumToACutOne() {
    let one = Vectors.telegram("p1/checksum_absent")
    for length in one.indices {
      let sink = decode(Array(one.prefix(length)) + one)
      #expect(sink.summaries.last?.offset == UInt64(length), "cut behind \(length)")
      #expect(sink.readings.count == sink.summaries.count * 13)
    }
  }

  @Test func findsTelegramsAmongRubbish() {
    let one = Vectors.telegram("p1/dsmr5")
    let rubbish = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ ($0 >> 3)) }
    let bytes = rubbish + one + Array("/ABC/DEF\r\n/~~\u{7E}".utf8) + one + rubbish
    let sink = decode(bytes, chunk: 61)
    #expect(sink.summaries.count == 2)
    #expect(accountingFault(sink, total: bytes.count) == nil)
  }

  @Test func reportsOneRunOfRubbishOnce() {
    let sink = decode(Array("rubbish / and ~ more".utf8) + Vectors.telegram("p1/dsmr5"))
    #expect(sink.discards.map(\.count) == [20])
    #expect(sink.events.first == .discarded(20, at: 0))
  }

  @Test func reportsLongRunsInPiecesOfOneFrame() {
    let sink = decode([UInt8](repeating: 0x55, count: 20_000), chunk: 999)
    #expect(sink.discards.map(\.count) == [8192, 8192, 3616])
    #expect(sink.discards.map(\.offset) == [0, 8192, 16_384])
  }

  @Test func rejectsTelegramWithWrongChecksum() throws {
    var bytes = Vectors.telegram("p1/dsmr5")
    let sum = arc(Array(bytes.prefix { $0 != 0x21 }) + [0x21])
    let digit = try #require(bytes.firstIndex(of: UInt8(ascii: "7")))
    bytes[digit] = UInt8(ascii: "8")
    let wrong = arc(Array(bytes.prefix { $0 != 0x21 }) + [0x21])
    let sink = decode(bytes)
    let error = DecodeError(
      .checksumMismatch, at: bytes.count - 6, expected: UInt32(wrong), found: UInt32(sum))
    #expect(sink.rejections.map(\.error) == [error])
    #expect(sink.rejections.map(\.summary.integrity) == [.bad])
    #expect(sink.events.count == 1)
  }

  @Test func takesFrameOfExactlyTheLimitAndNotOneByteMore() {
    #expect(FrameBuffer.capacity == Limits.frameBytes)
    for excess in [0, 1] {
      let frame = telegramOfSize(Limits.frameBytes + excess)
      let good = Vectors.telegram("p1/dsmr5")
      for chunk in [1000, .max] {
        let sink = decode(frame + good, chunk: chunk)
        #expect(sink.summaries.count == 2 - excess)
        #expect(sink.rejections.map(\.error.code) == (excess == 0 ? [] : [.tooLong]))
        #expect(accountingFault(sink, total: frame.count + good.count) == nil)
      }
    }
  }

  @Test func saysTheSameOfAStreamPushedWholeAndInPieces() {
    let good = Vectors.telegram("p1/dsmr5")
    let endless = Array("/TST5\\Endless\r\n".utf8) + [UInt8](repeating: 0x33, count: 9000)
    let rubbish = [UInt8](repeating: 0x55, count: 9000)
    var bytes =
      Array(good.dropFirst(100)) + good + rubbish + good + telegramOfSize(Limits.frameBytes)
    for piece in [endless, good, telegramOfSize(Limits.frameBytes + 1), good] { bytes += piece }
    for _ in 0..<20 { bytes += good }
    bytes += good.prefix(300)
    let whole = decode(bytes)
    #expect(whole.summaries.count == 25)
    #expect(whole.rejections.map(\.error.code) == [.tooLong, .tooLong, .truncated])
    for chunk in [1, 700, 5000, 8192, 8193, 12_000] {
      #expect(decode(bytes, chunk: chunk).events == whole.events, "pieces of \(chunk)")
    }
  }

  private func telegramOfSize(_ size: Int) -> [UInt8] {
    let empty = telegram(["0-0:96.13.0()", "1-0:1.7.0(00.473*kW)"]).count
    let text = String(repeating: "3", count: size - empty)
    return telegram(["0-0:96.13.0(\(text))", "1-0:1.7.0(00.473*kW)"])
  }

  @Test func completesTelegramWithoutLineEndWhenTheLineFallsSilent() {
    let bytes = Array(Vectors.telegram("p1/dsmr5").dropLast(2))
    var decoder = MeterDecoder(DecoderOptions())
    var sink = RecordingSink()
    expectState(decoder, isMidFrame: false, dialect: nil)
    decoder.push(bytes.span, to: &sink)
    #expect(sink.events.isEmpty)
    expectState(decoder, isMidFrame: true, dialect: nil)
    decoder.finish(to: &sink)
    #expect(sink.summaries.map(\.count) == [bytes.count])
    expectState(decoder, isMidFrame: false, dialect: .p1)
    decoder.push(bytes.span, to: &sink)
    decoder.finish(to: &sink)
    #expect(sink.summaries.map(\.offset) == [0, UInt64(bytes.count)])
  }

  private func expectState(
    _ decoder: borrowing MeterDecoder, isMidFrame: Bool, dialect: Dialect?
  ) {
    let (holds, family) = (decoder.isMidFrame, decoder.dialect)
    #expect(holds == isMidFrame)
    #expect(family == dialect)
  }

  @Test func rejectsTelegramWithoutEnd() {
    let bytes = Array(Vectors.telegram("p1/dsmr5").dropLast(20))
    let sink = decode(bytes)
    #expect(sink.rejections.map(\.error) == [DecodeError(.truncated, at: bytes.count)])
    #expect(sink.events.count == 1)
  }

  @Test func rejectsChecksumThatIsNotHexadecimal() {
    let bytes = Array("/TST5\\Made\r\n\r\n1-0:1.7.0(00.473*kW)\r\n!12G4\r\n".utf8)
    let sink = decode(bytes)
    #expect(sink.rejections.map(\.error) == [DecodeError(.malformedChecksum, at: 39)])
    #expect(sink.discards.map(\.count) == [4])
  }

  @Test func hintsAtParityBitsInsteadOfStayingSilent() {
    let bytes = Vectors.telegram("p1/dsmr5").map { byte in
      byte.nonzeroBitCount % 2 == 0 ? byte : byte | 0x80
    }
    let sink = decode(bytes)
    #expect(sink.rejections.map(\.error) == [DecodeError(.notText, at: 0)])
    #expect(sink.readings.isEmpty && sink.summaries.isEmpty)
  }

  @Test func looksOnlyForTheDialectAskedFor() {
    let bytes = Vectors.telegram("p1/dsmr5")
    #expect(decode(bytes, dialect: .p1).summaries.count == 1)
    #expect(decode(bytes, dialect: .hdlc).events == [.discarded(bytes.count, at: 0)])
  }

  @Test func computesTheChecksumsOfTheStandards() {
    let digits = Array("123456789".utf8)
    #expect(CRC16.arc(digits.span, in: 0..<9) == 0xBB3D)
    #expect(CRC16.x25(digits.span, in: 0..<9) == 0x906E)
    #expect(CRC16.arc(digits.span, in: 2..<5) == arc(Array(digits[2..<5])))
  }
}

/// P1 and HDLC frames on one line, as the simulator and captures mix them.
@Suite(.enabled(if: RecordedFrames.isPresent, RecordedFrames.absence))
struct MeterDecoderMixTests {
  static let hdlc = RecordedFrames.all(in: "hdlc").filter(\.isSelected)

  @Test(arguments: hdlc)
  func recognisesBothFamiliesInOneStream(_ frame: RecordedFrame) {
    let p1 = Vectors.telegram("p1/dsmr5")
    let alone = decode(frame.bytes)
    let bytes = p1 + frame.bytes + p1.prefix(200) + frame.bytes + p1
    for chunk in [1, 7, .max] {
      let sink = decode(bytes, chunk: chunk)
      #expect(sink.summaries.filter { $0.dialect == .p1 }.count == 2)
      #expect(sink.readings.count == 2 * 13 + 2 * alone.readings.count)
      #expect(accountingFault(sink, total: bytes.count) == nil)
    }
  }

  @Test(arguments: hdlc)
  func saysTheSameHoweverTheBytesAreCut(_ frame: RecordedFrame) {
    let bytes = frame.bytes + [0x7E, 0x7E] + frame.bytes
    let whole = decode(bytes).events
    for chunk in [1, 2, 3, 7, 64] { #expect(decode(bytes, chunk: chunk).events == whole) }
    #expect(accountingFault(decode(bytes), total: bytes.count) == nil)
  }

  @Test(arguments: hdlc)
  func isMidFrameOnlyWhileAFrameIsOpen(_ frame: RecordedFrame) {
    guard frame.bytes.first == 0x7E, frame.bytes.last == 0x7E else { return }
    var decoder = MeterDecoder(DecoderOptions())
    var sink = RecordingSink()
    decoder.push(frame.bytes.span.extracting(0..<20), to: &sink)
    let isMidFrame = decoder.isMidFrame
    #expect(isMidFrame)
    decoder.push(frame.bytes.span.extracting(20..<frame.bytes.count), to: &sink)
    let isMidFrameBehindIt = decoder.isMidFrame
    #expect(!isMidFrameBehindIt && !sink.summaries.isEmpty)
  }

  @Test(arguments: hdlc)
  func decodesFramesThatShareAFlag(_ frame: RecordedFrame) {
    guard frame.bytes.first == 0x7E, frame.bytes.last == 0x7E else { return }
    let alone = decode(frame.bytes)
    let bytes = frame.bytes + frame.bytes.dropFirst()
    let sink = decode(bytes, chunk: 5)
    #expect(sink.summaries.count == 2 * alone.summaries.count)
    #expect(sink.readings.count == 2 * alone.readings.count)
    #expect(accountingFault(sink, total: bytes.count) == nil)
  }
}
