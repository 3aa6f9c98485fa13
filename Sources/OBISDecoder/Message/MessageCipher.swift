/// What stands in front of a ciphered DLMS message, in clear.
///
/// Source: DLMS UA Green Book, 9.2.3.2 "Security header" and 9.2.3.3 "AES-GCM": the initialisation
/// vector is system title and invocation counter; what is authenticated is the security control
/// byte, the authentication key and, where the message is not encrypted, the message.
public struct CipherHeader: Equatable, Sendable, BitwiseCopyable {
  /// The sender's system title, its eight octets with the first one highest; 0 if the message has
  /// none, as in Polish P1 telegrams.
  public var systemTitle: UInt64
  /// Security control: bit 4 authenticated, bit 5 encrypted, bits 0 … 3 the security suite.
  public var securityControl: UInt8
  /// Invocation counter, which every message of a meter raises.
  public var invocationCounter: UInt32

  /// Makes a header.
  public init(systemTitle: UInt64, securityControl: UInt8, invocationCounter: UInt32) {
    self.systemTitle = systemTitle
    self.securityControl = securityControl
    self.invocationCounter = invocationCounter
  }

  /// Whether an authentication tag of twelve bytes follows the message.
  public var isAuthenticated: Bool { securityControl & 0x10 != 0 }
  /// Whether the message is encrypted.
  public var isEncrypted: Bool { securityControl & 0x20 != 0 }
  /// Bytes of an authentication tag.
  public static let tagCount = 12
  /// Bytes of a system title.
  public static let titleCount = 8
}

/// What became of a ciphered message.
public enum CipherVerdict: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// Deciphered, and its tag is right.
  case authenticated
  /// Deciphered; it has no tag, or there is no key to check it with.
  case decrypted
  /// The tag differs; the plaintext is there, and must not be used.
  case tagMismatch
  /// There is no key for it.
  case noKey
}

/// Deciphers DLMS messages: the seam behind which keys and AES-GCM stay, so that the decoder needs
/// neither.
public protocol MessageCipher: ~Copyable {
  /// Writes the plaintext of `ciphertext` at the beginning of `plaintext`, which has at least as many
  /// bytes.
  ///
  /// `tag` is empty where the message has none. Must not allocate: it is called for each frame.
  mutating func decipher(
    _ header: CipherHeader, _ ciphertext: Span<UInt8>, tag: Span<UInt8>,
    into plaintext: inout MutableSpan<UInt8>
  ) -> CipherVerdict
}

/// A cipher for meters that do not encrypt: it has no key for any message.
public struct NoKeys: MessageCipher, Sendable, BitwiseCopyable {
  /// Makes it.
  public init() {}

  /// Says that there is no key.
  public mutating func decipher(
    _ header: CipherHeader, _ ciphertext: Span<UInt8>, tag: Span<UInt8>,
    into plaintext: inout MutableSpan<UInt8>
  ) -> CipherVerdict { .noKey }
}
