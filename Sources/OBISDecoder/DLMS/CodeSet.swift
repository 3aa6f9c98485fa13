/// The OBIS codes that stood in a frame so far: of a repeated code the first counts.
struct CodeSet: BitwiseCopyable {
  /// Meters send up to 32; a code with a value takes 9 bytes, so that no frame holds 256.
  private var codes: [256 of UInt64] = .init(repeating: 0)
  private var count = 0

  /// Adds `code`; false if it was there, or if no more fit.
  mutating func insert(_ code: OBISCode) -> Bool {
    guard count < codes.count else { return false }
    for index in 0..<count where codes[index] == code.rawValue { return false }
    codes[count] = code.rawValue
    count += 1
    return true
  }
}
