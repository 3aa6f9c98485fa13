import OBISDecoder

/// The messages of an SML frame: octet strings that may identify, and checksums.
///
/// Source: BSI TR-03109-1, annex IV "SML" 1.04, 6 (binary encoding), 7.1 and 8 (transport protocol 1):
///
///     1B 1B 1B 1B 01 01 01 01   start
///     messages                  1B 1B 1B 1B in them is sent twice
///     00 …                      0 to 3 bytes to a multiple of four
///     1B 1B 1B 1B 1A PP CC CC   end: padding, CRC-16 of all bytes in front of it
///
/// A message is a list of six: transaction id, group, abort, body, CRC-16 of what stands in front of
/// it, end. Meters send the CRC-16/X-25 with either byte first, Holley's the CRC-16/Kermit.
struct SMLRepair {
  private let frame: Range<Int>
  /// Places in the stream of the bytes between start and end, escapes taken out.
  private let places: [Int]
  private let content: [UInt8]
  private var strings: [Range<Int>] = []
  private var checksums: [(place: Int, covered: Range<Int>)] = []

  /// Takes the frame apart; nil where it is none.
  init?(_ frame: Range<Int>, in bytes: [UInt8]) {
    self.frame = frame
    var places: [Int] = []
    var index = frame.lowerBound + 8
    guard frame.count >= 16, Self.isEscape(frame.lowerBound, in: bytes) else { return nil }
    while index < frame.upperBound - 8 {
      if Self.isEscape(index, in: bytes) {
        guard Self.isEscape(index + 4, in: bytes) else { return nil }
        index += 4
        places += index..<(index + 4)
        index += 4
      } else {
        places.append(index)
        index += 1
      }
    }
    guard index == frame.upperBound - 8, Self.isEscape(index, in: bytes), bytes[index + 4] == 0x1A
    else { return nil }
    self.places = places
    content = places.map { bytes[$0] }
    var walk = SMLWalk(content: content)
    guard walk.readMessages() else { return nil }
    strings = walk.strings
    checksums = walk.checksums
  }

  /// The place in the stream of every byte the decoder counts: doubled escapes count once.
  var countedPlaces: [Int] {
    Array(frame.prefix(8)) + places + Array(frame.suffix(8))
  }

  /// Octet strings that are neither codes nor empty, as their places in the stream.
  var texts: [[Int]] { strings.map { range in range.map { places[$0] } } }

  /// Writes all checksums anew, each in the way it was made.
  ///
  /// A message's that was wrong (eBZ DD3 sends such) stays as it is; false where the frame's is.
  func repair(_ edit: inout StreamEdit) -> Bool {
    let old = content
    let new = places.map { edit.bytes[$0] }
    for checksum in checksums {
      let sent = Array(old[checksum.place..<(checksum.place + 2)])
      guard let way = SMLChecksum(sent, of: Array(old[checksum.covered])) else { continue }
      edit.write(
        way.bytes(of: Array(new[checksum.covered])),
        at: Array(places[checksum.place..<(checksum.place + 2)]))
    }
    let place = frame.upperBound - 2
    let covered = frame.lowerBound..<place
    let sent = Array(edit.original[place...(place + 1)])
    guard let way = SMLChecksum(sent, of: Array(edit.original[covered])) else { return false }
    edit.write(way.bytes(of: Array(edit.bytes[covered])), at: [place, place + 1])
    return true
  }

  private static func isEscape(_ index: Int, in bytes: [UInt8]) -> Bool {
    index + 4 <= bytes.count && bytes[index..<(index + 4)].allSatisfy { $0 == 0x1B }
  }
}

/// A way to make the checksums of SML.
private struct SMLChecksum {
  private let isKermit: Bool
  private let isHighFirst: Bool

  /// The way in which `sent` was made of `bytes`, nil if in none.
  init?(_ sent: [UInt8], of bytes: [UInt8]) {
    for isKermit in [false, true] {
      for isHighFirst in [false, true] {
        let way = SMLChecksum(isKermit: isKermit, isHighFirst: isHighFirst)
        if way.bytes(of: bytes) == sent {
          self = way
          return
        }
      }
    }
    return nil
  }

