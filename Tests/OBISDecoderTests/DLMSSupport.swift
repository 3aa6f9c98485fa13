import Testing

@testable import OBISDecoder

/// Builds A-XDR values and data-notifications from the Blue and the Green Book alone.
enum AXDR {
  static func octets(_ bytes: [UInt8]) -> [UInt8] { [0x09, UInt8(bytes.count)] + bytes }
  static func octets(_ text: String) -> [UInt8] { octets(Array(text.utf8)) }
  static func visible(_ text: String) -> [UInt8] { [0x0A, UInt8(text.utf8.count)] + text.utf8 }
  static func obis(_ code: OBISCode) -> [UInt8] {
    octets([code.a, code.b, code.c, code.d, code.e, code.f])
  }
  static func u8(_ value: UInt8) -> [UInt8] { [0x11, value] }
  static func u16(_ value: UInt16) -> [UInt8] { [0x12] + bigEndian(value) }
  static func i16(_ value: Int16) -> [UInt8] { [0x10] + bigEndian(value) }
  static func i32(_ value: Int32) -> [UInt8] { [0x05] + bigEndian(value) }
  static func u32(_ value: UInt32) -> [UInt8] { [0x06] + bigEndian(value) }
  static func i64(_ value: Int64) -> [UInt8] { [0x14] + bigEndian(value) }
  static func u64(_ value: UInt64) -> [UInt8] { [0x15] + bigEndian(value) }
  static func scaler(_ exponent: Int8, _ unit: UInt8) -> [UInt8] {
    [0x02, 0x02, 0x0F, UInt8(bitPattern: exponent), 0x16, unit]
  }
  static func array(_ elements: [[UInt8]]) -> [UInt8] {
    [0x01, UInt8(elements.count)] + elements.joined()
  }
  static func structure(_ elements: [[UInt8]]) -> [UInt8] {
    [0x02, UInt8(elements.count)] + elements.joined()
  }

  private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: value >> $0)
    }
  }

  /// 2026-01-15 14:30:10, deviation −60, standard time.
  static let time: [UInt8] = [
    0x07, 0xEA, 0x01, 0x0F, 0x04, 0x0E, 0x1E, 0x0A, 0xFF, 0xFF, 0xC4, 0x00,
  ]
}

/// Lists as the makers send them, with invented identifiers.
enum DLMSVector: String, CaseIterable, CustomTestStringConvertible {
  case aidonList1, aidonOnePhase, aidonSwedish
  case kaifaList1, kaifaOnePhase, kaifaThreePhase, kaifaOnePhaseHourly, kaifaThreePhaseHourly
  case kaifaSwedish
  case kamstrupOnePhase, kamstrupThreePhase, kamstrupHourly

  var testDescription: String { rawValue }

  static let meterNumber = "1122334455667788"

  /// What stands behind the date-time.
  var body: [UInt8] {
    switch self {
    case .aidonList1: AXDR.array([Self.entry(1, 7, 1661, 0, 27)])
    case .aidonOnePhase: AXDR.array(Self.aidonHead + Self.aidonPower + Self.aidonPhase)
    case .aidonSwedish: AXDR.array([Self.aidonClock] + Self.aidonPower + Self.aidonRegisters)
    case .kaifaList1: AXDR.structure([AXDR.u32(5502)])
    case .kaifaOnePhase: AXDR.structure(Self.kaifa(13).enumerated().filter(Self.onePhase))
    case .kaifaThreePhase: AXDR.structure(Self.kaifa(13))
    case .kaifaOnePhaseHourly: AXDR.structure(Self.kaifa(18).enumerated().filter(Self.onePhase))
    case .kaifaThreePhaseHourly: AXDR.structure(Self.kaifa(18))
    case .kaifaSwedish: AXDR.structure(Self.kaifaPairs)
    case .kamstrupOnePhase: Self.kamstrup([(1, 7), (31, 7), (32, 7)])
    case .kamstrupThreePhase: Self.kamstrup(Self.kamstrupCodes)
    case .kamstrupHourly:
      Self.kamstrup(Self.kamstrupCodes + [(1, 8), (2, 8), (3, 8), (4, 8)])
    }
  }

  /// The date-time as the maker writes it.
  var header: [UInt8] {
    switch self {
    case .aidonList1, .aidonOnePhase, .aidonSwedish, .kaifaSwedish: [0x00]
    case .kamstrupOnePhase, .kamstrupThreePhase, .kamstrupHourly: [0x0C] + AXDR.time
    default: [0x09, 0x0C] + AXDR.time
    }
  }

  /// A whole frame.
  var frame: [UInt8] { DLMSVector.frame(body, header: header) }

  static func frame(_ body: [UInt8], header: [UInt8] = [0x00]) -> [UInt8] {
    HDLCFrameBuilder().frame([0xE6, 0xE7, 0x00, 0x0F, 0x40, 0, 0, 0] + header + body)
  }

