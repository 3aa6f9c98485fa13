import ModbusMeters
import Testing

/// The receiver that looks for a reply among other bytes, and the frames around requests.
@Suite("Receiver") struct ReceiverTests {
  /// Unit 1, function 4, registers 0 and 1: acceptance case 14.
  private static let request = ModbusRequest(
    ReadBlock(function: .input, address: 0, count: 2), unit: 1, transaction: 0x1234)
  private static let good: [UInt8] = [0x01, 0x04, 0x04, 0x43, 0x66, 0x33, 0x33, 0x5A, 0xFA]
  private static let words = ReplyReceiver.Reply.words([0x4366, 0x3333])

  private func reply(_ bytes: [UInt8], _ framing: ModbusFraming = .rtu) -> ReplyReceiver.Reply? {
    var receiver = ReplyReceiver(framing)
    receiver.expect(ReceiverTests.request)
    return receiver.take(bytes)
  }

  @Test func wrapsTheRequestOfCase14() {
    #expect(
      ReceiverTests.request.bytes(.rtu) == [0x01, 0x04, 0x00, 0x00, 0x00, 0x02, 0x71, 0xCB])
    #expect(
      ReceiverTests.request.bytes(.tcp)
        == [0x12, 0x34, 0, 0, 0, 6, 0x01, 0x04, 0x00, 0x00, 0x00, 0x02])
  }

  @Test func takesTheGoodFrameOfCase14() {
    #expect(reply(ReceiverTests.good) == ReceiverTests.words)
  }

  @Test func takesTheExceptionOfCase14() {
    #expect(reply([0x01, 0x84, 0x02, 0xC2, 0xC1]) == .exception(2))
  }

  @Test(arguments: [
    "01 04 04 43 66 33 33 5A FB", "02 04 04 43 66 33 33 69 FA", "01 03 04 43 66 33 33 5B 4D",
    "01 04 08 43 66 33 33 43 66 80 00 F3 B2", "01 04 04 43",
  ])
  func takesNoneOfTheOtherFramesOfCase14(text: String) {
    #expect(reply(text.split(separator: " ").compactMap { UInt8($0, radix: 16) }) == nil)
  }

  @Test(
    arguments: [[0x00], [0xFF], [0x00, 0x01], [0x01, 0x04], [0x01, 0x04, 0x04]] as [[UInt8]])
  func findsTheReplyBehindStrayBytes(stray: [UInt8]) {
    #expect(reply(stray + ReceiverTests.good) == ReceiverTests.words)
  }

  @Test func findsTheReplyBehindTheRequestsEchoAndALateReply() {
    let late: [UInt8] = [
      0x01, 0x04, 0x08, 0x43, 0x66, 0x33, 0x33, 0x43, 0x66, 0x80, 0x00, 0xF3, 0xB2,
    ]
    #expect(
      reply(ReceiverTests.request.bytes(.rtu) + late + ReceiverTests.good) == ReceiverTests.words)
  }

  @Test func findsTheReplyByteByByte() {
    var receiver = ReplyReceiver(.rtu)
    receiver.expect(ReceiverTests.request)
    for byte in [0x00] + ReceiverTests.good.dropLast() { #expect(receiver.take([byte]) == nil) }
    #expect(receiver.take([0xFA]) == ReceiverTests.words)
    #expect(receiver.strayCount == 1)
  }

  @Test func findsTheReplyInAnyNoiseCutInAnyPieces() {
    for _ in 0..<1000 {
      // Bytes that a reply may begin with, and at last its beginning.
      var noise = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...8) }
      noise += ReceiverTests.good.prefix(Int.random(in: 0..<ReceiverTests.good.count))
      var receiver = ReplyReceiver(.rtu)
      receiver.expect(ReceiverTests.request)
      var bytes = (noise + ReceiverTests.good)[...]
      var replies: [ReplyReceiver.Reply] = []
      while !bytes.isEmpty {
        let count = Int.random(in: 1...min(bytes.count, 40))
        if let reply = receiver.take(bytes.prefix(count)) { replies.append(reply) }
        bytes = bytes.dropFirst(count)
      }
      #expect(replies == [ReceiverTests.words], "\(noise)")
      #expect(receiver.strayCount == UInt64(noise.count), "\(noise)")
    }
  }

  @Test func takesNothingUnasked() {
    var receiver = ReplyReceiver(.rtu)
    #expect(receiver.take(ReceiverTests.good) == nil)
    receiver.expect(ReceiverTests.request)
    #expect(receiver.take([]) == nil)
  }

  @Test func tellsRepliesOverTCPApartByTheirTransaction() {
    let body: [UInt8] = [0, 0, 0, 7, 0x01, 0x04, 0x04, 0x43, 0x66, 0x33, 0x33]
    #expect(reply([0x12, 0x33] + body, .tcp) == nil)
    #expect(reply([0x12, 0x33] + body + [0x12, 0x34] + body, .tcp) == ReceiverTests.words)
    #expect(reply([0x12, 0x34, 0, 0, 0, 3, 1, 0x84, 11], .tcp) == .exception(11))
  }
}
