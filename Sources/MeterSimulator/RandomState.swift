import OBISDecoder

/// Frames with random content, for property tests: every digit, every optional line, odd firmware.
///
/// What varies stays inside what the standards allow or recorded meters send: number of digits and
/// decimals, unit prefixes, absent lines, sub-meters on any channel with any device type, empty
/// slots, long messages, failure logs, peak histories; in push lists scalers and types where the
/// list describes them, header times, HDLC addresses.
public struct RandomState: Sendable {
  var random: RandomSource
  /// Invocation counter of the last frame.
  private var counter: UInt32 = 0

  /// Starts the sequence of `seed`.
  public init(seed: UInt64) { random = RandomSource(seed: seed) }

  /// The next random frame of a model.
  public mutating func frame(of model: MeterModel) -> SimulatedFrame {
    frame(of: model, withOtherIdentity: false)
  }

  /// The same frame, of a meter with other identifiers where `withOtherIdentity`.
  mutating func frame(of model: MeterModel, withOtherIdentity: Bool) -> SimulatedFrame {
    let seed = random.next()
    let identity = MeterIdentity(seed: withOtherIdentity ? ~seed : seed)
    var frame = random.pick(model.schedule)
    counter &+= UInt32(truncatingIfNeeded: random.integer(in: 1...100_000))
    let state: MeterState
    switch frame.layout {
    case .p1(let layout):
      let varied = varied(layout)
      frame.layout = .p1(varied)
      state = self.state(for: varied)
    case .push(let layout):
      let varied = varied(layout)
      frame.layout = .push(varied)
      state = self.state(for: varied)
    case .sml(let layout):
      let varied = varied(layout)
      frame.layout = .sml(varied)
      state = self.state(for: varied)
    case .d0(let layout):
      let varied = varied(layout)
      frame.layout = .d0(varied)
      state = self.state(for: varied)
    }
    return frame.frame(for: state, identity: identity, clock: .central, counter: counter)
  }

  // MARK: P1

  /// The layout as another firmware might have it: some lines missing, numbers of another shape.
  private mutating func varied(_ layout: P1Layout) -> P1Layout {
    var layout = layout
    layout.form.lineEnd = random.chance(oneIn: 12) ? "\n" : "\r\n"
    layout.form.lowerCaseChecksum = random.chance(oneIn: 12)
    layout.form.shortChecksum = random.chance(oneIn: 4)
    layout.form.sendsGroupF = random.chance(oneIn: 20)
    if layout.hasChecksum, random.chance(oneIn: 20) { layout.form.behindChecksum = [0] }
    let dropsLines = random.chance(oneIn: 2)
    layout.items = layout.items.compactMap { item in
      if case .clock = item { return item }
      if dropsLines, random.chance(oneIn: 6) { return nil }
      guard case .value(var field) = item, field.unit != .one, random.chance(oneIn: 4) else {
        return item
      }
      field.digits = Int(random.integer(in: 1...9))
      field.decimals = Int(random.integer(in: 0...6))
      field.suffix = random.pick(
        RandomState.suffixes.filter { P1Field.units[$0]?.unit == field.unit })
      return .value(field)
    }
    return layout
  }

  /// Units in a fixed order (a dictionary's order differs from run to run).
  private static let suffixes = P1Field.units.keys.sorted()

  private mutating func state(for layout: P1Layout) -> MeterState {
    var state = MeterState()
    state.clock = time(withSeason: true)
    for item in layout.items {
      switch item {
      case .value(let field):
        state.values[field.code] = Decimal(
          mantissa: number(upTo: field.largest, signed: field.isSigned), exponent: field.exponent)
      case .limits(let code):
        state.values[code] = Decimal(mantissa: random.integer(in: 0...999))
      case .billing(let fields):
        state.billing = fields.map {
          Decimal(mantissa: number(upTo: $0.largest, signed: false), exponent: $0.exponent)
        }
        state.billingTime = time(withSeason: true)
      case .message: state.message = message()
      case .messageCode: state.messageCode = Array(digits(upTo: 8).utf8)
      case .failures: state.failures = failures()
      case .monthPeak: state.monthPeak = peak(isClosed: false)
      case .peaks:
        for _ in 0..<random.integer(in: 0...13) { state.peaks.append(peak(isClosed: true)) }
      case .subMeters(let style): state.subMeters = subMeters(style)
      default: break
      }
    }
    return state
  }

