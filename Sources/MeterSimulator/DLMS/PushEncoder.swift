import OBISDecoder

/// Writes a data-notification (tag 0x0F), ciphers it where the layout says so, and frames it.
struct PushEncoder {
  private typealias Tag = AXDRWriter.Tag

  private let layout: PushLayout
  private let identity: MeterIdentity
  private let time: MeterTime?
  private var expected: [ExpectedReading] = []
  private var identifiers: [SimulatedIdentifier] = []

  /// Makes the frames of `state`; `standardOffsetMinutes` becomes the deviation where it is sent,
  /// `counter` the invocation counter.
  static func frame(
    for state: MeterState, layout: PushLayout, identity: MeterIdentity,
    standardOffsetMinutes: Int16, counter: UInt32
  ) -> SimulatedFrame {
    var time = state.clock
    if layout.sendsDeviation, time?.offsetMinutes == nil, let season = time?.season {
      time?.offsetMinutes = standardOffsetMinutes + (season == .daylight ? 60 : 0)
    }
    var encoder = PushEncoder(layout: layout, identity: identity, time: time)
    let message = encoder.message(of: state)
    let sendsClock = layout.items.contains { if case .clock = $0 { true } else { false } }
    var frame = SimulatedFrame(
      bytes: [], content: message, expected: encoder.expected, identifiers: encoder.identifiers,
      meterTime: sendsClock || layout.headerTime != .none ? time : nil,
      hasChecksum: layout.transport.hasChecksum, family: layout.transport.family)
    let sealed = frame.seal(message, layout.cipher, identity, counter)
    for part in layout.transport.frames(of: sealed) {
      if !frame.bytes.isEmpty { frame.boundaries.append(frame.bytes.count) }
      frame.bytes += part
    }
    return frame
  }

  private init(layout: PushLayout, identity: MeterIdentity, time: MeterTime?) {
    self.layout = layout
    self.identity = identity
    self.time = time
  }

  private mutating func message(of state: MeterState) -> [UInt8] {
    var writer = AXDRWriter()
    writer.raw([0x0F])
    for shift in [UInt32(24), 16, 8, 0] {
      writer.raw([UInt8(truncatingIfNeeded: layout.invokeID >> shift)])
    }
    addHeaderTime(to: &writer)
    let items = layout.items.filter { isPresent($0, in: state) }
    switch layout.shape {
    case .described: writer.begin(layout.container, count: items.count)
    case .attributes:
      writer.begin(Tag.structure, count: 2)
      writer.integer(Tag.enumeration, 1)
      writer.begin(Tag.array, count: items.count)
    default: writer.begin(Tag.structure, count: items.reduce(0) { $0 + elements(of: $1) })
    }
    for item in items { add(item, state, to: &writer) }
    return writer.bytes
  }

  private func addHeaderTime(to writer: inout AXDRWriter) {
    guard let time, layout.headerTime != .none else { return writer.raw([0x00]) }
    if layout.headerTime == .tagged { writer.raw([Tag.octetString]) }
    let octets = AXDRWriter.dateTime(time, form: layout.dateTimeForm)
    writer.raw([UInt8(octets.count)] + octets)
  }

  /// A position may not be left out; elsewhere a missing value makes the element missing.
  private func isPresent(_ item: PushItem, in state: MeterState) -> Bool {
    switch item {
    case .value(let field):
      layout.shape == .positional || layout.shape == .objects
        || state.value(for: field.code) != nil
    case .clock: time != nil || layout.shape == .objects
    default: true
    }
  }

  /// How many elements of the outer structure an item is.
  private func elements(of item: PushItem) -> Int {
    switch layout.shape {
    case .mixed: if case .clock = item { 2 } else { 1 }
    case .pairs, .flat:
      if case .value = item, layout.shape == .flat {
        3
      } else {
        object(of: item).code == nil ? 1 : 2
      }
    default: 1
    }
  }

  private mutating func add(_ item: PushItem, _ state: MeterState, to writer: inout AXDRWriter) {
    begin(item, in: &writer)
    switch item {
    case .version(_, let text, let tag), .type(_, let text, let tag):
      addText(.meterType, Array(text.utf8), text, tag, to: &writer)
    case .identifier(_, let which, let tag):
      let text = identity.text(of: which)
      var kind = SimulatedIdentifier.Kind.meterNumber
      if case .meteringPoint = which { kind = .meteringPoint }
      addText(kind, Array(text.utf8), text, tag, to: &writer)
    case .serial:
      let before = writer.bytes.count
      writer.integer(Tag.uint32, Int64(identity.serialNumber))
      identifiers.append(
        SimulatedIdentifier(
          kind: .meterNumber, bytes: Array(writer.bytes[(before + 1)...]),
          text: String(identity.serialNumber)))
    case .clock: writer.string(Tag.octetString, dateTime[0..<12])
    case .clockTime: writer.string(Tag.octetString, dateTime[5..<9])
    case .clockDate: writer.string(Tag.octetString, dateTime[0..<5])
    case .value(let field): addValue(field, state, to: &writer)
    case .scaler(let field): addScaler(field, to: &writer)
    case .objectList:
      writer.begin(Tag.array, count: layout.items.count)
      for item in layout.items { addObject(item, to: &writer) }
    case .name(let code): writer.code(code)
    case .state(let code, let number, let tag):
      writer.integer(tag, number)
      if let code { expect(code, Decimal(mantissa: number), .one, required: false) }
    case .tariff(_, let text, let tag): writer.string(tag, text[...])
    case .empty: writer.string(Tag.octetString, [])
    }
  }

