/// A rule of the configuration that a file or the environment broke, printed as one line:
/// `FILE:LINE: KEY: expected …, found …`.
struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file's path, or `environment`.
  var file: String
  /// Line of the key, counted from 1; nil where no line is to blame (missing file, environment).
  var line: Int?
  /// The key with its tables, such as `meters.port`; nil for syntax errors and missing files.
  var key: String?
  /// What the rule asks for.
  var expected: String
  /// What stood there instead.
  var found: String

  /// The one line, without a line end; control characters are shown as `?`.
  var description: String {
    var text = file
    if let line { text += ":\(line)" }
    if let key { text += ": \(key)" }
    text += ": expected \(expected), found \(found)"
    return String(text.map { character in character.isPrintable ? character : "?" })
  }
}

extension Character {
  /// Whether a terminal shows it without moving the cursor or changing state.
  var isPrintable: Bool {
    unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
  }
}