  private mutating func message() -> [UInt8] {
    let length: Int64 =
      switch random.integer(in: 0...9) {
      case 0...4: 0
      case 5...8: random.integer(in: 1...80)
      default: random.integer(in: 81...1024)
      }
    let isText = random.chance(oneIn: 2)
    return (0..<length).map { _ in
      isText ? UInt8(random.integer(in: 32...126)) : UInt8(random.integer(in: 0...255))
    }
  }

  private mutating func digits(upTo count: Int64) -> String {
    random.digits(Int(random.integer(in: 0...count)))
  }

  private mutating func failures() -> [PowerFailure] {
    var log: [PowerFailure] = []
    for _ in 0..<random.integer(in: 0...10) {
      guard let ended = time(withSeason: true) else { continue }
      // 2147483647 is what meters log for a failure before their first clock setting.
      let seconds = random.chance(oneIn: 8) ? 2_147_483_647 : random.integer(in: 0...9_999_999_999)
      log.append(PowerFailure(ended: ended, seconds: seconds))
    }
    return log
  }

  private mutating func peak(isClosed: Bool) -> DemandPeak {
    let reached = random.chance(oneIn: 8) ? nil : time(withSeason: true)
    return DemandPeak(
      closed: isClosed ? time(withSeason: true) : nil, reached: reached,
      watts: reached == nil ? 0 : random.integer(in: 0...99_999))
  }

  private mutating func subMeters(_ style: P1SubMeterStyle) -> [SubMeterState] {
    var meters: [SubMeterState] = []
    for channel in UInt8(1)...4 where random.chance(oneIn: 2) {
      var meter = SubMeterState(
        channel: channel, deviceType: random.pick([2, 3, 3, 3, 4, 6, 7, 7, 9, 10, 12, 13, 15]))
      if !random.chance(oneIn: 8) { meter.number = "G0099" + random.digits(12) }
      if random.chance(oneIn: 2) { meter.meteringPoint = "87169001" + random.digits(10) }
      if !random.chance(oneIn: 8) { meter.time = time(withSeason: true) }
      if random.chance(oneIn: 2) { meter.valve = UInt8(random.integer(in: 0...1)) }
      if !random.chance(oneIn: 6) {
        let field = P1Text.subMeterField(OBISCode(0, 1, 24, 2, 1), deviceType: meter.deviceType)
        meter.value = Decimal(
          mantissa: number(upTo: field.largest, signed: false), exponent: field.exponent)
      }
      meters.append(meter)
    }
    return meters
  }

  // MARK: Push lists

  private mutating func varied(_ layout: PushLayout) -> PushLayout {
    var layout = layout
    layout.invokeID = UInt32(truncatingIfNeeded: random.next())
    layout.dateTimeForm.sendsWeekday = random.chance(oneIn: 2)
    layout.dateTimeForm.hundredths =
      random.chance(oneIn: 2) ? 0xFF : UInt8(random.integer(in: 0...99))
    layout.dateTimeForm.status = random.pick([nil, nil, 0xFF])
    layout.sendsDeviation = random.chance(oneIn: 2)
    vary(&layout.transport)
    if layout.headerTime == .plain, random.chance(oneIn: 2) { layout.headerTime = .tagged }
    guard [.described, .mixed, .flat].contains(layout.shape) else {
      if layout.shape == .pairs, random.chance(oneIn: 6) { widenRegisters(of: &layout) }
      return layout
    }
    let isList = layout.items.count > 1
    layout.items = layout.items.compactMap { item in
      guard case .value(var field) = item else { return item }
      if isList, random.chance(oneIn: 12) { return nil }
      guard random.chance(oneIn: 3) else { return item }
      typealias Tag = AXDRWriter.Tag
      field.tag = random.pick([
        Tag.int8, Tag.int16, Tag.int32, Tag.int64, Tag.uint8, Tag.uint16, Tag.uint32, Tag.uint64,
      ])
      field.exponent = Int8(random.integer(in: -4...4))
      return .value(field)
    }
    return layout
  }

