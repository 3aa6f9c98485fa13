import OBISDecoder

/// Writes decoded frames as JSON, one line each: the contract of architecture.md, "Command line".
struct DecodeJSON {
  /// Whether identifiers carry their value.
  var showsIdentifiers: Bool
  /// For clocks that send no offset; nil leaves their times without one.
  var standardOffsetMinutes: Int16?
  /// The file, where there are several.
  var file: String?

  /// One line, with its line end.
  func line(_ frame: DecodedFrame) -> [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("frame", number: String(frame.number))
    if let file { json.member("file", text: file) }
    json.member("offset", number: String(frame.summary.offset))
    json.member("length", number: String(frame.summary.count))
    json.member("dialect", text: frame.summary.dialect.name.description)
    json.member("integrity", text: frame.integrityName)
    json.member("trust", text: frame.summary.trust.name.description)
    if frame.summary.isReplay { json.member("replay", truth: true) }
    if let rejection = frame.rejection {
      json.key("error")
      write(rejection, &json)
    } else {
      json.key("meter_time")
      write(frame.summary.meterTime, &json)
      json.key("readings")
      json.open("[")
      for value in frame.values { write(value, frame.summary.dialect, &json) }
      json.close("]")
      json.key("identifiers")
      json.open("[")
      for identifier in frame.identifiers { write(identifier, &json) }
      json.close("]")
      if !frame.problems.isEmpty {
        json.key("problems")
        json.open("[")
        for problem in frame.problems { write(problem, &json) }
        json.close("]")
      }
    }
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ value: DecodedFrame.Value, _ dialect: Dialect, _ json: inout JSONLine) {
    json.open("{")
    json.member("obis", text: value.reading.code.description)
    if let quantity = value.quantity {
      json.member("quantity", text: quantity)
    } else {
      json.key("quantity")
      json.null()
    }
    json.member("value", number: value.reading.value.exactText)
    json.member("unit", text: value.reading.unit.symbol.description)
    switch dialect {
    case .p1, .d0: json.member("raw", bytes: value.raw)
    case .hdlc, .mbus, .apdu, .sml: json.member("raw", text: DecodedFrame.hex(value.raw))
    }
    if let time = value.reading.time {
      json.key("time")
      write(time, &json)
    }
    json.close("}")
  }

  private func write(_ identifier: DecodedFrame.Identifier, _ json: inout JSONLine) {
    json.open("{")
    json.member("kind", text: identifier.secret.kind.name.description)
    if let code = identifier.secret.code {
      json.member("obis", text: code.description)
    } else {
      json.key("obis")
      json.null()
    }
    json.member("length", number: String(identifier.octetCount))
    if showsIdentifiers { json.member("value", text: identifier.text) }
    json.close("}")
  }

  private func write(_ time: MeterTime?, _ json: inout JSONLine) {
    guard let time else { return json.null() }
    json.string(time.isoText(standardOffsetMinutes: standardOffsetMinutes))
  }

  private func write(_ error: DecodeError, _ json: inout JSONLine) {
    json.open("{")
    json.member("code", text: error.code.name.description)
    json.member("at", number: String(error.offset))
    if let expected = error.expected {
      json.key("expected")
      write(expected, of: error.code, &json)
    }
    if let found = error.found {
      json.key("found")
      write(found, of: error.code, &json)
    }
    json.close("}")
  }

  private func write(_ number: UInt32, of code: DecodeError.Code, _ json: inout JSONLine) {
    if code.isChecksum {
      json.string(number.checksumText)
    } else {
      json.number(String(number))
    }
  }
}

extension DecodeError.Code {
  /// Whether expected and found are checksums, printed as hexadecimal digits.
  var isChecksum: Bool { self == .checksumMismatch || self == .headerChecksumMismatch }
}

extension UInt32 {
  /// Four upper-case hexadecimal digits (more for a number above 16 bits).
  var checksumText: String {
    let digits = String(self, radix: 16, uppercase: true)
    return String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
  }
}
