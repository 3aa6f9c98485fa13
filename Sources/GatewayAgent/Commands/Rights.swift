internal import ArgumentParser

// The verbs of a household's rights on a grant. Stopping takes one word and asks for no reason.

/// What a verb about one grant prints when it is done.
private func finish(
  _ response: ControlResponse, _ json: Bool, _ sentence: (GrantView) -> String
) throws {
  guard let grant = response.grant else { throw CommandFailure.failed("no grant in the answer") }
  try json
    ? Terminal.write(ControlJSON.line(grant)) : Terminal.line(sentence(grant))
}

/// `object`: ends a use that needed no consent.
struct Objection: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "object",
    abstract:
      "Objects to a grant (GDPR article 21): it ends at once, whatever the recipient's ground.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .object, grant: grant))
    try finish(response, json) { "Objected. \($0.messages) messages had left; none will any more." }
  }
}

/// `restrict`: keeps everything in the house until it is lifted.
struct Restrict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Restricts a grant: nothing leaves until `grant lift`, and nothing is told afterwards.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .restrict, grant: grant))
    try finish(response, json) {
      "Restricted. To lift it: gateway-agent grant lift \($0.id.prefix(8))"
    }
  }
}

/// `pause`: for a while, one grant or all.
struct Pause: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pauses a grant, or all of them: nothing leaves, and nothing is told afterwards.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning; none with --all.") var grant: String?
  @Option(help: "All grants: external, or everything with those of the house.") var all: String?
  @Option(name: .customLong("for"), help: "How long: 30m, 8h, 2d; without it until `grant resume`.")
  var duration: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard (grant == nil) != (all == nil) else {
      throw CommandFailure.unusable("name a grant, or --all external or everything")
    }
    var request = ControlRequest(verb: .pause, grant: grant)
    request.scope = all
    request.seconds = try duration.map(Self.seconds)
    let response = try agent.ask(request)
    guard all == nil else {
      if json { return try Terminal.write(ControlJSON.line(response.grants ?? [])) }
      return try Terminal.line("Paused. To go on: gateway-agent grant resume --all")
    }
    try finish(response, json) { "Paused. To go on: gateway-agent grant resume \($0.id.prefix(8))" }
  }

  /// Seconds of a text such as `90s`, `30m`, `8h` or `2d`.
  static func seconds(_ text: String) throws(CommandFailure) -> Int {
    let units = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = units[String(text.suffix(1))], let number = Int(text.dropLast()), number > 0,
      number <= 31_622_400 / unit
    else { throw .unusable("--for: expected a length such as 30m, 8h or 2d, found \(text)") }
    return number * unit
  }
}

/// `grant lift`: ends a restriction.
struct GrantLift: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lift", abstract: "Lifts a restriction: data leaves again, counted anew.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .grantLift, grant: grant))
    try finish(response, json) { _ in "Lifted: data leaves again." }
  }
}

/// `grant resume`: ends a pause.
struct GrantResume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Ends the pause of a grant, or the one over all.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning; none with --all.") var grant: String?
  @Flag(help: "Ends the pause over all grants.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard (grant == nil) == all else {
      throw CommandFailure.unusable("name a grant, or --all")
    }
    var request = ControlRequest(verb: .grantResume, grant: grant)
    request.scope = all ? "everything" : nil
    let response = try agent.ask(request)
    guard !all else {
      if json { return try Terminal.write(ControlJSON.line(response.grants ?? [])) }
      return try Terminal.line("Resumed: each grant goes on in its own state.")
    }
    try finish(response, json) { _ in "Resumed: data leaves again." }
  }
}

/// `grant renew`: confirms a grant anew.
struct GrantRenew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "renew",
    abstract: "Confirms a grant anew, when its review is due or its recipient's text has changed.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let response = try agent.ask(ControlRequest(verb: .grantRenew, grant: grant))
    try finish(response, json) { "Renewed, version \($0.version). Its end stays as it was." }
  }
}

/// `grant narrow`: makes less of a grant, at once.
struct GrantNarrow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "narrow",
    abstract: "Makes less of a grant, at once. More of anything needs a new proposal.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Option(help: "Only these categories, such as P1,E3.") var categories: String?
  @Option(help: "Only these M-Bus channels, such as 1.") var channels: String?
  @Option(help: "A coarser rung: G1 10 s, G2 1 min, G3 15 min, G4 1 h, G5 day, G6 month.")
  var granularity: String?
  @Option(help: "Rounder: R1 10 W, R2 100 W, R3 100 Wh, R4 1 kWh.") var quantum: String?
  @Option(name: .customLong("delay-seconds"), help: "Later: seconds to wait after a window's end.")
  var delaySeconds: Int?
  @Option(name: .customLong("rotate-days"), help: "Days until the pseudonym changes; fewer.")
  var rotateDays: Int?
  @Option(name: .customLong("valid-days"), help: "Days from now that it still holds.")
  var validDays: Int?
  @Option(help: "Only these meters, by nickname.") var meter: [String] = []
  @Flag(name: .customLong("no-absolute"), help: "No registers as they stand any more.")
  var dropsAbsolute = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(verb: .grantNarrow, grant: grant)
    request.narrowing = NarrowingRequest(
      categories: categories.map(GrantPropose.words),
      channels: channels.map { GrantPropose.words($0).compactMap { Int($0) } },
      granularity: granularity, quantum: quantum, delaySeconds: delaySeconds,
      meters: meter.isEmpty ? nil : meter, rotateDays: rotateDays, validDays: validDays,
      dropsAbsolute: dropsAbsolute ? true : nil)
    let response = try agent.ask(request)
    try finish(response, json) { "Narrowed: \(GrantText.row($0))" }
  }
}

/// `grant notice`: the recipient's text has changed.
struct GrantNotice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notice",
    abstract: "Keeps a recipient's new text; if it matters, its data stops until you renew.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The grant's id or its beginning.") var grant: String
  @Option(help: "File with the new text; it is kept word for word.") var file: String
  @Option(help: "Its language.") var language = "en"
  @Flag(
    help: "Only its words changed, not purpose, categories, recipient, country, basis or retention."
  )
  var editorial = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    var request = ControlRequest(verb: .grantNotice, grant: grant)
    request.notice = NoticeRequest(
      text: try GrantPropose.text(of: file), language: language, isMaterial: !editorial)
    let response = try agent.ask(request)
    try finish(response, json) { grant in
      editorial
        ? "Noted; the grant goes on."
        : "Stopped until you renew it: gateway-agent grant renew \(grant.id.prefix(8))"
    }
  }
}
