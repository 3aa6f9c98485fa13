internal import ArgumentParser
import ConsentLedger

/// Where a verb finds the running agent.
struct AgentAddress: ParsableArguments {
  @Option(help: "The agent's configuration file, which names its control socket.")
  var config = Configuration.defaultPath

  @Option(name: .customLong("control-socket"), help: "The control socket itself, instead.")
  var controlSocket: String?

  /// Asks the running agent.
  ///
  /// - Throws: `CommandFailure`: 2 without a usable configuration, 1 if the agent refuses or is not
  ///   there.
  func ask(_ request: ControlRequest) throws(CommandFailure) -> ControlResponse {
    do {
      return try ControlClient.ask(request, at: try path())
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw .failed("\(error)")
    }
  }

  private func path() throws(CommandFailure) -> String {
    if let controlSocket { return controlSocket }
    do throws(ConfigurationError) {
      return try ConfigurationReader(checksFiles: false).load(config, environment: [:])
        .controlSocket
    } catch {
      throw .unusable(error.description)
    }
  }
}

/// `grant …`: what the household permits to whom.
struct GrantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grant",
    abstract: "Proposes, accepts, changes and lists grants: who receives what, how finely, why.",
    subcommands: [
      GrantPropose.self, GrantAccept.self, GrantRefuse.self, GrantNarrow.self, GrantRenew.self,
      GrantLift.self, GrantResume.self, GrantNotice.self, GrantList.self,
    ])
}

