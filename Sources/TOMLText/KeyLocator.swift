/// Finds the line on which a TOML text sets a key, since TOMLKit tells lines of syntax errors only.
///
/// A path is keys joined by `.`, with the index of an array's element in brackets behind its key,
/// counted from 0: `topic_root`, `meters[0].port`, `brokers[1].tls.ca_file`. The text must be one
/// that TOMLKit accepted: what is not TOML is skipped, never an error.
/// Source: TOML 1.0.0, "Keys", "Table", "Inline Table", "Array of Tables".
public struct KeyLocator {
  /// Deepest nesting of values that is followed; the configuration uses 2.
  private static let nesting = 16

  private var lines: [String: Int] = [:]
  private var arrayCounts: [String: Int] = [:]
  private var hexadecimal: Set<String> = []

  /// Reads the text once.
  public init(_ text: String) {
    var scanner = Scanner(bytes: Array(text.utf8))
    var table = ""
    while scanner.skipBlank() {
      if scanner.peek == UInt8(ascii: "[") {
        table = header(&scanner)
      } else {
        pair(&scanner, in: table, depth: 0)
      }
    }
  }

  /// The line, counted from 1, that sets `path`; else that of its nearest table; else nil.
  public func line(of path: String) -> Int? {
    var path = Substring(path)
    while !path.isEmpty {
      if let line = lines[String(path)] { return line }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
      path = path[..<cut]
    }
    return nil
  }

  /// Whether the number at `path` is written in hexadecimal digits, `0x…`.
  public func isHexadecimal(_ path: String) -> Bool { hexadecimal.contains(path) }

  private mutating func header(_ scanner: inout Scanner) -> String {
    let line = scanner.line
    scanner.advance()
    let isArray = scanner.peek == UInt8(ascii: "[")
    if isArray { scanner.advance() }
    let keys = scanner.keys()
    scanner.skipLine()
    var path = ""
    for (index, key) in keys.enumerated() {
      path = path.isEmpty ? key : path + "." + key
      let isLast = index == keys.count - 1
      if isLast, isArray {
        arrayCounts[path, default: 0] += 1
      }
      if !isLast || isArray, let count = arrayCounts[path] { path += "[\(count - 1)]" }
      note(path, line)
    }
    return path
  }

  private mutating func pair(_ scanner: inout Scanner, in table: String, depth: Int) {
    let line = scanner.line
    let keys = scanner.keys()
    guard !keys.isEmpty, scanner.peek == UInt8(ascii: "=") else {
      scanner.skipLine()
      return
    }
    scanner.advance()
    var path = table
    for key in keys {
      path = path.isEmpty ? key : path + "." + key
      note(path, line)
    }
    value(&scanner, at: path, depth: depth)
  }

  private mutating func value(_ scanner: inout Scanner, at path: String, depth: Int) {
    scanner.skipSpace()
    switch scanner.peek {
    case UInt8(ascii: "{") where depth < Self.nesting:
      scanner.advance()
      while scanner.skipBlank(), scanner.peek != UInt8(ascii: "}") {
        let before = scanner.index
        pair(&scanner, in: path, depth: depth + 1)
        if scanner.skipBlank(), scanner.peek == UInt8(ascii: ",") { scanner.advance() }
        if scanner.index == before { return }
      }
      scanner.advance()
    case UInt8(ascii: "[") where depth < Self.nesting:
      scanner.advance()
      var index = 0
      while scanner.skipBlank(), scanner.peek != UInt8(ascii: "]") {
        let before = scanner.index
        note("\(path)[\(index)]", scanner.line)
        value(&scanner, at: "\(path)[\(index)]", depth: depth + 1)
        index += 1
        if scanner.skipBlank(), scanner.peek == UInt8(ascii: ",") { scanner.advance() }
        if scanner.index == before { return }
      }
      scanner.advance()
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      _ = scanner.string()
    default:
      if scanner.isHexadecimal { hexadecimal.insert(path) }
      scanner.skipScalar()
    }
  }

  private mutating func note(_ path: String, _ line: Int) {
    if lines[path] == nil { lines[path] = line }
  }
}

/// A position in a TOML text with the few steps that the locator takes.
private struct Scanner {
  let bytes: [UInt8]
  var index = 0
  var line = 1

  init(bytes: [UInt8]) { self.bytes = bytes }

  var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func advance() {
    guard index < bytes.count else { return }
    if bytes[index] == UInt8(ascii: "\n") { line += 1 }
    index += 1
  }

  mutating func skipSpace() {
    while peek == UInt8(ascii: " ") || peek == UInt8(ascii: "\t") { advance() }
  }

  /// Skips space, line ends and comments; false at the end of the text.
  mutating func skipBlank() -> Bool {
    while let byte = peek {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
        advance()
      case UInt8(ascii: "#"):
        skipLine()
      default:
        return true
      }
    }
    return false
  }

  mutating func skipLine() {
    while let byte = peek, byte != UInt8(ascii: "\n") { advance() }
    advance()
  }

  /// Whether a number in hexadecimal digits begins here.
  var isHexadecimal: Bool {
    index + 1 < bytes.count && bytes[index] == UInt8(ascii: "0")
      && bytes[index + 1] == UInt8(ascii: "x")
  }

  /// Skips a number, date or truth value.
  mutating func skipScalar() {
    while let byte = peek, !"\n,]}#".utf8.contains(byte) { advance() }
  }

  /// Reads a dotted key, with space around it skipped.
  mutating func keys() -> [String] {
    var keys: [String] = []
    while true {
      skipSpace()
      if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
        keys.append(string())
      } else {
        let start = index
        while let byte = peek, byte.isBareKey { advance() }
        guard index > start else { return keys }
        keys.append(String(decoding: bytes[start..<index], as: UTF8.self))
      }
      skipSpace()
      guard peek == UInt8(ascii: ".") else { return keys }
      advance()
    }
  }

  /// Reads a string of any of the four kinds and gives its text; escapes are left as they stand.
  mutating func string() -> String {
    guard let quote = peek else { return "" }
    let isBasic = quote == UInt8(ascii: "\"")
    let isLong =
      index + 2 < bytes.count && bytes[index + 1] == quote && bytes[index + 2] == quote
    let fence = isLong ? 3 : 1
    for _ in 0..<fence { advance() }
    let start = index
    while index < bytes.count {
      if isBasic, bytes[index] == UInt8(ascii: "\\") {
        advance()
      } else if bytes[index] == quote, !isLong || closes(quote) {
        break
      }
      advance()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    for _ in 0..<fence { advance() }
    return text
  }

  /// Whether the three quotes here end a long string: the last three of a run of up to five do.
  private func closes(_ quote: UInt8) -> Bool {
    guard index + 2 < bytes.count, bytes[index + 1] == quote, bytes[index + 2] == quote else {
      return false
    }
    return index + 3 >= bytes.count || bytes[index + 3] != quote
  }
}

extension UInt8 {
  /// Whether a TOML key may hold it without quotes: A–Z, a–z, 0–9, `_`, `-`.
  fileprivate var isBareKey: Bool {
    switch self {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
