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

  /// System title of eight octets: the maker's letters, a type, the serial number.
  func systemTitle(maker: String) -> [UInt8] {
    Array(maker.utf8.prefix(3)) + [0x10] + MeterIdentity.octets(of: serialNumber)
  }

  /// DIN 43863-5 number in ten octets, as SML has it: 0A 01 or 09 01, maker, 00, serial number.
  func serverID(maker: String, lead: UInt8, serials: ClosedRange<UInt32>?) -> [UInt8] {
    let serial = serials.map { $0.lowerBound + serialNumber % UInt32($0.count) } ?? serialNumber
    return [lead, 0x01] + Array(maker.utf8.prefix(3)) + [0x00] + MeterIdentity.octets(of: serial)
  }

  /// The public key that German meters send along: 48 octets.
  var publicKey: [UInt8] {
    var random = RandomSource(seed: UInt64(serialNumber))
    return (0..<48).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  /// The number that a push list carries.
  func text(of which: PushIdentity) -> String {
    switch which {
    case .meteringPoint: meteringPoint
    case .nordicMeter: nordicMeter
    case .deviceName(let maker): maker + "10300" + String(serialNumber)
    case .serial: String(serialNumber)
    }
  }

  private static func octets(of number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
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
