/// Makes the names under which recipients see meters; each grant has its own.
///
/// They come from the installation's secret and the grant's salt by HMAC-SHA-256, never from a meter
/// number. Without the salt they cannot be made again.
public struct Pseudonyms: Sendable {
  /// HMAC-SHA-256 of a message under a key: 32 bytes.
  public typealias HMAC = @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

  private let installSecret: [UInt8]
  private let hmac: HMAC

  /// Makes a source of pseudonyms from 32 random bytes that never leave the installation.
  public init(installSecret: [UInt8], hmac: @escaping HMAC) {
    self.installSecret = installSecret
    self.hmac = hmac
  }

  /// The pseudonym of a meter or of its M-Bus channel: `m-` and 16 characters.
  public func meter(
    recipient: String, salt: [UInt8], rotation: UInt32, source: UniqueID, channel: UInt8
  ) -> String {
    let turn = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: rotation >> UInt32($0)) }
    let key = hmac(
      installSecret, Array("gateway/pn/v1\0".utf8) + Array(recipient.utf8) + [0] + salt + turn)
    return "m-" + Pseudonyms.base32(Array(hmac(key, source.bytes + [channel]).prefix(10)))
  }

  /// The MQTT client id of a grant: `ga-` and 16 characters.
  public func clientID(recipient: String, salt: [UInt8]) -> String {
    let message = Array("gateway/cid/v1\0".utf8) + Array(recipient.utf8) + [0] + salt
    return "ga-" + Pseudonyms.base32(Array(hmac(installSecret, message).prefix(10)))
  }

  /// Seconds, 0 ..< 30, by which a grant's messages are late, so that recipients are not in step.
  public func phaseSeconds(recipient: String, salt: [UInt8]) -> Int32 {
    let message = Array("gateway/phase/v1\0".utf8) + Array(recipient.utf8) + [0] + salt
    let number = hmac(installSecret, message).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Int32(number % 30)
  }

  /// The id that goes with a pseudonym where a recipient's documents want a UUID (RFC 9562, version 8).
  ///
  /// Made under the same key, so that it changes with the pseudonym and goes with the salt.
  public func uuid(of pseudonym: String, salt: [UInt8]) -> UniqueID? {
    let key = hmac(installSecret, Array("gateway/uuid/v1\0".utf8) + salt)
    var bytes = Array(hmac(key, Array(pseudonym.utf8)).prefix(16))
    guard bytes.count == 16 else { return nil }
    bytes[6] = bytes[6] & 0x0F | 0x80
    bytes[8] = bytes[8] & 0x3F | 0x80
    return UniqueID(bytes: bytes)
  }

  /// The number of changes of pseudonym that a grant has had at `now`; 0 if it never changes.
  public static func rotation(of terms: GrantTerms, at now: Int64) -> UInt32 {
    guard terms.rotateDays > 0, now > terms.validFrom else { return 0 }
    return UInt32(clamping: (now - terms.validFrom) / (Int64(terms.rotateDays) * 86_400_000))
  }

  /// RFC 4648 base32 in lower case without padding.
  static func base32(_ bytes: [UInt8]) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    var units: [UInt8] = []
    var held: UInt32 = 0
    var bits = 0
    for byte in bytes {
      held = (held << 8 | UInt32(byte)) & 0xFFFF
      bits += 8
      while bits >= 5 {
        bits -= 5
        units.append(alphabet[Int(held >> UInt32(bits) & 31)])
      }
    }
    if bits > 0 { units.append(alphabet[Int(held << UInt32(5 - bits) & 31)]) }
    return String(decoding: units, as: UTF8.self)
  }
}
