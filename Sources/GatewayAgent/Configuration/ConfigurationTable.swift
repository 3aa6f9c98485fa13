internal import TOMLKit
import TOMLText

/// Gathers what is wrong with one document; the tables of the document share it, hence a class.
final class ConfigurationProblems {
  let file: String
  let locator: KeyLocator
  private(set) var errors: [ConfigurationError] = []

  init(file: String, locator: KeyLocator) {
    self.file = file
    self.locator = locator
  }

  /// Notes a problem at a path such as `meters[0].port`, shown to the user as `meters.port`.
  func note(_ path: String, expected: String, found: String) {
    errors.append(
      ConfigurationError(
        file: file, line: locator.line(of: path), key: ConfigurationProblems.shown(path),
        expected: expected, found: found))
  }

  /// The path without indices: the line tells which element is meant.
  static func shown(_ path: String) -> String {
    var shown = ""
    var isIndex = false
    for character in path {
      if character == "[" { isIndex = true }
      if !isIndex { shown.append(character) }
      if character == "]" { isIndex = false }
    }
    return shown
  }
}

/// One table of the document: reads values with their checks, and knows which keys were asked for,
/// so that every other key is an error.
struct ConfigurationTable {
  /// Path with indices, empty for the document itself.
  let path: String
  let problems: ConfigurationProblems
  private let table: TOMLTable
  private var known: [String] = []

  init(_ table: TOMLTable, path: String, problems: ConfigurationProblems) {
    self.table = table
    self.path = path
    self.problems = problems
  }

  /// The full path of a key of this table.
  func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Notes a problem with one of this table's keys.
  func note(_ key: String, expected: String, found: String) {
    problems.note(path(of: key), expected: expected, found: found)
  }

  /// Whether the key is set, right or wrong.
  func has(_ key: String) -> Bool { table.contains(key: key) }

  /// Whether the key is set to true or false.
  func isBoolean(_ key: String) -> Bool { table[key]?.tomlValue.bool != nil }

