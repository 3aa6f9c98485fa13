internal import ArgumentParser
import Glibc

/// The command `gateway-agent`: parses arguments, runs one verb, exits 0, 1 or 2.
///
/// 0 is done, 1 the work found something wrong, 2 arguments, configuration or a file that cannot
/// be used (architecture.md, "Command line").
@main
struct Gateway: ParsableCommand {
  /// The release, as `--version` prints it.
  static let release = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "gateway-agent",
    abstract: "Reads the household's meter and releases only what a grant allows.",
    version: release,
    subcommands: [
      CheckConfig.self, Decode.self, Record.self, Replay.self, Simulate.self,
    ])

  /// Parses the arguments and runs the verb they name.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let failure as CommandFailure {
      if !failure.message.isEmpty { Terminal.note("gateway-agent: \(failure.message)") }
      Glibc.exit(failure.status)
    } catch {
      let status = status(of: error)
      let message = fullMessage(for: error)
      if !message.isEmpty {
        status == 0 ? print(message) : Terminal.note(message)
      }
      Glibc.exit(status)
    }
  }

  /// The exit status of what the parser or a verb threw: its usage errors (64) become 2.
  static func status(of error: any Error) -> Int32 {
    if let failure = error as? CommandFailure { return failure.status }
    let code = exitCode(for: error)
    return code == .validationFailure ? 2 : code.rawValue
  }
}
