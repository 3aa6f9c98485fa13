/// The only file of this room that speaks to libcrypto: AES-128-GCM under a key that everybody knows.

internal import CCrypto
import OBISDecoder

/// The published keys that redacted captures are encrypted with, so that others can decode them.
///
/// They are the keys of the ciphering examples in the DLMS UA Green Book, 9.2.3.3.7; no meter has them.
enum RedactionKey {
  /// For `decode --key`.
  static let key = "000102030405060708090A0B0C0D0E0F"
  /// For `decode --auth-key`.
  static let authenticationKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

  private static let keyOctets: [UInt8] = Array(0x00...0x0F)
  private static let authenticationOctets: [UInt8] = Array(0xD0...0xDF)

  /// The ciphertext of a message, and its whole tag of 16 bytes.
  ///
  /// The initialisation vector is system title and invocation counter; additional data are security
  /// control and authentication key, and the message where it is not encrypted. Encrypting fails
  /// only when memory is gone, which no caller can mend, so it is a precondition.
  static func encipher(
    _ header: CipherHeader, _ plaintext: [UInt8]
  ) -> (ciphertext: [UInt8], tag: [UInt8]) {
    guard let context = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("no memory") }
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    let title = (0..<8).map { UInt8(truncatingIfNeeded: header.systemTitle >> (56 - 8 * $0)) }
    let counter = (0..<4).map {
      UInt8(truncatingIfNeeded: header.invocationCounter >> (24 - 8 * $0))
    }
    var ciphertext = plaintext
    var tag = [UInt8](repeating: 0, count: 16)
    var count: Int32 = 0
    var done =
      unsafe EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, keyOctets, title + counter) == 1
    if header.isAuthenticated {
      let additional =
        [header.securityControl] + authenticationOctets + (header.isEncrypted ? [] : plaintext)
      done =
        unsafe done
        && EVP_EncryptUpdate(context, nil, &count, additional, Int32(additional.count)) == 1
    }
    if header.isEncrypted {
      done =
        unsafe done
        && EVP_EncryptUpdate(context, &ciphertext, &count, plaintext, Int32(plaintext.count)) == 1
    }
    var last = [UInt8](repeating: 0, count: 16)
    done =
      unsafe done && EVP_EncryptFinal_ex(context, &last, &count) == 1
      && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
    precondition(done, "libcrypto could not encrypt")
    return (ciphertext, tag)
  }
}
