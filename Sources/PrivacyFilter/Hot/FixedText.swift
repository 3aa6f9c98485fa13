public import OBISDecoder

/// A short text of at most `capacity` bytes, kept in place: topics, pseudonyms, nicknames.
public struct FixedText<let capacity: Int>: Sendable, BitwiseCopyable {
  private var storage = InlineArray<capacity, UInt8>(repeating: 0)
  /// Number of bytes held.
  public private(set) var count: UInt8 = 0

  /// Makes an empty text.
  public init() {
    precondition(capacity <= 255, "the length of a fixed text is one byte")
  }

  /// Makes a text from bytes, nil if they do not fit.
  public init?(_ bytes: Span<UInt8>) {
    self.init()
    guard append(bytes) else { return nil }
  }

  /// Whether it holds nothing.
  public var isEmpty: Bool { count == 0 }

  /// The byte at `index`, which must be below `count`.
  public subscript(index: Int) -> UInt8 {
    precondition(index < Int(count), "index below the number of bytes held")
    return storage[index]
  }

  /// Appends bytes; false, and nothing appended, if they do not fit.
  public mutating func append(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count <= capacity - Int(count) else { return false }
    for index in bytes.indices {
      storage[Int(count)] = bytes[index]
      count += 1
    }
    return true
  }

  /// Writes the text behind what `out` holds.
  public func write<let size: Int>(to out: inout ByteBuffer<size>) {
    for index in 0..<Int(count) { out.append(storage[index]) }
  }

  /// Whether both hold the same bytes.
  public func isEqual<let other: Int>(to text: FixedText<other>) -> Bool {
    guard count == text.count else { return false }
    for index in 0..<Int(count) where storage[index] != text[index] { return false }
    return true
  }
}

#if !hasFeature(Embedded)
  extension FixedText {
    /// Makes a text from a string, nil if its UTF-8 form does not fit.
    public init?(_ text: String) {
      self.init()
      for byte in text.utf8 {
        guard Int(count) < capacity else { return nil }
        storage[Int(count)] = byte
        count += 1
      }
    }

    /// The text as a string.
    public var string: String {
      var units: [UInt8] = []
      units.reserveCapacity(Int(count))
      for index in 0..<Int(count) { units.append(storage[index]) }
      return String(decoding: units, as: UTF8.self)
    }
  }
#endif
