import Native

/// Decodes recordings from standard input and prints every event, the same on every processor.
///
/// Input: for each recording its length in four bytes, highest first, then its bytes. Each is decoded
/// by a fresh decoder, pushed in pieces of 1 to 64 bytes, so that what is kept between pieces counts
/// too. Built in Embedded Swift: no heap, no Swift runtime. `scripts/check-aarch64.sh` compares.
@c(main)
public func main() -> Int32 {
  while let first = nextByte() {
    var rest = Int(first)
    for _ in 0..<3 {
      guard let byte = nextByte() else { return 1 }
      rest = rest << 8 | Int(byte)
    }
    decode(rest)
  }
  return 0
}

/// Decodes the next `count` bytes of standard input.
private func decode(_ count: Int) {
  var sink = EventWriter()
  var cipher = ToyCipher()
  var decoder = MeterDecoder(DecoderOptions())
  var piece = ByteBuffer<64>()
  var wanted = 1
  for _ in 0..<count {
    guard let byte = nextByte() else { break }
    piece.append(byte)
    guard piece.count == wanted else { continue }
    piece.withBytes { decoder.push($0, with: &cipher, to: &sink) }
    piece.removeAll()
    wanted = wanted * 5 % 64 + 1
  }
  piece.withBytes { decoder.push($0, with: &cipher, to: &sink) }
  decoder.finish(with: &cipher, to: &sink)
  let mark: StaticString = "end\n"
  unsafe native_write(mark.utf8Start, 4)
}

/// One byte of standard input, nil at its end.
private func nextByte() -> UInt8? {
  UInt8(exactly: native_next_byte())
}
