import OBISDecoder

/// How a meter ciphers its messages: general-glo-ciphering (DLMS UA Green Book, 9.2.7, "security
/// header" and "AES-GCM").
///
///     DB | 08 title | length | security control | invocation counter 4 | ciphertext | [tag 12]
///
/// The length counts what follows it. Nonce: system title and invocation counter. Additional data:
/// security control and authentication key. Without authentication (0x20, 0x21) there is no tag.
struct CipherForm: Sendable {
  /// Maker's three letters, which begin the system title (FLAG association).
  var maker: String
  /// Security control: 0x10 authenticated, 0x20 encrypted, low nibble the security suite.
  var security: UInt8
  /// What the tag is made with.
  var authenticationKey: [UInt8] = CipherForm.exampleAuthenticationKey
  /// Whether the household gets the authentication key; where not, nobody can check the tag.
  var tellsAuthenticationKey = true

  /// Encryption key of every simulated meter: the one of the Green Book's ciphering examples.
  static let exampleKey: [UInt8] = Array(0x00...0x0F)
  /// Authentication key of the same examples.
  static let exampleAuthenticationKey: [UInt8] = Array(0xD0...0xDF)
  /// The authentication key that all Luxembourgish meters share (Smarty P1 specification 1.1.3,
  /// "P1 encryption").
  static let luxembourgishAuthenticationKey: [UInt8] = (0...15).map { $0 << 4 | $0 }

  private var isAuthenticated: Bool { security & 0x10 != 0 }

  /// How far somebody with the household's keys can trust a message.
  var trust: Trust { isAuthenticated && tellsAuthenticationKey ? .authenticated : .decrypted }

  /// The ciphered message.
  func seal(_ message: [UInt8], title: [UInt8], counter: UInt32) -> [UInt8] {
    let count = [UInt32(24), 16, 8, 0].map { UInt8(truncatingIfNeeded: counter >> $0) }
    let sealed = AESGCM.seal(
      message, key: CipherForm.exampleKey, nonce: title + count,
      additional: isAuthenticated ? [security] + authenticationKey : [])
    let body =
      [security] + count + sealed.ciphertext + (isAuthenticated ? sealed.tag.prefix(12) : [])
    return [0xDB, UInt8(title.count)] + title + AXDRWriter.length(body.count) + body
  }
}
