/// Why a change of consent was refused: a stable code and a fixed sentence, never a value.
///
/// Whatever is refused is refused as a whole; gates keep what they had or less.
public struct ConsentError: Error, Equatable, Sendable {
  /// The stable codes of the privacy design §C12.
  public enum Code: String, Sendable, CaseIterable {
    case ledgerBroken = "E_LEDGER_BROKEN"
    case ledgerWrite = "E_LEDGER_WRITE"
    case ledgerTruncated = "E_LEDGER_TRUNCATED"
    case clockUntrusted = "E_CLOCK_UNTRUSTED"
    case grantUnknown = "E_GRANT_UNKNOWN"
    case state = "E_STATE"
    case authority = "E_AUTH"
    case reauthentication = "E_REAUTH"
    case profileExceeded = "E_PROFILE_EXCEEDED"
    case floor = "E_FLOOR"
    case purposeForbidden = "E_PURPOSE_FORBIDDEN"
    case basisNotForGateway = "E_BASIS_NOT_FOR_GATEWAY"
    case basisMissing = "E_BASIS_MISSING"
    case recipientUnnamed = "E_RECIPIENT_UNNAMED"
    case validity = "E_VALIDITY"
    case age = "E_AGE"
    case noticeMissing = "E_NOTICE_MISSING"
    case thirdCountryIdentifier = "E_TC_IDENTIFIER"
    case thirdCountryAbsolute = "E_TC_ABSOLUTE"
    case thirdCountryCategory = "E_TC_CATEGORY"
    case thirdCountryGranularity = "E_TC_GRANULARITY"
    case thirdCountryTransfer = "E_TC_TRANSFER"
    case thirdCountryAddress = "E_TC_IP"
    case aggregateRule = "E_AGG_RULE"
    case labelPersonal = "E_LABEL_PERSONAL"
    case scanLimit = "E_SCAN_LIMIT"
    case limit = "E_LIMIT"
    case remoteCommand = "W_REMOTE_COMMAND"
    case egressGap = "W_EGRESS_GAP"
  }

  /// The stable code; its raw value is the text (`E_PROFILE_EXCEEDED`).
  public let code: Code
  private let sentence: StaticString

  /// One sentence for a person: what rule was broken and what would be accepted.
  public var explanation: String { "\(sentence)" }

  /// Makes an error; the sentence is a literal, so that no value can be in it.
  public init(_ code: Code, _ sentence: StaticString) {
    self.code = code
    self.sentence = sentence
  }

  /// Errors are the same if their codes are.
  public static func == (left: ConsentError, right: ConsentError) -> Bool {
    left.code == right.code
  }
}
