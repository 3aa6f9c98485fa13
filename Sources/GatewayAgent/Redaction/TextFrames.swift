import OBISDecoder

/// Checksums of P1 telegrams and D0 readouts, and lines that nobody could read.
enum TextFrames {
  /// Writes the checksum of the P1 telegram `frame` as it was written: as many digits, in its case.
  ///
  /// A checksum of fewer than four digits is one without leading zeros (NWA WarmteLink).
  static func repairP1(_ frame: Range<Int>, in edit: inout StreamEdit) {
    guard let digits = p1Checksum(frame, in: edit.original) else { return }
    let crc = CRC16.arc(edit.bytes.span, in: frame.lowerBound..<digits.lowerBound)
    edit.replace(digits, with: p1Text(crc, like: Array(edit.original[digits])))
  }

  /// The telegram `bytes` with its checksum made right, which must keep its length.
  static func repairedP1(_ bytes: [UInt8]) -> [UInt8]? {
    var edit = StreamEdit(bytes)
    repairP1(0..<bytes.count, in: &edit)
    let written = edit.written(0..<bytes.count)
    return written.count == bytes.count ? written : nil
  }

  /// Where the checksum's digits are: behind the last '!' that begins a line; nil without digits.
  private static func p1Checksum(_ frame: Range<Int>, in bytes: [UInt8]) -> Range<Int>? {
    let mark = frame.last { index in
      bytes[index] == UInt8(ascii: "!")
        && (index == frame.lowerBound || bytes[index - 1] == UInt8(ascii: "\n")
          || bytes[index - 1] == 0)
    }
    guard let start = mark.map({ $0 + 1 }) else { return nil }
    var end = start
    while end < frame.upperBound, end < start + 4, bytes[end].hexValue != nil { end += 1 }
    return end > start ? start..<end : nil
  }

  private static func p1Text(_ crc: UInt16, like old: [UInt8]) -> [UInt8] {
    let isLower = old.contains { $0 >= UInt8(ascii: "a") } && !old.contains { capital.contains($0) }
    let text = String(crc, radix: 16, uppercase: !isLower)
    let zeros = old.count == 4 ? String(repeating: "0", count: 4 - text.count) : ""
    return Array((zeros + text).utf8)
  }

  private static let capital = UInt8(ascii: "A")...UInt8(ascii: "F")

  /// Writes the block check of a D0 readout, where it has a right one: the exclusive or of all
  /// bytes behind STX to ETX (IEC 62056-21, 6.2; ISO 1155).
  static func repairD0(_ frame: Range<Int>, in edit: inout StreamEdit) {
    guard let first = frame.first(where: { edit.original[$0] == 0x02 }),
      let last = frame.last(where: { edit.original[$0] == 0x03 }), first < last,
      last + 1 < frame.upperBound
    else { return }
    let covered = (first + 1)...last
    // With parity bits in the bytes the check is made of seven.
    let sent = edit.original[last + 1]
    let check = { (bytes: [UInt8]) in bytes[covered].reduce(0, ^) }
    guard (check(edit.original) ^ sent) & 0x7F == 0 else { return }
    edit.bytes[last + 1] = check(edit.bytes) & 0x7F | sent & 0x80
  }

  /// The groups of the line at `offset` of a text frame, and of lines that continue it: what a
  /// problem is about; a unit behind a star is left out.
  static func groups(at offset: Int, in text: [UInt8]) -> [Range<Int>] {
    guard !text.isEmpty else { return [] }
    var start = min(offset, text.count - 1)
    while start > 0, text[start - 1] != UInt8(ascii: "\n") { start -= 1 }
    var groups: [Range<Int>] = []
    var open: Int?
    for index in start..<text.count {
      switch text[index] {
      case UInt8(ascii: "("): open = index + 1
      case UInt8(ascii: ")"):
        if let from = open { groups.append(from..<number(from..<index, in: text)) }
        open = nil
      case UInt8(ascii: "\n"):
        if let from = open { groups.append(from..<index) }
        open = nil
        let next = index + 1
        guard next < text.count, text[next] == UInt8(ascii: "(") else { return groups }
      default: break
      }
    }
    return groups
  }

  /// Where the number of a group ends: at a star that at most five characters follow.
  private static func number(_ group: Range<Int>, in text: [UInt8]) -> Int {
    let star = group.last { text[$0] == UInt8(ascii: "*") }
    guard let star, group.upperBound - star <= 6 else { return group.upperBound }
    return star
  }
}
