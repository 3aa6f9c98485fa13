import OBISDecoder
import Testing

/// Block copies into, within and at the end of a buffer.
struct ByteBufferTests {
  private static let bytes = Array(0..<UInt8(100))

  @Test func appendsAnyPartAndRefusesWhatDoesNotFit() {
    let bytes = Self.bytes
    for range in [0..<0, 0..<1, 3..<20, 37..<100, 100..<100] {
      var buffer = ByteBuffer<64>()
      buffer.append(0xFF)
      buffer.append(bytes.span, in: range)
      expect(buffer, [0xFF] + bytes[range])
      let isFull = buffer.count == 64
      #expect(isFull == (range.count == 63))
      buffer.append(bytes.span, in: 0..<64)
      expect(buffer, [0xFF] + bytes[range])
      let overflowed = buffer.overflowed
      #expect(overflowed)
    }
  }

  @Test(arguments: [0, 1, 7, 50, 99, 100])
  func dropsFromTheFrontAndMovesTheRest(_ length: Int) {
    var buffer = ByteBuffer<100>()
    buffer.append(Self.bytes.span)
    buffer.removeFirst(length)
    expect(buffer, Array(Self.bytes.dropFirst(length)))
    buffer.append(1)
    expect(buffer, length == 0 ? Self.bytes : Self.bytes.dropFirst(length) + [1])
  }

  private func expect<let size: Int>(_ buffer: borrowing ByteBuffer<size>, _ bytes: [UInt8]) {
    let held = buffer.withBytes { span in span.indices.map { span[$0] } }
    #expect(held == bytes)
  }
}
