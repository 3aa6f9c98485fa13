// What `erase` and `verify-erasure` ask for and get on the control socket.

/// What is erased; nil is no.
struct ErasureRequest: Codable, Sendable {
  /// Every grant to this recipient, and its registration.
  var recipient: String?
  /// Every grant, and all that the household has stored of its use.
  var all: Bool?
  /// Whether what brokers keep may stay there.
  var leavesRetained: Bool?
}

/// What was erased, with its proof.
struct ErasureView: Codable, Sendable {
  /// What one recipient had received by then; the agent knows nothing of it any more.
  struct Letter: Codable, Sendable, Equatable {
    var recipient: String
    var legalName: String
    var contact: String?
    var authority: String
    var grant: String
    var purpose: String
    var messages: UInt64
    var first: String?
    var last: String?
  }

  var grants: [String]
  var recipients: [String]
  var removed: [String]
  var bytes: Int64
  var journalRows: Int64
  var historyRows: Int64
  var notices: Int64
  var kept: [String]
  var headBefore: String
  var headAfter: String
  /// Whether the file was rebuilt without the freed pages.
  var isCompacted: Bool
  var letters: [Letter]
}

/// What looking for traces of erased data found.
struct TracesView: Codable, Sendable {
  var isClean: Bool
  var erasures: Int
  var removed: Int
  /// Bodies that were erased and are there all the same.
  var remaining: [String]
  /// Erased grants whose pseudonym could still be derived.
  var derivable: [String]
  var freePages: Int64
  var chain: ReportView.Chain
}