  /// Text that is not empty and fulfils `rule`; nil where absent or wrong.
  mutating func text(
    _ key: String, expected: String, where rule: (String) -> Bool = { _ in true }
  ) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string, !text.isEmpty, rule(text) else {
      note(key, expected: expected, found: ConfigurationTable.describe(value))
      return nil
    }
    return text
  }

  /// A whole number within `range`; nil where absent or wrong.
  mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = value(key) else { return nil }
    guard let number = value.int, range.contains(number) else {
      note(
        key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
        found: ConfigurationTable.describe(value))
      return nil
    }
    return number
  }

  /// A list of texts that each fulfil `rule`; empty where absent or wrong.
  mutating func texts(
    _ key: String, expected: String, where rule: (String) -> Bool
  ) -> [String] {
    guard let value = value(key) else { return [] }
    guard let elements = value.array else {
      note(key, expected: "a list of \(expected)", found: ConfigurationTable.describe(value))
      return []
    }
    return elements.enumerated().compactMap { index, element in
      if let text = element.string, rule(text) { return text }
      problems.note(
        "\(path(of: key))[\(index)]", expected: expected,
        found: ConfigurationTable.describe(element.tomlValue))
      return nil
    }
  }

  /// One of a few numbers; nil where absent or wrong.
  mutating func integer(_ key: String, among allowed: [Int]) -> Int? {
    guard let value = value(key) else { return nil }
    guard let number = value.int, allowed.contains(number) else {
      note(
        key, expected: ConfigurationTable.alternatives(allowed.map(String.init)),
        found: ConfigurationTable.describe(value))
      return nil
    }
    return number
  }

  /// A number within `range`, in thousandths and with three decimals at most; nil where absent or
  /// wrong.
  mutating func thousandths(_ key: String, in range: ClosedRange<Int>) -> Int64? {
    guard let value = value(key) else { return nil }
    let number = value.double ?? value.int.map { Double($0) }
    let scaled = (number ?? .nan) * 1000
    let rounded = scaled.rounded()
    // Binary fractions of three decimals lie this close to them.
    guard abs(scaled - rounded) < 1e-6, rounded >= Double(range.lowerBound) * 1000,
      rounded <= Double(range.upperBound) * 1000
    else {
      note(
        key,
        expected:
          "a number from \(range.lowerBound) to \(range.upperBound), three decimals at most",
        found: ConfigurationTable.describe(value))
      return nil
    }
    return Int64(rounded)
  }

  /// Whole numbers within `range`, each once and at most `limit`; nil where absent or wrong.
  mutating func integers(
    _ key: String, in range: ClosedRange<Int>, atMost limit: Int
  ) -> [Int]? {
    guard let value = value(key) else { return nil }
    let numbers = value.array?.map { $0.tomlValue.int }.compactMap { $0 } ?? []
    guard let array = value.array, numbers.count == array.count, numbers.count <= limit,
      !numbers.isEmpty, Set(numbers).count == numbers.count,
      numbers.allSatisfy({ range.contains($0) })
    else {
      note(
        key,
        expected: "a list of different whole numbers from \(range.lowerBound) to "
          + "\(range.upperBound)",
        found: ConfigurationTable.describe(value))
      return nil
    }
    return numbers
  }

  /// Whether the key is set to exactly this text.
  mutating func isText(_ key: String, _ text: String) -> Bool {
    guard table[key]?.tomlValue.string == text else { return false }
    return value(key) != nil
  }

  /// A truth value; nil where absent or wrong.
  mutating func boolean(_ key: String) -> Bool? {
    guard let value = value(key) else { return nil }
    guard let truth = value.bool else {
      note(key, expected: "true or false", found: ConfigurationTable.describe(value))
      return nil
    }
    return truth
  }

  /// One of the words of `Choice`, or of `others` (which then gives nil, as an absent key does).
  mutating func choice<Choice: CaseIterable & RawRepresentable>(
    _ key: String, of type: Choice.Type, or others: [String] = []
  ) -> Choice? where Choice.RawValue == String {
    guard let value = value(key) else { return nil }
    let word = value.string ?? value.int.map { String($0) }
    if let word, let choice = Choice(rawValue: word) { return choice }
    if let word, others.contains(word) { return nil }
    let words = others + Choice.allCases.map(\.rawValue)
    var found = ConfigurationTable.describe(value)
    if let word, let near = Suggestion.nearest(to: word, among: words) {
      found += " (did you mean \"\(near)\"?)"
    }
    note(
      key, expected: ConfigurationTable.alternatives(words.map { "\"\($0)\"" }), found: found)
    return nil
  }

  /// A table inside this one; nil where absent or wrong.
  mutating func subtable(_ key: String, expected: String? = nil) -> ConfigurationTable? {
    guard let value = value(key) else { return nil }
    guard let inner = value.table else {
      note(
        key, expected: expected ?? "a table [\(ConfigurationProblems.shown(path(of: key)))]",
        found: ConfigurationTable.describe(value))
      return nil
    }
    return ConfigurationTable(inner, path: path(of: key), problems: problems)
  }

  /// The tables of an array of tables; empty where absent or wrong.
  mutating func subtables(_ key: String, atMost limit: Int) -> [ConfigurationTable] {
    guard let value = value(key) else { return [] }
    guard let elements = value.array, elements.allSatisfy({ $0.table != nil }) else {
      note(key, expected: "tables [[\(key)]]", found: ConfigurationTable.describe(value))
      return []
    }
    guard elements.count <= limit else {
      note(key, expected: "at most \(limit)", found: "\(elements.count)")
      return []
    }
    return elements.enumerated().compactMap { index, element in
      element.table.map {
        ConfigurationTable($0, path: "\(path(of: key))[\(index)]", problems: problems)
      }
    }
  }

  /// Notes every key that nothing asked for, with the nearest that exists.
  func finish(hints: [String: String] = [:]) {
    for key in table.keys where !known.contains(key) || table[key] == nil {
      // ConsentKeys has reported it already, with the reason.
      if ConsentKeys.isAboutConsent(key) { continue }
      if let hint = hints[key] {
        note(key, expected: hint, found: "this key")
        continue
      }
      let table = "[\(ConfigurationProblems.shown(path))]"
      let place = path.isEmpty ? "the document" : path.hasSuffix("]") ? "[\(table)]" : table
      var found = "an unknown key"
      if let near = Suggestion.nearest(to: key, among: known) {
        found += " (did you mean \"\(near)\"?)"
      }
      note(key, expected: "a key of \(place)", found: found)
    }
  }

  private mutating func value(_ key: String) -> TOMLValue? {
    known.append(key)
    return table[key]?.tomlValue
  }

  /// A value in an error message: its text or number, cut short; only the kind of anything else.
  private static func describe(_ value: TOMLValue) -> String {
    if let text = value.string {
      return text.count > 60 ? "\"\(text.prefix(60))…\"" : "\"\(text)\""
    }
    if let number = value.int { return String(number) }
    if let truth = value.bool { return String(truth) }
    switch value.type {
    case .table: return "a table"
    case .array: return "a list"
    case .double: return "a number with decimals"
    default: return "a date or time"
    }
  }

  private static func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "nothing" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }
}
