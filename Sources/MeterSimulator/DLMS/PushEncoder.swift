import OBISDecoder

/// Writes a data-notification (tag 0x0F) behind LLC `E6 E7 00` in one HDLC frame.
struct PushEncoder {
  private let layout: PushLayout
  private let identity: MeterIdentity
  private let time: MeterTime?
  private var expected: [ExpectedReading] = []
  private var identifiers: [SimulatedIdentifier] = []

  /// Makes the frame of `state`; `standardOffsetMinutes` becomes the deviation where it is sent.
  static func frame(
    for state: MeterState, layout: PushLayout, identity: MeterIdentity,
    standardOffsetMinutes: Int16
  ) -> SimulatedFrame {
    var time = state.clock
    if layout.sendsDeviation, time?.offsetMinutes == nil, let season = time?.season {
      time?.offsetMinutes = standardOffsetMinutes + (season == .daylight ? 60 : 0)
    }
    var encoder = PushEncoder(layout: layout, identity: identity, time: time)
    let bytes = encoder.encode(state)
    let sendsClock = layout.items.contains { if case .clock = $0 { true } else { false } }
    return SimulatedFrame(
      bytes: bytes, expected: encoder.expected, identifiers: encoder.identifiers,
      meterTime: sendsClock || layout.headerTime != .none ? time : nil, hasChecksum: true,
      family: "hdlc")
  }

  private init(layout: PushLayout, identity: MeterIdentity, time: MeterTime?) {
    self.layout = layout
    self.identity = identity
    self.time = time
  }

  private mutating func encode(_ state: MeterState) -> [UInt8] {
    var writer = AXDRWriter()
    writer.raw([0xE6, 0xE7, 0x00, 0x0F])
    for shift in [UInt32(24), 16, 8, 0] {
      writer.raw([UInt8(truncatingIfNeeded: layout.invokeID >> shift)])
    }
    addHeaderTime(to: &writer)
    let items = layout.items.filter { isPresent($0, in: state) }
    switch layout.shape {
    case .described: writer.begin(AXDRWriter.Tag.array, count: items.count)
    case .positional: writer.begin(AXDRWriter.Tag.structure, count: items.count)
    case .pairs:
      let single = items.count { if case .version(nil, _, _) = $0 { true } else { false } }
      writer.begin(AXDRWriter.Tag.structure, count: items.count * 2 - single)
    }
    for item in items { add(item, state, to: &writer) }
    return HDLCWriter.frame(
      address: layout.address, control: layout.control, information: writer.bytes)
  }

  private func addHeaderTime(to writer: inout AXDRWriter) {
    guard let time, layout.headerTime != .none else { return writer.raw([0x00]) }
    if layout.headerTime == .tagged { writer.raw([AXDRWriter.Tag.octetString]) }
    let octets = AXDRWriter.dateTime(time, form: layout.dateTimeForm)
    writer.raw([UInt8(octets.count)] + octets)
  }

  /// A position may not be left out; elsewhere a missing value makes the element missing.
  private func isPresent(_ item: PushItem, in state: MeterState) -> Bool {
    switch item {
    case .value(let field):
      layout.shape == .positional || state.value(for: field.code) != nil
    case .clock: time != nil
    default: true
    }
  }

  private mutating func add(_ item: PushItem, _ state: MeterState, to writer: inout AXDRWriter) {
    switch item {
    case .version(let code, let text, let tag):
      addText(.meterType, code, text, tag, to: &writer)
    case .type(let code, let text, let tag):
      addText(.meterType, code, text, tag, to: &writer)
    case .identifier(let code, let which, let tag):
      let point = which == .meteringPoint
      let text = point ? identity.meteringPoint : identity.nordicMeter
      addText(point ? .meteringPoint : .meterNumber, code, text, tag, to: &writer)
    case .serial(let code):
      begin(code, 2, in: &writer)
      let before = writer.bytes.count
      writer.integer(AXDRWriter.Tag.uint32, Int64(identity.serialNumber))
      identifiers.append(
        SimulatedIdentifier(
          kind: .meterNumber, bytes: Array(writer.bytes[(before + 1)...]),
          text: String(identity.serialNumber)))
    case .clock(let code):
      guard let time else { return }
      begin(code, 2, in: &writer)
      writer.string(
        AXDRWriter.Tag.octetString, AXDRWriter.dateTime(time, form: layout.dateTimeForm))
    case .value(let field): addValue(field, state, to: &writer)
    }
  }

  private mutating func addValue(
    _ field: PushField, _ state: MeterState, to writer: inout AXDRWriter
  ) {
    let sent = field.number(for: state.value(for: field.code) ?? Decimal(mantissa: 0))
    begin(field.code, 3, in: &writer)
    writer.integer(field.tag, sent.number)
    if layout.shape == .described {
      writer.begin(AXDRWriter.Tag.structure, count: 2)
      writer.integer(AXDRWriter.Tag.int8, Int64(field.exponent))
      writer.integer(AXDRWriter.Tag.enumeration, Int64(field.unit.rawValue))
    }
    expected.append(
      ExpectedReading(
        code: field.code, value: sent.value, unit: field.unit, time: nil,
        isRequired: field.unit != .one))
  }

  private mutating func addText(
    _ kind: SimulatedIdentifier.Kind, _ code: OBISCode?, _ text: String, _ tag: UInt8,
    to writer: inout AXDRWriter
  ) {
    if let code { begin(code, 2, in: &writer) }
    writer.string(tag, Array(text.utf8))
    identifiers.append(SimulatedIdentifier(kind: kind, bytes: Array(text.utf8), text: text))
  }

  /// What stands before an element's value: its code, in a structure of `count` where described.
  private func begin(_ code: OBISCode, _ count: Int, in writer: inout AXDRWriter) {
    guard layout.shape != .positional else { return }
    if layout.shape == .described { writer.begin(AXDRWriter.Tag.structure, count: count) }
    writer.code(code)
  }
}
