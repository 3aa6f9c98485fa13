/// The OBIS codes that stood in a frame so far: of a repeated code the first counts.
struct CodeSet: BitwiseCopyable {
  /// Meters send up to 64; a code and a value are two elements, so that no list has 256.
  private var codes: [256 of UInt64] = .init(repeating: 0)
  private var count = 0
  /// A bit for each hash seen: most codes are known to be new without a look at the others.
  private var hashes: UInt64 = 0

  /// Adds `code`; false if it was there, or if no more fit.
  mutating func insert(_ code: OBISCode) -> Bool {
    guard count < codes.count else { return false }
    // The multiplier is 2^64 over the golden ratio, which spreads neighbouring codes evenly.
    let bit = UInt64(1) << ((code.rawValue &* 0x9E37_79B9_7F4A_7C15) >> 58)
    if hashes & bit != 0 {
      for index in 0..<count where codes[index] == code.rawValue { return false }
    }
    hashes |= bit
    codes[count] = code.rawValue
    count += 1
    return true
  }
}
