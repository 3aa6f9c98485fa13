import OBISDecoder
import Testing

@testable import MeterSimulator

/// Ciphered telegrams whose length is damaged, so that it reaches into the next one: no tag shows it
/// to who has no authentication key.
struct DamagedLengthTests {
  /// Found by `scripts/differential.sh`: the checksum of the text is right, and 29 bytes of the next
  /// message were deciphered behind it.
  @Test(arguments: [UInt64(0x2_0000_01A4), 0x3_0000_0000])
  func findsTheNextMessageWhole(seed: UInt64) throws {
    let model = try #require(MeterModel.named("at-sagemcom-p1"))
    var state = RandomState(seed: seed)
    let frame = state.frame(of: model)
    let next = state.frame(of: model)
    try #require(Array(frame.bytes.prefix(2)) == [0xDB, 8] && frame.bytes[10] == 0x82)
    var random = RandomSource(seed: seed)
    for excess in [1, 2, 29, 200, 255] {
      var bytes = frame.bytes
      let length = Int(bytes[11]) * 256 + Int(bytes[12]) + excess
      bytes[11] = UInt8(length >> 8)
      bytes[12] = UInt8(length & 0xFF)
      let collector = try FrameCollector.decoding(bytes + next.bytes, of: model, cuts: &random)
      #expect(collector.frames.count == 1, "\(excess) bytes more")
      #expect(collector.frames.last?.difference(from: next) == nil, "\(excess) bytes more")
    }
  }
}
