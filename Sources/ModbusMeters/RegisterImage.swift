/// The words that a cycle brought from one unit, block by block.
///
/// The frame of a cycle is the bytes of its blocks, one behind the other, high byte first: the places
/// of readings and secrets count in `bytes`.
public struct RegisterImage: Sendable {
  private struct Part: Sendable {
    var function: ReadFunction
    var address: Int
    var words: [UInt16]
    var offset: Int
  }

  private var parts: [Part] = []
  /// The frame.
  public private(set) var bytes: [UInt8] = []

  /// Makes an empty image.
  public init() {}

  /// Forgets the last cycle.
  public mutating func removeAll() {
    parts.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
  }

  /// Takes the words of a block; false, and nothing is kept, where their number is not the block's.
  @discardableResult
  public mutating func store(_ words: [UInt16], of block: ReadBlock) -> Bool {
    guard words.count == block.count else { return false }
    parts.append(
      Part(
        function: block.function, address: Int(block.address), words: words, offset: bytes.count))
    for word in words {
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
      bytes.append(UInt8(truncatingIfNeeded: word))
    }
    return true
  }

  /// Appends text that stands for registers, such as a serial number's digits; returns its place.
  mutating func append(text: [UInt8]) -> Range<Int> {
    let start = bytes.count
    bytes += text
    return start..<bytes.count
  }

  /// The words of a stretch and the place of the first in `bytes`; nil unless one block has them all.
  func words(_ function: ReadFunction, _ range: Range<Int>) -> (
    words: ArraySlice<UInt16>, offset: Int
  )? {
    for part in parts where part.function == function {
      let start = range.lowerBound - part.address
      guard start >= 0, start + range.count <= part.words.count else { continue }
      return (part.words[start..<start + range.count], part.offset + start * 2)
    }
    return nil
  }

  /// The bits of a number, most significant word first, and its place; nil if it was not read.
  func bits(_ register: Register) -> (bits: UInt64, offset: Int)? {
    guard let (words, offset) = words(register.function, register.range) else { return nil }
    let ordered = register.wordOrder == .highFirst ? Array(words) : words.reversed()
    return (ordered.reduce(0) { $0 << 16 | UInt64($1) }, offset)
  }
}
