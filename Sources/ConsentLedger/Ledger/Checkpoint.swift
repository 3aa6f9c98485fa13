internal import FoundationEssentials

/// A signed statement of what the ledger's last record was: who keeps one elsewhere can prove later
/// that the chain was cut.
///
/// As text it is canonical JSON: `{"head":…,"key":…,"seq":…,"signature":…,"ts":…}`. Signed are
/// `gateway/checkpoint/v1`, a zero byte and `{"head":…,"seq":…,"ts":…}`, with Ed25519. Privacy design
/// C11.
public struct Checkpoint: Codable, Equatable, Sendable {
  /// The hash of the last record.
  public var head: String
  /// The public key, 64 hexadecimal digits.
  public var key: String
  /// The sequence number of the last record.
  public var seq: Int64
  /// The signature, 128 hexadecimal digits.
  public var signature: String
  /// When it was made, RFC 3339 in whole seconds with `Z`.
  public var ts: String

  static let prefix = Array("gateway/checkpoint/v1\0".utf8)

  /// Signs; nil unless the private key has 32 bytes.
  init?(head: String, sequence: Int64, time: String, privateKey: [UInt8]) {
    self.head = head
    seq = sequence
    ts = time
    key = ""
    signature = ""
    guard let publicKey = Ed25519.publicKey(of: privateKey),
      let made = Ed25519.sign(signedBytes, with: privateKey)
    else { return nil }
    key = Hex.text(publicKey)
    signature = Hex.text(made)
  }

  /// Reads the text form; nil for anything else, or if the signature does not fit its key.
  public init?(_ text: [UInt8]) {
    guard let read = try? JSONDecoder().decode(Checkpoint.self, from: Data(text)),
      read.isSigned
    else { return nil }
    self = read
  }

  /// The text form.
  public var text: [UInt8] { json.bytes }

  var json: CanonicalJSON {
    [
      "head": .text(head), "key": .text(key), "seq": .integer(seq), "signature": .text(signature),
      "ts": .text(ts),
    ]
  }

  private var isSigned: Bool {
    guard let key = Hex.bytes(key), let signature = Hex.bytes(signature) else { return false }
    return Ed25519.isValid(signature, of: signedBytes, publicKey: key)
  }

  private var signedBytes: [UInt8] {
    let statement: CanonicalJSON = [
      "head": .text(head), "seq": .integer(seq), "ts": .text(ts),
    ]
    return Self.prefix + statement.bytes
  }
}
