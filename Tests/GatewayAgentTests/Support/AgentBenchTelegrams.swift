/// P1 telegrams of privacy.md C13, with the values that a test wants and a checksum of their own.
struct Telegram {
  /// `F1`: 530 bytes, checksum 50EA.
  static let f1 = Telegram()
  /// `F4`: F1 with a text under a code that nobody knows, checksum 10E2.
  static let f4 = Telegram(extra: ["0-0:99.9.9(4142434431323334)"])

  var time = "260115143007W"
  /// Import register of tariff 1 in Wh; tariff 2 stays at 2 345 678 Wh.
  var importTariff1 = 1_234_567
  var power = 473
  var number = "4530303432303031323334353637383930"
  var gas = true
  var extra: [String] = []

  var bytes: [UInt8] {
    var lines = [
      #"/TST5\2HANP-0001"#, "", "1-3:0.2.8(50)", "0-0:1.0.0(\(time))", "0-0:96.1.1(\(number))",
      "1-0:1.8.1(\(kilo(importTariff1, 6))*kWh)", "1-0:1.8.2(002345.678*kWh)",
      "1-0:2.8.1(000111.222*kWh)", "1-0:2.8.2(000000.000*kWh)", "0-0:96.14.0(0002)",
      "1-0:1.7.0(\(kilo(power, 2))*kW)", "1-0:2.7.0(00.000*kW)", "0-0:96.7.21(00013)",
      "0-0:96.7.9(00000)", "1-0:99.97.0()", "0-0:96.13.0(4B554E4445203132333435363738)",
      "1-0:32.7.0(231.4*V)", "1-0:31.7.0(002*A)",
    ]
    if gas {
      lines += [
        "0-1:24.1.0(003)", "0-1:96.1.0(4730303432303039383736353433323130)",
        "0-1:24.2.1(260115140000W)(00123.456*m3)",
      ]
    }
    lines += extra
    let body = Array((lines.joined(separator: "\r\n") + "\r\n!").utf8)
    return body + Array((Self.hexadecimal(Self.checksum(body)) + "\r\n").utf8)
  }

  private func kilo(_ value: Int, _ digits: Int) -> String {
    let whole = String(value / 1000)
    let part = String(1000 + value % 1000).dropFirst()
    return String(repeating: "0", count: digits - whole.count) + whole + "." + part
  }

  /// CRC-16/ARC, bit by bit: the tests' own, so that it can disagree with the agent's.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    bytes.reduce(0) { sum, byte in
      (0..<8).reduce(sum ^ UInt16(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0xA001 : value >> 1
      }
    }
  }

  private static func hexadecimal(_ value: UInt16) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}
