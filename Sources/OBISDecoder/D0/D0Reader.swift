/// Reads the data lines of an IEC 62056-21 readout whose check character is right or absent.
///
///     code(value*unit)                   C.D.E, or A-B:C.D.E*F in full: see D0Code
///     code(value*unit)(moment)           a peak and when it was
///     code(text)(text)…                  dates of changes, error codes, vendors' own
///     code(…)code(…)…                    several in a line (heat meters)
///
/// Source: IEC 62056-21, 6.3.7 (data message), 6.5 (data block). A value without a unit is a reading
/// only where the standard has none for it (counts) or where it is zero; nobody is asked to guess. A
/// data set that cannot be read is a problem with its place; all others still count.
enum D0Reader {
  /// Hands what `frame` says to `sink`, `frameEnded` last.
  static func read<Sink: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, _ summary: FrameSummary, to sink: inout Sink
  ) {
    var readout = D0Readout()
    readout.read(frame, to: &sink)
    var summary = summary
    summary.meterTime = readout.clock.moment
    sink.frameEnded(summary, in: frame)
  }
}

/// What the data sets read so far say of the readout as a whole.
struct D0Readout {
  /// The meter's clock, in two lines of which both are needed.
  private(set) var clock = D0Time()
  private var seen = D0SeenCodes()

  /// Reads identification and data sets.
  mutating func read<Sink: FrameSink & ~Copyable>(_ bytes: Span<UInt8>, to sink: inout Sink) {
    var index = 0
    if bytes[0] == UInt8(ascii: "/") {
      index = P1Text.endOfLine(bytes, from: 0)
      P1Text.hide(.meterType, nil, bytes, in: 1..<index, isOctets: false, to: &sink)
    }
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "!"): return
      // The reader's own option line, heard as an echo.
      case 0x06: index = P1Text.endOfLine(bytes, from: index)
      case 0...UInt8(ascii: " "), 0x7F: index += 1
      default: index = dataSet(bytes, from: index, to: &sink)
      }
    }
  }

  /// Reads the data set that begins at `start`; where the next begins.
  private mutating func dataSet<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, from start: Int, to sink: inout Sink
  ) -> Int {
    var cursor = start
    guard let name = D0Code(parsing: bytes, at: &cursor) else {
      return P1Text.unreadable(
        bytes, from: start, DecodeError(.malformedCode, at: cursor), to: &sink)
    }
    guard cursor < bytes.count, bytes[cursor] == UInt8(ascii: "(") else {
      return P1Text.unreadable(
        bytes, from: start, DecodeError(.malformedLine, at: cursor), to: &sink)
    }
    let isDuplicate = seen.insert(name.code, startingAt: start, in: bytes)
    if isDuplicate { sink.problem(DecodeError(.duplicateCode, at: start), in: bytes) }
    let set = D0DataSet(name: name, isDuplicate: isDuplicate)
    var groups = P1Groups(at: cursor)
    if set.isClock {
      clock(set, &groups, bytes, to: &sink)
    } else {
      set.read(&groups, bytes, to: &sink)
    }
    let next = groups.position
    // Behind a bracket another set may follow, or the '!'; P1 calls that broken.
    guard groups.isBroken, bytes[next - 1] != UInt8(ascii: ")") else { return next }
    return P1Text.unreadable(bytes, from: next, DecodeError(.malformedLine, at: next), to: &sink)
  }

  /// Reads local time (0.9.1), date (0.9.2), both (0.9.4).
  private mutating func clock<Sink: FrameSink & ~Copyable>(
    _ set: D0DataSet, _ groups: inout P1Groups, _ bytes: Span<UInt8>, to sink: inout Sink
  ) {
    while let group = groups.next(in: bytes) {
      let text = D0DataSet.trimmed(bytes, group)
      guard !text.isEmpty else { continue }
      var new = clock
      let isRead =
        switch set.name.code.e {
        case 1: new.readTime(bytes, in: text)
        case 2: new.readDate(bytes, in: text)
        default: new.readMoment(bytes, in: text)
        }
      guard isRead else {
        sink.problem(DecodeError(.invalidTime, at: text.lowerBound), in: bytes)
        continue
      }
      if !set.isDuplicate { clock = new }
    }
  }
}

/// Which codes a readout has had; the data sets above are read again where the filter is unsure.
struct D0SeenCodes {
  private var filter = P1SeenCodes()

  /// Notes `code`; true if the readout has it in a data set that begins before `start`.
  mutating func insert(_ code: OBISCode, startingAt start: Int, in bytes: Span<UInt8>) -> Bool {
    filter.mayHaveSeen(code) && Self.occurs(code, before: start, in: bytes)
  }

  private static func occurs(_ code: OBISCode, before end: Int, in bytes: Span<UInt8>) -> Bool {
    var isStart = bytes[0] != UInt8(ascii: "/")
    for index in 0..<end {
      var cursor = index
      if isStart, let name = D0Code(parsing: bytes, at: &cursor), name.code == code,
        cursor < end, bytes[cursor] == UInt8(ascii: "(")
      {
        return true
      }
      isStart = bytes[index] == UInt8(ascii: ")") || bytes[index] <= UInt8(ascii: " ")
    }
    return false
  }
}
