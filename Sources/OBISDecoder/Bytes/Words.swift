extension Span<UInt8> {
  /// The eight bytes from `offset` on, the first one lowest.
  ///
  /// Traps like the subscript where not all of them are there: one check for eight bytes.
  @inline(__always)
  func word(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= count - 8, "eight bytes from the offset on")
    // In bounds by the line above.
    return unsafe uncheckedWord(at: offset)
  }

  /// The same for an offset known to be in bounds: 0…count − 8.
  @inline(__always)
  @unsafe
  func uncheckedWord(at offset: Int) -> UInt64 {
    // No alignment is asked for, and any eight bytes are a number.
    unsafe UInt64(
      littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// The eight bytes from `offset` on, the first one lowest, zeros for those behind the end.
  @inline(__always)
  func paddedWord(at offset: Int) -> UInt64 {
    offset <= count - 8 ? word(at: offset) : tail(from: offset)
  }

  @inline(never)
  private func tail(from offset: Int) -> UInt64 {
    var word: UInt64 = 0
    var index = count
    while index > offset {
      index -= 1
      word = word << 8 | UInt64(self[index])
    }
    return word
  }

  /// The number in the `count` bytes from `offset` on, 0 … 8, the first one highest.
  ///
  /// Traps like the subscript where not all of them are there.
  @inline(__always)
  func bigEndian(at offset: Int, count: Int) -> UInt64 {
    precondition(offset >= 0 && count >= 0 && count <= 8)
    guard offset + count >= 8 else {
      var number: UInt64 = 0
      for index in offset..<(offset + count) { number = number << 8 | UInt64(self[index]) }
      return number
    }
    // The eight bytes that end with the last one; what stands in front is dropped by the shift.
    let word = word(at: offset + count - 8).byteSwapped
    return count == 8 ? word : word & ((1 << UInt64(8 * count)) - 1)
  }
}

extension MutableSpan<UInt8> {
  /// Copies `source[range]` over the bytes from `offset` on, as one block.
  ///
  /// Traps like the subscript where either side is too short.
  mutating func replace(at offset: Int, with source: Span<UInt8>, in range: Range<Int>) {
    precondition(offset >= 0 && range.count <= count - offset, "room for the range")
    let part = source.extracting(range)
    unsafe withUnsafeMutableBytes { target in
      unsafe part.withUnsafeBytes { bytes in
        guard let start = target.baseAddress, let from = bytes.baseAddress else { return }
        // In bounds by the checks above.
        unsafe start.advanced(by: offset).copyMemory(from: from, byteCount: bytes.count)
      }
    }
  }

  /// Moves the bytes of `range` to `offset`, as one block; the two may overlap.
  mutating func move(from range: Range<Int>, to offset: Int) {
    precondition(range.upperBound <= count && offset >= 0 && range.count <= count - offset)
    unsafe withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      // In bounds by the check above; `copyMemory` allows overlap.
      unsafe start.advanced(by: offset).copyMemory(
        from: start.advanced(by: range.lowerBound), byteCount: range.count)
    }
  }
}

extension Span<UInt8> {
  /// Where `byte` first stands in `range`; the range's end if it does not.
  @inline(__always)
  func place(of byte: UInt8, in range: Range<Int>) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range of these bytes")
    let end = range.upperBound
    var index = range.lowerBound
    while index < end, index <= count - 8 {
      // In bounds by the condition above and the one of the loop.
      let found = unsafe uncheckedWord(at: index).places(of: byte)
      if found != 0 { return Swift.min(index + found.firstByte, end) }
      index += 8
    }
    while index < end, self[index] != byte { index += 1 }
    return Swift.min(index, end)
  }

  /// Where `byte` first stands from `start` on; `count` if it does not.
  @inline(__always)
  func place(of byte: UInt8, from start: Int) -> Int { place(of: byte, in: start..<count) }
}

/// Eight bytes looked at together, the first one lowest.
extension UInt64 {
  /// Sets the highest bit of the bytes that equal `byte`; exact up to and with the first of them.
  @inline(__always)
  func places(of byte: UInt8) -> UInt64 {
    let zeros = self ^ (UInt64(byte) &* 0x0101_0101_0101_0101)
    return (zeros &- 0x0101_0101_0101_0101) & ~zeros & 0x8080_8080_8080_8080
  }

  /// Sets the highest bit of the bytes that are no decimal digits.
  @inline(__always)
  var noDigits: UInt64 {
    let digits = self ^ 0x3030_3030_3030_3030
    return (((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | digits)
      & 0x8080_8080_8080_8080
  }

  /// The index of the first byte whose highest bit is set in such a mask; 8 if none is.
  @inline(__always)
  var firstByte: Int { trailingZeroBitCount >> 3 }

  /// How many hexadecimal digits of either case the bytes begin with.
  var hexDigits: Int {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    // 'a' to 'f' become 1 to 6, in either case: above 6 the sum reaches the highest bit.
    let letters = (self | 0x2020_2020_2020_2020) ^ 0x6060_6060_6060_6060
    let noLetters = ((letters & low) &+ 0x7979_7979_7979_7979) | letters
    // Without 0, which 0x7F added to it leaves below the highest bit.
    let zeros = ~((letters & low) &+ low)
    return (noDigits & (noLetters | zeros)).firstByte
  }

  /// The byte at `index`, 0…7, the lowest being 0.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: self &>> UInt64(truncatingIfNeeded: 8 &* index))
  }

  /// The number that the first `length` bytes print, 0…8 decimal digits.
  @inline(__always)
  func number(ofDigits length: Int) -> UInt64 {
    // The last digit highest, zeros in front; then neighbours are joined: 1 to 2, 2 to 4, 4 to 8.
    var pairs = (self ^ 0x3030_3030_3030_3030) << UInt64(64 - 8 * length)
    pairs = pairs &* 10 &+ pairs >> 8
    let odd = (pairs & 0x0000_00FF_0000_00FF) &* (100 + 1_000_000 << 32)
    let even = (pairs >> 16 & 0x0000_00FF_0000_00FF) &* (1 + 10_000 << 32)
    return (odd &+ even) >> 32
  }
}
