import OBISDecoder
import Testing

@testable import MeterSimulator

/// Frames taken apart by hand, as the standards describe them.
struct TransportTests {
  static let message = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
  static let address: [UInt8] = [0xCF, 0x02, 0x23]
  /// Bytes in front of an HDLC frame's information: flag, format, address, control, HCS.
  static let head = 1 + 2 + 3 + 1 + 2

  static func information(_ frame: [UInt8]) -> [UInt8] { Array(frame[head..<frame.count - 3]) }

  @Test func segmentsCarryTheMessageAndMarkAllButTheLast() {
    let frames = PushTransport.segments(address: Self.address, control: 0x13, information: 154)
      .frames(of: Self.message)
    #expect(frames.map { $0[1] & 0x08 } == [8, 0])
    #expect(frames.map { $0[6] } == [0x03, 0x13])
    // The longest segment of an Iskra AM550 says A8 A4.
    #expect(Array(frames[0][1...2]) == [0xA8, 0xA4])
    #expect(frames.flatMap(Self.information) == [0xE6, 0xE7, 0x00] + Self.message)
  }

  @Test func blocksAreNumberedAndTheLastIsMarked() {
    let frames = PushTransport.blocks(address: Self.address, control: 0x13, information: 129)
      .frames(of: Self.message)
    let contents = frames.map(Self.information)
    #expect(Array(contents[0].prefix(10)) == [0xE6, 0xE7, 0x00, 0xE0, 0x40, 0, 1, 0, 0, 119])
    #expect(Array(contents[1].prefix(7)) == [0xE0, 0x40, 0, 2, 0, 0, 122])
    #expect(Array(contents[2].prefix(7)) == [0xE0, 0xC0, 0, 3, 0, 0, 59])
    #expect(contents[0][10...] + contents[1][7...] + contents[2][7...] == Self.message[...])
    #expect(frames[0].count - 2 == 0x8B)
  }

  @Test func mbusFramesCountThemselvesAndHaveTheirSum() {
    let frames = MBusWriter.frames(of: Self.message, length: 250)
    #expect(Array(frames[0].prefix(9)) == [0x68, 0xFA, 0xFA, 0x68, 0x53, 0xFF, 0x00, 0x01, 0x67])
    #expect(Array(frames[1].prefix(9)) == [0x68, 60, 60, 0x68, 0x53, 0xFF, 0x11, 0x01, 0x67])
    for frame in frames {
      let body = frame[4..<frame.count - 2]
      #expect(body.count == Int(frame[1]))
      #expect(Int(frame[frame.count - 2]) == body.reduce(0) { $0 + Int($1) } % 256)
      #expect(frame.last == 0x16)
    }
    #expect(frames.flatMap { $0[9..<$0.count - 2] } == Self.message)
  }

  @Test func lengthOf257WrapsToOne() {
    let frames = MBusWriter.frames(of: Self.message, length: 257)
    #expect(frames[0].count == 257 + 6)
    #expect(Array(frames[0].prefix(4)) == [0x68, 0x01, 0x01, 0x68])
  }

  @Test func escapesInAMessageAreDoubledAndPaddingIsCounted() {
    for count in 0...9 {
      let message = [UInt8](repeating: 0x1B, count: 4 + count) + [0]
      let bytes = SMLWriter.transport(message, isKermit: false)
      #expect(bytes.count % 4 == 0)
      let padding = Int(bytes[bytes.count - 3])
      var content = Array(bytes[8..<bytes.count - 8])
      #expect(content.suffix(padding).allSatisfy { $0 == 0 })
      content.removeLast(padding)
      let doubled = message.count + (4 + count) / 4 * 4
      #expect(padding == (4 - doubled % 4) % 4)
      #expect(content == [UInt8](repeating: 0x1B, count: doubled - 1) + [0])
      #expect(
        HDLCWriter.checksum(of: Array(bytes.dropLast(2))) == Array(bytes.suffix(2)))
    }
  }

  @Test func blockCheckCharacterMakesTheBlockZero() throws {
    var meter = try #require(SimulatedMeter(name: "ch-landisgyr-d0", seed: 2))
    let bytes = meter.next(at: 1_768_485_600_000).bytes
    let start = try #require(bytes.firstIndex(of: 0x02))
    #expect(bytes[(start + 1)...].reduce(0, ^) == 0)
    #expect(bytes[bytes.count - 2] == 0x03)
  }

  @Test func objectListNamesAsManyObjectsAsValuesFollow() throws {
    var meter = try #require(SimulatedMeter(name: "ch-landisgyr", seed: 2))
    let content = meter.next(at: 1_768_485_600_000).content
    // Data-notification, invoke-id, date-time of twelve octets; then the structure.
    #expect(Array(content[18..<24]) == [0x02, 11, 0x01, 11, 0x02, 0x04])
  }

  @Test func wrongMarkOfADefectiveMeterLooksNegative() throws {
    var state = MeterState()
    let code = OBISCode(1, 0, 16, 7, 0)
    state.values[code] = Decimal(mantissa: 32_805, exponent: -2)
    let frame = SMLEncoder.frame(
      for: state, layout: .dzg, identity: MeterIdentity(seed: 1), counter: 1)
    #expect(frame.content.contains([0x62, 0x1B, 0x52, 0xFE, 0x53, 0x80, 0x25, 0x01]))
    #expect(frame.expected.map(\.value) == [Decimal(mantissa: 32_805, exponent: -2)])
  }
}
