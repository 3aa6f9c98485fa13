import OBISDecoder

/// Makes readouts as IEC 62056-21 has them.
enum D0Vector {
  /// A readout: identification, STX, lines, '!', ETX and the right check character.
  static func protected(_ lines: [String], identification: String = "XYZ5invented") -> [UInt8] {
    let data = lines.map { $0 + "\r\n" }.joined() + "!\r\n\u{3}"
    let block = Array(data.utf8)
    return Array("/\(identification)\r\n\u{2}".utf8) + block + [block.reduce(0, ^)]
  }

  /// The same without STX, ETX and check character, as modes A and D send it.
  static func plain(_ lines: [String], identification: String = "XYZ5invented") -> [UInt8] {
    Array("/\(identification)\r\n\r\n".utf8)
      + Array((lines.map { $0 + "\r\n" }.joined() + "!\r\n").utf8)
  }

  /// A readout of a three-phase meter with invented numbers.
  static let household = [
    "F.F(00)", "0.0.0(11223344)", "0.9.1(21:10:29)", "0.9.2(26-03-21)", "1.8.0(001846.0*kWh)",
    "1.8.0*01(001700.5*kWh)", "2.8.0(004329.6*kWh)", "1.7.0(00.49*kW)", "32.7(230.1*V)",
    "31.7(+001.2*A)", "1.6.0(03.72*kW)(2603201015)",
  ]
}

extension RecordingSink {
  /// The readings as `code value unit`.
  var printed: [String] { readings.map { "\($0.code) \($0.value) \($0.unit.symbol)" } }

  /// The secrets as `kind text`.
  var hidden: [String] {
    secrets.map { "\($0.secret.kind.name) \(String(decoding: $0.text, as: UTF8.self))" }
  }
}
