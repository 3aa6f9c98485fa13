import ConsentLedger
import PrivacyFilter

/// A grant in force: what the store says of it, and what serves it.
struct RunningGrant {
  var stored: StoredGrant
  /// The connection that publishes it; `noLink` where each message has one of its own.
  let link: UInt8
  /// Its gates in the bank: one a meter and one a sub-meter.
  var gates: [Int]
  /// Topics on which a broker keeps something of it.
  var retained: Set<String>

  /// Over how many milliseconds the sending of a contribution to statistics is spread; 0 for grants
  /// of another kind.
  let spreadMilliseconds: Int64

  /// `link` of a grant whose messages each have a connection of their own.
  static let noLink: UInt8 = 255

  var id: UniqueID { stored.grant.id }
  var isInHouse: Bool { stored.recipient.role == .inHouse }
}

extension StoreError {
  /// The stable code for a control answer, empty for trouble with files.
  var code: String {
    switch self {
    case .consent(let error): error.code.rawValue
    case .refusedRecipient(let refused): refused.code
    default: ""
    }
  }

  /// One sentence for a person.
  var text: String {
    switch self {
    case .consent(let error): error.explanation
    case .refusedRecipient(let refused): refused.reason
    case .directoryUnusable(let number): "the directory cannot be used (error \(number))"
    case .exposed(let file): "others may read or write the \(file.rawValue); mend its mode"
    case .fileUnusable(let file, let number): "\(file.rawValue) cannot be used (error \(number))"
    case .damaged(let file): "\(file.rawValue) is damaged"
    case .newerSchema(let version): "written by a newer agent (schema \(version))"
    case .foreignDatabase: "state.sqlite3 belongs to other software"
    case .inUse: "another agent holds it open"
    }
  }
}
