/// Length of files and functions.
enum LengthRules {
  static let fileLines = 400
  static let functionLines = 70

  static func findings(in source: SwiftSource) -> [Finding] {
    var findings: [Finding] = []
    if source.lines.count > fileLines {
      findings.append(
        Finding(path: source.path, line: 0, what: "\(source.lines.count) lines, most \(fileLines)"))
    }
    for function in functions(in: source) where function.count > functionLines {
      findings.append(
        Finding(
          path: source.path, line: function.line,
          what: "function of \(function.count) lines of code, most \(functionLines)"))
    }
    return findings
  }

  /// Each body that opens in the file: its first line, from 1, and its lines of code up to the
  /// closing brace.
  ///
  /// Blank lines, comments and the text of long literals are no code.
  static func functions(in source: SwiftSource) -> [(line: Int, count: Int)] {
    var result: [(line: Int, count: Int)] = []
    for (index, line) in source.code.enumerated() where declaresFunction(line) {
      if let end = closingLine(of: index, in: source.code) {
        result.append(
          (index + 1, source.code[index...end].count { !$0.allSatisfy(\.isWhitespace) }))
      }
    }
    return result
  }

  /// Comments and literals are blank, so these words are keywords; `self.init` and `.init` are calls.
  private static func declaresFunction(_ line: Substring) -> Bool {
    let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
    return words.contains { ["func", "init", "deinit", "subscript"].contains($0) }
  }

  /// The line of the brace that closes the first one opened at or after `start`; nil for a
  /// requirement without a body.
  private static func closingLine(of start: Int, in code: [Substring]) -> Int? {
    var braces = 0
    var parentheses = 0
    for index in start..<code.count {
      for character in code[index] {
        switch character {
        case "(": parentheses += 1
        case ")": parentheses -= 1
        case "{": braces += 1
        case "}":
          braces -= 1
          if braces <= 0 { return braces == 0 ? index : nil }
        default: break
        }
      }
      // A body opens at the latest two lines behind the signature's closing parenthesis.
      if braces == 0, parentheses == 0, index > start + 2 { return nil }
    }
    return nil
  }
}
