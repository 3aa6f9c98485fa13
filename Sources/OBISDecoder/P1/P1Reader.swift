/// Reads the lines of a P1 telegram whose checksum is right or absent.
///
///     A-B:C.D.E(value*unit)
///     A-B:C.D.E(time)(value*unit)            sub-meters, peaks; a Belgian MIE5T swaps the two
///     A-B:C.D.E(count)(…)(time)(value*unit)… histories
///     A-B:C.D.E(text)
///
/// Source: DSMR 5.0.2, 6.2 and 6.12; IEC 62056-21, 6.3.7 (data message). A line that cannot be read
/// is a problem with its place; all others still count. An empty pair of brackets is an absent
/// value, never zero.
enum P1Reader {
  /// Hands what `frame` says to `sink`, `frameEnded` last.
  static func read<Sink: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, to sink: inout Sink
  ) {
    var telegram = P1Telegram()
    telegram.read(frame, to: &sink)
    var summary = summary
    summary.meterTime = telegram.meterTime
    sink.frameEnded(summary, in: frame)
  }
}

/// What the lines read so far say of the telegram as a whole.
struct P1Telegram {
  /// The telegram's clock, nil if none was sent or it is not set.
  private(set) var meterTime: MeterTime?
  private var channels = P1Channels()
  private var seen = P1SeenCodes()

