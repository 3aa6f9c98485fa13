import OBISDecoder

/// A stream of bytes and what is to become of it: other bytes in the same places.
///
/// Hardly anything changes a length, so that every byte keeps the time it came at; the exception is
/// a P1 checksum without leading zeros.
struct StreamEdit {
  /// What was recorded.
  let original: [UInt8]
  /// What is written in its place.
  var bytes: [UInt8]
  /// Bytes that are written in front of a place.
  private(set) var insertions: [Int: [UInt8]] = [:]
  private var removed: Set<Int> = []

  /// Begins with what was recorded.
  init(_ original: [UInt8]) {
    self.original = original
    bytes = original
  }

  /// Writes as many bytes at `places` as there are.
  mutating func write(_ new: [UInt8], at places: [Int]) {
    for (place, byte) in zip(places, new) { bytes[place] = byte }
  }

  /// Writes `new` in place of `range`, whatever the lengths are.
  mutating func replace(_ range: Range<Int>, with new: [UInt8]) {
    let surplus = max(0, new.count - range.count)
    let tail = Array(new.dropFirst(surplus))
    let missing = range.count - tail.count
    for index in range.lowerBound..<(range.lowerBound + missing) { removed.insert(index) }
    for (index, byte) in tail.enumerated() { bytes[range.lowerBound + missing + index] = byte }
    if surplus > 0 { insertions[range.lowerBound] = Array(new.prefix(surplus)) }
  }

  /// What is written for `range`, bytes of which have no place left out.
  func written(_ range: Range<Int>) -> [UInt8] {
    range.flatMap { index in
      (insertions[index] ?? []) + (removed.contains(index) ? [] : [bytes[index]])
    }
  }
}