  static func entry(
    _ c: UInt8, _ d: UInt8, _ value: UInt32, _ exponent: Int8, _ unit: UInt8
  ) -> [UInt8] {
    AXDR.structure([
      AXDR.obis(OBISCode(1, 0, c, d, 0)), AXDR.u32(value), AXDR.scaler(exponent, unit),
    ])
  }

  private static let aidonHead = [
    AXDR.structure([AXDR.obis(OBISCode(1, 1, 0, 2, 129)), AXDR.visible("AIDON_V0001")]),
    AXDR.structure([AXDR.obis(OBISCode(0, 0, 96, 1, 0)), AXDR.visible(meterNumber)]),
    AXDR.structure([AXDR.obis(OBISCode(0, 0, 96, 1, 7)), AXDR.visible("6515")]),
  ]
  private static let aidonPower = [
    entry(1, 7, 1362, 0, 27), entry(2, 7, 0, 0, 27), entry(3, 7, 996, 0, 29),
    entry(4, 7, 0, 0, 29),
  ]
  private static let aidonPhase = [
    AXDR.structure([
      AXDR.obis(OBISCode(1, 0, 31, 7, 0)), AXDR.i16(-93), AXDR.scaler(-1, 33),
    ]),
    AXDR.structure([
      AXDR.obis(OBISCode(1, 0, 32, 7, 0)), AXDR.u16(2500), AXDR.scaler(-1, 35),
    ]),
  ]
  private static let aidonClock = AXDR.structure([
    AXDR.obis(OBISCode(0, 0, 1, 0, 0)), AXDR.octets(AXDR.time),
  ])
  private static let aidonRegisters = [
    entry(1, 8, 10_955_225, 1, 30), entry(2, 8, 8, 0, 30), entry(3, 8, 6_614_347, 0, 32),
    entry(4, 8, 5, 0, 32),
  ]

  private static func kaifa(_ count: Int) -> [[UInt8]] {
    let text = [AXDR.octets("KFM_001"), AXDR.octets(meterNumber), AXDR.octets("MA304H3E")]
    let numbers: [UInt32] = [948, 7, 3, 64, 1416, 3241, 3119, 2385, 0, 2389]
    let registers: [UInt32] = [12_345_678, 9, 8, 4_000_000_000]
    let all =
      text + numbers.map(AXDR.u32) + [AXDR.octets(AXDR.time)] + registers.map(AXDR.u32)
    return Array(all.prefix(count))
  }

  private static func onePhase(_ index: Int, _ element: [UInt8]) -> Bool {
    ![8, 9, 11, 12].contains(index)
  }

  private static let kaifaPairs: [[UInt8]] = {
    let text: [(OBISCode, [UInt8])] = [
      (OBISCode(1, 0, 0, 2, 129), AXDR.octets("KFM_001")),
      (OBISCode(0, 0, 96, 1, 0), AXDR.octets(meterNumber)),
      (OBISCode(0, 0, 96, 1, 7), AXDR.octets("MA304T4")),
    ]
    let values: [(OBISCode, [UInt8])] = [
      (OBISCode(1, 0, 1, 7, 0), AXDR.u32(297)), (OBISCode(1, 0, 31, 7, 0), AXDR.u32(32)),
      (OBISCode(1, 0, 32, 7, 0), AXDR.u32(2322)),
      (OBISCode(0, 0, 1, 0, 0), AXDR.octets(AXDR.time)),
      (OBISCode(1, 0, 1, 8, 0), AXDR.u64(9_732_707)),
    ]
    return (text + values).flatMap { [AXDR.obis($0.0), $0.1] }
  }()

  private static let kamstrupCodes: [(UInt8, UInt8)] = [
    (1, 7), (2, 7), (3, 7), (4, 7), (31, 7), (51, 7), (71, 7), (32, 7), (52, 7), (72, 7),
  ]

  /// Each value is 100 C + D, so that no two are alike.
  static func kamstrup(
    _ codes: [(UInt8, UInt8)], type: String = "6841121ZZ000000000"
  ) -> [UInt8] {
    var elements = [
      AXDR.visible("Kamstrup_V0001"), AXDR.obis(OBISCode(1, 1, 0, 0, 5)),
      AXDR.visible(meterNumber), AXDR.obis(OBISCode(1, 1, 96, 1, 1)), AXDR.visible(type),
    ]
    for (c, d) in codes {
      let value = UInt32(c) * 100 + UInt32(d)
      let isVoltage = c == 32 || c == 52 || c == 72
      elements += [
        AXDR.obis(OBISCode(1, 1, c, d, 0)),
        isVoltage ? AXDR.u16(UInt16(value)) : AXDR.u32(value),
      ]
      if c == 72, codes.count > 10 {
        elements += [AXDR.obis(OBISCode(0, 1, 1, 0, 0)), AXDR.octets(AXDR.time)]
      }
    }
    return AXDR.structure(elements)
  }
}

extension AXDR {
  /// A structure of enumerated elements, as `filter` leaves them.
  fileprivate static func structure(
    _ elements: [EnumeratedSequence<[[UInt8]]>.Element]
  ) -> [UInt8] {
    structure(elements.map(\.element))
  }
}
