/// A fixed-capacity run of bytes that is written front to back and never grows.
///
/// What does not fit is dropped as a whole piece and `overflowed` becomes true: check it once,
/// after the last append. Not for keeping identifiers: `removeAll()` does not wipe.
public struct ByteBuffer<let capacity: Int>: ~Copyable {
  private var storage: InlineArray<capacity, UInt8>
  /// Number of bytes held, 0…capacity.
  public private(set) var count: Int
  /// Whether anything was refused since the last `removeAll()`.
  public private(set) var overflowed: Bool

  /// Makes an empty buffer.
  public init() {
    storage = InlineArray(repeating: 0)
    count = 0
    overflowed = false
  }

  /// The byte at `index`, which must be below `count`.
  public subscript(index: Int) -> UInt8 {
    precondition(index < count, "index below the number of bytes held")
    return storage[index]
  }

  /// Appends one byte.
  public mutating func append(_ byte: UInt8) {
    guard count < capacity else {
      overflowed = true
      return
    }
    storage[count] = byte
    count += 1
  }

  /// Appends the ASCII or UTF-8 bytes of a literal.
  public mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    guard text.hasPointerRepresentation else {
      overflowed = true
      return
    }
    let start = unsafe text.utf8Start
    for index in 0..<length { append(unsafe start[index]) }
  }

  /// Appends `bytes[range]`; nothing at all if it does not fit.
  public mutating func append(_ bytes: Span<UInt8>, in range: Range<Int>) {
    guard range.count <= capacity - count else {
      overflowed = true
      return
    }
    var output = storage.mutableSpan
    output.replace(at: count, with: bytes, in: range)
    count += range.count
  }

  /// Appends all of `bytes`; nothing at all if it does not fit.
  public mutating func append(_ bytes: Span<UInt8>) { append(bytes, in: 0..<bytes.count) }

  /// Appends an integer in decimal digits.
  public mutating func append(integer: Int64) {
    if integer < 0 { append(UInt8(ascii: "-")) }
    append(magnitude: integer.magnitude, minimumDigits: 1)
  }

  /// Appends a magnitude in decimal digits, filled with zeros in front to `minimumDigits` (1…20).
  public mutating func append(magnitude: UInt64, minimumDigits: Int) {
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var rest = magnitude
    var length = 0
    repeat {
      digits[length] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      length += 1
    } while rest > 0
    var index = max(length, min(minimumDigits, 20))
    while index > 0 {
      index -= 1
      append(digits[index])
    }
  }

  /// Appends one byte as two upper-case hexadecimal digits.
  public mutating func append(hex byte: UInt8) {
    append(Self.hexDigit(byte >> 4))
    append(Self.hexDigit(byte & 15))
  }

  /// Replaces all by `length` bytes, at most `capacity`, which `body` writes at the beginning of the
  /// span that it is lent.
  mutating func replaceAll<Result>(
    count length: Int, _ body: (inout MutableSpan<UInt8>) -> Result
  ) -> Result {
    precondition(length >= 0 && length <= capacity, "no more bytes than the buffer holds")
    count = length
    overflowed = false
    var bytes = storage.mutableSpan
    return body(&bytes)
  }

  /// Empties the buffer and clears `overflowed`.
  public mutating func removeAll() {
    count = 0
    overflowed = false
  }

  /// Drops the first `length` bytes and moves the rest to the front.
  public mutating func removeFirst(_ length: Int) {
    precondition(length >= 0 && length <= count, "no more than the bytes held can be dropped")
    guard length > 0 else { return }
    var output = storage.mutableSpan
    output.move(from: length..<count, to: 0)
    count -= length
  }

  /// Lends the bytes held to `body`.
  public func withBytes<Result: ~Copyable, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(storage.span.extracting(first: count))
  }

  private static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
  }
}

#if !hasFeature(Embedded)
  extension ByteBuffer {
    /// The bytes held as text, invalid UTF-8 replaced.
    public var text: String {
      withBytes { bytes in
        var units: [UInt8] = []
        units.reserveCapacity(bytes.count)
        for index in bytes.indices { units.append(bytes[index]) }
        return String(decoding: units, as: UTF8.self)
      }
    }
  }
#endif
