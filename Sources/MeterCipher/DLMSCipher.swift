/// The only file of this room that speaks to libcrypto: AES-128-GCM as DLMS uses it.
///
///     INITIALISATION VECTOR   system title (8), invocation counter (4)
///     ADDITIONAL DATA         security control (1), authentication key (16);
///                             where the message is not encrypted, the message too;
///                             none at all from meters whose grid company knows no such key
///     TAG                     the first 12 bytes
///
/// Source: DLMS UA Green Book, 9.2.3.3.7 "AES-GCM" (security suites 0 to 2), NIST SP 800-38D.

internal import CCrypto
public import OBISDecoder

/// Deciphers a meter's messages with its keys, by libcrypto.
///
/// The key schedule is made once; deciphering allocates nothing. The keys are wiped when the value
/// ends. It cannot be copied or printed.
///
/// `@safe`: the context and the key memory are made in `init`, never leave this type, and are freed
/// in `deinit`; every length handed to libcrypto is a span's own.
@safe
public struct DLMSCipher: MessageCipher, ~Copyable {
  private let context: OpaquePointer
  /// Additional data: room for the security control, then the authentication key.
  private let additionalData: UnsafeMutablePointer<UInt8>
  private let hasAuthenticationKey: Bool
  /// The title to take where a message has none; nil if it is not known.
  private let systemTitle: UInt64?

  /// Makes a cipher; the keys it is given are wiped at once, its own copies when it ends.
  ///
  /// - Parameters:
  ///   - encryptionKey: The meter's global unicast encryption key.
  ///   - authenticationKey: The key that goes into tags; nil if the grid company gives none out:
  ///     then messages are `authenticated` where the tag is right without it, else `decrypted`.
  ///   - systemTitle: The meter's system title, first octet highest, for meters that do not send
  ///     it (Polish P1); nil for all others.
  public init(
    encryptionKey: consuming CipherKey, authenticationKey: consuming CipherKey?,
    systemTitle: UInt64?
  ) {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 + CipherKey.byteCount)
    unsafe memory.initialize(repeating: 0, count: 1 + CipherKey.byteCount)
    if let key = authenticationKey {
      unsafe key.copy(to: memory + 1)
      hasAuthenticationKey = true
    } else {
      hasAuthenticationKey = false
    }
    guard let context = unsafe EVP_CIPHER_CTX_new(),
      unsafe encryptionKey.withBytes({ key in
        unsafe EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nil)
      }) == 1
    else { preconditionFailure("libcrypto has no AES-128-GCM") }
    unsafe self.context = context
    unsafe self.additionalData = memory
    self.systemTitle = systemTitle
  }

  deinit {
    // Frees the key schedule, and wipes it before that.
    unsafe EVP_CIPHER_CTX_free(context)
    unsafe OPENSSL_cleanse(additionalData, 1 + CipherKey.byteCount)
    unsafe additionalData.deallocate()
  }

  /// Writes the plaintext of `ciphertext` into `plaintext`, and checks the tag if there is a key
  /// for it.
  ///
  /// Without that key a tag that is right with no additional data still proves an encrypted message:
  /// nobody makes one without the encryption key. One that is not right says nothing then.
  ///
  /// A message without a system title has no key, unless the cipher was told the title.
  public mutating func decipher(
    _ header: CipherHeader, _ ciphertext: Span<UInt8>, tag: Span<UInt8>,
    into plaintext: inout MutableSpan<UInt8>
  ) -> CipherVerdict {
    let title = header.systemTitle != 0 ? header.systemTitle : systemTitle
    guard let title, ciphertext.count > 0, plaintext.count >= ciphertext.count else {
      return .noKey
    }
    start(title, header.invocationCounter)
    let hasTag = tag.count == CipherHeader.tagCount
    let checksTag = hasAuthenticationKey && hasTag
    if checksTag { addControl(header.securityControl) }
    if header.isEncrypted {
      decrypt(ciphertext, into: &plaintext)
    } else {
      for index in ciphertext.indices { plaintext[index] = ciphertext[index] }
      if checksTag { authenticate(ciphertext) }
    }
    guard hasTag, checksTag || header.isEncrypted else { return .decrypted }
    return matches(tag) ? .authenticated : checksTag ? .tagMismatch : .decrypted
  }

  /// Begins another message; calls `EVP_DecryptInit_ex` with the key that is set already.
  private func start(_ title: UInt64, _ counter: UInt32) {
    var vector: InlineArray<12, UInt8> = .init(repeating: 0)
    for index in 0..<8 { vector[index] = UInt8(truncatingIfNeeded: title >> (56 - 8 * index)) }
    for index in 0..<4 {
      vector[8 + index] = UInt8(truncatingIfNeeded: counter >> (24 - 8 * index))
    }
    let done = unsafe vector.span.withUnsafeBufferPointer { vector in
      unsafe EVP_DecryptInit_ex(context, nil, nil, nil, vector.baseAddress)
    }
    precondition(done == 1, "libcrypto takes twelve bytes as initialisation vector")
  }

  private func addControl(_ control: UInt8) {
    unsafe additionalData.pointee = control
    var count: Int32 = 0
    let done = unsafe EVP_DecryptUpdate(
      context, nil, &count, additionalData, Int32(1 + CipherKey.byteCount))
    precondition(done == 1, "libcrypto takes additional data")
  }

  private func authenticate(_ text: Span<UInt8>) {
    var count: Int32 = 0
    let done = unsafe text.withUnsafeBufferPointer { text in
      unsafe EVP_DecryptUpdate(
        context, nil, &count, text.baseAddress, Int32(truncatingIfNeeded: text.count))
    }
    precondition(done == 1, "libcrypto takes additional data")
  }

  /// Decrypts; `plaintext` is at least as long.
  private func decrypt(_ ciphertext: Span<UInt8>, into plaintext: inout MutableSpan<UInt8>) {
    var count: Int32 = 0
    let done = unsafe ciphertext.withUnsafeBufferPointer { text in
      unsafe plaintext.withUnsafeMutableBufferPointer { room in
        unsafe EVP_DecryptUpdate(
          context, room.baseAddress, &count, text.baseAddress,
          Int32(truncatingIfNeeded: text.count))
      }
    }
    precondition(done == 1, "libcrypto decrypts any bytes")
  }

  /// Whether the tag is right; calls `EVP_DecryptFinal_ex`.
  private func matches(_ tag: Span<UInt8>) -> Bool {
    var expected: InlineArray<16, UInt8> = .init(repeating: 0)
    for index in tag.indices { expected[index] = tag[index] }
    var bytes = expected.mutableSpan
    return unsafe bytes.withUnsafeMutableBufferPointer { bytes in
      var count: Int32 = 0
      guard
        unsafe EVP_CIPHER_CTX_ctrl(
          context, EVP_CTRL_AEAD_SET_TAG, Int32(CipherHeader.tagCount), bytes.baseAddress) == 1
      else { return false }
      // GCM writes nothing here; the room is for form's sake.
      return unsafe EVP_DecryptFinal_ex(context, bytes.baseAddress, &count) == 1
    }
  }
}

