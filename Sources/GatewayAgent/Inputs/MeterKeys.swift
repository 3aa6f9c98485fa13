import MeterCipher
import OBISDecoder

/// A meter's keys, or none: what a decoder asks to decipher.
///
/// A key goes in as text and is never seen again: not in an error, a log or a description.
struct MeterKeys: MessageCipher, ~Copyable {
  private var cipher: DLMSCipher?

  /// Has no key for any message.
  init() { cipher = nil }

  /// Reads keys from 32 hexadecimal digits each; without an authentication key tags are not checked.
  ///
  /// - Parameter systemTitle: For a meter that does not send its title; nil for all others.
  /// - Throws: `CipherKeyError`, which holds nothing of the text.
  init(
    key: [UInt8], authenticationKey: [UInt8]? = nil, systemTitle: SystemTitle? = nil
  ) throws(CipherKeyError) {
    let encryption = try CipherKey(parsing: key.span)
    let authentication: CipherKey?
    if let authenticationKey {
      authentication = try CipherKey(parsing: authenticationKey.span)
    } else {
      authentication = nil
    }
    cipher = DLMSCipher(
      encryptionKey: encryption, authenticationKey: authentication,
      systemTitle: systemTitle?.octets)
  }

  mutating func decipher(
    _ header: CipherHeader, _ ciphertext: Span<UInt8>, tag: Span<UInt8>,
    into plaintext: inout MutableSpan<UInt8>
  ) -> CipherVerdict {
    cipher?.decipher(header, ciphertext, tag: tag, into: &plaintext) ?? .noKey
  }
}

extension CipherKeyError {
  /// What was found instead of 32 hexadecimal digits; nothing of what stood there.
  var found: String {
    switch self {
    case .wrongLength(let digits): "\(digits) characters"
    case .notHexadecimal(let digit): "another character as number \(digit + 1)"
    }
  }
}
