extension Span<UInt8> {
  /// The eight bytes from `offset` on, the first one lowest.
  ///
  /// Traps like the subscript where not all of them are there: one check for eight bytes.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= count - 8, "eight bytes from the offset on")
    // In bounds by the line above; unaligned loads need no alignment, and bytes are trivial.
    return unsafe UInt64(
      littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
