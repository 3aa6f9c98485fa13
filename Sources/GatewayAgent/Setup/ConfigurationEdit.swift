/// A configuration in which some tables are written anew, and every other byte stays.
struct ConfigurationEdit: Equatable {
  /// The new text.
  private(set) var text: String
  /// Lines that are there no more.
  private(set) var removed: [String]

  /// Puts `lines` in the place of the tables of these names, or at the end where there are none.
  ///
  /// A table is its header and what follows to the next header; comments and blank lines right
  /// before that header belong to it. Whether the result is a configuration is for its reader to
  /// say: this one knows headers and nothing else of TOML.
  init(of text: String, replacing tables: [String], with lines: [String]) {
    let endsLine = text.isEmpty || text.hasSuffix("\n")
    var old = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if old.last == "" { old.removeLast() }
    var kept: [String] = []
    var gone: [String] = []
    var place: Int?
    var index = 0
    while index < old.count {
      guard let name = Self.header(old[index]), tables.contains(name) else {
        kept.append(old[index])
        index += 1
        continue
      }
      if place == nil { place = kept.count }
      let end = Self.end(of: index, in: old)
      gone += old[index..<end]
      index = end
    }
    removed = gone.filter { !$0.isEmpty }
    if let place {
      let isLast = place == kept.count
      kept.insert(contentsOf: lines + (isLast ? [] : [""]), at: place)
    } else {
      if let last = kept.last, !last.isEmpty { kept.append("") }
      kept += lines
    }
    self.text = kept.joined(separator: "\n") + (endsLine || place == nil ? "\n" : "")
  }

  /// Where a table ends: before the comments of the next one.
  private static func end(of start: Int, in lines: [String]) -> Int {
    var end = start + 1
    while end < lines.count, header(lines[end]) == nil { end += 1 }
    guard end < lines.count else {
      // Comments at the end of the file are nobody's: they stay.
      while end > start + 1, isRemark(lines[end - 1]) { end -= 1 }
      return end
    }
    var next = end
    while next > start + 1, lines[next - 1].hasPrefix("#") { next -= 1 }
    return next
  }

  private static func isRemark(_ line: String) -> Bool {
    line.utf8.first { $0 != 0x20 && $0 != 0x09 }.map { $0 == UInt8(ascii: "#") } ?? true
  }

  /// The name in `[name]` or `[[name]]`, nil for any other line.
  static func header(_ line: String) -> String? {
    var text = line[...]
    if let comment = text.firstIndex(of: "#") { text = text[..<comment] }
    var name = text.filter { $0 != " " && $0 != "\t" && $0 != "\r" }
    guard name.hasPrefix("["), name.hasSuffix("]") else { return nil }
    name.removeFirst()
    name.removeLast()
    if name.hasPrefix("["), name.hasSuffix("]") {
      name.removeFirst()
      name.removeLast()
    }
    let isBare = name.utf8.allSatisfy { NameText.isPart($0) || $0 == UInt8(ascii: ".") }
    return isBare && !name.isEmpty ? name : nil
  }
}
