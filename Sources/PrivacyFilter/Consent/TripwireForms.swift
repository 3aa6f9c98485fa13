/// The forms in which an identifier could hide in an outbound packet (privacy design C10).
///
/// Letters are folded to lower case, as the packet is when it is searched.
enum TripwireForms {
  /// One form: its kind and its bytes.
  typealias Form = (kind: Tripwire.Form, bytes: [UInt8])

  /// What is longer is looked for in pieces of `pieceBytes`: any 31 bytes of it hold one.
  static let longestWhole = 32
  static let pieceBytes = 16
  /// How much of a long text is cut into pieces.
  static let longestCut = 128
  /// Letters alone are a word, and not looked for, unless there are this many.
  static let longestWord = 12
  /// Shortest run of digits that is looked for by itself.
  static let shortestRun = 8

  /// Every form of an identifier; none of one that says nothing or that our own words hold.
  static func all(of identifier: [UInt8]) -> [Form] {
    var forms: [Form] = []
    guard isTelling(identifier) else { return forms }
    for piece in pieces(of: identifier) where isTelling(piece) { addTexts(of: piece, to: &forms) }
    for run in identifier.split(whereSeparator: { !isDigit($0) }) where run.count >= shortestRun {
      addNumbers(of: Array(run), to: &forms)
    }
    return forms
  }

  /// Whether it says something: a short one, one byte repeated, or a mere word occurs by chance.
  private static func isTelling(_ bytes: [UInt8]) -> Bool {
    let folded = bytes.map(fold)
    let isWord = folded.allSatisfy { $0 &- 0x61 < 26 || " -_/".utf8.contains($0) }
    return bytes.count >= (isWord ? longestWord : IdentifierVault.shortestBytes)
      && Set(folded).count > 1
  }

  private static func pieces(of identifier: [UInt8]) -> [[UInt8]] {
    guard identifier.count > longestWhole else { return [identifier] }
    let cut = min(identifier.count, longestCut)
    return stride(from: 0, through: cut - pieceBytes, by: pieceBytes).map {
      Array(identifier[$0..<($0 + pieceBytes)])
    }
  }

  private static func addTexts(of text: [UInt8], to forms: inout [Form]) {
    let reversed = Array(text.reversed())
    add(.text, text, to: &forms)
    add(.reversed, reversed, to: &forms)
    add(.hex, hexadecimal(text), to: &forms)
    add(.hexOfReversed, hexadecimal(reversed), to: &forms)
    for shift in 0..<3 { add(.base64, base64Core(text, behind: shift), to: &forms) }
  }

  private static func addNumbers(of digits: [UInt8], to forms: inout [Form]) {
    add(.digits, digits, to: &forms)
    let even = digits.count % 2 == 0 ? digits : [UInt8(ascii: "0")] + digits
    let packed = stride(from: 0, to: even.count, by: 2).map { place in
      (even[place] & 15) << 4 | even[place + 1] & 15
    }
    for (kind, bytes) in [(Tripwire.Form.packed, packed), (.packedReversed, packed.reversed())]
    // Few bytes, all of them printable, are text that occurs by chance: 30313233 packed is "0123".
    where bytes.count >= 8 || bytes.contains(where: { $0 < 0x20 || $0 > 0x7E }) {
      add(kind, bytes, to: &forms)
    }
  }

  private static func add(_ kind: Tripwire.Form, _ bytes: [UInt8], to forms: inout [Form]) {
    let folded = bytes.map(fold)
    guard folded.count >= Tripwire.headBytes, !OwnWords.contain(folded) else { return }
    forms.append((kind, folded))
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
    Array(Hexadecimal.text(of: bytes).utf8)
  }

  /// The characters of base64 that depend on `text` alone, behind `shift` other bytes.
  private static func base64Core(_ text: [UInt8], behind shift: Int) -> [UInt8] {
    let bytes = [UInt8](repeating: 0, count: shift) + text
    let first = (shift * 8 + 5) / 6
    return (first..<(bytes.count * 8 / 6)).map { place in
      var value = 0
      for bit in (place * 6)..<((place + 1) * 6) {
        value = value << 1 | Int(bytes[bit / 8] >> (7 - bit % 8)) & 1
      }
      return base64[value]
    }
  }

  private static let base64 = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// ASCII letters in lower case.
  static func fold(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// The keys of our own messages: a text of a meter that is part of one of them is in every message,
/// and identifies nobody.
private enum OwnWords {
  private static let all: [[UInt8]] = Quantity.all.map {
    $0.key.utf8.map(TripwireForms.fold)
  }

  static func contain(_ form: [UInt8]) -> Bool {
    all.contains { IdentifierVault.contains($0, form) }
  }
}