/// `grant propose`: fills a proposal from a profile; nothing leaves before it is accepted.
struct GrantPropose: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "propose",
    abstract: "Fills in a grant from a profile, narrowed by the options; it waits to be accepted.")

  @OptionGroup var agent: AgentAddress

  @Option(help: "The profile, which is the grant's ceiling: local-automation, app-insight …")
  var profile: String
  @Option(help: "The recipient's short name: a-z, 0-9 and -, such as home-assistant or eliq.")
  var recipient: String
  @Option(help: "The broker of the configuration that carries it.")
  var broker: String
  @Option(help: "The recipient's legal name; required for recipients outside the house.")
  var name: String?
  @Option(help: "Its role: inHouse, controller, processor or person.")
  var role: String?
  @Option(help: "Two letters of the country where its broker is (ISO 3166-1).")
  var country: String?
  @Option(help: "What it is for: insight, smartCharging, localAutomation …")
  var purpose: String?
  @Option(help: "The legal basis the recipient claims: a, b or f of GDPR article 6(1).")
  var basis: String?
  @Option(name: .customLong("basis-text"), help: "The recipient's own words for the basis.")
  var basisText: String?
  @Option(help: "Only these categories, such as P1,E3.")
  var categories: String?
  @Option(help: "M-Bus channels whose sub-meters are covered, such as 1,2.")
  var channels: String?
  @Option(help: "How finely: G0 every frame, G1 10 s, G2 1 min, G3 15 min, G4 1 h, G5 day.")
  var granularity: String?
  @Option(help: "How roundly: R0 as sent, R1 10 W, R2 100 W, R3 100 Wh, R4 1 kWh.")
  var quantum: String?
  @Option(name: .customLong("delay-seconds"), help: "Seconds to wait after a window's end.")
  var delaySeconds: Int?
  @Option(help: "How the meter is named to the recipient: none or pseudonym.")
  var identifier: String?
  @Flag(help: "Absolute registers (E1, E2), where the profile allows them.")
  var absolute = false
  @Option(name: .customLong("rotate-days"), help: "Days until the pseudonym changes; 0 is never.")
  var rotateDays: Int?
  @Option(name: .customLong("valid-days"), help: "Days the grant is valid.")
  var validDays: Int?
  @Option(help: "Only these meters, by nickname; all by default.")
  var meter: [String] = []
  @Option(name: .customLong("topic-root"), help: "First levels of its topics.")
  var topicRoot: String?
  @Option(help: "MQTT quality of service, 0 to 2.")
  var qos: Int?
  @Flag(help: "Have the broker keep the last message.")
  var retain = false
  @Option(help: "Way to the broker: direct or relayEEA.")
  var route: String?
  @Option(help: "Guarantee for a country outside the EEA: none, adequacy45, scc46, bcr46 …")
  var transfer: String?
  @Option(help: "File with the recipient's own notice; it is kept word for word.")
  var notice: String?
  @Option(name: .customLong("notice-language"), help: "Language of the notice.")
  var noticeLanguage = "en"
  @Option(help: "The grant in force that it takes the place of, once accepted.")
  var supersedes: String?
  @Option(name: .customLong("k-min"), help: "Fewest homes in a number published (statistics).")
  var kMin: Int?
  @Option(name: .customLong("max-share"), help: "Largest share of one home in it, in per cent.")
  var maxShare: Int?
  @Option(help: "File with the recipient's signed undertaking (statistics and research).")
  var undertaking: String?
  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var proposal = ProposalRequest(
      profile: profile, recipient: recipient, absolute: absolute, meters: meter, broker: broker,
      retain: retain)
    proposal.supersedes = supersedes
    proposal.kMin = kMin
    proposal.maxSharePercent = maxShare
    proposal.undertaking = try undertaking.map { Crypto.sha256Text(try Self.text(of: $0)) }
    proposal.legalName = name
    proposal.role = role
    proposal.country = country
    proposal.purpose = purpose
    proposal.basis = basis
    proposal.basisText = basisText
    proposal.categories = categories.map(Self.words)
    proposal.channels = channels.map { Self.words($0).compactMap { Int($0) } }
    proposal.granularity = granularity
    proposal.quantum = quantum
    proposal.delaySeconds = delaySeconds
    proposal.identifier = identifier
    proposal.rotateDays = rotateDays
    proposal.validDays = validDays
    proposal.topicRoot = topicRoot
    proposal.qos = qos
    proposal.route = route
    proposal.transfer = transfer
    proposal.notice = try notice.map(Self.text)
    proposal.noticeLanguage = noticeLanguage
    let response = try agent.ask(ControlRequest(verb: .grantPropose, proposal: proposal))
    guard let grant = response.grant else { throw CommandFailure.failed("no grant in the answer") }
    if json {
      try Terminal.write(ControlJSON.line(grant))
    } else {
      try GrantText.show(grant)
      try Terminal.line(
        "Nothing leaves yet. To accept: gateway-agent grant accept \(grant.id.prefix(8))")
    }
  }

  /// A text of at most 64 KiB from a file.
  static func text(of path: String) throws(CommandFailure) -> String {
    do throws(SystemError) {
      let bytes = try FileAccess.read(path, limit: 65_536)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      throw .unusable(path, error)
    }
  }

  static func words(_ list: String) -> [String] {
    list.split(separator: ",").map { String($0.filter { $0 != " " }) }
  }
}

/// `grant accept`: the only way a grant comes into force.
struct GrantAccept: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept", abstract: "Accepts a proposal: from now on its data leaves.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Option(
    help:
      "Optional categories that are ticked too, such as X1; N1 lets the house's address be seen.")
  var optional: String?
  @Flag(
    name: .customLong("fine-confirmed"),
    help: "Confirms a rung finer than the profile's: it shows when somebody is at home or asleep.")
  var fineConfirmed = false
  @Flag(
    name: .customLong("age-attested"),
    help: "Attests that an adult decides for everybody below the age of consent (DK 15, NO 13).")
  var ageAttested = false
  @Flag(name: .customLong("household-informed"), help: "Attests that the household knows.")
  var householdInformed = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(
      verb: .grantAccept, grant: grant, optional: optional.map(GrantPropose.words) ?? [])
    request.confirmed = ConfirmedRequest(
      fine: fineConfirmed, age: ageAttested, household: householdInformed)
    let response = try agent.ask(request)
    guard let accepted = response.grant else {
      throw CommandFailure.failed("no grant in the answer")
    }
    if json {
      try Terminal.write(ControlJSON.line(accepted))
    } else {
      try GrantText.show(accepted)
      try Terminal.line("In force. To end it: gateway-agent withdraw \(accepted.id.prefix(8))")
    }
  }
}

