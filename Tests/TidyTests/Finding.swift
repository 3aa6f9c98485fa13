import Testing

/// Where a rule is broken, and how.
struct Finding: CustomStringConvertible, Equatable {
  let path: String
  /// Counted from 1; 0 for the whole file.
  let line: Int
  let what: String

  var description: String { line == 0 ? "\(path): \(what)" : "\(path):\(line): \(what)" }
}

/// Fails with one line for each finding.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings {
    Issue.record(Comment(rawValue: finding.description), sourceLocation: sourceLocation)
  }
}
