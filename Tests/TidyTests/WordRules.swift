/// Words that code must not hold.
enum WordRules {
  // In two pieces, so that this file is not a finding of its own rule.
  private static let leftovers = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"]

  static func findings(in source: SwiftSource) -> [Finding] {
    var findings: [Finding] = []
    func add(_ index: Int, _ what: String) {
      findings.append(Finding(path: source.path, line: index + 1, what: what))
    }
    for (index, line) in source.code.enumerated() {
      if line.contains("try!") { add(index, "try! turns an error into a trap") }
      if calls("fatalError", in: line) { add(index, "fatalError is no answer to input") }
      let isCommand = source.target == "GatewayAgent" && source.room == "Commands"
      if calls("print", in: line) || calls("debugPrint", in: line), !isCommand {
        add(index, "print outside GatewayAgent/Commands")
      }
    }
    return findings
  }

  /// Leftovers stand in comments, so the text as written is searched.
  static func leftovers(in lines: [Substring], of path: String) -> [Finding] {
    var findings: [Finding] = []
    for (index, line) in lines.enumerated() {
      for word in leftovers where line.contains(word) {
        findings.append(Finding(path: path, line: index + 1, what: "leftover \(word)"))
      }
    }
    return findings
  }

  /// Whether the line calls a free function of this name: `name(`, not `.name(` and not `func name(`.
  static func calls(_ name: String, in line: Substring) -> Bool {
    var rest = line[...]
    while let range = rest.firstRange(of: name + "(") {
      let before = line[..<range.lowerBound]
      let isPartOfName =
        before.last.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false
      let isDeclared = before.hasSuffix("func ")
      if !isPartOfName, !isDeclared { return true }
      // `Glibc.socket(` and `Swift.print(` are the free function too.
      if before.hasSuffix("Glibc.") || before.hasSuffix("Swift.") { return true }
      rest = rest[range.upperBound...]
    }
    return false
  }
}
