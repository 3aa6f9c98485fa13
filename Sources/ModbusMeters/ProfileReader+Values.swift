import OBISDecoder
import TOMLText

extension ProfileReader {
  // MARK: - Tables beside the values

  func identity(_ table: inout ProfileTable, _ context: ValueContext) -> IdentityCheck? {
    let register = context.register(&table)
    let bounds = table.list("between")
    let patterns = table.list("equals")
    let scale = self.scale(&table)
    table.finish()
    guard let register else { return nil }
    if let bounds {
      let numbers = bounds.compactMap(\.number)
      guard numbers.count == 2, bounds.count == 2, numbers[0].isLess(than: numbers[1]) else {
        table.reject("between", "expected two numbers, the lower first")
        return nil
      }
      return IdentityCheck(
        register: register, rule: .between(numbers[0], numbers[1], scale: scale))
    }
    let ranges = (patterns ?? []).compactMap(ProfileReader.pattern)
    guard let patterns, !patterns.isEmpty, ranges.count == patterns.count else {
      table.reject("identify needs between = [low, high] or equals = [number, [first, last], …]")
      return nil
    }
    return IdentityCheck(register: register, rule: .among(ranges))
  }

  private static func pattern(_ value: ProfileValue) -> ClosedRange<UInt64>? {
    if case .integer(let number) = value, number >= 0 {
      return UInt64(number)...UInt64(number)
    }
    guard case .list(let ends) = value, ends.count == 2, case .integer(let first) = ends[0],
      case .integer(let last) = ends[1], first >= 0, first <= last
    else { return nil }
    return UInt64(first)...UInt64(last)
  }

  func identifiers(_ table: inout ProfileTable, _ context: ValueContext) -> [IdentifierField] {
    var fields: [IdentifierField] = []
    if var entry = table.subtable("meter_number") {
      let length = entry.integer("registers", in: 1...32)
      let own = ProfileReader.function(&entry)
      let order = entry.choice("word_order", of: WordOrder.self)
      let place = context.place("at", &entry)
      let isText = length != nil
      if isText == entry.has("type") {
        entry.reject("expected either type (a number) or registers (how many hold its text)")
      }
      let number = entry.choice("type", of: RegisterType.self) ?? .uint32
      entry.finish()
      if let place {
        fields.append(
          IdentifierField(
            kind: .meterNumber, function: own ?? place.function ?? context.function,
            address: place.address, count: length ?? number.registerCount,
            form: isText ? .text : .number, wordOrder: order ?? context.wordOrder))
      }
    }
    table.finish()
    return fields
  }

  func ratios(_ table: inout ProfileTable, _ context: ValueContext) -> [RatioField] {
    var ratios: [RatioField] = []
    for name in table.keys {
      guard var entry = table.subtable(name) else { continue }
      let register = context.register(&entry)
      let scale = self.scale(&entry)
      entry.finish()
      if let register { ratios.append(RatioField(name: name, register: register, scale: scale)) }
    }
    return ratios
  }

  /// The factor of a table, 1 where absent.
  private func scale(_ table: inout ProfileTable) -> Decimal {
    guard let value = table.value("scale") else { return Decimal(mantissa: 1) }
    guard let scale = value.number, scale.mantissa != 0 else {
      table.reject("scale", "scale must be a non-zero number such as 0.1")
      return Decimal(mantissa: 1)
    }
    return scale
  }

  // MARK: - Values

  func values(
    _ table: inout ProfileTable, _ profile: MeterProfile, _ context: ValueContext,
    _ defaults: MissingDefaults
  ) -> [RegisterField] {
    var fields: [RegisterField] = []
    for name in table.keys {
      guard var entry = table.subtable(name) else { continue }
      let quantity = MeterQuantity(rawValue: name)
      guard quantity != nil || name.hasPrefix("x_") && name.utf8.count > 2 else {
        let words = MeterQuantity.allCases.map(\.rawValue)
        let hint = Suggestion.nearest(to: name, among: words).map { "Did you mean \"\($0)\"? " }
        entry.reject(
          "not a known reading. \(hint ?? "")Known: \(words.joined(separator: ", ")); "
            + "extra readings start with \"x_\"")
        continue
      }
      if let field = field(name, quantity, &entry, profile, context, defaults) {
        fields.append(field)
      }
      entry.finish()
    }
    return fields
  }

