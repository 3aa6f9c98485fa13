internal import ArgumentParser
import Glibc
import MeterSimulator
import ModbusMeters
import OBISDecoder
import TOMLText

/// What `simulate modbus:PROFILE` is told beyond the profile.
struct ModbusSimulationOptions: ParsableArguments {
  @Option(
    name: .customLong("unit"),
    help: ArgumentHelp("Modbus: a unit that answers; may be repeated.", valueName: "n"))
  var units: [UInt8] = []

  @Flag(name: .customLong("rtu"), help: "Modbus: serial frames over TCP, as some gateways send.")
  var isRTU = false

  @Option(
    help: ArgumentHelp("Modbus: so many servers, each on a port of its own.", valueName: "n"))
  var count = 1

  @Option(
    name: .customLong("fault"),
    help: ArgumentHelp(
      """
      Modbus: what goes wrong; may be repeated: late=PERCENT/MS, lost=PERCENT, corrupt=PERCENT, \
      other-unit=PERCENT, busy=PERCENT, stray=HEX, hole=FIRST-LAST, silent=FIRST-LAST, \
      most=REGISTERS, turnaround=MS, baud=N, drop=SECONDS, single.
      """, valueName: "what"))
  var faults: [ModbusFaultWord] = []

  @OptionGroup var own: OwnMetersOption
}

/// One `--fault`.
struct ModbusFaultWord: ExpressibleByArgument {
  private let apply: (inout ModbusFaults) -> Void

  /// Reads a word such as `late=10/2500`.
  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    let value = parts.count > 1 ? parts[1] : ""
    func number(_ range: ClosedRange<Int>, _ text: String) -> Int? {
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
    func counted(
      _ field: WritableKeyPath<ModbusFaults, Int>, _ range: ClosedRange<Int>
    ) -> ((inout ModbusFaults) -> Void)? {
      number(range, value).map { count in { $0[keyPath: field] = count } }
    }
    func registers(
      _ field: WritableKeyPath<ModbusFaults, [ClosedRange<Int>]>
    ) -> ((inout ModbusFaults) -> Void)? {
      let ends = value.split(separator: "-").compactMap { number(0...65535, String($0)) }
      guard ends.count == 2, ends[0] <= ends[1] else { return nil }
      return { $0[keyPath: field].append(ends[0]...ends[1]) }
    }
    let change: ((inout ModbusFaults) -> Void)?
    switch parts[0] {
    case "late":
      let words = value.split(separator: "/").compactMap { number(0...60_000, String($0)) }
      guard words.count == 2, words[0] <= 100 else { return nil }
      change = {
        $0.latePercent = words[0]
        $0.lateMilliseconds = words[1]
      }
    case "lost": change = counted(\.lostPercent, 0...100)
    case "corrupt": change = counted(\.corruptPercent, 0...100)
    case "other-unit": change = counted(\.otherUnitPercent, 0...100)
    case "busy": change = counted(\.busyPercent, 0...100)
    case "most": change = counted(\.mostRegisters, 1...125)
    case "turnaround": change = counted(\.turnaroundMilliseconds, 0...60_000)
    case "baud": change = counted(\.baud, 300...115_200)
    case "drop": change = counted(\.dropSeconds, 1...3600)
    case "hole": change = registers(\.holes)
    case "silent": change = registers(\.silentHoles)
    case "stray":
      let digits = Array(value.utf8).compactMap(\.hexValue)
      guard !digits.isEmpty, digits.count % 2 == 0, digits.count == value.utf8.count else {
        return nil
      }
      let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
      change = { $0.stray = bytes }
    case "single" where parts.count == 1: change = { $0.isSingle = true }
    default: return nil
    }
    guard let change else { return nil }
    apply = change
  }

  /// Adds it to the others.
  func add(to faults: inout ModbusFaults) { apply(&faults) }
}

/// Simulated Modbus meters, from start to end.
struct ModbusSimulation {
  /// What the model's name begins with.
  static let prefix = "modbus:"

  var model: String
  var options: ModbusSimulationOptions
  var destination: PlaybackDestination
  var link: String?
  var seed: UInt64
  var start: Int64

  /// Answers until SIGINT or SIGTERM.
  func run() throws(CommandFailure) {
    ProcessSetup.prepare()
    let profile = try profile()
    var faults = ModbusFaults()
    for fault in options.faults { fault.add(to: &faults) }
    do throws(SystemError) {
      let loop = try EventLoop()
      var targets: [ModbusTarget] = []
      for index in 0..<options.count {
        targets.append(try target(profile, faults, index, on: loop))
      }
      try loop.handleSignals([SIGINT, SIGTERM]) { _ in loop.stop() }
      for target in targets { try? Terminal.line(target.place) }
      loop.run()
      targets = []
    } catch {
      throw .failed("\(error.call): \(error.lowercaseText)")
    }
  }

  private func profile() throws(CommandFailure) -> MeterProfile {
    let id = String(model.dropFirst(Self.prefix.utf8.count))
    let catalogue = options.own.load().catalogue
    if let profile = catalogue.profile(id) { return profile }
    let near = Suggestion.nearest(to: id, among: catalogue.ids)
    throw .unusable(
      "no meter \(id)"
        + (near.map { ", did you mean \($0)?" } ?? "; gateway-agent meters lists them"))
  }

  private func target(
    _ profile: MeterProfile, _ faults: ModbusFaults, _ index: Int, on loop: EventLoop
  ) throws(SystemError) -> ModbusTarget {
    let seed = seed &+ UInt64(index) * 256
    func responder(_ framing: ModbusFraming, _ usual: UInt8?) -> ModbusResponder {
      ModbusResponder(
        profile, units: options.units.isEmpty ? [usual ?? 1] : options.units, framing: framing,
        seed: seed, start: start, faults: faults)
    }
    switch destination {
    case .pseudoTerminal, .standardOutput:
      return try ModbusTarget(link: link, responder(.rtu, profile.serial?.unit), on: loop)
    case .tcp(let port):
      let usual = profile.tcp?.unit ?? profile.serial?.unit
      return try ModbusTarget(
        port: options.count > 1 ? 0 : port, responder(options.isRTU ? .rtu : .tcp, usual), on: loop)
    }
  }
}
