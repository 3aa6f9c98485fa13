import OBISDecoder
internal import TOMLKit
import TOMLText

/// A value of a profile file.
enum ProfileValue {
  case integer(Int)
  case decimal(Decimal)
  case text(String)
  case truth(Bool)
  case list([ProfileValue])
  case table(ProfileTable)
  /// A date, or a number that is none (`nan`, `inf`).
  case other

  /// The value in an error: its text or number, cut short; only the kind of anything else.
  var shown: String {
    switch self {
    case .integer(let number): String(number)
    case .decimal(let number): number.description
    case .text(let text): text.count > 60 ? "\"\(text.prefix(60))…\"" : "\"\(text)\""
    case .truth(let truth): String(truth)
    case .list: "a list"
    case .table: "a table"
    case .other: "no number"
    }
  }

  /// A whole or broken number, exactly as it is written.
  var number: Decimal? {
    switch self {
    case .integer(let number): Decimal(mantissa: Int64(number))
    case .decimal(let number): number
    default: nil
    }
  }
}

/// One table of a profile file: gives values with their checks, and knows which keys were asked for,
/// so that every other key is an error.
struct ProfileTable {
  /// Keys joined by dots, empty for the document.
  let path: String
  let findings: ProfileFindings
  let locator: KeyLocator
  private let table: TOMLTable
  private var known: [String] = []

  private init(_ table: TOMLTable, path: String, _ findings: ProfileFindings, _ locator: KeyLocator)
  {
    self.table = table
    self.path = path
    self.findings = findings
    self.locator = locator
  }

  /// Reads a text; nil, and a finding, where it is no TOML.
  init?(document text: String, _ findings: ProfileFindings) {
    do {
      self.init(try TOMLTable(string: text), path: "", findings, KeyLocator(text))
    } catch {
      let error = error as? TOMLParseError
      findings.add(
        .error, line: error?.source.begin.line, field: nil,
        ProfileTable.text(of: error?.description ?? "no valid TOML"))
      return nil
    }
  }

  /// The parser's words for a syntax error; a name that is set twice gets ours.
  private static func text(of description: String) -> String {
    guard description.contains("cannot redefine"), let close = description.lastIndex(of: "'"),
      let open = description[..<close].lastIndex(of: "'")
    else { return description }
    return "\(description[description.index(after: open)..<close]) defined twice"
  }

  /// The full path of a key of this table.
  func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Whether the number of a key is written in hexadecimal digits.
  func isHexadecimal(_ key: String) -> Bool { locator.isHexadecimal(path(of: key)) }

  /// Notes an error with one of this table's keys.
  func reject(_ key: String, _ text: String) {
    findings.add(
      .error, line: locator.line(of: path(of: key)), field: path(of: key), text)
  }

  /// Notes an error with this table as a whole.
  func reject(_ text: String) {
    findings.add(.error, line: locator.line(of: path), field: path.isEmpty ? nil : path, text)
  }

  /// Notes what is worth knowing of one of this table's keys.
  func warn(_ key: String, _ text: String) {
    findings.add(.warning, line: locator.line(of: path(of: key)), field: path(of: key), text)
  }

  /// The keys of this table, in the order of the file.
  var keys: [String] {
    table.keys.map { (locator.line(of: path(of: $0)) ?? 0, $0) }.sorted { $0 < $1 }.map(\.1)
  }

  /// Whether the key is set, right or wrong.
  func has(_ key: String) -> Bool { table.contains(key: key) }

  /// The value of a key, nil where it is absent.
  mutating func value(_ key: String) -> ProfileValue? {
    known.append(key)
    return table[key].map { wrapped($0.tomlValue, at: path(of: key)) }
  }

  /// Text; nil where absent, or where it is something else, which is noted.
  mutating func text(_ key: String) -> String? {
    guard let value = value(key) else { return nil }
    if case .text(let text) = value, !text.isEmpty { return text }
    reject(key, "\(value.shown): expected text in quotes")
    return nil
  }

  /// A whole number within `range`; nil where absent or wrong, which is noted.
  mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = value(key) else { return nil }
    if case .integer(let number) = value, range.contains(number) { return number }
    reject(
      key, "\(value.shown): expected a whole number from \(range.lowerBound) to \(range.upperBound)"
    )
    return nil
  }

  /// A truth value, false where absent.
  mutating func boolean(_ key: String) -> Bool {
    guard let value = value(key) else { return false }
    if case .truth(let truth) = value { return truth }
    reject(key, "\(value.shown): expected true or false")
    return false
  }

  /// A number as it is written; nil where absent or wrong, which is noted.
  mutating func decimal(_ key: String, expected: String) -> Decimal? {
    guard let value = value(key) else { return nil }
    if let number = value.number { return number }
    reject(key, "\(value.shown): expected \(expected)")
    return nil
  }

  /// One of the words of `Choice`; nil where absent or wrong, which is noted.
  mutating func choice<Choice: CaseIterable & RawRepresentable>(
    _ key: String, of type: Choice.Type
  ) -> Choice? where Choice.RawValue == String {
    guard let value = value(key) else { return nil }
    if case .text(let word) = value, let choice = Choice(rawValue: word) { return choice }
    let words = Choice.allCases.map(\.rawValue)
    var hint = "use " + words.joined(separator: ", ")
    if case .text(let word) = value {
      let near = words.filter { $0.hasPrefix(word) }
      if !near.isEmpty { hint = "use " + near.joined(separator: " or ") }
    }
    reject(key, "\(value.shown): \(hint)")
    return nil
  }

  /// The elements of a list; nil where absent, or where it is something else, which is noted.
  mutating func list(_ key: String) -> [ProfileValue]? {
    guard let value = value(key) else { return nil }
    if case .list(let elements) = value { return elements }
    reject(key, "\(value.shown): expected a list in brackets")
    return nil
  }

  /// A list of words; elements that are something else are noted and left out.
  mutating func words(_ key: String) -> [String]? {
    guard let elements = list(key) else { return nil }
    return elements.compactMap { element in
      if case .text(let word) = element { return word }
      reject(key, "\(element.shown): expected text in quotes")
      return nil
    }
  }

  /// A table inside this one; nil where absent, or where it is something else, which is noted.
  mutating func subtable(_ key: String) -> ProfileTable? {
    guard let value = value(key) else { return nil }
    if case .table(let table) = value { return table }
    reject(key, "\(value.shown): expected a table")
    return nil
  }

  /// Notes every key that nothing asked for, with the nearest that exists.
  func finish() {
    for key in keys where !known.contains(key) {
      var text = "unknown key"
      if let near = Suggestion.nearest(to: key, among: known) {
        text += ". Did you mean \"\(near)\"?"
      }
      reject(key, text)
    }
  }

  private func wrapped(_ value: TOMLValue, at path: String) -> ProfileValue {
    if let table = value.table {
      return .table(ProfileTable(table, path: path, findings, locator))
    }
    if let array = value.array { return .list(array.map { wrapped($0.tomlValue, at: path) }) }
    if let text = value.string { return .text(text) }
    if let number = value.int { return .integer(number) }
    if let truth = value.bool { return .truth(truth) }
    // The shortest decimal that gives the same binary number is what was typed, up to 15 digits.
    if let number = value.double, let decimal = BinaryFloat.decimal(float64: number.bitPattern) {
      return .decimal(decimal)
    }
    return .other
  }
}
