internal import ArgumentParser
import ModbusMeters

/// `gateway-agent probe`: what is on a line, and the configuration for it.
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find out what is on a port, and print the configuration for it.",
    discussion: """
      Tries the speeds and parities that meters use, names maker and family, and says what is wrong \
      where nothing can be read. Sends nothing to the meter, unless --request has it ask for a readout \
      (IEC 62056-21, mode C), or --modbus ask Modbus meters for registers: units 1 to 8, or those of \
      --unit. Exits 1 if no meter was found. No number of a meter is shown.
      """)

  @Option(
    help: ArgumentHelp(
      "Listen so long at each setting, 1 to 300: 11 if not given, 120 with --request.",
      valueName: "seconds"))
  var seconds: Int?

  @Flag(help: "Ask the meter for a readout, as optical heads of IEC 62056-21 have to.")
  var request = false

  @Flag(help: "Ask for Modbus meters instead of listening.")
  var modbus = false

  @Option(
    name: .customLong("unit"),
    help: ArgumentHelp("With --modbus: a unit to ask; may be repeated.", valueName: "n"))
  var units: [UInt8] = []

  @OptionGroup var own: OwnMetersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  @Argument(help: "A serial device, or HOST:PORT of a network adapter.")
  var port: String

  mutating func validate() throws {
    if !units.isEmpty, !modbus { throw ValidationError("--unit goes with --modbus") }
    if units.contains(0) { throw ValidationError("--unit must be from 1 to 255") }
    if let seconds, !(1...300).contains(seconds) {
      throw ValidationError("--seconds must be from 1 to 300")
    }
    if request, modbus { throw ValidationError("--request does not go with --modbus") }
    switch input {
    case .serial: break
    case .tcp:
      // It begins at 300 baud and goes on at another speed.
      if request { throw ValidationError("--request takes a serial device: the speed changes") }
    default: throw ValidationError("\(port) is no device path or HOST:PORT")
    }
  }

  private var input: InputKind? {
    PortText.parse(port, serial: .p1) ?? PortText.parseEndpoint(Substring(port))
  }

  mutating func run() throws {
    guard let input else { return }
    let report: any ProbeResult
    do throws(SystemError) {
      report = modbus ? try asked(input) : try heard(input)
    } catch {
      Terminal.endProgress()
      throw CommandFailure.unusable(port, error)
    }
    Terminal.endProgress()
    try Terminal.write(json ? report.json : report.text)
    if !report.isFound { throw ExitCode(1) }
  }

  /// Listens.
  private func heard(_ input: InputKind) throws(SystemError) -> ProbeReport {
    let patience = seconds ?? (request ? 120 : 11)
    let run = ProbeRun(milliseconds: patience * 1000) { [request] settings in
      if request { return Terminal.progress("asking at 300 baud") }
      let lines = settings?.rts == true ? ", RTS and DTR raised" : ""
      Terminal.progress("listening\(settings.map { " at \($0.text)" } ?? "")\(lines)")
    }
    let diagnosis: ProbeDiagnosis
    if case .tcp(let host, let number) = input {
      diagnosis = try run.run(TCPProbeLine(host: host, port: number))
    } else if request {
      diagnosis = try run.run(RequestProbeLine(path: input.address))
    } else {
      diagnosis = try run.run(SerialProbeLine(path: input.address))
    }
    return ProbeReport(port: input.address, diagnosis: diagnosis, isRequested: request)
  }

  /// Asks Modbus meters.
  private func asked(_ input: InputKind) throws(SystemError) -> ModbusProbeReport {
    let probe = ModbusProbe(
      units: units.isEmpty ? Array(1...8) : units,
      onAttempt: { settings, unit in
        Terminal.progress("asking unit \(unit), \(settings.text)")
      }, catalogue: own.load().catalogue)
    var line = OpenedProbeLine(path: input.address)
    if case .tcp(let host, let number) = input {
      line = OpenedProbeLine(host: host, port: number)
    }
    return ModbusProbeReport(port: input.address, units: try probe.run(&line))
  }
}

/// What a search came to.
protocol ProbeResult {
  /// Whether there is a configuration to paste.
  var isFound: Bool { get }
  /// What was found, or what is wrong, in a person's words.
  var sentences: [String] { get }
  /// The lines for `config.toml`; nil where no meter was found.
  var configuration: String? { get }
  /// One JSON object, with its line end.
  var json: [UInt8] { get }
}

extension ProbeResult {
  /// Lines for a person.
  var text: [UInt8] {
    var text = sentences.joined(separator: "\n") + "\n"
    if let configuration { text += "\n" + configuration }
    return Array(text.utf8)
  }
}
