/// Invents identifiers: another of the same shape for each, the same one for the same original.
///
///     ORIGINAL                     SUBSTITUTE
///     digits, letters              digits, letters of the same case
///     18 or 13 digits, GS1 check   999 and digits, GS1 check digit right (no organisation has 999)
///     octets that are no text      octets; where all are packed digits (BCD), packed digits
///     system title, server id      maker's letters (FLAG) and what stands before them stay
///     one octet repeated           stays: it tells nothing (`000000`, `FF FF FF`)
///     server id of DZG             a number of the same kind of meter
///
/// What stands for an original depends on a key that is drawn for each run and kept nowhere, so that
/// two files of one meter cannot be told to be of one meter, nor can anybody try all numbers.
struct Substitutes {
  private let key: [UInt8]
  private let hmac: (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]
  private var known: [[UInt8]: [UInt8]] = [:]

  /// Makes substitutes under a secret key; `hmac` is HMAC-SHA-256.
  init(key: [UInt8], hmac: @escaping (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]) {
    self.key = key
    self.hmac = hmac
  }

  /// Originals that have been replaced by something else, with what stands for them.
  var replaced: [[UInt8]: [UInt8]] { known.filter { $0.key != $0.value } }

  /// What stands for `original`, as many octets.
  ///
  /// In a text frame (`inText`) control characters are part of the framing and stay.
  mutating func substitute(for original: [UInt8], inText: Bool = false) -> [UInt8] {
    if let substitute = known[original] { return substitute }
    var result = original
    // A short number may come out as it was; a few more draws make that the exception.
    var attempt: UInt8 = 0
    while Set(original).count > 1, result == original, attempt < 8 {
      let isText = inText || Substitutes.isText(original)
      result = isText ? text(original, attempt) : octets(original, attempt)
      attempt += 1
    }
    known[original] = result
    return result
  }

  /// Whether all octets are printable ASCII.
  static func isText(_ octets: [UInt8]) -> Bool {
    octets.allSatisfy { (0x20..<0x7F).contains($0) }
  }

  /// A long number of its own for `original`, from which all draws come.
  private func randomness(_ original: [UInt8], _ attempt: UInt8) -> [UInt8] {
    var stream: [UInt8] = []
    var block: UInt8 = 0
    while stream.count < original.count {
      stream += hmac(key, [attempt, block] + original)
      block &+= 1
    }
    return stream
  }

  private func text(_ original: [UInt8], _ attempt: UInt8) -> [UInt8] {
    let random = randomness(original, attempt)
    if GS1.isNumber(original) {
      let digits = zip(original, random).map { Substitutes.other($0, $1) }
      let body = Array("999".utf8) + digits[3..<(original.count - 1)]
      return body + [GS1.checkDigit(body)]
    }
    return zip(original, random).map { Substitutes.other($0, $1) }
  }

  private func octets(_ original: [UInt8], _ attempt: UInt8) -> [UInt8] {
    let random = randomness(original, attempt)
    if let number = Substitutes.dzgNumber(original) {
      let draw = random[0...3].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      // Which of these meters sign power wrongly goes by ranges of numbers (libsml pull request 136).
      let isAffected =
        (42_000_000...48_999_999).contains(number) || (55_000_000...58_999_999).contains(number)
      let other = isAffected ? 42_000_000 + draw % 7_000_000 : 60_000_000 + draw % 30_000_000
      return original[0..<6] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: other >> $0) }
    }
    let kept = Substitutes.keptOctets(original)
    let isPacked = original.allSatisfy { $0 >> 4 < 10 && $0 & 15 < 10 }
    return zip(original, random).enumerated().map { index, pair in
      if index < kept { return pair.0 }
      if isPacked { return ((pair.1 >> 4) % 10) << 4 | (pair.1 & 15) % 10 }
      // Text with bytes beyond ASCII keeps its letters letters; what else is drawn never looks like
      // the escape of SML or a flag of HDLC.
      let octet = (0x20..<0x7F).contains(pair.0) ? Substitutes.other(pair.0, pair.1) : pair.1
      return octet == 0x1B || octet == 0x7E ? octet ^ 0x40 : octet
    }
  }

  /// Another character of the same kind; punctuation stays.
  static func other(_ character: UInt8, _ random: UInt8) -> UInt8 {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(ascii: "0") + random % 10
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt8(ascii: "A") + random % 26
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt8(ascii: "a") + random % 26
    case 0x80...: 0xA1 + random % 0x5E
    default: character
    }
  }

  /// How many octets in front name a maker and no meter.
  ///
  /// System title: three letters and five octets (DLMS UA Green Book, 4.3.4). Server id: 0A or 09, a
  /// medium, three letters, then fabrication block and number (DIN 43863-5); 06 and three letters in
  /// meters from before it.
  private static func keptOctets(_ octets: [UInt8]) -> Int {
    if octets.count == 8, octets[0...2].allSatisfy(isCapital) { return 3 }
    guard octets.count == 10 else { return 0 }
    if octets[0] == 0x0A || octets[0] == 0x09, octets[2...4].allSatisfy(isCapital) { return 5 }
    return octets[0] == 0x06 && octets[1...3].allSatisfy(isCapital) ? 4 : 0
  }

  /// The number in a server id of DZG, whose meters are told apart by it.
  private static func dzgNumber(_ octets: [UInt8]) -> UInt32? {
    guard octets.count == 10, octets.starts(with: [0x0A, 0x01] + Array("DZG".utf8) + [0x00]) else {
      return nil
    }
    return octets[6...9].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func isCapital(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
}

/// Numbers of GS1: GSRN (18 digits) and GLN or EAN (13), the last one a check digit.
///
/// Source: GS1 General Specifications, 7.9.1: weights 3, 1, 3 … from the right.
enum GS1 {
  /// Whether these are as many digits, the last of which is right.
  static func isNumber(_ text: [UInt8]) -> Bool {
    guard text.count == 18 || text.count == 13, let last = text.last,
      text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return false }
    return checkDigit(text.dropLast()) == last
  }

  /// The check digit behind `digits`, as a character.
  static func checkDigit(_ digits: some BidirectionalCollection<UInt8>) -> UInt8 {
    var sum = 0
    for (index, digit) in digits.reversed().enumerated() {
      sum += Int(digit &- UInt8(ascii: "0")) * (index % 2 == 0 ? 3 : 1)
    }
    return UInt8(ascii: "0") + UInt8((10 - sum % 10) % 10)
  }
}
