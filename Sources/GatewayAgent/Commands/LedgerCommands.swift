internal import ArgumentParser
import ConsentLedger

/// `verify`: whether the ledger is whole.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verifies the ledger: its chain, what hangs off it, and that its end is there.",
    discussion: """
      Keep a receipt or the checkpoint of `verify --json` somewhere else: against them a chain that \
      was cut and made fit again does not verify. Exit 1 if something is wrong.
      """)

  @OptionGroup var agent: AgentAddress
  @Option(help: "A head that the chain must contain: gw:ledgerHead of a receipt.") var head: String?
  @Option(help: "File with a checkpoint that was kept.") var checkpoint: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(verb: .verify)
    request.known = KnownHead(
      head: head, checkpoint: try checkpoint.map { try GrantPropose.text(of: $0) })
    guard let chain = try agent.ask(request).chain else {
      throw CommandFailure.failed("no verdict in the answer")
    }
    if json { try Terminal.write(ControlJSON.line(chain)) } else { try Self.show(chain) }
    guard chain.verdict == "sound", chain.contradictedDays.isEmpty else {
      throw CommandFailure.failed(chain.message ?? "the journal is not as it was recorded")
    }
  }

  private static func show(_ chain: ReportView.Chain) throws(CommandFailure) {
    for line in ReportTable.lines(chain) { try Terminal.line(line) }
    if let checkpoint = chain.checkpoint {
      try Terminal.line(
        "Checkpoint of \(checkpoint.ts): record \(checkpoint.seq), key \(checkpoint.key)")
    }
    guard chain.verdict != "sound" else { return }
    try Terminal.line(
      "To go on with a new chain (grants of recipients outside end): gateway-agent ledger "
        + "accept-break --confirm \(chain.head.prefix(8))")
  }
}

/// `ledger …`: what a dispute or a broken ledger needs.
struct LedgerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Holds evidence, or goes on behind a ledger that is broken.",
    subcommands: [LedgerAcceptBreak.self, LedgerHold.self])
}

/// `ledger accept-break`: a new chain behind a broken one.
struct LedgerAcceptBreak: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept-break",
    abstract: "Starts a new chain behind a broken one, with the old head recorded.",
    discussion: """
      Nothing proves any more what recipients outside were granted: their grants end, and you may \
      grant them anew. Grants of the house go on.
      """)

  @OptionGroup var agent: AgentAddress
  @Option(help: "The first 8 digits of the old head, which `verify` shows.") var confirm: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(verb: .acceptBreak)
    request.confirmation = confirm
    let response = try agent.ask(request)
    guard let chain = response.chain else {
      throw CommandFailure.failed("no verdict in the answer")
    }
    if json { return try Terminal.write(ControlJSON.line(response.grants ?? [])) }
    for line in ReportTable.lines(chain) { try Terminal.line(line) }
    for grant in response.grants ?? [] where grant.state == "invalidated" {
      try Terminal.line("Ended: \(GrantText.row(grant))")
    }
  }
}

/// `ledger hold`: keeps the evidence of one grant.
struct LedgerHold: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold",
    abstract: "Keeps a grant's evidence beyond its time, for a dispute; confirm it each year.",
    discussion: "A hold that nobody confirmed for a year and 30 days counts no more.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Let go: what is kept too long goes with the next sweep.") var release = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(verb: .hold, grant: grant)
    request.release = release
    guard let held = try agent.ask(request).grant else {
      throw CommandFailure.failed("no grant in the answer")
    }
    if json { return try Terminal.write(ControlJSON.line(held)) }
    try Terminal.line(release ? "Let go." : "On hold. Confirm it by the same command each year.")
  }
}
