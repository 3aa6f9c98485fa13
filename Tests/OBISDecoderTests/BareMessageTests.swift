import Testing

@testable import OBISDecoder

/// Messages without a link layer, as bridges over TCP and MQTT deliver them.
@Suite struct BareMessageTests {
  @Test func findsCipheredTelegramBehindFramesOfALinkLayer() throws {
    let title = Array("TST12345".utf8)
    let telegram =
      Array("/TST5invented\r\n\r\n".utf8) + [0xDB, 8] + title + [7, 0x20, 0, 0, 0, 1, 0x55, 0x66]
    let sink = try #require(decodedInAnyPieces(DLMSVector.aidonSwedish.frame + telegram))
    #expect(sink.summaries.map(\.dialect) == [.hdlc, .apdu])
    #expect(sink.problems.map(\.code) == [.encrypted])
  }

  @Test func damagedIdentificationCostsOneCipheredTelegram() throws {
    let content: [UInt8] = [0x20, 0, 0, 0, 1] + (0..<90).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let frame =
      Array("/TST5invented\r\n\r\n".utf8) + [0xDB, 8] + Array("TST12345".utf8)
      + [UInt8(content.count)] + content
    for value in [0x0A, 0x0D, 0x2F, 0x21, 0xDB] as [UInt8] {
      for place in 0..<30 where frame[place] != value {
        var damaged = frame
        damaged[place] = value
        let sink = try #require(decodedInAnyPieces(damaged + frame, sizes: [1, 33]))
        #expect(sink.summaries.last?.count == frame.count, "byte \(place) is \(value)")
        #expect(sink.problems.last?.code == .encrypted)
      }
    }
  }

  private let vector = DLMSVector.aidonSwedish
  private var message: [UInt8] { Link.message(vector) }
  private var values: [OBISDecoder.Decimal] { decode(vector.frame).decimals }

  @Test("case 57: takes every form of the date-time")
  func takesEveryFormOfTheTime() {
    let forms: [[UInt8]] = [
      [0x00], [0x0C] + AXDR.time, [0x09, 0x0C] + AXDR.time, [0x19] + AXDR.time,
    ]
    for form in forms {
      let frame = DLMSVector.frame(DLMSVector.aidonList1.body, header: form)
      let sink = decode(frame)
      #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["1661 W"])
      #expect((sink.summaries.first?.meterTime == nil) == (form.count == 1))
    }
  }

  @Test("case 60: takes a message with an LLC header or none, and no link layer")
  func takesBareMessages() throws {
    for header in [[], Link.llc, [0xE6, 0xE6, 0x00]] {
      let one = header + message
      let sink = try #require(decodedInAnyPieces(one + one + one))
      #expect(sink.decimals == values + values + values)
      #expect(sink.summaries.map(\.dialect) == [.apdu, .apdu, .apdu])
      #expect(sink.summaries.map(\.integrity) == [.absent, .absent, .absent])
      #expect(accountingFault(sink, total: 3 * one.count) == nil)
    }
  }

  @Test("case 60: takes blocks without a link layer")
  func takesBareBlocks() throws {
    let parts = Link.cut(message, 60)
    let bytes = parts.enumerated().flatMap { index, part in
      Link.block(part, number: UInt16(index + 1), isLast: index == parts.count - 1)
    }
    let sink = try #require(decodedInAnyPieces(bytes))
    #expect(sink.decimals == values)
    #expect(sink.summaries.map(\.count) == [bytes.count])
  }

  @Test("case 60: begins no bare message within a damaged frame")
  func beginsNothingWithinADamagedFrame() {
    var frame = vector.frame
    frame[frame.count - 3] ^= 0xFF
    frame[0] = 0x55
    let sink = decode([0x00] + frame)
    #expect(sink.readings.isEmpty && sink.summaries.isEmpty)
    var behind = vector.frame
    behind[1] = 0x00
    #expect(decode(vector.frame + behind).decimals == values)
  }

  @Test("case 60: reads nothing of a bare message that is cut")
  func readsNothingOfAPart() {
    for count in 1..<message.count {
      let sink = decode(Array(message.prefix(count)))
      #expect(sink.readings.isEmpty, "\(count) bytes")
      #expect(accountingFault(sink, total: count) == nil)
    }
  }

  @Test("case 60: a bare message that something else follows is not believed")
  func doesNotBelieveWhatRubbishFollows() {
    let sink = decode(message + [0x55, 0x55])
    #expect(sink.readings.isEmpty)
    #expect(sink.rejections.map(\.error.code) == [.trailingBytes])
  }

  @Test("case 60: finds a bare message behind a silence")
  func findsAMessageBehindASilence() {
    var decoder = MeterDecoder(DecoderOptions())
    var sink = RecordingSink()
    let rubbish: [UInt8] = [0x01, 0x02, 0x0F, 0x03]
    decoder.push(rubbish.span, to: &sink)
    decoder.idle(to: &sink)
    let bytes = message
    decoder.push(bytes.span, to: &sink)
    decoder.idle(to: &sink)
    #expect(sink.decimals == values)
  }

  @Test("case 16: frames ciphered P1 by its length, and finds the next start")
  func framesCipheredTelegrams() throws {
    let one = Self.ciphered(count: 300)
    let bytes = [0x31, 0x0D, 0x0A] + one + one + one.prefix(100) + one
    let sink = try #require(decodedInAnyPieces(Array(bytes)))
    #expect(sink.problems.map(\.code) == [.encrypted, .encrypted, .encrypted])
    #expect(sink.secrets.allSatisfy { $0.secret.kind == .keyMaterial })
    #expect(sink.claimedCount == bytes.count)
  }

  @Test("case 15: frames ciphertext behind an identification line")
  func framesCiphertextBehindAnIdentification() throws {
    let line = Array("/TST5GAMA\r\n\r\n".utf8)
    let headless = [0x00] + Self.ciphered(count: 560).dropFirst(10)
    let p1 = Vectors.telegram("p1/dsmr5")
    for one in [line + Self.ciphered(count: 560), line + headless] {
      let bytes = p1 + one + one + p1
      let sink = try #require(decodedInAnyPieces(bytes))
      #expect(sink.problems.map(\.code) == [.encrypted, .encrypted])
      #expect(sink.summaries.map(\.dialect) == [.p1, .apdu, .apdu, .p1])
      #expect(sink.secrets.filter { $0.text == Array("TST5GAMA".utf8) }.count == 2)
      #expect(accountingFault(sink, total: bytes.count) == nil)
    }
  }

  /// A ciphered message of `count` bytes of content, with '!' and '/' in it.
  private static func ciphered(count: Int) -> [UInt8] {
    let text = (0..<count - 5).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 0x21) }
    return [0xDB, 0x08] + Array("ZZZ12345".utf8)
      + [0x82, UInt8(count >> 8), UInt8(count & 255), 0x30, 0, 0, 0, 1] + text
  }
}
