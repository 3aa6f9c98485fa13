/// A Swift file with its comments and the contents of its string literals blanked out, so that a
/// rule about code does not stumble over prose.
struct SwiftSource {
  let path: String
  /// Lines as written.
  let lines: [Substring]
  /// The same lines; what stood in comments and string literals is blank.
  let code: [Substring]

  init(path: String, text: String) {
    self.path = path
    lines = Self.split(text)
    code = Self.split(Self.blanked(text))
  }

  /// The target's folder below Sources: `GatewayAgent` for `Sources/GatewayAgent/Loop/X.swift`.
  var target: Substring { component(1) }
  /// The folder below the target's, or empty: `Loop`.
  var room: Substring { path.split(separator: "/").count > 3 ? component(2) : "" }

  /// Modules that the file imports, with whatever stands before `import`.
  var imports: [Substring] {
    code.compactMap { line in
      let words = line.split(separator: " ")
      guard let at = words.firstIndex(of: "import"), at <= 2, at + 1 < words.count else {
        return nil
      }
      let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
      ]
      let name = kinds.contains(words[at + 1]) ? words.last ?? "" : words[at + 1]
      return name.split(separator: ".").first
    }
  }

  private func component(_ index: Int) -> Substring {
    let parts = path.split(separator: "/")
    return index < parts.count ? parts[index] : ""
  }

  private static func split(_ text: String) -> [Substring] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // The line end of the last line begins no further one.
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

/// Blanking, a scanner over bytes: Swift's delimiters are ASCII.
extension SwiftSource {
  /// Where the scanner is; nested as the source nests.
  private enum Place {
    case code
    /// In `\(…)` of a literal, at this depth of parentheses.
    case interpolation(depth: Int)
    case lineComment
    case blockComment(depth: Int)
    case literal(hashes: Int, isMultiline: Bool)
  }

  private static func blanked(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result = bytes
    var places: [Place] = [.code]
    var index = 0
    while index < bytes.count {
      let step = step(bytes, at: index, &places)
      if step.isBlank {
        for at in index..<min(index + step.count, bytes.count) where bytes[at] != UInt8(ascii: "\n")
        {
          result[at] = UInt8(ascii: " ")
        }
      }
      index += step.count
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Consumes at least one byte; says how many, and whether they are blanked.
  private static func step(
    _ bytes: [UInt8], at index: Int, _ places: inout [Place]
  ) -> (count: Int, isBlank: Bool) {
    switch places.last ?? .code {
    case .code: return codeStep(bytes, at: index, &places)
    case .interpolation(let depth):
      if bytes[index] == UInt8(ascii: "(") {
        places[places.count - 1] = .interpolation(depth: depth + 1)
      } else if bytes[index] == UInt8(ascii: ")") {
        if depth == 1 {
          places.removeLast()
        } else {
          places[places.count - 1] = .interpolation(depth: depth - 1)
        }
        return (1, false)
      }
      return codeStep(bytes, at: index, &places)
    case .lineComment:
      if bytes[index] == UInt8(ascii: "\n") { places.removeLast() }
      return (1, true)
    case .blockComment(let depth):
      if starts(bytes, index, "/*") {
        places[places.count - 1] = .blockComment(depth: depth + 1)
        return (2, true)
      }
      guard starts(bytes, index, "*/") else { return (1, true) }
      if depth == 1 {
        places.removeLast()
      } else {
        places[places.count - 1] = .blockComment(depth: depth - 1)
      }
      return (2, true)
    case .literal(let hashes, let isMultiline):
      return literalStep(bytes, at: index, hashes, isMultiline, &places)
    }
  }

  private static func codeStep(
    _ bytes: [UInt8], at index: Int, _ places: inout [Place]
  ) -> (count: Int, isBlank: Bool) {
    if starts(bytes, index, "//") {
      places.append(.lineComment)
      return (2, true)
    }
    if starts(bytes, index, "/*") {
      places.append(.blockComment(depth: 1))
      return (2, true)
    }
    var hashes = 0
    while index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "#") { hashes += 1 }
    guard index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "\"") else {
      return (max(hashes, 1), false)
    }
    let isMultiline = starts(bytes, index + hashes, "\"\"\"")
    places.append(.literal(hashes: hashes, isMultiline: isMultiline))
    return (hashes + (isMultiline ? 3 : 1), false)
  }

  private static func literalStep(
    _ bytes: [UInt8], at index: Int, _ hashes: Int, _ isMultiline: Bool, _ places: inout [Place]
  ) -> (count: Int, isBlank: Bool) {
    let marks = String(repeating: "#", count: hashes)
    let end = (isMultiline ? "\"\"\"" : "\"") + marks
    if starts(bytes, index, end) {
      places.removeLast()
      return (end.utf8.count, false)
    }
    if starts(bytes, index, "\\" + marks + "(") {
      places.append(.interpolation(depth: 1))
      return (2 + hashes, true)
    }
    // An escaped quotation mark or backslash ends nothing.
    if starts(bytes, index, "\\" + marks) { return (min(2 + hashes, bytes.count - index), true) }
    // A literal of one line that is not closed is no Swift: go on as code.
    if !isMultiline, bytes[index] == UInt8(ascii: "\n") { places.removeLast() }
    return (1, true)
  }

  private static func starts(_ bytes: [UInt8], _ index: Int, _ text: String) -> Bool {
    let text = text.utf8
    guard index + text.count <= bytes.count else { return false }
    return bytes[index..<index + text.count].elementsEqual(text)
  }
}
