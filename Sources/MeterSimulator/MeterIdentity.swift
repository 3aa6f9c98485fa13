/// The invented identifiers of a simulated meter: right in shape, drawn from the seed, of nobody.
public struct MeterIdentity: Sendable, Equatable {
  /// Dutch equipment number: `E0099` and 12 digits (DSMR P1 5.0.2, equipment identifier).
  public let dutchMeter: String
  /// Number of DIN 43863-5 shape: `1TST` and 10 digits.
  public let meter: String
  /// Sixteen GS1 digits, as Nordic meters send them.
  public let nordicMeter: String
  /// GSRN of the metering point: 18 digits, the last one a GS1 check digit.
  public let meteringPoint: String
  /// Short serial number, as the Danish Kamstrup list sends it in 32 bits.
  public let serialNumber: UInt32
  /// Numbers of the sub-meters of channels 1…4.
  public let subMeters: [String]
  /// GSRNs of the sub-meters' metering points, channels 1…4.
  public let subMeterPoints: [String]

  /// Draws the identifiers of `seed`; other seeds get others.
  public init(seed: UInt64) {
    var random = RandomSource(seed: RandomSource.mixed(seed ^ 0x4944_454E_5449_5459))
    dutchMeter = "E0099" + random.digits(12)
    meter = "1TST" + random.digits(10)
    nordicMeter = "5706567000" + random.digits(6)
    meteringPoint = MeterIdentity.withCheckDigit("87169000" + random.digits(9))
    serialNumber = UInt32(random.integer(in: 10_000_000...99_999_999))
    var numbers: [String] = []
    var points: [String] = []
    for channel in 1...4 {
      numbers.append((channel == 1 ? "G0099" : "7TST9") + random.digits(12))
      points.append(MeterIdentity.withCheckDigit("87169001" + random.digits(9)))
    }
    subMeters = numbers
    subMeterPoints = points
  }

  /// Appends the GS1 check digit: weights 3, 1, 3 … from the right (GS1 General Specifications §7.9).
  static func withCheckDigit(_ digits: String) -> String {
    var sum = 0
    for (index, digit) in digits.utf8.reversed().enumerated() {
      sum += Int(digit - 48) * (index % 2 == 0 ? 3 : 1)
    }
    return digits + String((10 - sum % 10) % 10)
  }
}
