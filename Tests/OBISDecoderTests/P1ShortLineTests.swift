import OBISDecoder
import Testing

/// The lines that are read in words say what they say when read group by group.
struct P1ShortLineTests {
  /// The suffix `*255` means nothing and keeps a line from being read in words.
  private func readings(_ line: String, suffix: String) -> [String] {
    let filler = [String](repeating: "0-0:96.13.0()", count: 4)
    let sink = decode(
      telegram([line.replacing("(", with: suffix + "(", maxReplacements: 1)] + filler))
    let found = sink.readings.map {
      "\($0.code) \($0.value.mantissa) \($0.value.exponent) \($0.unit.symbol) \($0.count)"
    }
    return found + sink.problems.map { "\($0.code.name) \($0.offset - suffix.count)" }
      + sink.secrets.dropFirst().map { "\($0.secret.kind.name) \($0.secret.isHex) \($0.text)" }
  }

  @Test(arguments: [
    "1-0:1.8.1", "1-0:21.7.0", "1-0:32.32.0", "0-0:96.14.0", "0-1:24.2.1", "0-1:24.1.0",
    "1-0:13.7.0",
    "0-0:96.1.1", "1-0:99.97.0", "0-0:1.0.0", "9-9:99.99.99", "1-0:0.2.8", "0-0:17.0.0",
  ])
  func saysTheSameAsTheLongWay(_ code: String) {
    let numbers = [
      "", "0", "7", "003", "00.244", "000004.426", "12345678", "123456789", "12345678.87654321",
      "1.123456789", ".5", "5.", ".", "-1.5", "+2", "1.2.3", "0x10", "1 ", "99999999999999999999",
      "260115143007W", "1,2",
    ]
    let units = [
      "", "*", "*kWh", "*W", "*kVArh", "*m3", "*GJ", "*mA", "*kWhXYZ", "*kW ", "*Hz*", "*K",
    ]
    for number in numbers {
      for unit in units {
        for tail in ["", ")", "(1)", " ", ")("] {
          let line = "\(code)(\(number)\(unit))\(tail)"
          let short = readings(line, suffix: "")
          #expect(short == readings(line, suffix: "*255"), "\(line)")
        }
      }
    }
  }

  @Test func readsLinesUpToTheEndOfTheTelegram() {
    for count in 0..<6 {
      let lines = (0...count).map { "1-0:1.8.\($0)(\(String(repeating: "1", count: 3 + $0))*Wh)" }
      #expect(decode(telegram(lines)).readings.count == count + 1)
    }
  }
}
