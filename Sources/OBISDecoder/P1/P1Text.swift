/// Small questions about stretches of a telegram's bytes.
enum P1Text {
  /// Reports what nobody can read, up to the line's end, and hides it: it may hold a meter's number.
  ///
  /// Returns where the next line begins.
  static func unreadable<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, from start: Int, _ error: DecodeError, to sink: inout Sink
  ) -> Int {
    let end = endOfLine(bytes, from: start)
    sink.problem(error, in: bytes)
    hide(.unknown, nil, bytes, in: start..<end, isOctets: false, to: &sink)
    return end
  }

  /// Where the next line begins, or the end of the bytes.
  static func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
    let end = bytes.place(of: UInt8(ascii: "\n"), from: start)
    return end < bytes.count ? end + 1 : end
  }

  /// Delivers a secret over `range` without the line end that it may include, if anything is left.
  ///
  /// Where the standard sends octets in hexadecimal digits, `isHex` is true if these are such.
  static func hide<Sink: FrameSink & ~Copyable>(
    _ kind: Secret.Kind, _ code: OBISCode?, _ bytes: Span<UInt8>, in range: Range<Int>,
    isOctets: Bool, to sink: inout Sink
  ) {
    var end = range.upperBound
    while end > range.lowerBound, bytes[end - 1] == 0x0D || bytes[end - 1] == 0x0A { end -= 1 }
    let text = range.lowerBound..<end
    guard !text.isEmpty else { return }
    let secret = Secret(
      kind: kind, code: code, offset: text.lowerBound, count: text.count,
      isHex: isOctets && isHex(bytes, in: text))
    sink.secret(secret, in: bytes)
  }

  private static func isHex(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    guard !range.isEmpty, range.count % 2 == 0 else { return false }
    var index = range.lowerBound
    while index < range.upperBound {
      let digits = bytes.paddedWord(at: index).hexDigits
      if digits < min(8, range.upperBound - index) { return false }
      index += 8
    }
    return true
  }

  /// Whether eighteen digits stand there, as a metering point's number (EAN-18, GSRN) has.
  static func isMeteringPoint(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    guard range.count == 18 else { return false }
    for index in range where !isDigit(bytes[index]) { return false }
    return true
  }

  /// Whether a code stands there: `0-0:96.7.19`, also without A (`0:96.7.19`, Iskra MT382).
  static func isCode(_ bytes: Span<UInt8>, in range: Range<Int>) -> Bool {
    guard range.count <= 15 else { return false }
    var colons = 0
    for index in range {
      switch bytes[index] {
      case UInt8(ascii: ":"): colons += 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): break
      default: return false
      }
    }
    return colons == 1
  }

  /// Where the first comma of `range` is; its end if it has none.
  static func comma(_ bytes: Span<UInt8>, in range: Range<Int>) -> Int {
    bytes.place(of: UInt8(ascii: ","), in: range)
  }

  /// The time that stands in `range`; nil and a problem if it is none that a calendar has.
  static func time<Sink: FrameSink & ~Copyable>(
    _ bytes: Span<UInt8>, in range: Range<Int>, to sink: inout Sink
  ) -> MeterTime? {
    switch P1Time(parsing: bytes, in: range) {
    case .time(let time): return time
    case .unset: return nil
    case .invalid, nil:
      if !range.isEmpty {
        sink.problem(DecodeError(.invalidTime, at: range.lowerBound), in: bytes)
      }
      return nil
    }
  }
}
