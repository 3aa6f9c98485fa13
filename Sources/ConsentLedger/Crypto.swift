/// The only file of this room that speaks to libcrypto: SHA-256, HMAC-SHA-256, Ed25519 and random
/// bytes.
///
/// libcrypto is mapped already, because libmosquitto needs it; nothing here is written by hand.
/// Hashing fails only when memory is gone, which no caller can mend, so it is a precondition.

internal import CCrypto

/// SHA-256, HMAC-SHA-256 and random bytes from libcrypto.
public enum Crypto {
  /// Bytes in a SHA-256 digest and in an HMAC-SHA-256 (FIPS 180-4, RFC 2104).
  public static let digestByteCount = 32

  /// The SHA-256 digest of `bytes`, 32 bytes (FIPS 180-4).
  public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var hasher = SHA256Hasher()
    hasher.update(bytes)
    return hasher.finish()
  }

  /// The HMAC-SHA-256 of `message` under `key`, 32 bytes (RFC 2104); any key length.
  ///
  /// Calls `HMAC`. This is the function that PrivacyFilter takes for pseudonyms.
  public static func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
    unsafe hmac(EVP_sha256(), digestByteCount, key, message)
  }

  /// The HMAC-SHA-1 of `message` under `key`, 20 bytes (RFC 2104); any key length.
  ///
  /// Calls `HMAC`. Only for signatures that a receiver's contract asks for in this form.
  public static func hmacSHA1(key: [UInt8], message: [UInt8]) -> [UInt8] {
    unsafe hmac(EVP_sha1(), 20, key, message)
  }

  private static func hmac(
    _ algorithm: OpaquePointer?, _ byteCount: Int, _ key: [UInt8], _ message: [UInt8]
  ) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var written: UInt32 = 0
    // An empty array has no address, and HMAC takes a missing key for "the key of last time".
    let keyBytes = key.isEmpty ? [0] : key
    let done = unsafe keyBytes.withUnsafeBufferPointer { key in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe digest.withUnsafeMutableBufferPointer { digest in
          unsafe HMAC(
            algorithm, key.baseAddress, Int32(key.count), message.baseAddress, message.count,
            digest.baseAddress, &written) != nil
        }
      }
    }
    precondition(done && written == UInt32(byteCount), "libcrypto could not compute an HMAC")
    return digest
  }

  /// `count` random bytes fit for keys and salts (0 … 65,536).
  ///
  /// Calls `RAND_bytes`, which the kernel seeds. A machine without randomness must not make a
  /// secret, so failure is a precondition.
  public static func random(_ count: Int) -> [UInt8] {
    precondition((0...65_536).contains(count), "at most 64 KiB of randomness at once")
    var bytes = [UInt8](repeating: 0, count: count)
    let done = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count)) == 1
    }
    precondition(done || count == 0, "libcrypto has no randomness")
    return bytes
  }
}

/// A running SHA-256 that is used again and again: verifying a long ledger allocates one context.
///
/// `@safe`: the context is made in `init`, never leaves this type and is freed in `deinit`.
@safe
struct SHA256Hasher: ~Copyable {
  private let context: OpaquePointer
  private let algorithm: OpaquePointer

  /// Makes a context; calls `EVP_MD_fetch` once, because a fetch costs more than a short hash.
  init() {
    guard let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil),
      let context = unsafe EVP_MD_CTX_new()
    else { preconditionFailure("libcrypto has no SHA-256") }
    unsafe self.algorithm = algorithm
    unsafe self.context = context
    begin()
  }

  deinit {
    unsafe EVP_MD_CTX_free(context)
    unsafe EVP_MD_free(algorithm)
  }

  /// Adds bytes to what is hashed.
  mutating func update(_ bytes: [UInt8]) {
    let done = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count) == 1
    }
    precondition(done, "libcrypto could not hash")
  }

  /// The digest of everything since the last `finish`; the context starts afresh.
  mutating func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Crypto.digestByteCount)
    let done = unsafe digest.withUnsafeMutableBufferPointer { buffer in
      unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1
    }
    precondition(done, "libcrypto could not finish a hash")
    begin()
    return digest
  }

  private func begin() {
    let done = unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1
    precondition(done, "libcrypto could not start a hash")
  }
}

extension Crypto {
  /// SHA-256 of a text's UTF-8 bytes, 64 lower-case hexadecimal digits.
  public static func sha256Text(_ text: String) -> String { Hex.text(sha256(Array(text.utf8))) }
}

/// Ed25519 signatures (RFC 8032) from libcrypto, for the checkpoints of the ledger.
///
/// `@safe`: handles are made and freed within one call.
@safe
enum Ed25519 {
  /// Bytes of a private and of a public key.
  static let keyByteCount = 32
  /// Bytes of a signature.
  static let signatureByteCount = 64

  /// The public key of a private one; nil unless that has 32 bytes.
  static func publicKey(of privateKey: [UInt8]) -> [UInt8]? {
    unsafe withKey(privateKey, isPrivate: true) { key in
      var bytes = [UInt8](repeating: 0, count: keyByteCount)
      var count = bytes.count
      let done = unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1
      return done && count == keyByteCount ? bytes : nil
    }
  }

  /// The signature of a message; nil unless the private key has 32 bytes.
  static func sign(_ message: [UInt8], with privateKey: [UInt8]) -> [UInt8]? {
    unsafe withKey(privateKey, isPrivate: true) { key in
      guard let context = unsafe EVP_MD_CTX_new() else { return nil }
      defer { unsafe EVP_MD_CTX_free(context) }
      guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { return nil }
      var signature = [UInt8](repeating: 0, count: signatureByteCount)
      var count = signature.count
      let done = unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1
      return done && count == signatureByteCount ? signature : nil
    }
  }

  /// Whether a signature of a message was made with the private key that belongs to a public one.
  static func isValid(
    _ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]
  ) -> Bool {
    let verdict: Bool? = unsafe withKey(publicKey, isPrivate: false) { key in
      guard let context = unsafe EVP_MD_CTX_new() else { return nil }
      defer { unsafe EVP_MD_CTX_free(context) }
      guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return nil }
      return unsafe EVP_DigestVerify(
        context, signature, signature.count, message, message.count) == 1
    }
    return verdict ?? false
  }

  private static func withKey<Result>(
    _ bytes: [UInt8], isPrivate: Bool, _ work: (OpaquePointer) -> Result?
  ) -> Result? {
    guard bytes.count == keyByteCount else { return nil }
    let made =
      isPrivate
      ? unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
      : unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
    guard let key = unsafe made else { return nil }
    defer { unsafe EVP_PKEY_free(key) }
    return unsafe work(key)
  }
}
