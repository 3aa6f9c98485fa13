import OBISDecoder

/// What a meter sends over the optical D0 port (IEC 62056-21).
///
///     /FFFZ identification CR LF | [CR LF] | [STX] lines CR LF | ! CR LF | [ETX checksum]
struct D0Layout: Sendable {
  /// What stands behind the slash.
  var identification: String
  /// Whether STX and ETX stand around the lines, and the block check character behind (mode C);
  /// else an empty line follows the identification (mode D).
  var isBlock: Bool
  /// How codes are written.
  var codes = D0Codes.whole
  var items: [D0Item]
}

/// How a D0 readout writes OBIS codes (IEC 62056-21 §6.2, IEC 62056-61).
enum D0Codes: Sendable {
  /// `1-0:1.8.0*255`.
  case whole
  /// `1.8.0`.
  case short
  /// `1.8.0`, and `32.7` where E is 0 and D not 8 (Landis+Gyr).
  case shortest
}

/// One line of a D0 readout.
enum D0Item: Sendable {
  /// The meter's number: as DIN 43863-5 or as digits.
  case number(String, isWhole: Bool)
  /// A fixed line that names no meter and is no value, such as `F.F(00)`.
  case fixed(String, String)
  /// A text that names a type.
  case type(String, String)
  /// The number of power failures, always 4.
  case failures(String)
  /// A measured value.
  case value(P1Field)
}

extension D0Layout {
  /// EasyMeter Q3D: by itself every two seconds, seven decimals, no checksum (Q3D manual).
  static let easyMeter: D0Layout = {
    var items: [D0Item] = [.number("1-0:0.0.0*255", isWhole: false)]
    items += registers([1, 2], 0...0, 8, 7)
    items += gauges([21, 41, 61, 1], 6, 2, "W")
    items += [.fixed("1-0:96.5.5*255", "80"), .number("0-0:96.1.255*255", isWhole: true)]
    return D0Layout(identification: "ESY5Q3DA1004 V3.04", isBlock: false, items: items)
  }()

  /// EMH eHZ in mode D: registers of both tariffs without their unit (EMH eHZ manual).
  static let emh: D0Layout = {
    var items: [D0Item] = [.number("1-0:0.0.0*255", isWhole: false)]
    items += registers([1, 2], 1...2, 6, 4).map { item in
      guard case .value(var field) = item else { return item }
      field.suffix = ""
      return .value(field)
    }
    items += [.fixed("1-0:96.5.5*255", "80"), .number("0-0:96.1.255*255", isWhole: false)]
    return D0Layout(identification: "EMH5----eHZ-E0018E", isBlock: false, items: items)
  }()

  /// Landis+Gyr E350 and ZMD read out in mode C (E350 user manual, "readout").
  static let landisGyr: D0Layout = {
    var items: [D0Item] = [
      .fixed("F.F", "00"), .number("0.0", isWhole: false), .number("C.1.0", isWhole: false),
    ]
    items += registers([1, 2], 1...2, 6, 3) + registers([1, 2, 15], 0...0, 6, 3)
    items.append(.failures("C.7.0"))
    items += gauges([32, 52, 72], 3, 0, "V") + gauges([31, 51, 71], 3, 2, "A")
    items += gauges([16], 3, 2, "kW", isSigned: true)
    items += [.fixed("82.8.1", "0000"), .type("0.2.0", "M27"), .fixed("C.5.0", "1420")]
    return D0Layout(
      identification: "LGZ4ZMF100AC.M27", isBlock: true, codes: .shortest, items: items)
  }()

  /// Iskra ME and MT read out in mode C: whole codes, with letters too (read out from an MT174).
  static let iskra: D0Layout = {
    var items: [D0Item] = [
      .fixed("0-0:F.F.0*255", "0000000"), .number("1-0:0.0.0*255", isWhole: false),
      .number("0-0:C.1.0*255", isWhole: false),
    ]
    items += registers([1, 2], 0...2, 6, 3)
    items += gauges([32, 52, 72], 3, 1, "V") + gauges([31, 51, 71], 1, 2, "A")
    items += gauges([36, 56, 76], 1, 3, "kW", isSigned: true)
    items += [.failures("0-0:C.7.0*255"), .type("1-0:0.2.0*255", "1.03")]
    return D0Layout(identification: "ISk5MT174-0001", isBlock: true, items: items)
  }()

  private static func registers(
    _ quantities: [UInt8], _ tariffs: ClosedRange<UInt8>, _ digits: Int, _ decimals: Int
  ) -> [D0Item] {
    quantities.flatMap { c in
      tariffs.map { .value(P1Field(OBISCode(1, 0, c, 8, $0), digits, decimals, "kWh")) }
    }
  }

  private static func gauges(
    _ quantities: [UInt8], _ digits: Int, _ decimals: Int, _ suffix: String, isSigned: Bool = false
  ) -> [D0Item] {
    quantities.map { c in
      var field = P1Field(OBISCode(1, 0, c, 7, 0), digits, decimals, suffix)
      field.isSigned = isSigned
      return .value(field)
    }
  }
}
