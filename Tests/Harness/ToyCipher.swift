/// A cipher that anybody can reverse: makes the decoder's path of ciphered messages walkable without
/// a key.
///
/// Plaintext is ciphertext XOR 0x5A. A tag that begins with 0xFF is wrong; a system title of zeros has
/// no key.
struct ToyCipher: MessageCipher {
  /// What every byte is combined with.
  static let mask: UInt8 = 0x5A

  mutating func decipher(
    _ header: CipherHeader, _ ciphertext: Span<UInt8>, tag: Span<UInt8>,
    into plaintext: inout MutableSpan<UInt8>
  ) -> CipherVerdict {
    if header.systemTitle == 0 { return .noKey }
    for index in ciphertext.indices { plaintext[index] = ciphertext[index] ^ Self.mask }
    if tag.isEmpty { return .decrypted }
    return tag[0] == 0xFF ? .tagMismatch : .authenticated
  }
}
