internal import OBISDecoder

// The pieces that documents are made of. Amperes and volts have one decimal, kilowatts and
// kilowatt-hours three at most, times are RFC 3339 in UTC.

extension ByteBuffer {
  /// Appends `,"key":`, without the comma behind an opening brace.
  mutating func append(key: StaticString) {
    if count > 0, self[count - 1] != UInt8(ascii: "{") { append(UInt8(ascii: ",")) }
    append(UInt8(ascii: "\""))
    append(key)
    append("\":")
  }

  /// Appends a key and a whole number.
  mutating func append(_ key: StaticString, _ number: Int64) {
    append(key: key)
    append(integer: number)
  }

  /// Appends a key and a whole number, nothing for nil.
  mutating func append(_ key: StaticString, _ number: Int64?) {
    if let number { append(key, number) }
  }

  /// Appends a key and a word.
  mutating func append(_ key: StaticString, word: StaticString) {
    append(key: key)
    append(UInt8(ascii: "\""))
    append(word)
    append(UInt8(ascii: "\""))
  }

  /// Appends a key and a text of the configuration, which holds no character that JSON escapes.
  mutating func append(_ key: StaticString, text: String) {
    append(key: key)
    append(UInt8(ascii: "\""))
    for byte in text.utf8 { append(byte) }
    append(UInt8(ascii: "\""))
  }

  /// Appends a key and `true` or `false`.
  mutating func append(_ key: StaticString, isTrue: Bool) {
    append(key: key)
    append(isTrue ? "true" : "false")
  }

  /// Appends a key and tenths as a number with one decimal, nothing for nil.
  mutating func append(_ key: StaticString, tenths: Int64?) {
    guard let tenths else { return }
    append(key: key)
    append(tenths: tenths)
  }

  /// Appends tenths as a number with one decimal.
  mutating func append(tenths: Int64) {
    if tenths < 0 { append(UInt8(ascii: "-")) }
    append(magnitude: tenths.magnitude / 10, minimumDigits: 1)
    append(UInt8(ascii: "."))
    append(magnitude: tenths.magnitude % 10, minimumDigits: 1)
  }

  /// Appends a key and thousandths as a plain number, nothing for nil.
  mutating func append(_ key: StaticString, thousandths: Int64?) {
    guard let thousandths else { return }
    append(key: key)
    Decimal(mantissa: thousandths, exponent: -3).write(to: &self)
  }

  /// Appends a key and a time with milliseconds.
  mutating func append(_ key: StaticString, milliseconds: Int64) {
    append(key: key)
    append(UInt8(ascii: "\""))
    UTCTime.write(milliseconds: milliseconds, to: &self)
    append(UInt8(ascii: "\""))
  }

  /// Appends a key and a time in whole seconds, given in milliseconds.
  mutating func append(_ key: StaticString, secondsOf milliseconds: Int64) {
    append(key: key)
    append(UInt8(ascii: "\""))
    UTCTime.write(seconds: FixedPoint.floor(milliseconds, over: 1000), to: &self)
    append(UInt8(ascii: "\""))
  }

  /// Appends a key and the lines that have a number, each written by `body`; nothing for none.
  mutating func append(
    _ key: StaticString, lines: LineValues,
    _ body: (_ line: Int, _ value: Int64, _ out: inout Self) -> Void
  ) {
    guard !lines.isEmpty else { return }
    append(key: key)
    append(UInt8(ascii: "{"))
    for line in 0..<3 {
      guard let value = lines[line] else { continue }
      append(key: line == 0 ? "l1" : line == 1 ? "l2" : "l3")
      body(line, value, &self)
    }
    append(UInt8(ascii: "}"))
  }
}
