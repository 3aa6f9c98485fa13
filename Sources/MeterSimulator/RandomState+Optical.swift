import OBISDecoder

// MARK: SML and D0

extension RandomState {
  /// The list with some values missing, and another power of ten here and there.
  mutating func varied(_ layout: SMLLayout) -> SMLLayout {
    var layout = layout
    let dropsValues = random.chance(oneIn: 2)
    layout.items = layout.items.compactMap { item in
      guard case .value(var field) = item else { return item }
      if dropsValues, random.chance(oneIn: 8) { return nil }
      if random.chance(oneIn: 4) { field.scaler = Int8(random.integer(in: -5...3)) }
      if random.chance(oneIn: 8) { field.status = 0 }
      guard random.chance(oneIn: 4) else { return .value(field) }
      if case .defective = field.width { return .value(field) }
      // SML allows integers of any number of octets.
      let count = Int(random.integer(in: 1...8))
      field.width = random.chance(oneIn: 2) ? .signed(count) : .unsigned(count)
      return .value(field)
    }
    return layout
  }

  mutating func state(for layout: SMLLayout) -> MeterState {
    var state = MeterState()
    for case .value(let field) in layout.items {
      let range = field.range
      let isNegative = range.lowerBound < 0 && random.chance(oneIn: 2)
      let magnitude = number(
        upTo: isNegative ? -range.lowerBound : range.upperBound, signed: false)
      var mantissa = isNegative ? -magnitude : magnitude
      // The transport's escape, whole or in part, inside a value. Under the rare checksum a decoder
      // may wait for a first file without one, so that damage does not pass for that checksum.
      if !layout.isKermit, random.chance(oneIn: 8) {
        mantissa = random.pick([0x1B1B_1B1B_1B1B_1B1B, 0x1B1B_1B1B, 0x1B1B_1B, 0x1B_1B1B_1B1B])
        mantissa = min(mantissa, range.upperBound)
      }
      state.values[field.code] = Decimal(mantissa: mantissa, exponent: field.scaler)
    }
    return state
  }

  /// The lines with some values missing, numbers of another shape.
  mutating func varied(_ layout: D0Layout) -> D0Layout {
    var layout = layout
    layout.items = layout.items.compactMap { item in
      guard case .value(var field) = item else { return item }
      if random.chance(oneIn: 8) { return nil }
      guard random.chance(oneIn: 3) else { return item }
      field.digits = Int(random.integer(in: 1...8))
      field.decimals = Int(random.integer(in: 0...8))
      return .value(field)
    }
    return layout
  }

  mutating func state(for layout: D0Layout) -> MeterState {
    var state = MeterState()
    for case .value(let field) in layout.items {
      let exponent: Int8 = field.suffix.isEmpty ? 3 - Int8(field.decimals) : field.exponent
      state.values[field.code] = Decimal(
        mantissa: number(upTo: field.largest, signed: field.isSigned), exponent: exponent)
    }
    return state
  }
}
