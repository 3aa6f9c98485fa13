import OBISDecoder

/// Writes the three messages of an SML file.
struct SMLEncoder {
  private let layout: SMLLayout
  private let serverID: [UInt8]
  private let identity: MeterIdentity
  /// Seconds index, also the number of the file.
  private let counter: UInt32
  private var writer = SMLWriter()
  private var expected: [ExpectedReading] = []
  private var identifiers: [SimulatedIdentifier] = []

  /// Makes the frame of `state`.
  static func frame(
    for state: MeterState, layout: SMLLayout, identity: MeterIdentity, counter: UInt32
  ) -> SimulatedFrame {
    var encoder = SMLEncoder(layout, identity, counter)
    encoder.identify(.meterNumber, encoder.serverID)
    encoder.message(0, 0x0101) { $0.addOpening() }
    encoder.message(1, 0x0701) { $0.addList(state) }
    encoder.message(2, 0x0201) { encoder in
      encoder.writer.list(1)
      encoder.writer.none()
    }
    let messages = encoder.writer.bytes
    return SimulatedFrame(
      bytes: SMLWriter.transport(messages, isKermit: layout.isKermit), content: messages,
      expected: encoder.expected, identifiers: encoder.identifiers, meterTime: nil,
      hasChecksum: true, family: "sml")
  }

  private init(_ layout: SMLLayout, _ identity: MeterIdentity, _ counter: UInt32) {
    self.layout = layout
    self.identity = identity
    self.counter = counter
    serverID = identity.serverID(maker: layout.maker, lead: layout.lead, serials: layout.serials)
  }

  /// Adds {transaction, group, abort on error, {choice, body}, checksum, end}.
  private mutating func message(
    _ number: UInt32, _ choice: Int64, _ addBody: (inout SMLEncoder) -> Void
  ) {
    let start = writer.bytes.count
    writer.list(6)
    writer.octets(octets(of: counter &* 3 &+ number, layout.transactionWidth))
    writer.integer(0, 1, isSigned: false)
    writer.integer(0, 1, isSigned: false)
    writer.list(2)
    writer.integer(choice, layout.choiceWidth, isSigned: false)
    addBody(&self)
    let checksum = SMLWriter.checksum(
      of: Array(writer.bytes[start...]), isKermit: layout.isKermit)
    writer.raw([0x63] + checksum + [0x00])
  }

  /// Adds {codepage, client, file, server, time, version}.
  private mutating func addOpening() {
    writer.list(6)
    writer.none()
    writer.none()
    writer.octets(octets(of: counter, 4))
    writer.octets(serverID)
    writer.none()
    writer.none()
  }

  /// Adds {client, server, list name, sensor time, entries, signature, gateway time}.
  private mutating func addList(_ state: MeterState) {
    let items = layout.items.filter { item in
      guard case .value(let field) = item else { return true }
      return state.value(for: field.code) != nil || field.unit == .degree
    }
    writer.list(7)
    writer.none()
    writer.octets(serverID)
    if layout.isNamed { writer.octets([1, 0, 98, 10, 255, 255]) } else { writer.none() }
    addSensorTime()
    writer.list(items.count)
    for item in items { add(item, state) }
    writer.none()
    writer.none()
  }

  /// Adds {1, seconds}, or nothing.
  private mutating func addSensorTime() {
    guard layout.time == .index else { return writer.none() }
    writer.list(2)
    writer.integer(1, 1, isSigned: false)
    writer.integer(Int64(counter), 4, isSigned: false)
  }

  private mutating func add(_ item: SMLItem, _ state: MeterState) {
    switch item {
    case .maker(let code): addText(code, Array(layout.maker.utf8), .meterType)
    case .server(let code): addText(code, serverID, .meterNumber)
    case .publicKey(let code): addText(code, identity.publicKey, .keyMaterial)
    case .text(let code, let text): addText(code, Array(text.utf8), .meterType)
    case .value(let field): addValue(field, state)
    }
  }

  /// Adds {name, status, time, unit, scaler, value, signature}.
  private mutating func addText(
    _ code: OBISCode, _ text: [UInt8], _ kind: SimulatedIdentifier.Kind
  ) {
    writer.list(7)
    writer.octets(AXDRWriter.octets(of: code))
    for _ in 0..<4 { writer.none() }
    writer.octets(text)
    writer.none()
    identify(kind, text)
  }

  private mutating func addValue(_ field: SMLField, _ state: MeterState) {
    // A phase angle is not in the household: it stands still.
    let value = state.value(for: field.code) ?? Decimal(mantissa: 120)
    let cut = FixedPoint.mantissa(of: value, at: field.scaler, cutting: field.code.d == 8)
    let number = min(max(cut, field.range.lowerBound), field.range.upperBound)
    writer.list(7)
    writer.octets(AXDRWriter.octets(of: field.code))
    if field.status > 0 {
      writer.integer(Int64(field.status), layout.statusWidth, isSigned: false)
    } else {
      writer.none()
    }
    if field.status > 0, layout.time == .bare {
      writer.integer(Int64(counter), 4, isSigned: false)
    } else {
      writer.none()
    }
    writer.integer(Int64(field.unit.rawValue), 1, isSigned: false)
    writer.integer(Int64(field.scaler), 1, isSigned: true)
    add(number, field.width)
    writer.none()
    expected.append(
      ExpectedReading(
        code: field.code, value: Decimal(mantissa: number, exponent: field.scaler),
        unit: field.unit, time: nil, isRequired: field.unit != .one))
  }

  private mutating func add(_ number: Int64, _ width: SMLField.Width) {
    let fewest = number < 0 ? 4 : max(1, (64 - number.leadingZeroBitCount + 7) / 8)
    switch width {
    case .signed(let count): writer.integer(number, count, isSigned: true)
    case .unsigned(let count): writer.integer(number, count, isSigned: false)
    case .fewest: writer.integer(number, fewest, isSigned: false)
    case .defective: writer.integer(number, fewest, isSigned: true)
    }
  }

  private mutating func identify(_ kind: SimulatedIdentifier.Kind, _ octets: [UInt8]) {
    let isText = octets.allSatisfy { (0x20..<0x7F).contains($0) }
    identifiers.append(
      SimulatedIdentifier(
        kind: kind, bytes: octets,
        text: isText ? String(decoding: octets, as: UTF8.self) : P1Text.hex(octets)))
  }

  /// The lowest `count` octets of a number, highest first.
  private func octets(of number: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { $0 < 4 ? UInt8(truncatingIfNeeded: number >> (8 * $0)) : 0 }
  }
}
