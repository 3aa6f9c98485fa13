internal import ArgumentParser
import Glibc
import ModbusMeters

/// `gateway-agent check-config`: what the agent understands of its configuration.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Say what the agent understands of its configuration, and what is wrong with it.",
    discussion: """
      Exits 0 if all is well, 1 if a port or file is not usable on this machine, 2 if the \
      configuration itself or a meter profile of your own is wrong: one line each with file, line \
      and key.
      """)

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"))
  var config = Configuration.defaultPath

  @Option(
    help: ArgumentHelp(
      "Your own meter profiles; the directory meters beside the configuration unless given.",
      valueName: "path"))
  var meters: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  mutating func run() throws {
    let own = OwnMeters(meters ?? OwnMeters.directory(beside: config))
    for finding in own.findings { Terminal.note(finding.description) }
    let outcome = ConfigurationReader(ownMeters: meters).outcome(
      ofFile: config, environment: Environment.variables())
    switch outcome {
    case .unusable(let errors):
      if json { try Terminal.write(CheckConfigReport.json(errors, file: config)) }
      for error in errors { Terminal.note(error.description) }
      throw ExitCode(2)
    case .usable(let configuration):
      let report = CheckConfigReport(
        file: config, configuration: configuration,
        findings: ConfigurationInspector().findings(configuration), ownMeters: own.ids)
      try Terminal.write(json ? report.json : report.text)
      if own.hasError { throw ExitCode(2) }
      if report.findings.contains(where: { $0.severity == .problem }) { throw ExitCode(1) }
    }
  }
}

/// The environment of the process.
enum Environment {
  /// All variables by name.
  static func variables() -> [String: String] {
    var variables: [String: String] = [:]
    for entry in CommandLineEnvironment.entries() {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first else { continue }
      variables[String(name)] = parts.count > 1 ? String(parts[1]) : ""
    }
    return variables
  }
}

/// The block of strings that the kernel hands to a process.
private enum CommandLineEnvironment {
  static func entries() -> [String] {
    var entries: [String] = []
    var pointer = unsafe environ
    while let entry = unsafe pointer.pointee {
      entries.append(unsafe String(cString: entry))
      unsafe pointer += 1
    }
    return entries
  }
}
