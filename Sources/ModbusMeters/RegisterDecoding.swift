public import OBISDecoder

/// Makes values of words: exact decimals, sentinels as absent, signs, scale factors and ratios.
///
/// Whole numbers are taken as they are. Of a binary floating-point number it takes the decimal with
/// the fewest places that no other number of its format is nearer to (`BinaryFloat`): what the meter
/// meant by 230.2 is 230.2. Nothing is computed in floating point.
public struct RegisterDecoding: Sendable {
  let profile: MeterProfile

  /// Makes the decoding of one profile.
  public init(_ profile: MeterProfile) { self.profile = profile }

  /// Decodes what an image holds.
  ///
  /// Every field has an outcome of its own: a block that failed takes no other with it. Digits of
  /// identifiers are appended to the image's bytes, where their places point.
  public func read(_ image: inout RegisterImage) -> Readout {
    let ratios = profile.ratios.map { ratio($0, in: image) }
    let outcomes = profile.fields.map { field in outcome(of: field, ratios, in: image) }
    return Readout(
      outcomes: outcomes, secrets: profile.identifiers.compactMap { $0.secret(in: &image) })
  }

  private enum Number {
    case number(Decimal, offset: Int)
    case none(FieldOutcome)

    /// What to report in place of a value.
    var failure: FieldOutcome {
      switch self {
      case .number: .rejected(.noNumber)
      case .none(let outcome): outcome
      }
    }
  }

  private func outcome(
    of field: RegisterField, _ ratios: [Number], in image: RegisterImage
  ) -> FieldOutcome {
    let raw = number(field.register, missing: field.missing, in: image)
    guard case .number(var value, let offset) = raw else { return raw.failure }
    if let minus = field.minusAddress {
      var register = field.register
      register.address = minus
      let other = number(register, missing: field.missing, in: image)
      guard case .number(let subtrahend, _) = other else { return other.failure }
      guard let difference = value.minus(subtrahend) else { return .rejected(.noNumber) }
      value = difference
    }
    if field.encoding == .schneider4Q {
      guard let folded = RegisterDecoding.folded(value) else { return .rejected(.outOfRange) }
      value = folded
    }
    var factors = [Number.number(field.scale, offset: 0)]
    if let address = field.scaleAddress {
      factors.append(scaleFactor(field.register.function, address, in: image))
    }
    for index in field.ratios { factors.append(ratios[index]) }
    for factor in factors {
      guard case .number(let factor, _) = factor else { return factor.failure }
      guard let product = value.times(factor) else { return .rejected(.noNumber) }
      value = product
    }
    return finish(value, of: field, offset)
  }

  /// Sign and bounds.
  private func finish(_ value: Decimal, of field: RegisterField, _ offset: Int) -> FieldOutcome {
    var value = value
    if field.isExportPositive || field.isAbsolute && value.mantissa < 0 {
      guard let negated = value.negated else { return .rejected(.noNumber) }
      value = negated
    }
    let percent = Decimal(mantissa: value.mantissa < 0 ? -1 : 1, exponent: -2)
    if field.encoding == .percent, value.mantissa != 0 {
      let isRatio = value.mantissa < 0 ? !value.isLess(than: percent) : !percent.isLess(than: value)
      if isRatio { return .missing }
    }
    guard !value.isLess(than: field.lowest), !field.highest.isLess(than: value) else {
      return .rejected(.outOfRange)
    }
    return .value(value, offset: offset, count: field.register.type.registerCount * 2)
  }

  private func ratio(_ ratio: RatioField, in image: RegisterImage) -> Number {
    let raw = number(ratio.register, missing: [], in: image)
    guard case .number(let value, let offset) = raw else { return raw }
    // A meter that has not been told its ratio says 0: that would make everything zero.
    guard value.mantissa > 0, let product = value.times(ratio.scale) else {
      return .none(.rejected(.noScale))
    }
    return .number(product, offset: offset)
  }

  /// A power of ten that a device declares, −10…10; 8000 hexadecimal makes the value unusable.
  ///
  /// Source: SunSpec Information Model Specification, "sunssf".
  private func scaleFactor(
    _ function: ReadFunction, _ address: UInt16, in image: RegisterImage
  ) -> Number {
    let register = Register(
      function: function, address: address, type: .int16, wordOrder: .highFirst)
    let raw = number(register, missing: [MissingPattern(0x8000, mask: 0xFFFF)], in: image)
    guard case .number(let power, let offset) = raw else { return raw }
    guard (-10...10).contains(power.mantissa) else { return .none(.rejected(.noScale)) }
    return .number(Decimal(mantissa: 1, exponent: Int8(power.mantissa)), offset: offset)
  }

