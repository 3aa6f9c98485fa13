/// Questions to a person: on a terminal, or in a test.
struct Dialog {
  /// Shows a line.
  let say: (String) throws(CommandFailure) -> Void
  /// Shows a question and gives the line that was typed; nil at the end of the input.
  let ask: (String) throws(CommandFailure) -> String?

  /// On standard output and input.
  static var terminal: Dialog {
    Dialog(
      say: { (text) throws(CommandFailure) in try Terminal.line(text) },
      ask: { (text) throws(CommandFailure) in
        try Terminal.write(Array(text.utf8))
        return readLine()
      })
  }

  /// Asks until `read` understands the answer; an empty one is `usual`, if there is one.
  ///
  /// - Throws: the end of the input.
  func answer<Value>(
    _ question: String, usual: String? = nil, expected: String,
    _ read: (String) -> Value?
  ) throws(CommandFailure) -> Value {
    while true {
      let brackets = usual.map { " [\($0)]" } ?? ""
      guard let line = try ask("\(question)\(brackets): ") else {
        throw .failed("the input ended; nothing was written")
      }
      var text = Dialog.trimmed(line)
      if text.isEmpty, let usual { text = usual }
      if let value = read(text) { return value }
      try say("  expected \(expected), found \(text.isEmpty ? "nothing" : "\"\(text)\"")")
    }
  }

  /// Asks for one of some words, without regard to case.
  func choice(
    _ question: String, of words: [String], usual: String? = nil
  ) throws(CommandFailure) -> String {
    try answer(question, usual: usual, expected: words.joined(separator: ", ")) { text in
      words.first { $0.lowercased() == text.lowercased() }
    }
  }

  /// Asks for yes or no.
  func confirm(_ question: String, usual: Bool) throws(CommandFailure) -> Bool {
    try choice(question, of: ["yes", "no"], usual: usual ? "yes" : "no") == "yes"
  }

  /// Asks for a plain number with at most three decimals, and gives its text.
  func number(
    _ question: String, in range: ClosedRange<Int>, usual: String? = nil
  ) throws(CommandFailure) -> String {
    let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
    return try answer(question, usual: usual, expected: expected) { text in
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 4 }),
        parts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }),
        let whole = Int(parts[0]), parts.count == 1 || parts[1].utf8.count <= 3
      else { return nil }
      let hasFraction = parts.count == 2 && Int(parts[1]) != 0
      guard range.contains(whole), !hasFraction || whole < range.upperBound else { return nil }
      // TOML has no leading zeros.
      return parts.count == 1 ? "\(whole)" : "\(whole).\(parts[1])"
    }
  }

  private static func trimmed(_ line: String) -> String {
    let blanks: Set<Character> = [" ", "\t", "\r"]
    var text = Substring(line)
    while let first = text.first, blanks.contains(first) { text.removeFirst() }
    while let last = text.last, blanks.contains(last) { text.removeLast() }
    return String(text)
  }
}
