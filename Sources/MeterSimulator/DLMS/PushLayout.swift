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
    /// One structure of codes, values and {scaler, unit} in turn (Kaifa in Lower Austria).
    case flat
    /// As described, but the clock's code and value are two elements (Kaifa in Tyrol, Salzburg).
    case mixed
    /// One structure: an array of what will come, {class, code, attribute, index}, then the values
    /// (Blue Book, "Push setup", push_object_list, pushed as its own first object).
    case objects
    /// {1, array of {class, code, attribute, value}}, where only the value has a tag (ČEZ).
    case attributes
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
  var transport: PushTransport
  /// Invoke-id and priority; Aidon and Kaifa send 0x40000000.
  var invokeID: UInt32
  var items: [PushItem]
  /// Type of the described shape's list: an array, or a structure (Iskra in Austria).
  var container: UInt8 = AXDRWriter.Tag.array
  /// How the message is ciphered, nil for not at all.
  var cipher: CipherForm?
  var dateTimeForm = DateTimeForm()
  /// Whether date-times carry the deviation from UTC.
  var sendsDeviation = false
}

/// An element of a push list.
enum PushItem: Sendable {
  /// The list's version; its code is left out where nil (Kamstrup).
  case version(OBISCode?, String, tag: UInt8)
  /// A number of the meter; its code is left out where nil.
  case identifier(OBISCode?, PushIdentity, tag: UInt8)
  /// The serial number as a 32-bit integer (Kamstrup in Denmark).
  case serial(OBISCode)
  /// The meter's type.
  case type(OBISCode, String, tag: UInt8)
  /// The meter's clock; its code is left out where nil.
  case clock(OBISCode?)
  /// Hour, minute, second, hundredths (Blue Book, "time").
  case clockTime
  /// Year, month, day, day of week (Blue Book, "date").
  case clockDate
  /// A measured value.
  case value(PushField)
  /// Scaler and unit of a register whose value is another element.
  case scaler(PushField)
  /// The list of what is pushed: attribute 2 of the push setup of that name.
  case objectList(OBISCode)
  /// The logical name of a push setup, which tells lists apart.
  case name(OBISCode)
  /// A switch or state, always the same.
  case state(OBISCode?, number: Int64, tag: UInt8)
  /// The tariff as text.
  case tariff(OBISCode?, [UInt8], tag: UInt8)
  /// An octet string of length 0.
  case empty
}

/// Which of a meter's numbers an element carries.
enum PushIdentity: Sendable {
  case nordicMeter, meteringPoint, serial
  /// COSEM logical device name: the maker's three letters, then digits (Blue Book, "COSEM logical
  /// device name").
  case deviceName(String)
}

/// A measured value of a push list.
struct PushField: Sendable {
  var code: OBISCode
  var tag: UInt8
  /// Power of ten of the last digit: Aidon's scaler, other makers' convention.
  var exponent: Int8
  var unit: Unit
  /// Whether the list or a convention that is written down tells the resolution and unit.
  var isTold = true

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
