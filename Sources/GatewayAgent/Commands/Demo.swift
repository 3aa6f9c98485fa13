internal import ArgumentParser

/// `demo`: the whole path without a meter, on this machine alone.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a simulated meter says, and beside it what each recipient receives.",
    discussion: """
      Starts a private mosquitto on a free loopback port and a simulated three-phase household on a \
      pseudo-terminal, grants one in-house and one external recipient, and ends with Ctrl-C or \
      after --seconds. Household and gateway live 60 times faster. Exits 0 only if both recipients \
      received; leaves no process and no file behind.
      """)

  @Option(
    help: ArgumentHelp(
      "End after so many seconds, 10 or more; DEMO_SECONDS in the environment does the same.",
      valueName: "n"))
  var seconds: Int?

  @Option(help: "Which household: the same number gives the same one.")
  var seed: UInt64 = 1

  mutating func validate() throws {
    if seconds == nil, let text = Environment.variables()["DEMO_SECONDS"], !text.isEmpty {
      guard let number = Int(text) else {
        throw ValidationError("DEMO_SECONDS must be a whole number, 10 or more")
      }
      seconds = number
    }
    if let seconds, seconds < 10 {
      throw ValidationError("--seconds and DEMO_SECONDS must be 10 or more")
    }
  }

  func run() throws {
    ProcessSetup.prepare()
    Log.level = .error
    let world = try DemoWorld(seconds: seconds, seed: seed)
    guard try world.run() else {
      throw CommandFailure.failed("a recipient received nothing")
    }
    try Terminal.line("Both recipients received; nothing else left. Everything is stopped.")
  }
}
