import OBISDecoder

/// Writes D0 readouts.
struct D0Encoder {
  private let layout: D0Layout
  private let identity: MeterIdentity
  private var bytes: [UInt8] = []
  private var expected: [ExpectedReading] = []
  private var identifiers: [SimulatedIdentifier] = []

  /// Makes the readout of `state`.
  static func frame(
    for state: MeterState, layout: D0Layout, identity: MeterIdentity
  ) -> SimulatedFrame {
    var encoder = D0Encoder(layout: layout, identity: identity)
    encoder.encode(state)
    return SimulatedFrame(
      bytes: encoder.bytes, content: encoder.bytes, expected: encoder.expected,
      identifiers: encoder.identifiers, meterTime: nil, hasChecksum: layout.isBlock, family: "d0")
  }

  private init(layout: D0Layout, identity: MeterIdentity) {
    self.layout = layout
    self.identity = identity
  }

  private mutating func encode(_ state: MeterState) {
    add("/" + layout.identification + "\r\n" + (layout.isBlock ? "\u{2}" : "\r\n"))
    identify(.meterType, layout.identification)
    let start = bytes.count
    for item in layout.items { add(item, state) }
    add("!\r\n")
    guard layout.isBlock else { return }
    add("\u{3}")
    // Block check character: exclusive or of all behind STX, ETX included (IEC 62056-21 §6.2, ISO 1155).
    bytes.append(bytes[start...].reduce(0, ^))
  }

  private mutating func add(_ item: D0Item, _ state: MeterState) {
    switch item {
    case .number(let code, let isWhole):
      let number = isWhole ? identity.meter : String(identity.serialNumber)
      line(code, number)
      identify(.meterNumber, number)
    case .fixed(let code, let text): line(code, text)
    case .failures(let code):
      line(code, "0004")
      expect(OBISCode(0, 0, 96, 7, 0), Decimal(mantissa: 4), .one, required: false)
    case .type(let code, let text):
      line(code, text)
      identify(.meterType, text)
    case .value(let field): addValue(field, state)
    }
  }

  private mutating func addValue(_ field: P1Field, _ state: MeterState) {
    guard let value = state.value(for: field.code) else { return }
    // A register without unit is in kilowatt-hours, which no line says.
    let isRegister = field.code.d == 8
    var whole = field
    if isRegister { whole.suffix = "kWh" }
    let printed = whole.print(value)
    let text = field.suffix.isEmpty ? String(printed.text.prefix { $0 != "*" }) : printed.text
    line(code(of: field.code), text)
    expect(field.code, printed.value, whole.unit, required: !field.suffix.isEmpty)
    if field.suffix.isEmpty, let plain = printed.value.shifted(by: -3) {
      expect(field.code, plain, .one, required: false)
    }
  }

  private func code(of code: OBISCode) -> String {
    let short = "\(code.c).\(code.d)"
    return switch layout.codes {
    case .whole: "\(code.a)-\(code.b):\(short).\(code.e)*255"
    case .shortest where code.e == 0 && code.d != 8: short
    default: short + ".\(code.e)"
    }
  }

  private mutating func add(_ text: String) { bytes += Array(text.utf8) }

  private mutating func line(_ code: String, _ text: String) { add(code + "(" + text + ")\r\n") }

  private mutating func expect(
    _ code: OBISCode, _ value: Decimal, _ unit: Unit, required: Bool
  ) {
    expected.append(
      ExpectedReading(code: code, value: value, unit: unit, time: nil, isRequired: required))
  }

  private mutating func identify(_ kind: SimulatedIdentifier.Kind, _ text: String) {
    identifiers.append(
      SimulatedIdentifier(kind: kind, bytes: Array(text.utf8), text: text))
  }
}