  private func number(_ register: Register, missing: [MissingPattern], in image: RegisterImage)
    -> Number
  {
    guard let (bits, offset) = image.bits(register) else { return .none(.unavailable) }
    if missing.contains(where: { $0.matches(bits) }) { return .none(.missing) }
    switch register.type.number(bits) {
    case .number(let value): return .number(value, offset: offset)
    case .missing: return .none(.missing)
    case .unusable: return .none(.rejected(.noNumber))
    }
  }

  /// A power factor of four quadrants as the usual one; nil beyond ±2.
  private static func folded(_ value: Decimal) -> Decimal? {
    let one = Decimal(mantissa: value.mantissa < 0 ? -1 : 1)
    let isBeyond = value.mantissa < 0 ? value.isLess(than: one) : one.isLess(than: value)
    guard isBeyond else { return value }
    let folded = Decimal(mantissa: one.mantissa * 2).minus(value)
    guard let folded, folded.mantissa == 0 || (folded.mantissa < 0) == (value.mantissa < 0) else {
      return nil
    }
    return folded
  }
}

/// What the bits of a number say.
public enum RawNumber: Equatable, Sendable {
  case number(Decimal)
  /// NaN or infinity: the meter's way to say that there is none.
  case missing
  /// Digits beyond 63 bits, or the size of a denormal number, which no meter means: a sentinel with
  /// its words swapped looks like that (7FC00000 read as 00007FC0, evcc#12070).
  case unusable
}

extension RegisterType {
  /// Reads the number that the lowest bits hold, most significant first.
  public func number(_ bits: UInt64) -> RawNumber {
    switch self {
    case .int16: return .number(Decimal(mantissa: Int64(Int16(truncatingIfNeeded: bits))))
    case .int32: return .number(Decimal(mantissa: Int64(Int32(truncatingIfNeeded: bits))))
    case .int64: return .number(Decimal(mantissa: Int64(truncatingIfNeeded: bits)))
    case .uint16, .uint32: return .number(Decimal(mantissa: Int64(truncatingIfNeeded: bits)))
    case .uint64:
      return Int64(exactly: bits).map { .number(Decimal(mantissa: $0)) } ?? .unusable
    case .float32:
      let bits = UInt32(truncatingIfNeeded: bits)
      return RegisterType.float(
        exponent: Int(bits >> 23 & 0xFF), bias: 127, isZero: bits << 1 == 0,
        BinaryFloat.decimal(float32: bits))
    case .float64:
      return RegisterType.float(
        exponent: Int(bits >> 52 & 0x7FF), bias: 1023, isZero: bits << 1 == 0,
        BinaryFloat.decimal(float64: bits))
    }
  }

  private static func float(
    exponent: Int, bias: Int, isZero: Bool, _ decimal: Decimal?
  ) -> RawNumber {
    if exponent == bias * 2 + 1 { return .missing }
    if isZero { return .number(Decimal(mantissa: 0)) }
    if exponent == 0 { return .unusable }
    if let decimal { return .number(decimal) }
    // Too small for 18 places: what a meter computes where there is nothing. Rounded, it is zero.
    return exponent < bias - 31 ? .number(Decimal(mantissa: 0)) : .unusable
  }
}

extension IdentifierField {
  /// The place of the identifier in the image's bytes, digits appended; nil if it was not read, or is
  /// empty.
  fileprivate func secret(in image: inout RegisterImage) -> Secret? {
    let range = Int(address)..<Int(address) + count
    guard let (words, offset) = image.words(function, range) else { return nil }
    guard form == .number else {
      let isEmpty = words.allSatisfy { $0 == 0 || $0 == 0xFFFF || $0 == 0x2020 }
      return isEmpty
        ? nil : Secret(kind: kind, code: nil, offset: offset, count: count * 2, isHex: false)
    }
    let ordered = wordOrder == .highFirst ? Array(words) : words.reversed()
    let number = ordered.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    guard number != 0, !words.allSatisfy({ $0 == 0xFFFF }) else { return nil }
    let place = image.append(text: Array(String(number).utf8))
    return Secret(
      kind: kind, code: nil, offset: place.lowerBound, count: place.count, isHex: false)
  }
}
