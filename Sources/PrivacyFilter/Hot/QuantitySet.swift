/// A set of quantities: 256 bits, no heap.
public struct QuantitySet: Equatable, Sendable, BitwiseCopyable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Makes an empty set.
  public init() {}

  /// Whether it holds nothing.
  public var isEmpty: Bool { (words.0 | words.1 | words.2 | words.3) == 0 }

  /// How many it holds.
  public var count: Int {
    words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount
      + words.3.nonzeroBitCount
  }

  /// Whether it holds `quantity`.
  public func contains(_ quantity: Quantity) -> Bool {
    word(Int(quantity.rawValue >> 6)) & QuantitySet.mask(quantity) != 0
  }

  /// Adds `quantity`.
  public mutating func insert(_ quantity: Quantity) {
    set(Int(quantity.rawValue >> 6), word(Int(quantity.rawValue >> 6)) | QuantitySet.mask(quantity))
  }

  /// Removes `quantity`.
  public mutating func remove(_ quantity: Quantity) {
    set(
      Int(quantity.rawValue >> 6), word(Int(quantity.rawValue >> 6)) & ~QuantitySet.mask(quantity))
  }

  /// What this set holds and `other` does not.
  public func subtracting(_ other: QuantitySet) -> QuantitySet {
    var result = QuantitySet()
    result.words = (
      words.0 & ~other.words.0, words.1 & ~other.words.1, words.2 & ~other.words.2,
      words.3 & ~other.words.3
    )
    return result
  }

  /// What either holds.
  public func union(_ other: QuantitySet) -> QuantitySet {
    var result = QuantitySet()
    result.words = (
      words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2,
      words.3 | other.words.3
    )
    return result
  }

  /// The first quantity whose id is `id` or above, nil if there is none: for loops without heap.
  public func next(from id: Int) -> Quantity? {
    var index = id >> 6
    guard id >= 0, index < 4 else { return nil }
    var bits = word(index) & (UInt64.max << UInt64(id & 63))
    while bits == 0 {
      index += 1
      guard index < 4 else { return nil }
      bits = word(index)
    }
    return Quantity(rawValue: UInt8(truncatingIfNeeded: (index << 6) + bits.trailingZeroBitCount))
  }

  /// The quantities 64 × `index` to 64 × `index` + 63, lowest bit first.
  func word(_ index: Int) -> UInt64 {
    switch index {
    case 0: words.0
    case 1: words.1
    case 2: words.2
    default: words.3
    }
  }

  private mutating func set(_ index: Int, _ value: UInt64) {
    switch index {
    case 0: words.0 = value
    case 1: words.1 = value
    case 2: words.2 = value
    default: words.3 = value
    }
  }

  private static func mask(_ quantity: Quantity) -> UInt64 {
    1 << UInt64(quantity.rawValue & 63)
  }

  /// Compares bit by bit.
  public static func == (left: QuantitySet, right: QuantitySet) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1
      && left.words.2 == right.words.2 && left.words.3 == right.words.3
  }
}
