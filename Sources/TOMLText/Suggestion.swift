/// Finds what somebody probably meant: the candidate with the fewest edits, if they are few.
public enum Suggestion {
  /// The nearest of `candidates`, nil where nothing is near.
  ///
  /// Near is at most two edits and less than half the word, or one word beginning with the other.
  public static func nearest(to word: String, among candidates: [String]) -> String? {
    let typed = word.lowercased()
    var best: (candidate: String, edits: Int)?
    for candidate in candidates {
      let edits = distance(typed, candidate)
      if edits < best?.edits ?? .max { best = (candidate, edits) }
    }
    if let best, best.edits <= 2, best.edits * 2 < max(typed.utf8.count, 2) {
      return best.candidate
    }
    guard typed.utf8.count >= 3 else { return nil }
    return candidates.first { $0.hasPrefix(typed) || typed.hasPrefix($0) }
  }

  /// Number of insertions, deletions, replacements and swaps of neighbours that turn one into the
  /// other (optimal string alignment); words beyond 64 bytes count as entirely different.
  public static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8)
    let right = Array(right.utf8)
    guard left.count <= 64, right.count <= 64 else { return max(left.count, right.count) }
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in left.indices {
      var next = [row + 1]
      for column in right.indices {
        let replaced = previous[column] + (left[row] == right[column] ? 0 : 1)
        var edits = min(replaced, previous[column + 1] + 1, next[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          edits = min(edits, beforePrevious[column - 1] + 1)
        }
        next.append(edits)
      }
      beforePrevious = previous
      previous = next
    }
    return previous[right.count]
  }
}
