/// One data set of a readout: its code and what the groups behind it are.
///
/// A reduced code leaves out the medium: the unit has to bear out that it is electricity. Heat meters
/// use the same shape for other things (Landis+Gyr and Siemens 2WR5, UH50, operating instructions,
/// "data readout": 6.8 energy, 6.26 volume, 9.20 device number, 9.21 owner's number; *01 at the last
/// set day). Those two values get the Blue Book's codes for heat, 6-0:1.0.0 (energy) and 6-0:2.0.0
/// (volume); all else that such a meter sends is left alone.
struct D0DataSet {
  var name: D0Code
  /// The first set of a code counts: this one delivers no reading.
  var isDuplicate: Bool

  /// Whether the groups are the meter's clock: 0.9.1, 0.9.2 or 0.9.4.
  var isClock: Bool {
    let code = name.code
    return code.a <= 1 && code.c == 0 && code.d == 9 && (code.e == 1 || code.e == 2 || code.e == 4)
      && code.f == 255
  }

  private var meaning: P1Meaning {
    let code = name.code
    if name.isReduced, code.c == 9, code.d == 20 || code.d == 21, !name.hasE {
      return .text(.meterNumber, isOctets: false)
    }
    return P1Meaning(of: code)
  }

  /// Delivers what the groups say.
  func read<Sink: FrameSink & ~Copyable>(
    _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    let line = P1Line(code: name.code, meaning: meaning, isDuplicate: isDuplicate)
    let moment = self.moment(line.meaning, groups, bytes)
    while let group = groups.next(in: bytes) {
      let text = Self.trimmed(bytes, group)
      guard !text.isEmpty, group != moment.range else { continue }
      if case .text(let kind, _) = line.meaning {
        P1Text.hide(kind, line.code, bytes, in: group, isOctets: false, to: &sink)
      } else if case .number(let value, let unit) = P1Value(parsing: bytes, in: text),
        name.isReduced
      {
        reading(value, unit, line, moment.time, bytes, in: text, to: &sink)
      } else if case .quantity = line.meaning,
        let (value, unit) = Self.spaced(bytes, in: text)
      {
        reading(value, unit, line, moment.time, bytes, in: text, to: &sink)
      } else {
        line.value(moment.time, name.code.medium, bytes, in: text, to: &sink)
        hide(text, line, bytes, to: &sink)
      }
    }
  }

  /// A number and its unit behind one blank, `000000.4 kWh`, as Iskra MT171 has them for '*'; nil for
  /// anything else.
  ///
  /// Three public programs that read this meter print its lines so, independently of each other:
  /// `1-0:1.8.0*255(000000.4 kWh)` of an MT171-0222, and `(0000000 kWh)`.
  private static func spaced(
    _ bytes: Span<UInt8>, in range: Range<Int>
  ) -> (value: Decimal, unit: Unit)? {
    let blank = bytes.place(of: UInt8(ascii: " "), in: range)
    guard blank < range.upperBound,
      let number = Decimal(parsing: bytes, in: range.lowerBound..<blank),
      let (unit, power) = Unit.parse(bytes, in: blank + 1..<range.upperBound),
      let value = number.shifted(by: power)
    else { return nil }
    return (value, unit)
  }

  /// Hides text where a reduced code promises a number: a heat meter's 9.6 holds its owner's number.
  private func hide<Sink: FrameSink & ~Copyable>(
    _ range: Range<Int>, _ line: P1Line, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    guard name.isReduced, case .quantity = line.meaning,
      case .text = P1Value(parsing: bytes, in: range)
    else { return }
    line.secret(bytes, in: range, to: &sink)
  }

  /// The group behind the first that says when a value was measured, and the moment.
  private func moment(
    _ meaning: P1Meaning, _ groups: P1Groups, _ bytes: Span<UInt8>
  ) -> (range: Range<Int>, time: MeterTime?) {
    guard case .quantity = meaning else { return (0..<0, nil) }
    var walk = groups
    _ = walk.next(in: bytes)
    while let group = walk.next(in: bytes) {
      if let time = D0Time.moment(parsing: bytes, in: Self.trimmed(bytes, group)) {
        return (group, time)
      }
    }
    return (0..<0, nil)
  }

  /// Delivers a value under a reduced code, where the unit is one that the code's quantity has.
  private func reading<Sink: FrameSink & ~Copyable>(
    _ value: Decimal, _ unit: Unit, _ line: P1Line, _ time: MeterTime?, _ bytes: Span<UInt8>,
    in range: Range<Int>, to sink: inout Sink
  ) {
    var line = line
    var medium = Medium.electricity
    if let heat = heatCode(unit) {
      line.code = heat
      medium = .thermal
    } else if case .quantity(let known) = line.meaning, known.kind != unit.kind {
      sink.problem(DecodeError(.malformedValue, at: range.lowerBound), in: bytes)
      return
    }
    line.reading(value, unit, time, medium, bytes, in: range, to: &sink)
  }

  /// The heat meter's code, where code and unit say that it is one of the two known.
  private func heatCode(_ unit: Unit) -> OBISCode? {
    guard name.code.c == 6, !name.hasE else { return nil }
    return switch (name.code.d, unit) {
    case (8, .wattHour), (8, .joule): OBISCode(6, 0, 1, 0, 0, name.code.f)
    case (26, .cubicMetre): OBISCode(6, 0, 2, 0, 0, name.code.f)
    default: nil
    }
  }

  /// `range` without the blanks that meters fill up numbers with.
  static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, bytes[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return start..<end
  }
}

extension Unit {
  /// The unit, with power for the energy of the same kind: peaks and profiles have either.
  fileprivate var kind: Unit {
    switch self {
    case .wattHour: .watt
    case .voltAmpereHour: .voltAmpere
    case .reactiveVoltAmpereHour: .reactiveVoltAmpere
    default: self
    }
  }
}