  /// Other addresses, and frames of other lengths: a message then is cut somewhere else.
  private mutating func vary(_ transport: inout PushTransport) {
    let other: [[UInt8]] = [[0x03, 0x21], [0x41, 0x02, 0x04, 0x06, 0x09]]
    switch transport {
    case .hdlc(let address, let control):
      transport = .hdlc(address: random.pick([address] + other), control: control)
    case .segments(let address, let control, let length):
      transport = .segments(
        address: random.pick([address] + other), control: control,
        information: Int(random.pick([Int64(length), random.integer(in: 40...400)])))
    case .blocks(let address, let control, let length):
      transport = .blocks(
        address: random.pick([address] + other), control: control,
        information: Int(random.pick([Int64(length), random.integer(in: 60...140)])))
    case .mbus(let length) where length < 256:
      transport = .mbus(length: Int(random.pick([Int64(length), random.integer(in: 100...255)])))
    case .mbus, .llc, .bare: break
    }
  }

  /// Registers of 64 bits, as Kaifa's MA304T4 sends them.
  private func widenRegisters(of layout: inout PushLayout) {
    layout.items = layout.items.map { item in
      guard case .value(var field) = item, field.code.d == 8 else { return item }
      field.tag = AXDRWriter.Tag.uint64
      return .value(field)
    }
  }

  private mutating func state(for layout: PushLayout) -> MeterState {
    var state = MeterState()
    state.clock = time(withSeason: layout.dateTimeForm.status == nil)
    if layout.sendsDeviation {
      state.clock?.offsetMinutes = Int16(random.integer(in: -48...56) * 15)
    }
    for case .value(let field) in layout.items {
      let range = AXDRWriter.range(of: field.tag)
      let isNegative = range.lowerBound < 0 && random.chance(oneIn: 2)
      let magnitude = number(
        upTo: isNegative ? -(range.lowerBound + 1) : range.upperBound, signed: false)
      state.values[field.code] = Decimal(
        mantissa: isNegative ? -magnitude : magnitude, exponent: field.exponent)
    }
    return state
  }

  // MARK: Numbers and times

  /// A number of 0…largest: at times an end of the range, else of any number of digits.
  mutating func number(upTo largest: Int64, signed: Bool) -> Int64 {
    var bound = largest
    switch random.integer(in: 0...11) {
    case 0: return 0
    case 1: return largest
    case 2: bound = min(largest, 9)
    case 3...5: bound = min(largest, FixedPoint.power(Int(random.integer(in: 1...18))))
    default: break
    }
    let number = random.integer(in: 0...bound)
    return signed && random.chance(oneIn: 2) ? -number : number
  }

  /// A time of the years 2010…2062.
  ///
  /// P1 has two digits for the year, and 63 and 70 begin the dates that stand for none.
  private mutating func time(withSeason: Bool) -> MeterTime? {
    let year = UInt16(random.integer(in: 2010...2062))
    let month = UInt8(random.integer(in: 1...12))
    let last = Int64(MeterTime.days(in: month, of: year))
    return MeterTime(
      year: year, month: month, day: UInt8(random.integer(in: 1...last)),
      hour: UInt8(random.integer(in: 0...23)), minute: UInt8(random.integer(in: 0...59)),
      second: UInt8(random.integer(in: 0...59)),
      season: !withSeason ? .unspecified : random.chance(oneIn: 2) ? .daylight : .standard,
      offsetMinutes: nil)
  }
}
