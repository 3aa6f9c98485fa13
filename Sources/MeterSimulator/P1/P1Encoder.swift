import OBISDecoder

/// Writes P1 telegrams: identification, blank line, data lines, `!`, CRC-16 (DSMR P1 5.0.2 §6.2),
/// ciphered as a whole where the layout says so (Smarty P1 specification 1.1.3).
struct P1Encoder {
  private let identity: MeterIdentity
  private let form: P1Form
  private var bytes: [UInt8] = []
  private var expected: [ExpectedReading] = []
  private var identifiers: [SimulatedIdentifier] = []

  /// Makes the telegram of `state`.
  static func frame(
    for state: MeterState, layout: P1Layout, identity: MeterIdentity, counter: UInt32
  ) -> SimulatedFrame {
    var encoder = P1Encoder(identity: identity, form: layout.form)
    encoder.add("/" + layout.identification + layout.form.lineEnd + layout.form.lineEnd)
    encoder.identifiers.append(
      SimulatedIdentifier(
        kind: .meterType, bytes: Array(layout.identification.utf8), text: layout.identification))
    for item in layout.items { encoder.add(item, of: state) }
    encoder.add("!")
    if layout.hasChecksum { encoder.addChecksum() }
    encoder.add(layout.form.lineEnd)
    let sendsClock = layout.items.contains { if case .clock = $0 { true } else { false } }
    let isBare = layout.cipher != nil && !layout.introducesCipher
    var frame = SimulatedFrame(
      bytes: [], content: encoder.bytes, expected: encoder.expected,
      identifiers: encoder.identifiers, meterTime: sendsClock ? state.clock : nil,
      hasChecksum: layout.hasChecksum, family: isBare ? "apdu" : "p1")
    let sealed = frame.seal(encoder.bytes, layout.cipher, identity, counter)
    let lead = layout.introducesCipher ? "/" + layout.identification + "\r\n\r\n" : ""
    frame.bytes = Array(lead.utf8) + sealed
    return frame
  }

  private init(identity: MeterIdentity, form: P1Form) {
    self.identity = identity
    self.form = form
  }

  private mutating func addChecksum() {
    var text = P1Checksum.text(of: bytes)
    if form.shortChecksum { while text.count > 1, text.first == "0" { text.removeFirst() } }
    add(form.lowerCaseChecksum ? text.lowercased() : text)
    bytes += form.behindChecksum
  }

  private mutating func add(_ item: P1Item, of state: MeterState) {
    switch item {
    case .value(let field): addValue(field, state)
    case .version(let code, let text):
      line(code, [text])
      identify(.meterType, text, as: text)
    case .clock: line(OBISCode(0, 0, 1, 0, 0), [P1Text.stamp(state.clock)])
    case .identifier(let code, let which, let isHex): addIdentifier(code, which, isHex)
    case .message(let code): addMessage(code, state.message)
    case .messageCode(let code): addMessage(code, state.messageCode)
    case .empty(let code): line(code, [""])
    case .failures: addFailures(state.failures)
    case .monthPeak: addMonthPeak(state.monthPeak)
    case .peaks: addPeaks(state.peaks)
    case .billing(let fields): addBilling(fields, state)
    case .limits(let code): addLimits(code, state)
    case .subMeters(let style):
      for meter in state.subMeters { add(meter, style) }
    }
  }

  // MARK: Lines

  private mutating func addValue(_ field: P1Field, _ state: MeterState) {
    guard let value = state.value(for: field.code) else { return }
    let printed = field.print(value)
    line(field.code, [printed.text])
    expect(field.code, printed.value, field.unit, required: field.unit != .one)
  }

  private mutating func addIdentifier(_ code: OBISCode, _ which: P1Identity, _ isHex: Bool) {
    let kind: SimulatedIdentifier.Kind = which == .meteringPoint ? .meteringPoint : .meterNumber
    let text =
      switch which {
      case .dutchMeter: identity.dutchMeter
      case .meter: identity.meter
      case .nordicMeter: identity.nordicMeter
      case .meteringPoint: identity.meteringPoint
      }
    let printed = isHex ? P1Text.hex(Array(text.utf8)) : text
    line(code, [printed])
    identify(kind, printed, as: text)
  }

  private mutating func addMessage(_ code: OBISCode, _ message: [UInt8]) {
    let printed = P1Text.hex(message)
    line(code, [printed])
    guard !message.isEmpty else { return }
    identify(.message, printed, as: String(decoding: message, as: UTF8.self))
  }

  private mutating func addFailures(_ failures: [PowerFailure]) {
    let code = OBISCode(1, 0, 99, 97, 0)
    guard !failures.isEmpty else { return line(code, [""]) }
    var parts = [String(failures.count), "0-0:96.7.19"]
    for failure in failures {
      parts.append(P1Text.stamp(failure.ended))
      parts.append(FixedPoint.padded(failure.seconds, 10) + "*s")
      expect(
        code, Decimal(mantissa: failure.seconds), .second, time: failure.ended, required: true)
    }
    line(code, parts)
  }

  private mutating func addMonthPeak(_ peak: DemandPeak?) {
    guard let peak else { return }
    let code = OBISCode(1, 0, 1, 6, 0)
    let printed = P1Field(code, 2, 3, "kW").print(Decimal(mantissa: peak.watts))
    line(code, [P1Text.stamp(peak.reached), printed.text])
    // A peak that was never reached is none; meters send zero and an impossible date for it.
    expect(code, printed.value, .watt, time: peak.reached, required: peak.reached != nil)
  }

