/// The system title of a meter that encrypts and does not send it, as Polish ones behind P1.
///
/// Eight octets: three letters of the maker, then mostly the meter's number (DLMS Green Book, 4.3.4).
/// So it identifies the household: it goes in as text and is never printed.
struct SystemTitle {
  /// What a text of one holds.
  static let expected = "16 hexadecimal digits"

  /// The octets, the first one highest.
  let octets: UInt64

  /// Reads 16 hexadecimal digits with blanks or a line end around them; nil for anything else.
  init?(parsing text: [UInt8]) {
    let blanks: [UInt8] = [0x20, 0x09, 0x0D, 0x0A]
    let digits = text.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }
    guard digits.count == 16, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let octets = UInt64(String(decoding: digits.reversed(), as: UTF8.self), radix: 16),
      octets != 0
    else { return nil }
    self.octets = octets
  }

  /// What was found instead; nothing of what stood there.
  static func found(_ text: [UInt8]) -> String {
    text.isEmpty ? "nothing" : "\(text.count) bytes that are none"
  }
}
