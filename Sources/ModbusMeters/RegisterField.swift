public import OBISDecoder

/// How often a value is read.
public enum ReadGroup: String, CaseIterable, Sendable, BitwiseCopyable {
  /// In every cycle.
  case fast
  /// At leisure.
  case slow
}

/// How a number stands for its value, beside plain.
public enum ValueEncoding: String, CaseIterable, Sendable, BitwiseCopyable {
  /// Power factor of four quadrants in −2…2: beyond ±1 it is ±2 minus the number.
  ///
  /// Source: Schneider Electric iEM3000 user manual DOCA0005EN, "power factor register format".
  case schneider4Q = "schneider-4q"
  /// Power factor in percent. Some devices send the ratio all the same (mbmd#69, #72, #275): at 1 or
  /// less nobody can tell which is meant, so there is none.
  case percent
}

/// One value of a profile: where it lies and how it becomes a reading in its base unit.
public struct RegisterField: Equatable, Sendable {
  /// `voltage_l1`, or a name of the owner's own that begins with `x_`.
  public var name: String
  /// What the name says, nil for a name of the owner's own: that is never published.
  public var quantity: MeterQuantity?
  /// Where its number stands.
  public var register: Register
  /// Base unit of the value.
  public var unit: Unit
  /// What the raw number is multiplied by to be in `unit`, prefix of the manual's unit included.
  public var scale: Decimal
  /// Address of a SunSpec scale factor: a power of ten, int16, in the same table.
  public var scaleAddress: UInt16?
  /// Address of a number of the same type that is subtracted (import and export apart).
  public var minusAddress: UInt16?
  /// Which of the profile's ratios it is multiplied by.
  public var ratios: [Int] = []
  /// Whether the meter's sign is the opposite of ours.
  public var isExportPositive = false
  /// Whether only the magnitude counts (ET112's negative export).
  public var isAbsolute = false
  /// How the number stands for the value, nil for plain.
  public var encoding: ValueEncoding?
  /// Bit patterns that mean "no value", beside NaN and infinity; in the order high word first.
  public var missing: [MissingPattern] = []
  /// The lower bound of what can be true, in `unit`; beyond the bounds the value is rejected.
  public var lowest: Decimal
  /// The upper bound.
  public var highest: Decimal
  /// How often it is read.
  public var group = ReadGroup.fast
  /// Whether some meters of this model do not have it: its absence is then no fault.
  public var isOptional = false

  /// Makes a plain value.
  public init(
    name: String, quantity: MeterQuantity?, register: Register, unit: Unit, scale: Decimal,
    lowest: Decimal, highest: Decimal
  ) {
    self.name = name
    self.quantity = quantity
    self.register = register
    self.unit = unit
    self.scale = scale
    self.lowest = lowest
    self.highest = highest
  }

  /// Every stretch of registers that the value is made of, ratios apart.
  public var ranges: [Range<Int>] {
    var ranges = [register.range]
    if let scaleAddress { ranges.append(Int(scaleAddress)..<Int(scaleAddress) + 1) }
    if let minusAddress {
      ranges.append(Int(minusAddress)..<Int(minusAddress) + register.type.registerCount)
    }
    return ranges
  }
}