  private init(isKermit: Bool, isHighFirst: Bool) {
    self.isKermit = isKermit
    self.isHighFirst = isHighFirst
  }

  /// The checksum of `bytes` as it is sent.
  func bytes(of bytes: [UInt8]) -> [UInt8] {
    let range = 0..<bytes.count
    let crc = isKermit ? CRC16.kermit(bytes.span, in: range) : CRC16.x25(bytes.span, in: range)
    let sum = [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
    return isHighFirst ? sum.reversed() : sum
  }
}

/// A walk over the elements of all messages.
///
/// An element begins with one or more bytes of type and length: bits 6 … 4 of the first are the
/// type (0 octets, 4 truth, 5 integer, 6 unsigned, 7 list), bits 3 … 0 of all are the length, bit 7
/// says that another one follows. A length counts these bytes, except in a list, where it counts
/// elements.
private struct SMLWalk {
  private static let nesting = 16
  private static let octets: UInt8 = 0
  private static let unsigned: UInt8 = 6
  private static let list: UInt8 = 7

  let content: [UInt8]
  var strings: [Range<Int>] = []
  var checksums: [(place: Int, covered: Range<Int>)] = []
  private var index = 0

  init(content: [UInt8]) { self.content = content }

  /// Reads all messages; false where the encoding breaks off.
  mutating func readMessages() -> Bool {
    while index < content.count {
      // Padding, and the end of a message.
      if content[index] == 0 {
        index += 1
        continue
      }
      guard readMessage() else { return false }
    }
    return true
  }

  private mutating func readMessage() -> Bool {
    let start = index
    guard let head = readHead(), head.type == Self.list, head.count == 6 else { return false }
    for _ in 0..<4 {
      guard readElement(depth: 0, mayBeCode: false) else { return false }
    }
    let end = index
    // Two bytes; some meters leave a leading zero out, and that has no room for another sum.
    guard let sum = readHead(), sum.type == Self.unsigned, sum.count == 1 || sum.count == 2,
      index + sum.count <= content.count
    else { return false }
    if sum.count == 2 { checksums.append((place: index, covered: start..<end)) }
    index += sum.count
    return true
  }

  private mutating func readElement(depth: Int, mayBeCode: Bool) -> Bool {
    guard depth < Self.nesting, let head = readHead() else { return false }
    guard head.type == Self.list else {
      guard head.count <= content.count - index else { return false }
      let range = index..<(index + head.count)
      index = range.upperBound
      let isCode = mayBeCode && range.count == 6 || content[range].elementsEqual(Self.allValues)
      if head.type == Self.octets, range.count > 1, !isCode { strings.append(range) }
      return true
    }
    // An entry of a value list has seven elements, the first one a code; that of a tree has three.
    for element in 0..<head.count {
      let isName = element == 0 && (head.count == 7 || head.count == 3)
      guard readElement(depth: depth + 1, mayBeCode: isName) else { return false }
    }
    return true
  }

  /// The name of the list of all current values: 1-0:98.10.255*255.
  private static let allValues: [UInt8] = [0x01, 0x00, 0x62, 0x0A, 0xFF, 0xFF]

  /// Reads type and length; `count` is that of elements, or of the bytes that follow.
  private mutating func readHead() -> (type: UInt8, count: Int)? {
    guard index < content.count else { return nil }
    let type = content[index] >> 4 & 7
    let start = index
    var count = 0
    var isLast = false
    while !isLast {
      guard index < content.count, count < 4096 else { return nil }
      count = count << 4 | Int(content[index] & 15)
      isLast = content[index] & 0x80 == 0
      index += 1
    }
    guard type != Self.list else { return (type, count) }
    let body = count - (index - start)
    // A length of 0 is an absent element of one byte: 00 and 01 both stand for nothing.
    return body >= 0 ? (type, body) : (type, 0)
  }
}
