/// A seeded, reproducible source of numbers: SplitMix64 (Steele, Lea, Flood, 2014).
///
/// The same seed gives the same numbers on every machine and with every compiler version; not for
/// secrets.
public struct RandomSource: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Starts the sequence of `seed`.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return RandomSource.mixed(state)
  }

  /// A number of the range, nearly evenly spread (the modulo's bias is below 2⁻³² here).
  public mutating func integer(in range: ClosedRange<Int64>) -> Int64 {
    let span = UInt64(bitPattern: range.upperBound &- range.lowerBound)
    if span == .max { return Int64(bitPattern: next()) }
    return range.lowerBound &+ Int64(bitPattern: next() % (span + 1))
  }

  /// True about once in `count` calls.
  public mutating func chance(oneIn count: Int64) -> Bool { integer(in: 1...count) == 1 }

  /// One element of a list that is not empty.
  mutating func pick<Element>(_ list: [Element]) -> Element {
    list[Int(integer(in: 0...Int64(list.count - 1)))]
  }

  /// `count` decimal digits.
  mutating func digits(_ count: Int) -> String {
    var text = ""
    for _ in 0..<count { text += String(integer(in: 0...9)) }
    return text
  }

  /// The finishing step of SplitMix64: spreads every input bit over all output bits.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
