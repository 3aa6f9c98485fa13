/// What the groups behind a code hold, by the companion standards (DSMR 5.0.2 §6.12, e-MUCS 2.1
/// §5, the Swedish and Finnish HAN texts) and the DLMS Blue Book's object list.
enum P1Meaning: Equatable {
  /// The telegram's date and time.
  case clock
  /// The M-Bus device type of a channel.
  case deviceType
  /// Last reading of a sub-meter with its time: 24.2.x.
  case register
  /// The same as DSMR 2.2 and 3 print it, in seven groups: 24.3.0.
  case profile
  /// A list of past values with their times: 98.1.0, 99.97.0.
  case history
  /// A plain number: a count, state, tariff or factor.
  case count
  /// A value whose unit the standard fixes; zero may stand without it (Sagemcom T211).
  case quantity(Unit)
  /// An identifier or text; `isOctets` where the standard sends octets in hexadecimal digits.
  case text(Secret.Kind, isOctets: Bool)
  /// Nothing that this decoder knows.
  case unknown

  /// Finds the meaning of `code`.
  init(of code: OBISCode) {
    switch code.a {
    case 1: self = Self.electricity(code)
    case 0: self = Self.abstract(code)
    default: self = Self.version(code) ?? .unknown
    }
  }

  private static func electricity(_ code: OBISCode) -> P1Meaning {
    switch (code.c, code.d) {
    case (99, 97): return .history
    case (96, 1): return .text(.meterNumber, isOctets: true)
    case (32, 32), (32, 36), (52, 32), (52, 36), (72, 32), (72, 36): return .count
    case (13, 7), (33, 7), (53, 7), (73, 7), (31, 4), (51, 4), (71, 4): return .count
    default: break
    }
    if let known = version(code) { return known }
    guard let unit = unit(ofChannel: code.c) else { return .unknown }
    let isIntegral = code.d == 8 || code.d == 9
    return .quantity(isIntegral ? unit.integral : unit)
  }

  private static func abstract(_ code: OBISCode) -> P1Meaning {
    switch (code.c, code.d) {
    case (1, 0) where code.b == 0: .clock
    case (24, 1): .deviceType
    case (24, 2): .register
    case (24, 3): .profile
    case (24, 4), (96, 3), (96, 7), (96, 14), (17, 0): .count
    case (98, 1), (99, 97): .history
    case (96, 1): .text(number(code), isOctets: code.e != 4)
    case (42, 0): .text(code.b == 0 ? .meterNumber : .subMeterNumber, isOctets: true)
    case (96, 13): .text(.message, isOctets: true)
    case (43, 1): .text(.keyMaterial, isOctets: true)
    default: version(code) ?? .unknown
    }
  }

  /// 96.1.2 is the metering point and 96.1.4 the protocol version in Belgium (e-MUCS 2.1).
  private static func number(_ code: OBISCode) -> Secret.Kind {
    switch code.e {
    case 2: .meteringPoint
    case 4: .meterType
    default: code.b == 0 ? .meterNumber : .subMeterNumber
    }
  }

  /// Device id (0.0.x) and version (0.2.x), the same for every medium.
  private static func version(_ code: OBISCode) -> P1Meaning? {
    switch (code.c, code.d) {
    case (0, 0): .text(code.b == 0 ? .meterNumber : .subMeterNumber, isOctets: false)
    case (0, 2): .text(.meterType, isOctets: false)
    default: nil
    }
  }

  /// The instantaneous unit of an electricity channel, group C: 1…20 total, then 20 for each phase.
  private static func unit(ofChannel c: UInt8) -> Unit? {
    guard c >= 1, c <= 80 else { return nil }
    return switch (c - 1) % 20 + 1 {
    case 1, 2, 15...20: .watt
    case 3...8: .reactiveVoltAmpere
    case 9, 10: .voltAmpere
    case 11: .ampere
    case 12: .volt
    case 14: .hertz
    default: nil
    }
  }
}

extension Unit {
  /// The unit of this one summed over time: Wh for W, varh for var, VAh for VA.
  fileprivate var integral: Unit {
    switch self {
    case .watt: .wattHour
    case .voltAmpere: .voltAmpereHour
    case .reactiveVoltAmpere: .reactiveVoltAmpereHour
    default: self
    }
  }
}
