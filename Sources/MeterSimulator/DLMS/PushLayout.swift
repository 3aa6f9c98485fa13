import OBISDecoder

/// A maker's push list: how a data-notification is framed and what stands in it.
struct PushLayout: Sendable {
  /// How elements are written.
  enum Shape: Sendable {
    /// An array of structures {code, value, {scaler, unit}} (Aidon).
    case described
    /// One structure of codes and values in turn (Kamstrup, Kaifa in Sweden).
    case pairs
    /// One structure of values whose meaning is their position (Kaifa in Norway).
    case positional
  }

  /// How the date-time of the data-notification's header is written.
  enum HeaderTime: Sendable {
    /// As an octet string of length 0.
    case none
    /// Length and twelve octets, as the Green Book has it.
    case plain
    /// With a type tag before the length (Kaifa, early Kamstrup).
    case tagged
  }

  var shape: Shape
  var headerTime: HeaderTime
  /// HDLC destination and source.
  var address: [UInt8]
  var control: UInt8
  /// Invoke-id and priority; Aidon and Kaifa send 0x40000000.
  var invokeID: UInt32
  var items: [PushItem]
  var dateTimeForm = DateTimeForm()
  /// Whether date-times carry the deviation from UTC.
  var sendsDeviation = false
}

/// An element of a push list.
enum PushItem: Sendable {
  /// The list's version; its code is left out where nil (Kamstrup).
  case version(OBISCode?, String, tag: UInt8)
  /// A number of the meter.
  case identifier(OBISCode, PushIdentity, tag: UInt8)
  /// The serial number as a 32-bit integer (Kamstrup in Denmark).
  case serial(OBISCode)
  /// The meter's type.
  case type(OBISCode, String, tag: UInt8)
  /// The meter's clock.
  case clock(OBISCode)
  /// A measured value.
  case value(PushField)
}

/// Which of a meter's numbers an element carries.
enum PushIdentity: Sendable {
  case nordicMeter, meteringPoint
}

/// A measured value of a push list.
struct PushField: Sendable {
  var code: OBISCode
  var tag: UInt8
  /// Power of ten of the last digit: Aidon's scaler, other makers' convention.
  var exponent: Int8
  var unit: Unit

  init(_ code: OBISCode, _ tag: UInt8, _ exponent: Int8, _ unit: Unit) {
    self.code = code
    self.tag = tag
    self.exponent = exponent
    self.unit = unit
  }

  /// The number that is sent for `value`, and the exact value that it means.
  func number(for value: Decimal) -> (number: Int64, value: Decimal) {
    let range = AXDRWriter.range(of: tag)
    let cut = FixedPoint.mantissa(of: value, at: exponent, cutting: code.d == 8)
    let number = min(max(cut, range.lowerBound), range.upperBound)
    return (number, Decimal(mantissa: number, exponent: exponent))
  }
}

extension PushItem {
  /// Values 1-`channel`:C.D.0 that share type, resolution and unit.
  static func values(
    _ quantities: [UInt8], _ d: UInt8, _ tag: UInt8, _ exponent: Int8, _ unit: Unit,
    channel: UInt8 = 0
  ) -> [PushItem] {
    quantities.map { .value(PushField(OBISCode(1, channel, $0, d, 0), tag, exponent, unit)) }
  }
}
