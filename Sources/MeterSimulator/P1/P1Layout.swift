import OBISDecoder

/// The lines of a country's P1 telegram, in order.
struct P1Layout: Sendable {
  /// What stands behind the slash.
  var identification: String
  /// The lines behind the blank one.
  var items: [P1Item]
  /// Whether four digits of CRC-16 follow the `!` (from DSMR 4 on).
  var hasChecksum: Bool
  /// How the telegram is ciphered, nil for not at all.
  var cipher: CipherForm?
  /// Whether a ciphered telegram stands behind an identification line in clear (KELAG).
  var introducesCipher = false
  /// How this firmware writes what the standard leaves open, or gets wrong.
  var form = P1Form()

  /// Makes a layout from groups of lines.
  init(identification: String, groups: [[P1Item]], hasChecksum: Bool) {
    self.identification = identification
    items = groups.flatMap { $0 }
    self.hasChecksum = hasChecksum
  }
}

/// Ways of writing that differ between firmwares; every one has been recorded.
struct P1Form: Sendable {
  /// CR LF, or LF alone as some converters leave it; the checksum goes over what is sent.
  var lineEnd = "\r\n"
  /// Whether the checksum's digits are in lower case.
  var lowerCaseChecksum = false
  /// Whether leading zeros of the checksum are left out.
  var shortChecksum = false
  /// Whether codes carry group F, as `*255`.
  var sendsGroupF = false
  /// Bytes behind the checksum, before the line end.
  var behindChecksum: [UInt8] = []
}

/// One line, or a group of lines that belong together.
enum P1Item: Sendable {
  /// `1-0:1.7.0(00.473*kW)`.
  case value(P1Field)
  /// `1-3:0.2.8(50)` and other fixed texts that name a type, not a meter.
  case version(OBISCode, String)
  /// `0-0:1.0.0(260115143007W)`.
  case clock
  /// `0-0:96.1.1(4530…)`: which number, and whether as hexadecimal digits of its ASCII.
  case identifier(OBISCode, P1Identity, isHex: Bool)
  /// `0-0:96.13.0(…)`: the message in hexadecimal digits.
  case message(OBISCode)
  /// `0-0:96.13.1(…)`: the numeric message in hexadecimal digits.
  case messageCode(OBISCode)
  /// A line that this meter always sends empty.
  case empty(OBISCode)
  /// `1-0:99.97.0(2)(0-0:96.7.19)(…)(…*s)…`.
  case failures
  /// `1-0:1.6.0(230509134558S)(02.589*kW)`.
  case monthPeak
  /// `0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(…)(…)(…)…` (e-MUCS).
  case peaks
  /// `0-0:98.1.0(230701000000S)(…)…`: values of the last period without a count (Hungary).
  case billing([P1Field])
  /// `1-1:31.4.0(100*A)(-063*A)`: import and export limit of the current (Luxembourg).
  case limits(OBISCode)
  /// The lines of each sub-meter.
  case subMeters(P1SubMeterStyle)
}

/// Which of a meter's numbers a line carries.
enum P1Identity: Sendable {
  case dutchMeter, meter, nordicMeter, meteringPoint
}

/// How a telegram describes sub-meters.
enum P1SubMeterStyle: Sendable {
  /// 24.1.0, 96.1.0, 24.2.1(time)(value) (DSMR 4 and 5).
  case dutch
  /// 24.3.0 with the value on a line of its own (DSMR 2.2, 3).
  case continued
  /// 24.1.0, 96.1.1, 96.1.2, 24.4.0, and 24.2.3 for gas (e-MUCS).
  case belgian
  /// 24.1.0, 96.1.0, 24.2.1, 24.4.0 (Luxembourg).
  case luxembourgish
}

extension P1Item {
  /// Value lines of electricity codes 1-0:C.D.0 that share one shape.
  static func values(
    _ quantities: [UInt8], _ d: UInt8, _ digits: Int, _ decimals: Int, _ suffix: String
  ) -> [P1Item] {
    quantities.map {
      .value(P1Field(OBISCode(1, 0, $0, d, 0), digits, decimals, suffix))
    }
  }

  /// Registers 1-0:C.8.E for each quantity and tariff.
  static func registers(
    _ quantities: [UInt8], tariffs: ClosedRange<UInt8>, _ digits: Int, _ suffix: String,
    channel: UInt8 = 0
  ) -> [P1Item] {
    quantities.flatMap { c in
      tariffs.map { .value(P1Field(OBISCode(1, channel, c, 8, $0), digits, 3, suffix)) }
    }
  }

  /// A number without unit: counters, switches, tariff.
  static func count(_ code: OBISCode, _ digits: Int) -> P1Item {
    .value(P1Field(code, digits, 0, ""))
  }

  /// Voltage sags and swells of each phase.
  static let voltageCounters: [P1Item] = [32, 36].flatMap { d in
    [32, 52, 72].map { c in .count(OBISCode(1, 0, c, d, 0), 5) }
  }
}
