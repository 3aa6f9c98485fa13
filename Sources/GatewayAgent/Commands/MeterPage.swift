import ModbusMeters
import OBISDecoder
import PrivacyFilter

/// What a person, or a script, reads about one Modbus meter.
struct MeterPage {
  let profile: MeterProfile
  let isOwn: Bool
  private let plan: ReadPlan

  init(_ profile: MeterProfile, isOwn: Bool) {
    self.profile = profile
    self.isOwn = isOwn
    plan = MeterPlanner(profile).plan
  }

  // MARK: - In a list

  /// Name, maker and model, how it is reached, what it costs.
  var row: [String] {
    [
      profile.id, "\(profile.vendor) \(profile.model)", "", links.joined(separator: ", "), size,
      isOwn ? "your own" : "",
    ]
  }

  private var links: [String] {
    var links: [String] = []
    if let serial = profile.serial {
      let parity = serial.parity.rawValue.prefix(1).uppercased()
      links.append("\(serial.baud) 8\(parity)\(serial.stopBits) unit \(serial.unit)")
    }
    if let tcp = profile.tcp { links.append("TCP \(tcp.port) unit \(tcp.unit)") }
    return links
  }

  private var size: String {
    if profile.sunSpec != nil { return "SunSpec" }
    let requests = plan.fast.count + plan.slow.count
    return "\(profile.fields.count) values, \(requests) request\(requests == 1 ? "" : "s")"
  }

  // MARK: - Alone

  /// Lines for a person.
  var text: [UInt8] {
    let whose = isOwn ? "your own" : "built in"
    var lines = ["\(profile.id): \(profile.vendor) \(profile.model) (\(whose))"]
    lines += DecodeTable.aligned(settings)
    if profile.sunSpec == nil {
      lines.append("values:")
      lines += DecodeTable.aligned(profile.fields.map(row))
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  private var settings: [[String]] {
    var rows = links.map { ["line", $0] }
    let limits = profile.limits
    rows.append([
      "request",
      "at most \(limits.maxRegisters) registers, gaps up to \(limits.maxGap), "
        + "\(limits.minGapMilliseconds) ms of silence before"
        + (limits.unitGapMilliseconds > limits.minGapMilliseconds
          ? " (\(limits.unitGapMilliseconds) ms where another unit was asked)" : "") + ", "
        + "\(limits.timeout(onNetwork: profile.serial == nil)) ms to answer",
    ])
    if let choice = profile.sunSpec {
      let models = choice.models.map(String.init).joined(separator: ", ")
      rows.append(["SunSpec", "models \(models), number \(choice.index) of the chain"])
      return rows
    }
    if !plan.identity.isEmpty { rows.append(["at connect", MeterPage.text(plan.identity)]) }
    rows.append(["every cycle", MeterPage.text(plan.fast) + duration])
    if !plan.slow.isEmpty { rows.append(["at leisure", MeterPage.text(plan.slow)]) }
    return rows
  }

  private var duration: String {
    guard let serial = profile.serial else { return "" }
    let milliseconds =
      plan.fast.reduce(0) { $0 + LineTime.microseconds(of: $1, serial.baud, profile.limits) } / 1000
    return ", about \(milliseconds) ms at \(serial.baud) baud"
  }

  /// `0x0000 ×80 + 0x0156 ×22`.
  private static func text(_ blocks: [ReadBlock]) -> String {
    blocks.map { "\(hexadecimal($0.address)) ×\($0.count)" }.joined(separator: " + ")
  }

  private static func hexadecimal(_ address: UInt16) -> String {
    "0x" + DecodedFrame.hex([UInt8(address >> 8), UInt8(address & 0xFF)])
  }

  private func row(_ field: RegisterField) -> [String] {
    let register = field.register
    let names = names(field)
    return [
      field.name,
      "\(MeterPage.hexadecimal(register.address)) function \(register.function.rawValue)",
      "", register.type.rawValue + (field.group == .slow ? " slow" : ""),
      names.isEmpty ? "not published" : names.joined(separator: ", "),
    ]
  }

  /// Under which keys a value is published; none for one that is not.
  private func names(_ field: RegisterField) -> [String] {
    (field.quantity?.codes ?? []).compactMap { code in
      Quantity.of(
        Reading(
          code: code, value: Decimal(mantissa: 0), unit: field.unit, medium: .electricity,
          time: nil, offset: 0, count: 0)
      )?.key
    }
  }

  // MARK: - For a script

  /// One JSON object with its line end; `isWhole` with plan and values.
  func json(isWhole: Bool) -> [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("name", text: profile.id)
    json.member("vendor", text: profile.vendor)
    json.member("model", text: profile.model)
    json.member("own", truth: isOwn)
    if let serial = profile.serial {
      json.key("serial")
      json.open("{")
      json.member("baud", number: String(serial.baud))
      json.member("parity", text: serial.parity.rawValue)
      json.member("stop_bits", number: String(serial.stopBits))
      json.member("unit", number: String(serial.unit))
      json.close("}")
    }
    if let tcp = profile.tcp {
      json.key("tcp")
      json.open("{")
      json.member("port", number: String(tcp.port))
      json.member("unit", number: String(tcp.unit))
      json.close("}")
    }
    if let choice = profile.sunSpec {
      json.key("sunspec_models")
      json.open("[")
      for model in choice.models { json.number(String(model)) }
      json.close("]")
    }
    json.member("values", number: String(profile.fields.count))
    json.member("requests", number: String(plan.fast.count + plan.slow.count))
    if isWhole { writeWhole(&json) }
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func writeWhole(_ json: inout JSONLine) {
    for (key, blocks) in [
      ("identity" as StaticString, plan.identity), ("fast", plan.fast), ("slow", plan.slow),
    ] {
      json.key(key)
      json.open("[")
      for block in blocks {
        json.open("{")
        json.member("function", number: String(block.function.rawValue))
        json.member("address", number: String(block.address))
        json.member("count", number: String(block.count))
        json.close("}")
      }
      json.close("]")
    }
    json.key("fields")
    json.open("[")
    for field in profile.fields {
      json.open("{")
      json.member("name", text: field.name)
      json.member("function", number: String(field.register.function.rawValue))
      json.member("address", number: String(field.register.address))
      json.member("type", text: field.register.type.rawValue)
      json.member("word_order", text: field.register.wordOrder.rawValue)
      json.member("unit", text: field.unit.symbol.description)
      json.member("group", text: field.group.rawValue)
      json.key("published")
      json.open("[")
      for name in names(field) { json.string(name) }
      json.close("]")
      json.close("}")
    }
    json.close("]")
  }
}
