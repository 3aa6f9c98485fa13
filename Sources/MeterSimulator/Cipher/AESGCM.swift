/// The only file of this room that speaks to libcrypto: AES-128-GCM.
///
/// Encrypting fails only when memory is gone, which no caller can mend, so it is a precondition.

internal import CCrypto

/// AES-128 in Galois/counter mode (NIST SP 800-38D).
enum AESGCM {
  /// Encrypts `plain`, and authenticates it together with `additional`.
  ///
  /// The key has 16 bytes, the nonce 12; the tag is whole, 16 bytes.
  static func seal(
    _ plain: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]
  ) -> (ciphertext: [UInt8], tag: [UInt8]) {
    precondition(key.count == 16 && nonce.count == 12, "AES-128-GCM takes 16 and 12 bytes")
    guard let context = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("no memory") }
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    var ciphertext = [UInt8](repeating: 0, count: plain.count)
    var tag = [UInt8](repeating: 0, count: 16)
    var written: Int32 = 0
    // Arrays give their address for the length of a call; GCM's last step writes no byte.
    var done = unsafe EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce) == 1
    if !additional.isEmpty {
      done =
        unsafe done
        && EVP_EncryptUpdate(context, nil, &written, additional, Int32(additional.count)) == 1
    }
    done =
      unsafe done
      && EVP_EncryptUpdate(context, &ciphertext, &written, plain, Int32(plain.count)) == 1
      && EVP_EncryptFinal_ex(context, nil, &written) == 1
      && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
    precondition(done, "libcrypto could not encrypt")
    return (ciphertext, tag)
  }
}
