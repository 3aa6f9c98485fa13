import OBISDecoder

/// The small forms of P1 text.
enum P1Text {
  /// `YYMMDDhhmmssX`, X = S in daylight saving time, else W; an impossible date for none.
  static func stamp(_ time: MeterTime?) -> String {
    guard let time else { return "632525252525W" }
    var text = ""
    for part in [
      Int64(time.year % 100), Int64(time.month), Int64(time.day), Int64(time.hour),
      Int64(time.minute), Int64(time.second),
    ] { text += FixedPoint.padded(part, 2) }
    return text + (time.season == .daylight ? "S" : "W")
  }

  /// Two upper-case hexadecimal digits an octet.
  static func hex(_ octets: [UInt8]) -> String {
    var text = ""
    for octet in octets {
      if octet < 16 { text += "0" }
      text += String(octet, radix: 16, uppercase: true)
    }
    return text
  }

  /// The shape of a sub-meter's value by its device type (DSMR P1 5.0.2 §6.12: Fn(8,2…3)).
  static func subMeterField(_ code: OBISCode, deviceType: UInt8) -> P1Field {
    var field =
      switch deviceType {
      case 2: P1Field(code, 6, 3, "kWh")
      case 4, 10, 11, 12, 13: P1Field(code, 5, 3, "GJ")
      default: P1Field(code, 5, 3, "m3")
      }
    field.isRegister = true
    return field
  }
}

/// CRC-16/ARC over everything from `/` to `!`: x¹⁶ + x¹⁵ + x² + 1, least significant bit first,
/// start 0, no final exclusive or (DSMR P1 5.0.2 §6.2).
enum P1Checksum {
  /// The checksum bit by bit, as the standard defines it.
  static func value(of bytes: [UInt8]) -> UInt16 {
    var register: UInt16 = 0
    for byte in bytes {
      for position in 0..<8 {
        let bit = UInt16(byte >> position & 1)
        let feedback = (register ^ bit) & 1
        register >>= 1
        // The polynomial 0x8005 mirrored.
        if feedback == 1 { register ^= 0xA001 }
      }
    }
    return register
  }

  /// The four upper-case hexadecimal digits behind the `!`, most significant first.
  static func text(of bytes: [UInt8]) -> String {
    let crc = value(of: bytes)
    return P1Text.hex([UInt8(crc >> 8), UInt8(crc & 0xFF)])
  }
}
