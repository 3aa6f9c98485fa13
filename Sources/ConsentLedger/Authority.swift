/// Who decided: a person on this machine, the recipient, or the agent by a rule.
public enum Authority: Equatable, Sendable {
  /// A local person, by the uid that the control socket saw.
  case uid(UInt32)
  /// The recipient, who may always end a grant, and propose one.
  case recipient
  /// The agent itself, when a grant's time is over.
  case agent

  /// As records write it: `uid:1000`, `recipient`, `agent`.
  public var text: String {
    switch self {
    case .uid(let uid): "uid:\(uid)"
    case .recipient: "recipient"
    case .agent: "agent"
    }
  }
}
