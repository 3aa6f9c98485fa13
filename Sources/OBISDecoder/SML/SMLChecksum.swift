/// The checksums that SML files and messages are seen with.
///
///     VARIANT                   SEEN IN
///     X-25, low byte first      BSI TR-03109-1 annex IV part b; nearly every meter
///     X-25, high byte first     readers that swap the bytes
///     KERMIT, high byte first   Holley DTZ541 (libsml #75, SmlLib #22)
///     KERMIT, low byte first    the same behind readers that swap the bytes
enum SMLChecksum: UInt8, BitwiseCopyable {
  case x25LowFirst
  case kermitHighFirst
  case x25HighFirst
  case kermitLowFirst

  /// Every variant, the commonest first.
  static let all: [4 of SMLChecksum] = [
    .x25LowFirst, .kermitHighFirst, .x25HighFirst, .kermitLowFirst,
  ]

  /// The checksum of `bytes[range]`.
  func value(of bytes: Span<UInt8>, in range: Range<Int>) -> UInt16 {
    switch self {
    case .x25LowFirst, .x25HighFirst: CRC16.x25(bytes, in: range)
    case .kermitLowFirst, .kermitHighFirst: CRC16.kermit(bytes, in: range)
    }
  }

  /// The checksum in the two bytes at `offset`.
  func found(in bytes: Span<UInt8>, at offset: Int) -> UInt16 {
    let (first, second) = (UInt16(bytes[offset]), UInt16(bytes[offset + 1]))
    return switch self {
    case .x25LowFirst, .kermitLowFirst: second << 8 | first
    case .x25HighFirst, .kermitHighFirst: first << 8 | second
    }
  }

  /// Whether the two bytes at `offset` are the checksum of `bytes[range]`.
  func isRight(of bytes: Span<UInt8>, in range: Range<Int>, at offset: Int) -> Bool {
    value(of: bytes, in: range) == found(in: bytes, at: offset)
  }
}
