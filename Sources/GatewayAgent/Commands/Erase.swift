internal import ArgumentParser
import Glibc

/// `erase`: ends grants and deletes what is stored of them, with proof.
struct Erase: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Erases all that is stored of a grant, a recipient, or everything, with proof.",
    discussion: """
      Grants in force are withdrawn first. Bodies, salts, receipts and counts go; the ledger's chain \
      stays whole and says what went, by its hash. A memory card may keep old blocks: encrypt the \
      partition. What recipients have received is out of reach: a letter to each is printed.
      """)

  @OptionGroup var agent: AgentAddress
  @Option(help: "The grant's id or its beginning.") var grant: String?
  @Option(help: "Every grant to this recipient, and its registration.") var recipient: String?
  @Flag(help: "Every grant and recipient, and all that is stored of the household's use.")
  var all = false
  @Flag(
    name: .customLong("leave-retained"),
    help: "Erase although a broker has not cleared what it keeps; it may keep it for ever.")
  var leavesRetained = false
  @Flag(help: "Print JSON.") var json = false

  mutating func validate() throws {
    guard [grant != nil, recipient != nil, all].filter({ $0 }).count == 1 else {
      throw ValidationError("name one of --grant, --recipient and --all")
    }
  }

  func run() throws {
    var request = ControlRequest(verb: .erase, grant: grant)
    request.erasure = ErasureRequest(
      recipient: recipient, all: all ? true : nil, leavesRetained: leavesRetained ? true : nil)
    guard let erasure = try ask(request).erasure else {
      throw CommandFailure.failed("no erasure in the answer")
    }
    if json { return try Terminal.write(ControlJSON.line(erasure)) }
    for line in Self.lines(erasure) { try Terminal.line(line) }
  }

  /// A broker needs a moment to clear what it keeps; it gets three seconds.
  private func ask(_ request: ControlRequest) throws(CommandFailure) -> ControlResponse {
    for _ in 0..<10 {
      do throws(CommandFailure) {
        return try agent.ask(request)
      } catch {
        guard error.message.hasPrefix("E_STATE: the broker") else { throw error }
        usleep(300_000)
      }
    }
    return try agent.ask(request)
  }

  static func lines(_ erasure: ErasureView) -> [String] {
    var lines = [
      "Erased: \(erasure.grants.count) grants, \(erasure.recipients.count) recipients, "
        + "\(erasure.removed.count) records' bodies (\(erasure.bytes) bytes), "
        + "\(erasure.journalRows) days of counts, \(erasure.historyRows) values of use",
      "Ledger: head before \(erasure.headBefore)", "Ledger: head after  \(erasure.headAfter)",
    ]
    for kept in erasure.kept { lines.append("Kept: \(kept)") }
    if !erasure.isCompacted {
      lines.append("The file could not be rebuilt; make room and run gateway-agent verify-erasure")
    }
    for letter in erasure.letters { lines += text(of: letter) }
    return lines
  }

  /// A letter under article 17, ready to be sent.
  private static func text(of letter: ErasureView.Letter) -> [String] {
    var address = "To \(letter.legalName)"
    if let contact = letter.contact { address += ", \(contact)" }
    return [
      "", address, "Erasure of personal data (GDPR article 17 (1), article 19)", "",
      "You have received \(letter.messages) messages with data of our household under our grant",
      "\(letter.grant) (purpose: \(letter.purpose)), from \(letter.first ?? "") to "
        + "\(letter.last ?? "").",
      "The grant has ended. We ask you to erase these data without undue delay, to tell everybody to",
      "whom you disclosed them, and to confirm it within one month (article 12 (3)). If you keep any,",
      "tell us which and on what ground. Complaints go to \(letter.authority).",
    ]
  }
}

/// `verify-erasure`: whether anything of what was erased is left.
struct VerifyErasure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-erasure",
    abstract: "Looks for traces of everything that was ever erased, and rebuilds the file.")

  @OptionGroup var agent: AgentAddress
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard let traces = try agent.ask(ControlRequest(verb: .verifyErasure)).traces else {
      throw CommandFailure.failed("no verdict in the answer")
    }
    if json {
      try Terminal.write(ControlJSON.line(traces))
    } else {
      try Terminal.line(
        "\(traces.erasures) erasures of \(traces.removed) bodies: \(traces.remaining.count) left, "
          + "\(traces.derivable.count) pseudonyms derivable, \(traces.freePages) free pages")
      for line in ReportTable.lines(traces.chain) { try Terminal.line(line) }
    }
    guard traces.isClean else { throw CommandFailure.failed("traces of erased data are left") }
  }
}
