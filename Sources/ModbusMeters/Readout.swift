public import OBISDecoder

/// What became of one value of a profile in one cycle.
public enum FieldOutcome: Equatable, Sendable {
  /// The value in the field's base unit, and the place of its number in the image's bytes.
  case value(Decimal, offset: Int, count: Int)
  /// The meter says that it has none: publish nothing, and do not call it an error.
  case missing
  /// What the meter sent cannot be true, or is no number of the type: a decode error.
  case rejected(Rejection)
  /// Its registers were not read.
  case unavailable
}

/// Why a value cannot be true.
public enum Rejection: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// Outside the bounds of the field; often the wrong word order.
  case outOfRange
  /// Not representable: more digits than 63 bits hold, or a number of denormal size.
  case noNumber
  /// A scale factor outside −10…10, or a ratio of zero.
  case noScale
  /// The counter guard: it fell, or grew faster than the line can carry.
  case implausibleCounter
}

/// What one cycle said: an outcome for each field of the profile, and the identifiers that were read.
public struct Readout: Sendable {
  /// One for each of `MeterProfile.fields`, in their order.
  public var outcomes: [FieldOutcome]
  /// Identifiers, as places in the image's bytes.
  public var secrets: [Secret]

  /// The value of a field by its name, nil if it has none.
  public func value(_ name: String, of profile: MeterProfile) -> Decimal? {
    for (field, outcome) in zip(profile.fields, outcomes) where field.name == name {
      if case .value(let value, _, _) = outcome { return value }
    }
    return nil
  }
}
