/// What a sub-meter or channel measures, from the M-Bus device type (EN 13757-3, "device types").
public enum Medium: UInt8, Equatable, Sendable, BitwiseCopyable {
  case electricity
  case gas
  case water
  /// Heat or cold.
  case thermal
  /// A device type that is none of these, or none was sent.
  case unknown
}

/// One value that a meter sent: code, exact decimal, base unit, and where it stood in the frame.
public struct Reading: Equatable, Sendable, BitwiseCopyable {
  /// Which quantity, as the meter coded it.
  public var code: OBISCode
  /// The value in `unit`.
  public var value: Decimal
  /// Base unit; prefixes are already in the exponent.
  public var unit: Unit
  /// What the channel measures; electricity for channel 0.
  public var medium: Medium
  /// Capture time that stands with the value (sub-meters, peaks), nil if none was sent or set.
  public var time: MeterTime?
  /// End of the period that the value belongs to, nil if none was sent: a month of peaks (P1 98.1.0).
  public var periodEnd: MeterTime? = nil
  /// Where the value's own bytes begin, counted from the first byte of the frame.
  public var offset: Int
  /// How many bytes they are.
  public var count: Int

  /// Makes a reading.
  public init(
    code: OBISCode, value: Decimal, unit: Unit, medium: Medium, time: MeterTime?,
    offset: Int, count: Int
  ) {
    self.code = code
    self.value = value
    self.unit = unit
    self.medium = medium
    self.time = time
    self.offset = offset
    self.count = count
  }
}
