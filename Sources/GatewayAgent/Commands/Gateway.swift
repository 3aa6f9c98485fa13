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
      Run.self, Demo.self, Status.self, GrantCommand.self, Withdraw.self, ReceiptCommand.self,
      Report.self, Support.self, Verify.self, LedgerCommand.self, Erase.self, VerifyErasure.self,
      Export.self, EnquiryCommand.self, Objection.self, Restrict.self, Pause.self,
      ProfilesCommand.self, CheckConfig.self, EVCommand.self, Meters.self, Probe.self,
      Decode.self, Record.self, Redact.self, Replay.self, Simulate.self, EnodeWebhook.self,
    ])

  /// Runs the verb that the process's arguments name, and ends the process.
  static func main() {
    let ending = run(nil)
    if !ending.message.isEmpty {
      if ending.status == 0 { print(ending.message) } else { Terminal.note(ending.message) }
    }
    // A helper thread may still be inside a library: its exit handlers must not run under it.
    fflush(nil)
    _exit(ending.status)
  }

  /// How a verb ended: the exit status and what is left to say.
  struct Ending: Equatable {
    var status: Int32
    var message: String
  }

  /// Parses arguments (nil: the process's) and runs the verb they name.
  static func run(_ arguments: [String]?) -> Ending {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return Ending(status: 0, message: "")
    } catch let failure as CommandFailure {
      let message = failure.message.isEmpty ? "" : "gateway-agent: \(failure.message)"
      return Ending(status: failure.status, message: message)
    } catch {
      // The parser's usage errors carry sysexits' EX_USAGE (64).
      let code = exitCode(for: error)
      return Ending(
        status: code == .validationFailure ? 2 : code.rawValue, message: fullMessage(for: error))
    }
  }
}
