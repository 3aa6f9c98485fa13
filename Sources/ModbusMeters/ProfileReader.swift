import OBISDecoder
import TOMLText

/// Reads a profile file and checks every rule of the format, so that planner and decoding need not.
///
/// The format is modbus.md §8: TOML with the tables meter, serial, tcp, identify, identifiers,
/// ratios, defaults, and values or sunspec. Addresses stand as in the manual, `addressing` says how
/// that counts; units are the manual's, prefixes are converted here.
public struct ProfileReader {
  /// What a file gave.
  public struct Outcome: Sendable {
    /// The profile, nil where the file has an error.
    public var profile: MeterProfile?
    /// Errors and warnings, by line.
    public var findings: [ProfileFinding]

    /// Makes an outcome.
    public init(profile: MeterProfile?, findings: [ProfileFinding]) {
      self.profile = profile
      self.findings = findings
    }
  }

  /// The largest file that is read; the longest profile here has a twentieth.
  public static let fileBytes = 131_072
  /// Requests in a cycle above which a warning tells what they cost.
  static let manyRequests = 25

  let id: String
  let findings: ProfileFindings

  /// Reads the text of a file; `id` is its name without `.toml`, `file` is only named in findings.
  public static func read(_ text: String, id: String, file: String) -> Outcome {
    let reader = ProfileReader(id: id, findings: ProfileFindings(file: file))
    let profile = reader.document(text)
    return Outcome(
      profile: reader.findings.hasError ? nil : profile, findings: reader.findings.sorted)
  }

  private func document(_ text: String) -> MeterProfile? {
    guard !text.utf8.contains(0) else {
      findings.add(.error, line: nil, field: nil, "a zero byte: this is no text")
      return nil
    }
    guard var document = ProfileTable(document: text, findings) else { return nil }
    guard var meter = document.subtable("meter") else {
      if !document.has("meter") { document.reject("no [meter] table") }
      return nil
    }
    let addressing = meter.choice("addressing", of: Addressing.self) ?? .wire
    let wordOrder = meter.choice("word_order", of: WordOrder.self)
    let function = ProfileReader.function(&meter)
    var profile = MeterProfile(
      id: id, vendor: meter.text("vendor") ?? "", model: meter.text("model") ?? "",
      function: function ?? .holding, limits: limits(&meter, addressing))
    if profile.vendor.isEmpty { meter.reject("vendor missing") }
    if profile.model.isEmpty { meter.reject("model missing") }
    meter.finish()
    if var table = document.subtable("serial") { profile.serial = serial(&table) }
    if var table = document.subtable("tcp") { profile.tcp = tcp(&table) }
    var context = ValueContext(
      addressing: addressing, function: profile.function, wordOrder: wordOrder ?? .highFirst)
    if var table = document.subtable("identify") { profile.identify = identity(&table, context) }
    if var table = document.subtable("identifiers") {
      profile.identifiers = identifiers(&table, context)
    }
    if var table = document.subtable("ratios") { profile.ratios = ratios(&table, context) }
    var defaults = MissingDefaults()
    if var table = document.subtable("defaults") {
      defaults = MissingDefaults(reading: &table)
      context.type = table.choice("type", of: RegisterType.self)
      table.finish()
    }
    if var table = document.subtable("sunspec") {
      profile.sunSpec = sunSpec(&table)
      if document.has("values") { table.reject("a SunSpec meter has no [values] of its own") }
    }
    if var table = document.subtable("values") {
      profile.fields = values(&table, profile, context, defaults)
      check(profile, table)
    } else if profile.sunSpec == nil {
      document.reject("no [values] table: there is nothing to read")
    }
    document.finish()
    return profile
  }

  /// The function code of a table; nil where absent or wrong.
  static func function(_ table: inout ProfileTable) -> ReadFunction? {
    guard let value = table.value("function") else { return nil }
    if case .integer(let code) = value, let code = UInt8(exactly: code),
      let function = ReadFunction(rawValue: code)
    {
      return function
    }
    table.reject(
      "function", "function = \(value.shown): meters use 3 (holding) or 4 (input)")
    return nil
  }

