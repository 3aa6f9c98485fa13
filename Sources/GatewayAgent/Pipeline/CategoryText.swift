/// Categories in words, for the person who decides (privacy design C3).
enum CategoryText {
  private static let words: [String: String] = [
    "E1": "reading of the import register, as it stands",
    "E2": "reading of the export register, as it stands",
    "E3": "energy used", "E4": "energy fed in", "E5": "energy of the last hour",
    "P1": "power drawn", "P3": "power fed in", "P2": "power of each phase", "V1": "voltage",
    "A1": "current", "Q1": "reactive power and energy", "F1": "frequency and power factor",
    "D1": "demand and its peaks", "O1": "outages, sags and swells", "T1": "tariff in force",
    "L1": "limiter, breaker and fuse", "C1": "the meter's clock", "U1": "operating hours",
    "M1": "gas", "M2": "water", "M3": "heat", "X1": "what you typed about the household",
    "X2": "coarse location", "N1": "the IP address of the house", "I1": "number of the meter",
    "I2": "number of the metering point", "I3": "numbers of other meters",
    "I6": "type and firmware of the meter",
  ]

  /// A category's code and what it is.
  static func text(_ code: String) -> String { "\(code) \(words[code] ?? code)" }
}
