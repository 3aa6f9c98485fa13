extension Limits {
  /// Places within one P1 telegram where the next may be looked for: a text message has a slash or
  /// two, and each place costs one pass over the telegram.
  static let nestedStarts = 8
}

/// Finds the sound frame that a cut-off P1 telegram swallowed.
///
/// A telegram that was cut off in the middle of a line is followed by a '/' that stands at no line
/// start, so both look like one. This looks into a telegram that turned out damaged, and into one
/// without a checksum.
enum NestedFrame {
  /// Where in `telegram` the next frame begins; nil if it is one telegram.
  ///
  /// `error` is what is wrong with it, nil where it has no checksum to say so. A '/' begins the next
  /// telegram if a line follows that can be an identification, and: the checksum is right from
  /// there on; or the telegram has no end at all; or, without a checksum, the line has no ')', so
  /// that it cannot be text between brackets. In a damaged one a '/' counts too if the header of a
  /// ciphered message follows its line, DB if it is such a header, and 0x7E if an HDLC header with a
  /// right checksum does: a '/' of ciphertext may look like a telegram's.
  static func start(in telegram: Span<UInt8>, error: DecodeError.Code?, dialect: Dialect?) -> Int? {
    var tries = 0
    for index in 1..<telegram.count {
      switch telegram[index] {
      case HDLCHeader.flag where dialect == nil:
        if case .header = HDLCHeader.parse(telegram, at: index) { return index }
      case APDUTag.generalGloCiphering where dialect == nil && error != nil:
        if case .ends = CipheredStart(telegram, at: index) { return index }
      case UInt8(ascii: "/"):
        if dialect == nil, error != nil, case .ends = CipheredStart(telegram, at: index) {
          return index
        }
        let line = index..<P1Text.endOfLine(telegram, from: index)
        guard P1Framer.isIdentification(telegram, in: line) else { continue }
        if isSound(telegram, at: line, error: error) { return index }
        tries += 1
        if tries == Limits.nestedStarts { return nil }
      default: continue
      }
    }
    return nil
  }

  private static func isSound(
    _ telegram: Span<UInt8>, at line: Range<Int>, error: DecodeError.Code?
  ) -> Bool {
    switch error {
    case .tooLong: return true
    case nil:
      for index in line where telegram[index] == UInt8(ascii: ")") { return false }
      return true
    default:
      var framer = P1Framer()
      let rest = telegram.extracting(line.lowerBound..<telegram.count)
      return framer.finish(over: rest) == .complete(count: rest.count, integrity: .ok)
    }
  }
}
