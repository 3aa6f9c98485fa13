internal import ArgumentParser

/// `enquiry …`: rights that somebody outside asked for, and until when they have an answer.
struct EnquiryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enquiry",
    abstract: "Keeps the dates of enquiries from outside: 30 days to answer, a reminder after 23.",
    discussion: """
      Only the right, the date and the short name of a recipient that asked over MQTT are kept; what \
      was written stays where it came in. The log warns once a day from the reminder on.
      """,
    subcommands: [EnquiryAdd.self, EnquiryList.self, EnquiryAnswered.self],
    defaultSubcommand: EnquiryList.self)

  fileprivate static func show(
    _ agent: AgentAddress, _ json: Bool, _ enquiry: EnquiryRequest = EnquiryRequest()
  ) throws {
    var request = ControlRequest(verb: .enquiry)
    request.enquiry = enquiry
    guard let all = try agent.ask(request).enquiries else {
      throw CommandFailure.failed("no enquiries in the answer")
    }
    if json { return try Terminal.write(ControlJSON.line(all)) }
    if all.isEmpty { try Terminal.line("Nobody has asked.") }
    for enquiry in all { try Terminal.line(line(enquiry)) }
  }

  static func line(_ enquiry: EnquiryView) -> String {
    let asker = enquiry.recipient.map { " by \($0)" } ?? ""
    let came = "received \(enquiry.received.prefix(10))"
    let end =
      enquiry.answered.map { "answered \($0.prefix(10))" }
      ?? "answer by \(enquiry.due.prefix(10))\(enquiry.isUrgent ? "!" : "")"
    return "\(enquiry.number)  \(enquiry.kind)\(asker), \(came), \(end)"
  }
}

/// `enquiry list`: all of them.
struct EnquiryList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists enquiries with the dates of their answers.")

  @OptionGroup var agent: AgentAddress
  @Flag(help: "Print JSON.") var json = false

  func run() throws { try EnquiryCommand.show(agent, json) }
}

/// `enquiry add`: one that came by mail or word of mouth.
struct EnquiryAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Opens an enquiry that came by mail.")

  @OptionGroup var agent: AgentAddress
  @Argument(
    help: "access, rectification, erasure, restriction, portability, objection or other.")
  var kind: String
  @Option(help: "The day on which it came, such as 2026-01-15; today by default.")
  var received: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try EnquiryCommand.show(agent, json, EnquiryRequest(kind: kind, received: received))
  }
}

/// `enquiry answered`: the task is done.
struct EnquiryAnswered: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "answered", abstract: "Notes that an enquiry was answered.")

  @OptionGroup var agent: AgentAddress
  @Argument(help: "The enquiry's number.") var number: Int64
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    try EnquiryCommand.show(agent, json, EnquiryRequest(answered: number))
  }
}
