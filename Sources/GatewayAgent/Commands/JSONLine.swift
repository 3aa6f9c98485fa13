/// One JSON value, written front to back; commas come by themselves.
struct JSONLine {
  /// What has been written.
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// Opens an object (`{`) or array (`[`).
  mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  /// Closes one.
  mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(ascii: bracket))
    needsComma = true
  }

  /// Writes a key; its value must follow.
  mutating func key(_ key: StaticString) {
    string(key.description)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a key and a string.
  mutating func member(_ key: StaticString, text: String) {
    self.key(key)
    string(text)
  }

  /// Writes a key and a string of bytes of any kind.
  mutating func member(_ key: StaticString, bytes: [UInt8]) {
    self.key(key)
    string(bytes: bytes)
  }

  /// Writes a key and a number whose text is one already.
  mutating func member(_ key: StaticString, number: String) {
    self.key(key)
    self.number(number)
  }

  /// Writes a key and a truth value.
  mutating func member(_ key: StaticString, truth: Bool) {
    member(key, number: truth ? "true" : "false")
  }

  /// Writes text; control characters are escaped.
  mutating func string(_ text: String) { quote(text.utf8) { $0 >= 0x20 && $0 != 0x7F } }

  /// Writes bytes of which nobody knows that they are text.
  ///
  /// A byte outside printable ASCII is written as the code point of its number (`\u00FF`), so that
  /// the line is valid whatever the bytes are, and none is lost.
  mutating func string(bytes: [UInt8]) { quote(bytes) { (0x20..<0x7F).contains($0) } }

  /// Writes a number whose text is one already.
  mutating func number(_ text: String) {
    separate()
    bytes += text.utf8
    needsComma = true
  }

  /// Writes `null`.
  mutating func null() { number("null") }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func quote(
    _ text: some Sequence<UInt8>, _ isPlain: (UInt8) -> Bool
  ) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      } else if isPlain(byte) {
        bytes.append(byte)
      } else {
        bytes += "\\u00".utf8
        bytes.append(UInt8.hexDigit(byte >> 4))
        bytes.append(UInt8.hexDigit(byte & 15))
      }
    }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }
}
