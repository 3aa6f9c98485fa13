internal import ArgumentParser

/// `support`: what somebody needs who shall find a fault, without who you are.
struct Support: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what a stranger needs to find a fault: states, counts and kinds.",
    discussion: """
      No names, hosts, paths, values or identifiers: what it holds is written from constant words and \
      numbers, and searched for every identifier that a meter has sent. With one in it, nothing is \
      written. Read it before you give it away: it is one JSON object.
      """)

  @OptionGroup var agent: AgentAddress

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write, mode 0600; standard output unless given.", valueName: "file"))
  var output: String?

  @Flag(help: "Replace the file if it exists.")
  var force = false

  func run() throws {
    guard let bundle = try agent.ask(ControlRequest(verb: .support)).support else {
      throw CommandFailure.failed("no bundle in the answer")
    }
    let bytes = Array(bundle.utf8) + [UInt8(ascii: "\n")]
    guard let output else { return try Terminal.write(bytes) }
    let file = try CaptureFile(output, isReplacing: force)
    do throws(SystemError) {
      try file.write(bytes)
    } catch {
      throw CommandFailure.failed("\(output): \(error.lowercaseText)")
    }
  }
}