  private var dateTime: [UInt8] {
    guard let time else { return [UInt8](repeating: 0xFF, count: 12) }
    return AXDRWriter.dateTime(time, form: layout.dateTimeForm)
  }

  private mutating func addValue(
    _ field: PushField, _ state: MeterState, to writer: inout AXDRWriter
  ) {
    let sent = field.number(for: state.value(for: field.code) ?? Decimal(mantissa: 0))
    writer.integer(field.tag, sent.number)
    switch layout.shape {
    case .described, .mixed, .flat: addScaler(field, to: &writer)
    default: break
    }
    // In a list without codes nothing on a phase may mean that the grid does not have it.
    let isAbsent =
      layout.shape == .positional && sent.number == 0
      && (field.unit == .volt || field.unit == .ampere)
    expect(
      field.code, sent.value, field.unit,
      required: field.unit != .one && field.isTold && !isAbsent)
  }

  private func addScaler(_ field: PushField, to writer: inout AXDRWriter) {
    writer.begin(Tag.structure, count: 2)
    writer.integer(Tag.int8, Int64(field.exponent))
    writer.integer(Tag.enumeration, Int64(field.unit.rawValue))
  }

  private mutating func addText(
    _ kind: SimulatedIdentifier.Kind, _ bytes: [UInt8], _ text: String, _ tag: UInt8,
    to writer: inout AXDRWriter
  ) {
    writer.string(tag, bytes[...])
    identifiers.append(SimulatedIdentifier(kind: kind, bytes: bytes, text: text))
  }

  private mutating func expect(
    _ code: OBISCode, _ value: Decimal, _ unit: Unit, required: Bool
  ) {
    expected.append(
      ExpectedReading(code: code, value: value, unit: unit, time: nil, isRequired: required))
  }

  // MARK: Objects

  /// What stands before an item's value: by shape nothing, its code, or its whole description.
  private func begin(_ item: PushItem, in writer: inout AXDRWriter) {
    let object = object(of: item)
    switch layout.shape {
    case .positional, .objects: break
    case .pairs, .flat: if let code = object.code { writer.code(code) }
    case .described, .mixed:
      var isValue = false
      if case .value = item { isValue = true }
      var isOpen = layout.shape == .mixed
      if case .clock = item {} else { isOpen = false }
      if !isOpen { writer.begin(Tag.structure, count: isValue ? 3 : 2) }
      if let code = object.code { writer.code(code) }
    case .attributes:
      guard let code = object.code else { return }
      writer.begin(Tag.structure, count: 2)
      writer.raw([0, object.classID] + AXDRWriter.octets(of: code) + [object.attribute])
    }
  }

  private func addObject(_ item: PushItem, to writer: inout AXDRWriter) {
    let object = object(of: item)
    guard let code = object.code else { return }
    writer.begin(Tag.structure, count: 4)
    writer.integer(Tag.uint16, Int64(object.classID))
    writer.code(code)
    writer.integer(Tag.int8, Int64(object.attribute))
    writer.integer(Tag.uint16, 0)
  }

  /// The COSEM object behind an item: its class, code and attribute (Blue Book, "interface classes").
  private func object(of item: PushItem) -> (classID: UInt8, code: OBISCode?, attribute: UInt8) {
    switch item {
    case .version(let code, _, _), .identifier(let code, _, _), .tariff(let code, _, _):
      (1, code, 2)
    case .serial(let code), .type(let code, _, _): (1, code, 2)
    case .clock(let code): (8, code, 2)
    case .value(let field): field.code.a == 0 ? (71, field.code, 3) : (3, field.code, 2)
    case .scaler(let field): (3, field.code, 3)
    case .objectList(let code): (40, code, 2)
    case .name(let code): (40, layout.shape == .objects ? code : nil, 1)
    case .state(let code, _, _): (70, code, 3)
    case .clockTime, .clockDate, .empty: (1, nil, 2)
    }
  }
}