/// `grant refuse`: declines a proposal.
struct GrantRefuse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refuse", abstract: "Refuses a proposal.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .grantRefuse, grant: grant))
    guard let refused = response.grant else {
      throw CommandFailure.failed("no grant in the answer")
    }
    try json ? Terminal.write(ControlJSON.line(refused)) : Terminal.line("Refused.")
  }
}

/// `grant list`: every grant the household ever decided on.
struct GrantList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists every grant with its state and what it let out.")

  @OptionGroup var agent: AgentAddress
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let grants = try agent.ask(ControlRequest(verb: .grantList)).grants ?? []
    if json { return try Terminal.write(ControlJSON.line(grants)) }
    guard !grants.isEmpty else { return try Terminal.line("No grants: nothing leaves.") }
    for grant in grants { try Terminal.line(GrantText.row(grant)) }
  }
}

/// `withdraw`: ends a grant at once.
struct Withdraw: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ends a grant at once: stops, records, purges, clears what brokers keep.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print the receipt as JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .withdraw, grant: grant))
    if json, let receipt = response.receipt { return try Terminal.line(receipt) }
    guard let ended = response.grant else { throw CommandFailure.failed("no grant in the answer") }
    try Terminal.line("Withdrawn. \(ended.messages) messages had left; none will any more.")
    try Terminal.line("Receipt: gateway-agent receipt \(ended.id.prefix(8))")
    if !ended.profile.hasPrefix("local-") { try GrantText.showBrokerCommands(ended.broker) }
  }
}

/// `receipt`: the latest receipt of a grant.
struct ReceiptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receipt",
    abstract: "Prints the latest receipt of a grant (JSON, ISO/IEC TS 27560 with DPV terms).")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "In the form of Kantara's Consent Receipt 1.1 instead.") var kantara = false

  func run() throws {
    var request = ControlRequest(verb: .receipt, grant: grant)
    request.kantara = kantara
    guard let receipt = try agent.ask(request).receipt else {
      throw CommandFailure.failed("no receipt yet: a proposal has none")
    }
    try Terminal.line(receipt)
  }
}

/// Grants for a terminal.
enum GrantText {
  /// A grant in full: what the person who accepts agrees to.
  static func show(_ grant: GrantView) throws(CommandFailure) {
    try Terminal.line("Grant \(grant.id) (\(grant.state))")
    if let notice = grant.notice { try Terminal.line(notice) }
  }

  /// What somebody who administers a broker can do besides: the agent does not.
  static func showBrokerCommands(_ broker: String) throws(CommandFailure) {
    try Terminal.line(
      "The access list of broker \(broker) is unchanged. If it is yours, with the user named there:\n"
        + "  mosquitto_ctrl dynsec disableClient USER\n  mosquitto_ctrl dynsec deleteClient USER")
  }

  /// A grant in one line.
  static func row(_ grant: GrantView) -> String {
    var until = grant.validUntil.map { " until \($0)" } ?? ""
    if let due = grant.reviewDue { until += ", review by \(due.prefix(10))" }
    let isHeld = grant.state == "active" && !grant.isInForce
    var state = isHeld ? "active, but paused or its broker or meter not configured" : grant.state
    if let time = grant.pausedUntil { state += " until \(time)" }
    return "\(grant.id.prefix(8))  \(state)  \(grant.recipient)  \(grant.purpose)  "
      + "\(grant.categories.joined(separator: ",")) \(grant.granularity)/\(grant.quantum)"
      + "  \(grant.topic)  \(grant.messages) messages\(until)"
  }
}