  private func limits(_ meter: inout ProfileTable, _ addressing: Addressing) -> RequestLimits {
    var limits = RequestLimits(
      maxRegisters: 125, maxGap: 0, barriers: [], minGapMilliseconds: 0,
      timeoutMilliseconds: nil)
    if let value = meter.value("max_registers") {
      if case .integer(let count) = value, (2...125).contains(count) {
        limits.maxRegisters = count
      } else {
        meter.reject("max_registers", "max_registers = \(value.shown): Modbus allows 2 to 125")
      }
    }
    limits.maxGap = meter.integer("max_gap", in: 0...123) ?? limits.maxGap
    limits.minGapMilliseconds = meter.integer("min_gap_ms", in: 0...10_000) ?? 0
    limits.unitGapMilliseconds = max(
      meter.integer("unit_gap_ms", in: 0...10_000) ?? 0, limits.minGapMilliseconds)
    limits.timeoutMilliseconds = meter.integer("timeout_ms", in: 50...10_000)
    for element in meter.list("barriers") ?? [] {
      guard case .integer(let number) = element,
        let place = addressing.place(of: number, isHexadecimal: true)
      else {
        meter.reject("barriers", "\(element.shown): expected an address")
        continue
      }
      limits.barriers.append(place.address)
    }
    return limits
  }

  private func serial(_ table: inout ProfileTable) -> SerialDefaults {
    var settings = SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)
    let rates = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]
    if let value = table.value("baud") {
      if case .integer(let baud) = value, rates.contains(baud) {
        settings.baud = baud
      } else {
        let near = Suggestion.nearest(to: value.shown, among: rates.map(String.init))
        let hint = near.map { "did you mean \($0)?" } ?? "use 1200, 2400 … 115200"
        table.reject("baud", "baud = \(value.shown): \(hint)")
      }
    }
    settings.parity = table.choice("parity", of: SerialParity.self) ?? settings.parity
    settings.stopBits = table.integer("stop_bits", in: 1...2) ?? settings.stopBits
    settings.unit = unit(&table, isSerial: true)
    table.finish()
    return settings
  }

  private func tcp(_ table: inout ProfileTable) -> TCPDefaults {
    var settings = TCPDefaults(port: 502, unit: 1)
    if let port = table.integer("port", in: 1...65535) { settings.port = UInt16(port) }
    settings.unit = unit(&table, isSerial: false)
    table.finish()
    return settings
  }

  private func unit(_ table: inout ProfileTable, isSerial: Bool) -> UInt8 {
    guard let value = table.value("unit") else { return 1 }
    guard case .integer(let number) = value else {
      table.reject("unit", "\(value.shown): expected a whole number")
      return 1
    }
    if let fault = UnitNumber.fault(number, isSerial: isSerial) { table.reject("unit", fault) }
    return UInt8(clamping: number)
  }

  private func sunSpec(_ table: inout ProfileTable) -> SunSpecChoice {
    var choice = SunSpecChoice(models: SunSpecModel.all, index: 1, isExportPositive: false)
    if let elements = table.list("models") {
      choice.models = []
      for element in elements {
        if case .integer(let number) = element, let model = UInt16(exactly: number),
          SunSpecModel.all.contains(model)
        {
          choice.models.append(model)
        } else {
          table.reject("models", "\(element.shown): meters are models 201 to 204 and 211 to 214")
        }
      }
      if elements.isEmpty { table.reject("models", "the list is empty") }
    }
    choice.index = table.integer("index", in: 1...32) ?? 1
    choice.isExportPositive = ProfileReader.isExportPositive(&table)
    table.finish()
    return choice
  }

  /// Whether `sign` says that power is positive where the household feeds in.
  static func isExportPositive(_ table: inout ProfileTable) -> Bool {
    table.choice("sign", of: SignWord.self) == .exportPositive
  }
}

/// The number of a unit on its bus.
public enum UnitNumber {
  /// What is wrong with a unit number, nil for one that a meter can have.
  ///
  /// 0 is broadcast, 248…254 are reserved (MODBUS over serial line V1.02, 2.2); 255 is the device
  /// itself on a network connection.
  public static func fault(_ number: Int, isSerial: Bool) -> String? {
    if (1...247).contains(number) || number == 255 && !isSerial { return nil }
    let what = number == 0 ? " is broadcast" : ""
    return "unit = \(number)\(what): meters use 1-247 (255 only on TCP)"
  }
}

/// The words of `sign`.
enum SignWord: String, CaseIterable {
  case importPositive = "import-positive"
  case exportPositive = "export-positive"
}
