/// What is wrong with a profile file, printed as one line: `FILE:LINE: FIELD: PROBLEM. HINT`.
public struct ProfileFinding: Equatable, Sendable, CustomStringConvertible {
  /// How much it matters.
  public enum Severity: Equatable, Sendable {
    /// The profile cannot be used.
    case error
    /// It can, but something is worth knowing.
    case warning
  }

  /// How much it matters.
  public var severity: Severity
  /// The file's path.
  public var file: String
  /// Line of the key, counted from 1; nil where no line is to blame.
  public var line: Int?
  /// The key with its tables, such as `values.power.scale`; nil for the file as a whole.
  public var field: String?
  /// One sentence, and a hint where there is one.
  public var text: String

  /// Makes a finding.
  public init(severity: Severity, file: String, line: Int?, field: String?, text: String) {
    self.severity = severity
    self.file = file
    self.line = line
    self.field = field
    self.text = text
  }

  /// The one line, without a line end; control characters are shown as `?`.
  public var description: String {
    var shown = file
    if let line { shown += ":\(line)" }
    if severity == .warning { shown += ": warning" }
    if let field { shown += ": \(field)" }
    shown += ": \(text)"
    return String(String.UnicodeScalarView(shown.unicodeScalars.map { $0.value < 32 ? "?" : $0 }))
  }
}

/// Gathers what is wrong with one file; the tables of the file share it, hence a class.
final class ProfileFindings {
  let file: String
  private(set) var all: [ProfileFinding] = []

  init(file: String) { self.file = file }

  func add(
    _ severity: ProfileFinding.Severity, line: Int?, field: String?, _ text: String
  ) {
    all.append(
      ProfileFinding(severity: severity, file: file, line: line, field: field, text: text))
  }

  /// All, by line.
  var sorted: [ProfileFinding] {
    all.enumerated().sorted { left, right in
      (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
    }.map(\.element)
  }

  var hasError: Bool { all.contains { $0.severity == .error } }
}
