/// The unit of a decoded value, always a base unit: prefixes such as kilo are in the exponent.
///
/// Raw values are the unit codes of the DLMS UA Blue Book, "scal_unit_type", table of physical
/// units; 255 is a count or a value without dimension.
public enum Unit: UInt8, Equatable, Sendable, BitwiseCopyable {
  case second = 7
  /// Degree of an angle, such as that between two phases.
  case degree = 8
  case cubicMetre = 13
  case joule = 25
  case watt = 27
  case voltAmpere = 28
  case reactiveVoltAmpere = 29
  case wattHour = 30
  case voltAmpereHour = 31
  case reactiveVoltAmpereHour = 32
  case ampere = 33
  case volt = 35
  case hertz = 44
  case one = 255

  /// The unit as printed: `W`, `Wh`, `var`, `m3`; `1` for a plain number.
  public var symbol: StaticString {
    switch self {
    case .second: "s"
    case .degree: "deg"
    case .cubicMetre: "m3"
    case .joule: "J"
    case .watt: "W"
    case .voltAmpere: "VA"
    case .reactiveVoltAmpere: "var"
    case .wattHour: "Wh"
    case .voltAmpereHour: "VAh"
    case .reactiveVoltAmpereHour: "varh"
    case .ampere: "A"
    case .volt: "V"
    case .hertz: "Hz"
    case .one: "1"
    }
  }
}
