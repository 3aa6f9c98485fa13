/// One data line: its code, what that means, and whether the telegram had the code before.
struct P1Line {
  var code: OBISCode
  var meaning: P1Meaning
  /// The first line of a code counts: this one delivers no reading.
  var isDuplicate: Bool

  /// Delivers what the groups say: values with the one time that stands before or behind them.
  func values<Sink: FrameSink & ~Copyable>(
    _ groups: inout P1Groups, _ medium: Medium, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    var rest = groups
    guard let first = rest.next(in: bytes) else {
      groups = rest
      return
    }
    guard rest.position < bytes.count, bytes[rest.position] == UInt8(ascii: "(") else {
      groups = rest
      values(nil, medium, bytes, in: first, to: &sink)
      return
    }
    let stamp = timeGroup(groups, bytes)
    let time = stamp.isEmpty ? nil : P1Text.time(bytes, in: stamp, to: &sink)
    while let group = groups.next(in: bytes) {
      guard stamp.isEmpty || group != stamp else { continue }
      values(time, medium, bytes, in: group, to: &sink)
    }
  }

  /// Delivers the one value of a group, or the two on either side of a comma.
  @inline(__always)
  private func values<Sink: FrameSink & ~Copyable>(
    _ time: MeterTime?, _ medium: Medium, _ bytes: Span<UInt8>, in group: Range<Int>,
    to sink: inout Sink
  ) {
    if case .number(let value, let unit) = P1Value(parsing: bytes, in: group) {
      reading(value, unit, time, medium, bytes, in: group, to: &sink)
      return
    }
    let comma = P1Text.comma(bytes, in: group)
    value(time, medium, bytes, in: group.lowerBound..<comma, to: &sink)
    guard comma < group.upperBound else { return }
    value(time, medium, bytes, in: comma + 1..<group.upperBound, to: &sink)
  }

  /// Finds the group that is a time, among two or more; empty if none is.
  ///
  /// Twelve digits without W or S count only where the code stands for a measured value: under an
  /// unknown code they may be somebody's number.
  private func timeGroup(_ groups: P1Groups, _ bytes: Span<UInt8>) -> Range<Int> {
    var walk = groups
    guard let first = walk.next(in: bytes) else { return 0..<0 }
    var group = walk.next(in: bytes)
    guard group != nil else { return 0..<0 }
    if isTime(bytes, in: first) { return first }
    while let candidate = group {
      if isTime(bytes, in: candidate) { return candidate }
      group = walk.next(in: bytes)
    }
    return 0..<0
  }

  private func isTime(_ bytes: Span<UInt8>, in group: Range<Int>) -> Bool {
    guard P1Time(parsing: bytes, in: group) != nil else { return false }
    return group.count == 13 || meaning != .unknown
  }

  /// Delivers what one group, or one half of it, says.
  func value<Sink: FrameSink & ~Copyable>(
    _ time: MeterTime?, _ medium: Medium, _ bytes: Span<UInt8>, in range: Range<Int>,
    to sink: inout Sink
  ) {
    switch P1Value(parsing: bytes, in: range) {
    case .empty: break
    case .number(let value, let unit):
      reading(value, unit, time, medium, bytes, in: range, to: &sink)
    case .plain(let value): plain(value, time, medium, bytes, in: range, to: &sink)
    case .problem(let error): sink.problem(error, in: bytes)
    case .text:
      switch meaning {
      case .quantity, .register:
        sink.problem(DecodeError(.malformedValue, at: range.lowerBound), in: bytes)
      default: secret(bytes, in: range, to: &sink)
      }
    }
  }

  /// Delivers a number without a unit where the code says what it is.
  ///
  /// A register without a unit is a sub-meter that was never read: absent, not zero.
  func plain<Sink: FrameSink & ~Copyable>(
    _ value: Decimal, _ time: MeterTime?, _ medium: Medium, _ bytes: Span<UInt8>,
    in range: Range<Int>, to sink: inout Sink
  ) {
    switch meaning {
    case .count, .deviceType:
      reading(value, .one, time, medium, bytes, in: range, to: &sink)
    case .quantity(let unit) where value.mantissa == 0:
      reading(value, unit, time, medium, bytes, in: range, to: &sink)
    case .register where value.mantissa == 0: break
    case .quantity, .register:
      sink.problem(DecodeError(.malformedValue, at: range.lowerBound), in: bytes)
    default: secret(bytes, in: range, to: &sink)
    }
  }

  /// Delivers a value, unless the telegram had its code before.
  func reading<Sink: FrameSink & ~Copyable>(
    _ value: Decimal, _ unit: Unit, _ time: MeterTime?, _ medium: Medium, _ bytes: Span<UInt8>,
    in range: Range<Int>, periodEnd: MeterTime? = nil, to sink: inout Sink
  ) {
    guard !isDuplicate else { return }
    var reading = Reading(
      code: code, value: value, unit: unit, medium: medium, time: time,
      offset: range.lowerBound, count: range.count)
    reading.periodEnd = periodEnd
    sink.reading(reading, in: bytes)
  }

  /// Delivers text under a code that promises none: nobody knows what it names.
  func secret<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, in range: Range<Int>, to sink: inout Sink
  ) {
    let kind: Secret.Kind = P1Text.isMeteringPoint(bytes, in: range) ? .meteringPoint : .unknown
    let isOctets = range.count >= 8 && kind == .unknown
    P1Text.hide(kind, code, bytes, in: range, isOctets: isOctets, to: &sink)
  }
}