  /// Reads identification and lines.
  mutating func read<Sink: FrameSink & ~Copyable>(_ bytes: Span<UInt8>, to sink: inout Sink) {
    var index = identification(bytes, to: &sink)
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "!"), Self.isEnd(bytes, at: index) { return }
      if byte <= UInt8(ascii: " ") {
        index += 1
      } else if let end = shortLine(bytes, from: index, to: &sink) {
        index = end
      } else {
        index = line(bytes, from: index, to: &sink)
      }
    }
  }

  /// Whether the '!' at `index` begins its line, as the framer sees it: else it is part of one.
  private static func isEnd(_ bytes: Span<UInt8>, at index: Int) -> Bool {
    guard index > 0 else { return true }
    return bytes[index - 1] == UInt8(ascii: "\n") || bytes[index - 1] == 0
  }

  /// Reads the line of the '/', the whole of which may name the meter.
  private func identification<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, to sink: inout Sink
  ) -> Int {
    let end = P1Text.endOfLine(bytes, from: 0)
    P1Text.hide(.meterType, nil, bytes, in: 1..<end, isOctets: false, to: &sink)
    for index in 1..<end where bytes[index] >= 0x80 {
      sink.problem(DecodeError(.notText, at: index), in: bytes)
      break
    }
    return end
  }

  /// Reads the line that begins at `start` if it is one number of a measured value.
  @inline(__always)
  private mutating func shortLine<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, from start: Int, to sink: inout Sink
  ) -> Int? {
    guard let short = P1ShortLine(bytes, at: start) else { return nil }
    let meaning = P1Meaning(of: short.code)
    switch meaning {
    case .clock, .text, .profile, .history: return nil
    case .deviceType: channels.note(short.code.b, short.group, in: bytes)
    case .register, .count, .quantity, .unknown: break
    }
    let isDuplicate = seen.insert(short.code, startingAt: start, in: bytes)
    if isDuplicate { sink.problem(DecodeError(.duplicateCode, at: start), in: bytes) }
    let line = P1Line(code: short.code, meaning: meaning, isDuplicate: isDuplicate)
    let medium = channels.medium(of: short.code, from: short.group.lowerBound, in: bytes)
    if let unit = short.unit {
      line.reading(short.number, unit, nil, medium, bytes, in: short.group, to: &sink)
    } else {
      line.plain(short.number, nil, medium, bytes, in: short.group, to: &sink)
    }
    return short.end
  }

  /// Reads the line that begins at `start`, continuation lines included; where the next begins.
  private mutating func line<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, from start: Int, to sink: inout Sink
  ) -> Int {
    var cursor = start
    guard let code = OBISCode(parsing: bytes, at: &cursor) else {
      return P1Text.unreadable(
        bytes, from: start, DecodeError(.malformedCode, at: cursor), to: &sink)
    }
    guard cursor < bytes.count, bytes[cursor] == UInt8(ascii: "(") else {
      return P1Text.unreadable(
        bytes, from: start, DecodeError(.malformedLine, at: cursor), to: &sink)
    }
    let isDuplicate = seen.insert(code, startingAt: start, in: bytes)
    if isDuplicate { sink.problem(DecodeError(.duplicateCode, at: start), in: bytes) }
    let line = P1Line(code: code, meaning: P1Meaning(of: code), isDuplicate: isDuplicate)
    var groups = P1Groups(at: cursor)
    read(line, &groups, bytes, to: &sink)
    guard groups.isBroken else { return P1Text.endOfLine(bytes, from: groups.position) }
    let error = DecodeError(.malformedLine, at: groups.position)
    return P1Text.unreadable(bytes, from: groups.position, error, to: &sink)
  }

  private mutating func read<Sink: FrameSink & ~Copyable>(
    _ line: P1Line, _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    switch line.meaning {
    case .clock: clock(line, &groups, bytes, to: &sink)
    case .text(let kind, let isOctets):
      while let group = groups.next(in: bytes) {
        guard !group.isEmpty else { continue }
        P1Text.hide(kind, line.code, bytes, in: group, isOctets: isOctets, to: &sink)
      }
    case .profile: profile(line, &groups, bytes, to: &sink)
    case .history: history(line, &groups, bytes, to: &sink)
    default:
      if line.meaning == .deviceType {
        var walk = groups
        if let group = walk.next(in: bytes) { channels.note(line.code.b, group, in: bytes) }
      }
      let medium = channels.medium(of: line.code, from: groups.position, in: bytes)
      line.values(&groups, medium, bytes, to: &sink)
    }
  }

  private mutating func clock<Sink: FrameSink & ~Copyable>(
    _ line: P1Line, _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    while let group = groups.next(in: bytes) {
      guard !group.isEmpty else { continue }
      switch P1Time(parsing: bytes, in: group) {
      case .time(let time): if !line.isDuplicate { meterTime = time }
      case .unset: break
      case .invalid, nil:
        sink.problem(DecodeError(.invalidTime, at: group.lowerBound), in: bytes)
      }
    }
  }

  /// Reads `(time)(status)(minutes)(1)(code)(unit)` CR LF `(value)`: the value under its own code.
  ///
  /// Source: DSMR 2.2, P1 companion standard, table 5-3. Only one value a line is known.
  private mutating func profile<Sink: FrameSink & ~Copyable>(
    _ line: P1Line, _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    var parts = InlineArray<7, Range<Int>>(repeating: 0..<0)
    let start = groups.position
    var count = 0
    while let group = groups.next(in: bytes) {
      if count < parts.count { parts[count] = group }
      count += 1
    }
    var cursor = parts[4].lowerBound
    guard count == parts.count, parts[3].count == 1, bytes[parts[3].lowerBound] == 0x31,
      let code = OBISCode(parsing: bytes, at: &cursor), cursor == parts[4].upperBound
    else {
      sink.problem(DecodeError(.unknownList, at: start), in: bytes)
      return
    }
    let value = parts[6]
    guard !value.isEmpty else { return }
    guard let (unit, power) = Unit.parse(bytes, in: parts[5]) else {
      sink.problem(DecodeError(.unknownUnit, at: parts[5].lowerBound), in: bytes)
      return
    }
    guard let number = Decimal(parsing: bytes, in: value)?.shifted(by: power) else {
      sink.problem(DecodeError(.malformedValue, at: value.lowerBound), in: bytes)
      return
    }
    let isDuplicate = seen.insert(code, startingAt: start, in: bytes) || line.isDuplicate
    let inner = P1Line(code: code, meaning: .register, isDuplicate: isDuplicate)
    let time = P1Text.time(bytes, in: parts[0], to: &sink)
    let medium = channels.medium(of: code, from: start, in: bytes)
    inner.reading(number, unit, time, medium, bytes, in: value, to: &sink)
  }

  /// Reads a list of past values: each with a unit becomes a reading with the time before it.
  ///
  /// Belgian lists have two times for each value, end of period and moment of peak. The Hungarian one
  /// has one time for nineteen values.
  private mutating func history<Sink: FrameSink & ~Copyable>(
    _ line: P1Line, _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    let medium = channels.medium(of: line.code, from: groups.position, in: bytes)
    var period: MeterTime?
    var time: MeterTime?
    var times = 0
    var isFirst = true
    while let group = groups.next(in: bytes) {
      let isCount = isFirst && group.count < 12
      isFirst = false
      if P1Time(parsing: bytes, in: group) != nil {
        period = times == 0 ? nil : time
        time = P1Text.time(bytes, in: group, to: &sink)
        times += 1
        continue
      }
      switch P1Value(parsing: bytes, in: group) {
      case .empty: (period, time, times) = (nil, nil, 0)
      case .number(let value, let unit):
        line.reading(
          value, unit, time, medium, bytes, in: group, periodEnd: period, to: &sink)
        times = 0
      case .plain where isCount: break
      case .plain: sink.problem(DecodeError(.malformedValue, at: group.lowerBound), in: bytes)
      case .problem(let error): sink.problem(error, in: bytes)
      case .text: if !P1Text.isCode(bytes, in: group) { line.secret(bytes, in: group, to: &sink) }
      }
    }
  }
}
