public import ModbusMeters
public import OBISDecoder

/// The registers of a simulated meter of any profile, filled from what a household's meter knows.
///
/// It shares the profile with the decoding and no code: each checks the other. A register that the
/// profile does not list holds 0.
public struct RegisterBank: Sendable {
  /// The meter as it is found: of a SunSpec device, with the places of its points.
  public let profile: MeterProfile
  /// What each value's registers say, in its base unit, rounded as the meter rounds; a value that the
  /// meter shows as "none" is not among them.
  public private(set) var shown: [String: Decimal] = [:]

  private var tables: [ReadFunction: [Int: UInt16]] = [:]

  /// Makes the registers of a meter that has measured nothing.
  public init(_ profile: MeterProfile, identity: MeterIdentity) {
    var chain: [Int: UInt16] = [:]
    if let model = profile.sunSpec?.models.first {
      chain = SunSpecChain.registers(model: model, serial: identity.meter)
      self.profile = SunSpecChain.discovered(profile, in: chain)
    } else {
      self.profile = profile
    }
    tables[profile.function] = chain
    for function in self.profile.fields.map(\.register.function) where tables[function] == nil {
      tables[function] = [:]
    }
    for identifier in self.profile.identifiers where chain.isEmpty { write(identifier, identity) }
    for ratio in self.profile.ratios {
      // One, so that transformers change nothing.
      let number = RegisterNumber(Decimal(mantissa: 1), dividedBy: ratio.scale, power: 0)
      write(number.bits(of: ratio.register.type).bits, ratio.register)
    }
  }

  /// The words of a request; nil for a table that this meter does not have.
  public func words(_ block: ReadBlock) -> [UInt16]? {
    guard let table = tables[block.function] else { return nil }
    return block.range.map { table[$0] ?? 0 }
  }

  /// Takes over what the meter knows now.
  public mutating func show(_ state: MeterState) {
    for field in profile.fields {
      let value = field.quantity.flatMap { SimulatedQuantity.value(of: $0, in: state) }
      show(value ?? Decimal(mantissa: 0), field)
    }
    identify()
  }

  private mutating func show(_ value: Decimal, _ field: RegisterField) {
    var power = 0
    if let address = field.scaleAddress {
      power = RegisterBank.scalePower(of: field.unit)
      tables[field.register.function, default: [:]][Int(address)] = UInt16(
        truncatingIfNeeded: power)
    }
    var signed = value
    let isSigned = ![.uint16, .uint32, .uint64].contains(field.register.type)
    // A meter that shows what it exports below zero (ET112).
    if field.isExportPositive || field.isAbsolute && isSigned {
      signed.mantissa = -signed.mantissa
    }
    var minus = Decimal(mantissa: 0)
    if field.minusAddress != nil, signed.mantissa < 0 {
      minus.mantissa = -signed.mantissa
      minus.exponent = signed.exponent
      signed = Decimal(mantissa: 0)
    }
    let number = RegisterNumber(signed, dividedBy: field.scale, power: power)
    let written = number.bits(of: field.register.type)
    write(written.bits, field.register)
    var result = RegisterNumber.value(written.number, times: field.scale, power: power)
    if let address = field.minusAddress {
      var register = field.register
      register.address = address
      let other = RegisterNumber(minus, dividedBy: field.scale, power: power)
        .bits(of: register.type)
      write(other.bits, register)
      if minus.mantissa != 0 {
        result = RegisterNumber.value(other.number, times: field.scale, power: power)
        result.mantissa = -result.mantissa
      }
    }
    if field.isExportPositive { result.mantissa = -result.mantissa }
    if field.isAbsolute { result.mantissa = abs(result.mantissa) }
    let isNone = field.missing.contains { $0.matches(written.bits) }
    shown[field.name] = isNone ? nil : result
  }

  /// What makes five digits or fewer of a household's values.
  private static func scalePower(of unit: Unit) -> Int {
    switch unit {
    case .volt: -1
    case .ampere, .hertz, .one: -2
    default: 0
    }
  }

  /// Has the register that tells which meter this is say so, unless a value stands there already.
  private mutating func identify() {
    guard let identify = profile.identify, !identify.accepts(bits(identify.register)) else {
      return
    }
    switch identify.rule {
    case .among(let numbers):
      if let first = numbers.first { write(first.lowerBound, identify.register) }
    case .between(let lowest, _, let scale):
      let number = RegisterNumber(
        Decimal(mantissa: lowest.mantissa, exponent: lowest.exponent), dividedBy: scale, power: 0)
      write(number.bits(of: identify.register.type).bits, identify.register)
    }
  }

  private func bits(_ register: Register) -> UInt64 {
    let words = register.range.map { tables[register.function]?[$0] ?? 0 }
    let ordered = register.wordOrder == .highFirst ? words : words.reversed()
    return ordered.reduce(0) { $0 << 16 | UInt64($1) }
  }

  private mutating func write(_ identifier: IdentifierField, _ identity: MeterIdentity) {
    var words: [UInt16]
    switch identifier.form {
    case .number:
      let number = UInt64(identity.serialNumber)
      words = (0..<identifier.count).map {
        UInt16(truncatingIfNeeded: number >> UInt64(16 * (identifier.count - 1 - $0)))
      }
      if identifier.wordOrder == .lowFirst { words.reverse() }
    case .text: words = SunSpecChain.text(identity.meter, registers: identifier.count)
    }
    for (index, word) in words.enumerated() {
      tables[identifier.function, default: [:]][Int(identifier.address) + index] = word
    }
  }

  private mutating func write(_ bits: UInt64, _ register: Register) {
    let count = register.type.registerCount
    for index in 0..<count {
      let place = register.wordOrder == .highFirst ? count - 1 - index : index
      tables[register.function, default: [:]][Int(register.address) + index] =
        UInt16(truncatingIfNeeded: bits >> UInt64(16 * place))
    }
  }
}

/// A SunSpec device: the marker, a common block, one meter, the end.
///
/// Source: SunSpec Device Information Model Specification V1.2; model 1 of sunspec/models.
enum SunSpecChain {
  private static let base = 40000

  static func registers(model: UInt16, serial: String) -> [Int: UInt16] {
    var words: [UInt16] = [0x5375, 0x6E53, 1, 66]
    words += text("Simulated", registers: 16) + text("Meter", registers: 16)
    words +=
      text("", registers: 8) + text("1", registers: 8) + text(serial, registers: 16) + [1, 0]
    let length: UInt16 = model > 210 ? 124 : 105
    words += [model, length] + Array(repeating: 0, count: Int(length)) + [0xFFFF, 0]
    var registers: [Int: UInt16] = [:]
    for (index, word) in words.enumerated() { registers[base + index] = word }
    return registers
  }

  /// What a client finds there.
  static func discovered(_ profile: MeterProfile, in registers: [Int: UInt16]) -> MeterProfile {
    var discovery = SunSpecDiscovery(profile)
    var step = discovery.step
    while case .ask(let block) = step {
      step = discovery.answer(block.range.map { registers[$0] ?? 0 })
    }
    if case .found(let meter) = step { return meter }
    return profile
  }

  /// Two characters in a register, zeros behind the last.
  static func text(_ text: String, registers: Int) -> [UInt16] {
    let bytes = Array(text.utf8.prefix(registers * 2))
    return (0..<registers).map { index in
      let high = index * 2 < bytes.count ? bytes[index * 2] : 0
      let low = index * 2 + 1 < bytes.count ? bytes[index * 2 + 1] : 0
      return UInt16(high) << 8 | UInt16(low)
    }
  }
}
