/// One record of the ledger and its hash.
///
/// A record's header is canonical JSON (keys sorted, no spaces): `{"bh":…,"prev":…,"seq":…,"ts":…,
/// "type":…,"v":1}`. Its hash is SHA-256 over `gateway/ledger/v1`, a zero byte and the header; the
/// next record names that hash as `prev`. `bh` is SHA-256 over the body's salt and the body, which
/// lies elsewhere and may be erased. Privacy design C11.

/// What a record says; raw values are what the header carries.
public enum RecordType: String, Sendable, CaseIterable {
  case genesis = "GENESIS"
  case recipient = "RECIPIENT"
  case propose = "PROPOSE"
  case grant = "GRANT"
  case refuse = "REFUSE"
  case narrow = "NARROW"
  case pause = "PAUSE"
  case resume = "RESUME"
  case restrict = "RESTRICT"
  case lift = "LIFT"
  case object = "OBJECT"
  case withdraw = "WITHDRAW"
  case expire = "EXPIRE"
  case supersede = "SUPERSEDE"
  case review = "REVIEW"
  case renew = "RENEW"
  case receipt = "RECEIPT"
  case egressDay = "EGRESS_DAY"
  case tripwire = "TRIPWIRE"
  case rotate = "ROTATE"
  case retention = "RETENTION"
  case erase = "ERASE"
  case export = "EXPORT"
  case clock = "CLOCK"
  case recovery = "RECOVERY"
  case checkpoint = "CHECKPOINT"
}

/// The header of one record.
struct LedgerRecord: Equatable {
  /// The version of the header's form.
  static let version = 1
  /// `prev` of the first record.
  static let noPrevious = String(repeating: "0", count: 64)
  /// What every header's hash begins with, so that it can be no other hash of this software.
  static let hashPrefix = Array("gateway/ledger/v1\0".utf8)
  /// Random bytes before a body, so that its hash tells nobody what an erased body said.
  static let saltByteCount = 16

  var sequence: Int64
  /// RFC 3339 in whole seconds with `Z`.
  var time: String
  /// A `RecordType`; text, because a damaged record may hold anything.
  var type: String
  var bodyHash: String
  var previous: String

  /// The canonical header, without its hash.
  var header: String {
    #"{"bh":\#(Self.quoted(bodyHash)),"prev":\#(Self.quoted(previous)),"seq":\#(sequence),"#
      + #""ts":\#(Self.quoted(time)),"type":\#(Self.quoted(type)),"v":\#(Self.version)}"#
  }

  /// The record's hash, 64 lower-case hexadecimal digits.
  func hash(_ hasher: inout SHA256Hasher) -> String {
    hasher.update(Self.hashPrefix)
    hasher.update(Array(header.utf8))
    return Hex.text(hasher.finish())
  }

  /// The hash of a body with its salt, 64 lower-case hexadecimal digits.
  static func bodyHash(salt: [UInt8], body: [UInt8], _ hasher: inout SHA256Hasher) -> String {
    hasher.update(salt)
    hasher.update(body)
    return Hex.text(hasher.finish())
  }

  /// Written fields hold digits, capitals and `:-_` only.
  ///
  /// A damaged one must still hash to something of its own, so what JSON cannot hold becomes an
  /// escape.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    if isPlain { return "\"\(text)\"" }
    return "\"" + text.utf8.reduce(into: "") { $0 += "\\x" + String($1, radix: 16) } + "\""
  }
}
