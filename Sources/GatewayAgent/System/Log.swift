import Glibc

/// Events for the administrator: a fixed code and up to three numbers, never text from outside.
///
/// No function here takes a `String`, so that nothing a meter, a broker or a file says can be
/// logged (privacy.md C10). One line a call on standard error, with journald's priority prefix if
/// the journal reads it; no heap. For the loop's thread only.
enum Log {
  /// Severity, with syslog's numbers.
  enum Level: UInt8, Comparable, Sendable {
    case error = 3
    case warning = 4
    case info = 6
    case debug = 7

    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  /// The least severe level that is written.
  static var level: Level {
    get { unsafe state.level }
    set { unsafe state.level = newValue }
  }

  /// Logs that `code` happened.
  static func event(_ level: Level, _ code: StaticString) { write(level, code, 0, 0, 0, 0) }

  /// Logs that `code` happened, with one number.
  static func event(_ level: Level, _ code: StaticString, _ first: Int64) {
    write(level, code, 1, first, 0, 0)
  }

  /// Logs that `code` happened, with two numbers.
  static func event(_ level: Level, _ code: StaticString, _ first: Int64, _ second: Int64) {
    write(level, code, 2, first, second, 0)
  }

  /// Logs that `code` happened, with three numbers.
  static func event(
    _ level: Level, _ code: StaticString, _ first: Int64, _ second: Int64, _ third: Int64
  ) {
    write(level, code, 3, first, second, third)
  }

  /// Lines of one code and first number that are written in a minute; further ones are counted.
  static let linesPerMinute: Int32 = 10

  private static func write(
    _ level: Level, _ code: StaticString, _ count: Int, _ first: Int64, _ second: Int64,
    _ third: Int64
  ) {
    guard level <= Self.level, code.hasPointerRepresentation else { return }
    let key = UInt(bitPattern: unsafe code.utf8Start) ^ UInt(truncatingIfNeeded: first) &* 0x9E37
    guard let suppressed = unsafe state.limiter.admit(key, at: GatewayClock.monotonicMilliseconds())
    else { return }
    var line = LogLine()
    if unsafe state.isJournal {
      line.append("<")
      line.append(Int64(level.rawValue))
      line.append(">")
    }
    line.append(code)
    if count > 0 { line.append(separated: first) }
    if count > 1 { line.append(separated: second) }
    if count > 2 { line.append(separated: third) }
    if suppressed > 0 {
      line.append(" (suppressed")
      line.append(separated: Int64(suppressed))
      line.append(")")
    }
    line.finish()
  }

  private struct State {
    var level = Level.info
    var limiter = LogLimiter()
    let isJournal = unsafe getenv("JOURNAL_STREAM") != nil
  }

  // One thread logs: the loop's. Helper threads report their results to it instead.
  nonisolated(unsafe) private static var state = State()
}

/// Counts lines per code, so that a flapping port cannot fill the journal.
struct LogLimiter {
  private struct Slot {
    var key: UInt = 0
    var windowStart: Int64 = 0
    var count: Int32 = 0
    var suppressed: Int32 = 0
  }

  private var slots = InlineArray<64, Slot>(repeating: Slot())

  /// Nil if the line is to be suppressed, else how many were suppressed since the last one.
  mutating func admit(_ key: UInt, at now: Int64) -> Int32? {
    let index = Int((key ^ key >> 7 ^ key >> 13) % 64)
    var slot = slots[index]
    if slot.key != key || now - slot.windowStart >= 60_000 {
      let suppressed = slot.key == key ? slot.suppressed : 0
      slots[index] = Slot(key: key, windowStart: now, count: 1, suppressed: 0)
      return suppressed
    }
    slot.count += 1
    let isAdmitted = slot.count <= Log.linesPerMinute
    if !isAdmitted { slot.suppressed = slot.suppressed &+ 1 }
    slots[index] = slot
    return isAdmitted ? 0 : nil
  }
}

/// A line being written; what does not fit 256 bytes is cut.
private struct LogLine: ~Copyable {
  private var bytes = InlineArray<256, UInt8>(repeating: 0)
  private var count = 0

  mutating func append(_ text: StaticString) {
    let start = unsafe text.utf8Start
    for index in 0..<text.utf8CodeUnitCount { append(byte: unsafe start[index]) }
  }

  mutating func append(separated number: Int64) {
    append(byte: UInt8(ascii: " "))
    append(number)
  }

  mutating func append(_ number: Int64) {
    if number < 0 { append(byte: UInt8(ascii: "-")) }
    var divisor: UInt64 = 1
    let magnitude = number.magnitude
    while magnitude / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: UInt8(ascii: "0") + UInt8(magnitude / divisor % 10))
      divisor /= 10
    }
  }

  private mutating func append(byte: UInt8) {
    // The last place is the line feed's.
    guard count < 255 else { return }
    bytes[count] = byte
    count += 1
  }

  mutating func finish() {
    bytes[count] = 10
    let span = bytes.span.extracting(first: count + 1)
    // A full or closed standard error must not stop the gateway.
    _ = unsafe span.withUnsafeBufferPointer { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
