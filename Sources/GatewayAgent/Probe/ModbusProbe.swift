import ModbusMeters
import OBISDecoder

/// A line on which Modbus meters can be asked: a real one, or what a test makes up.
protocol ModbusProbeLine {
  /// The settings worth trying, the likeliest first.
  var candidates: [ModbusProbeSettings] { get }

  /// Asks one unit for one block; nil without an answer in time.
  ///
  /// - Throws: what the system says where the line cannot be opened or breaks.
  mutating func ask(
    _ block: ReadBlock, of unit: UInt8, _ settings: ModbusProbeSettings
  ) throws(SystemError) -> ReplyReceiver.Reply?
}

/// How a line is set while it is probed.
struct ModbusProbeSettings: Equatable, Sendable {
  /// Nil on a network.
  var serial: SerialDefaults?
  /// How requests are wrapped.
  var framing: ModbusFraming

  /// What meters leave the factory with, the likeliest first (modbus.md §8.2).
  static let serialLines: [ModbusProbeSettings] = [
    (9600, .none), (9600, .even), (19_200, .even), (2400, .none), (19_200, .none),
  ].map { baud, parity in
    ModbusProbeSettings(
      serial: SerialDefaults(baud: baud, parity: parity, stopBits: 1, unit: 1), framing: .rtu)
  }

  /// A gateway speaks Modbus TCP, or passes serial frames on.
  static let network: [ModbusProbeSettings] = [
    ModbusProbeSettings(serial: nil, framing: .tcp),
    ModbusProbeSettings(serial: nil, framing: .rtu),
  ]

  /// As people write it.
  var text: String {
    serial.map { SerialSettings($0).text }
      ?? (framing == .tcp ? "Modbus TCP" : "serial frames over TCP")
  }
}

/// A unit that answered.
struct ProbedUnit: Equatable {
  /// A profile that fits it, with how much it says.
  struct Match: Equatable {
    var profile: String
    /// Whether a model number told, and not just a voltage.
    var isCertain: Bool
    /// Values that a whole cycle brought.
    var values: Int
    /// Settings that the profile would take by itself.
    var serial: SerialDefaults?
  }

  /// A register of two that is a mains voltage in one order of bytes and words only.
  struct Voltage: Equatable {
    var address: UInt16
    var function: ReadFunction
    var order: String
    var value: Decimal
  }

  var unit: UInt8
  var settings: ModbusProbeSettings
  /// The best first.
  var matches: [Match]
  /// What helps to write a profile where none fits.
  var voltage: Voltage?
}

/// Looks for meters: who answers at all, which profile's check fits, which one reads the most.
struct ModbusProbe {
  /// Units that are tried; the others' turn would take minutes.
  var units: [UInt8]
  /// Called before each attempt, for a person who waits.
  var onAttempt: (ModbusProbeSettings, UInt8) -> Void = { _, _ in }
  let catalogue: MeterCatalogue

  /// Asks every unit at every setting until one setting has answered.
  func run(_ line: inout some ModbusProbeLine) throws(SystemError) -> [ProbedUnit] {
    for settings in line.candidates {
      var found: [ProbedUnit] = []
      for unit in units {
        onAttempt(settings, unit)
        if try isThere(unit, settings, &line) {
          found.append(try identify(unit, settings, &line))
        }
      }
      if !found.isEmpty { return found }
    }
    return []
  }

  /// Any answer will do, a refusal too.
  private func isThere(
    _ unit: UInt8, _ settings: ModbusProbeSettings, _ line: inout some ModbusProbeLine
  ) throws(SystemError) -> Bool {
    for function in [ReadFunction.input, .holding] {
      // A meter behind a gateway that does not answer is refused with 10 or 11 by the gateway.
      switch try line.ask(ReadBlock(function: function, address: 0, count: 2), of: unit, settings) {
      case .none, .exception(10), .exception(11): continue
      default: return true
      }
    }
    return false
  }

  private func identify(
    _ unit: UInt8, _ settings: ModbusProbeSettings, _ line: inout some ModbusProbeLine
  ) throws(SystemError) -> ProbedUnit {
    var matches: [ProbedUnit.Match] = []
    var answers: [ReadBlock: [UInt16]?] = [:]
    for id in catalogue.ids {
      guard let profile = catalogue.profile(id) else { continue }
      if let check = profile.identify {
        let block = ReadBlock(
          function: check.register.function, address: check.register.address,
          count: check.register.type.registerCount)
        if answers[block] == nil { answers[block] = .some(try words(block, unit, settings, &line)) }
        guard case .some(.some(let words)) = answers[block],
          check.accepts(ModbusProbe.bits(words, check.register.wordOrder))
        else { continue }
      } else if profile.sunSpec == nil {
        // Nothing would tell it from any other.
        continue
      }
      let values = try valueCount(profile, unit, settings, &line)
      guard values > 0 else { continue }
      var isCertain = profile.sunSpec != nil
      if case .among = profile.identify?.rule { isCertain = true }
      matches.append(
        ProbedUnit.Match(
          profile: id, isCertain: isCertain, values: values, serial: profile.serial))
    }
    matches.sort { left, right in
      if left.isCertain != right.isCertain { return left.isCertain }
      if left.values != right.values { return left.values > right.values }
      // "sunspec" in front of the devices that it stands for.
      return (left.profile.count, left.profile) < (right.profile.count, right.profile)
    }
    return ProbedUnit(
      unit: unit, settings: settings, matches: matches,
      voltage: matches.isEmpty ? ModbusProbe.voltage(in: answers) : nil)
  }

  private func words(
    _ block: ReadBlock, _ unit: UInt8, _ settings: ModbusProbeSettings,
    _ line: inout some ModbusProbeLine
  ) throws(SystemError) -> [UInt16]? {
    guard case .words(let words) = try line.ask(block, of: unit, settings) else { return nil }
    return words
  }

  /// How many values a whole cycle brings; 0 where anything of it is refused, missing or cannot be true.
  private func valueCount(
    _ profile: MeterProfile, _ unit: UInt8, _ settings: ModbusProbeSettings,
    _ line: inout some ModbusProbeLine
  ) throws(SystemError) -> Int {
    var session = MeterSession(profile, resyncs: settings.framing == .rtu)
    session.begin()
    var losses = 0
    while let block = session.request, losses < 3 {
      switch try line.ask(block, of: unit, settings) {
      case .words(let words): session.answer(words)
      case .exception(let code): session.refuse(code)
      case .none:
        losses += 1
        session.lose()
      }
    }
    guard case .read(let cycle) = session.finish(atMilliseconds: 0), cycle.rejected == 0,
      cycle.failedBlocks == 0
    else { return 0 }
    return cycle.readings.count
  }

  private static func bits(_ words: [UInt16], _ order: WordOrder) -> UInt64 {
    let ordered = order == .highFirst ? words : words.reversed()
    return ordered.reduce(0) { $0 << 16 | UInt64($1) }
  }

  /// The one order in which a register that was read is a mains voltage; nil if none or several are.
  private static func voltage(in answers: [ReadBlock: [UInt16]?]) -> ProbedUnit.Voltage? {
    for (block, words) in answers.sorted(by: { $0.key.address < $1.key.address }) {
      guard let words, words.count == 2 else { continue }
      if let (order, value) = IdentityCheck.mainsVoltage(in: (words[0], words[1])) {
        return ProbedUnit.Voltage(
          address: block.address, function: block.function, order: order.description, value: value)
      }
    }
    return nil
  }
}