  private mutating func addPeaks(_ peaks: [DemandPeak]) {
    let code = OBISCode(0, 0, 98, 1, 0)
    guard !peaks.isEmpty else { return line(code, ["0", "1-0:1.6.0", "1-0:1.6.0", ""]) }
    var parts = [String(peaks.count), "1-0:1.6.0", "1-0:1.6.0"]
    for peak in peaks {
      let printed = P1Field(code, 2, 3, "kW").print(Decimal(mantissa: peak.watts))
      parts += [P1Text.stamp(peak.closed), P1Text.stamp(peak.reached), printed.text]
      expect(code, printed.value, .watt, time: peak.reached, required: peak.reached != nil)
    }
    line(code, parts)
  }

  private mutating func addBilling(_ fields: [P1Field], _ state: MeterState) {
    guard let closed = state.billingTime, state.billing.count == fields.count else { return }
    let code = OBISCode(0, 0, 98, 1, 0)
    var parts = [P1Text.stamp(closed)]
    for (field, value) in zip(fields, state.billing) {
      let printed = field.print(value)
      parts.append(printed.text)
      expect(code, printed.value, field.unit, time: closed, required: false)
    }
    line(code, parts)
  }

  private mutating func addLimits(_ code: OBISCode, _ state: MeterState) {
    guard let limit = state.value(for: code) else { return }
    let imported = P1Field(code, 3, 0, "A").print(limit)
    let exported = P1Field(code, 3, 0, "A").print(
      Decimal(mantissa: -limit.mantissa, exponent: limit.exponent))
    line(code, [imported.text, exported.text])
    expect(code, imported.value, .ampere, required: true)
    expect(code, exported.value, .ampere, required: false)
  }

  // MARK: Sub-meters

  private mutating func add(_ meter: SubMeterState, _ style: P1SubMeterStyle) {
    let channel = meter.channel
    let type = FixedPoint.padded(Int64(meter.deviceType), style == .continued ? 1 : 3)
    let typeCode = OBISCode(0, channel, 24, 1, 0)
    line(typeCode, [type])
    expect(typeCode, Decimal(mantissa: Int64(meter.deviceType)), .one, required: false)
    let number = OBISCode(0, channel, 96, 1, style == .belgian ? 1 : 0)
    addNumber(number, .subMeterNumber, meter.number)
    if style == .belgian, let point = meter.meteringPoint {
      addNumber(OBISCode(0, channel, 96, 1, 2), .meteringPoint, point)
    }
    if style == .belgian { addValve(meter) }
    if style == .continued {
      addContinued(meter)
    } else {
      addSubMeterValue(meter, e: style == .belgian && meter.deviceType == 3 ? 3 : 1)
    }
    if style == .luxembourgish { addValve(meter) }
  }

  private mutating func addNumber(
    _ code: OBISCode, _ kind: SimulatedIdentifier.Kind, _ number: String?
  ) {
    let printed = P1Text.hex(Array((number ?? "").utf8))
    line(code, [printed])
    if let number { identify(kind, printed, as: number) }
  }

  private mutating func addValve(_ meter: SubMeterState) {
    guard let valve = meter.valve else { return }
    let code = OBISCode(0, meter.channel, 24, 4, 0)
    line(code, [String(valve)])
    expect(code, Decimal(mantissa: Int64(valve)), .one, required: false)
  }

  private mutating func addSubMeterValue(_ meter: SubMeterState, e: UInt8) {
    let code = OBISCode(0, meter.channel, 24, 2, e)
    guard let value = meter.value else {
      // What an empty slot sends: a date before its time and a value without unit.
      return line(code, ["700101010000W", "00000000"])
    }
    guard let time = meter.time else { return line(code, ["632525252525W", "00000.000"]) }
    let field = P1Text.subMeterField(code, deviceType: meter.deviceType)
    let printed = field.print(value)
    line(code, [P1Text.stamp(time), printed.text])
    expect(code, printed.value, field.unit, time: time, required: true)
  }

  private mutating func addContinued(_ meter: SubMeterState) {
    let code = OBISCode(0, meter.channel, 24, 3, 0)
    guard let value = meter.value, let time = meter.time else { return }
    let field = P1Text.subMeterField(code, deviceType: meter.deviceType)
    let printed = field.print(value)
    let inner = "0-\(meter.channel):24.2.1"
    let stamp = String(P1Text.stamp(time).dropLast())
    line(code, [stamp, "00", "60", "1", inner, field.suffix])
    add("(" + (printed.text.split(separator: "*").first ?? "") + ")" + form.lineEnd)
    var captured = time
    captured.season = .unspecified
    // The line names the register that was captured: the value is that one's.
    let register = OBISCode(0, meter.channel, 24, 2, 1)
    expect(register, printed.value, field.unit, time: captured, required: true)
  }

  // MARK: Parts

  private mutating func add(_ text: String) { bytes += Array(text.utf8) }

  private mutating func line(_ code: OBISCode, _ parts: [String]) {
    add("\(code.a)-\(code.b):\(code.c).\(code.d).\(code.e)")
    if form.sendsGroupF { add("*255") }
    for part in parts { add("(" + part + ")") }
    add(form.lineEnd)
  }

  private mutating func expect(
    _ code: OBISCode, _ value: Decimal, _ unit: Unit, time: MeterTime? = nil, required: Bool
  ) {
    expected.append(
      ExpectedReading(code: code, value: value, unit: unit, time: time, isRequired: required))
  }

  private mutating func identify(
    _ kind: SimulatedIdentifier.Kind, _ printed: String, as text: String
  ) {
    identifiers.append(
      SimulatedIdentifier(kind: kind, bytes: Array(printed.utf8), text: text))
  }
}