/// A key of AES-128: 16 bytes that are wiped when the value ends, and never printed.
///
/// `@safe`: the memory is made in `init`, lent only for a call, and freed in `deinit`.
@safe
public struct CipherKey: ~Copyable {
  /// Bytes of a key.
  public static let byteCount = 16

  private let memory: UnsafeMutablePointer<UInt8>

  /// Reads a key from 32 hexadecimal digits of either case; space around them is left out.
  ///
  /// - Throws: `CipherKeyError`, which says what is wrong, never what stood there.
  public init(parsing text: Span<UInt8>) throws(CipherKeyError) {
    var first = 0
    var end = text.count
    while first < end, text[first] <= UInt8(ascii: " ") { first += 1 }
    while end > first, text[end - 1] <= UInt8(ascii: " ") { end -= 1 }
    guard end - first == 2 * Self.byteCount else {
      throw .wrongLength(digits: end - first)
    }
    for index in first..<end where Self.digit(text[index]) == nil {
      throw .notHexadecimal(digit: index - first)
    }
    unsafe memory = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.byteCount)
    for index in 0..<Self.byteCount {
      let high = Self.digit(text[first + 2 * index]) ?? 0
      let low = Self.digit(text[first + 2 * index + 1]) ?? 0
      unsafe (memory + index).initialize(to: high << 4 | low)
    }
  }

  deinit {
    unsafe OPENSSL_cleanse(memory, Self.byteCount)
    unsafe memory.deallocate()
  }

  /// Lends the key's bytes.
  fileprivate borrowing func withBytes<Result>(
    _ body: (UnsafePointer<UInt8>) -> Result
  ) -> Result {
    unsafe body(memory)
  }

  /// Copies the key to `place`, which has room for it.
  fileprivate borrowing func copy(to place: UnsafeMutablePointer<UInt8>) {
    unsafe place.update(from: memory, count: Self.byteCount)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

/// What is wrong with the text of a key; it never holds any of that text.
public enum CipherKeyError: Error, Equatable, Sendable {
  /// A key has 32 digits.
  case wrongLength(digits: Int)
  /// The character at `digit`, counted from 0, is no hexadecimal digit.
  case notHexadecimal(digit: Int)
}