  private func field(
    _ name: String, _ quantity: MeterQuantity?, _ entry: inout ProfileTable,
    _ profile: MeterProfile, _ context: ValueContext, _ defaults: MissingDefaults
  ) -> RegisterField? {
    let register = context.register(&entry)
    let unit = unit(name, quantity, &entry)
    let scale = self.scale(&entry)
    let isExportPositive = ProfileReader.isExportPositive(&entry)
    let encoding = entry.choice("encoding", of: ValueEncoding.self)
    let group = entry.choice("group", of: ReadGroup.self) ?? .fast
    let scalePlace = context.place("scale_at", &entry)
    let minusPlace = context.place("minus_at", &entry)
    let isAbsolute = entry.boolean("absolute")
    let isOptional = entry.boolean("optional")
    _ = entry.boolean("overlap_ok")
    let lowest = entry.decimal("min", expected: "a number")
    let highest = entry.decimal("max", expected: "a number")
    let ratios = self.ratios(of: &entry, profile)
    let own = entry.words("missing")
    if entry.has("scale"), entry.has("scale_at") {
      entry.reject("scale_at", "use scale or scale_at, not both")
    }
    guard let register, let unit else { return nil }
    let signed: [Unit] = [.watt, .ampere, .reactiveVoltAmpere]
    if entry.has("sign"), !signed.contains(unit.unit) {
      entry.reject("sign", "sign on a \(MeterUnit.kind(of: unit.unit)) has no meaning")
    }
    if register.type.registerCount > profile.limits.maxRegisters {
      entry.reject(
        "\(name) (\(register.type.registerCount) registers) does not fit in "
          + "max_registers = \(profile.limits.maxRegisters)")
    }
    if encoding != nil, quantity?.unit != .one {
      entry.reject("encoding", "only a power factor has an encoding")
    }
    let bounds = MeterUnit.bounds(of: unit.unit)
    var field = RegisterField(
      name: name, quantity: quantity, register: register, unit: unit.unit,
      scale: scale.shifted(by: unit.power) ?? scale,
      lowest: lowest.flatMap { $0.shifted(by: unit.power) } ?? bounds.lowest,
      highest: highest.flatMap { $0.shifted(by: unit.power) } ?? bounds.highest)
    field.scaleAddress = scalePlace?.address
    field.minusAddress = minusPlace?.address
    if let minus = minusPlace, Int(minus.address) + register.type.registerCount > 65536 {
      entry.reject("minus_at", "needs \(register.type.registerCount) registers at \(minus.address)")
    }
    field.ratios = ratios
    field.isExportPositive = isExportPositive
    field.isAbsolute = isAbsolute
    field.encoding = encoding
    field.group = group
    field.isOptional = isOptional
    field.missing =
      own.map { MissingPattern.patterns($0, for: register.type, "missing", entry) }
      ?? defaults.patterns(for: register.type)
    return field
  }

  private func unit(
    _ name: String, _ quantity: MeterQuantity?, _ entry: inout ProfileTable
  ) -> (unit: Unit, power: Int8)? {
    guard let word = entry.text("unit") else {
      if !entry.has("unit") { entry.reject("unit missing") }
      return nil
    }
    let unit = MeterUnit.named(word)
    guard let wanted = quantity?.unit, unit?.unit != wanted else {
      if unit == nil {
        let words = MeterUnit.names.map(\.name).joined(separator: ", ")
        entry.reject("unit", "unit \"\(word)\" is unknown. Use one of \(words)")
      }
      return unit
    }
    let kind = unit.map { "is \(MeterUnit.kind(of: $0.unit))" } ?? "is unknown"
    entry.reject(
      "unit", "\(name): unit \"\(word)\" \(kind). Use \(MeterUnit.alternatives(for: wanted))")
    return nil
  }

  private func ratios(of entry: inout ProfileTable, _ profile: MeterProfile) -> [Int] {
    let names = entry.words("times") ?? []
    return names.compactMap { name in
      if let index = profile.ratios.firstIndex(where: { $0.name == name }) { return index }
      entry.reject("times", "times = [\"\(name)\"]: no [ratios] entry \"\(name)\"")
      return nil
    }
  }
}
