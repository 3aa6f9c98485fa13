import OBISDecoder

/// Checksums of the frames of HDLC and the wired M-Bus, found around a byte and written anew.
///
/// HDLC (IEC 62056-46, 6.4): 7E, format of 2 bytes with the length, addresses, control, HCS,
/// information, FCS; both checksums CRC-16/X-25, low byte first. M-Bus (EN 13757-2, 5.5.3):
/// 68 L L 68, L bytes, their sum, 16.
enum LinkFrames {
  /// Longest HDLC frame: a length of 11 bits and two flags.
  private static let longestHDLC = 2049
  /// Longest M-Bus frame: 15 + 256 bytes, and six around them.
  private static let longestMBus = 277

  /// The sound HDLC frame around `position`, opening flag included, closing flag if there is one.
  static func hdlc(around position: Int, in bytes: [UInt8]) -> Range<Int>? {
    var start = position
    while start >= max(0, position - longestHDLC) {
      if bytes[start] == 0x7E, let header = HDLCShape(bytes, at: start), header.fcs + 2 > position,
        bytes.isX25(header.fcs, of: (start + 1)..<header.fcs)
      {
        let end = header.fcs + 2
        return start..<(end < bytes.count && bytes[end] == 0x7E ? end + 1 : end)
      }
      start -= 1
    }
    return nil
  }

  /// The sound M-Bus frame around `position`.
  ///
  /// A length below 16 may stand for 256 more: Sagemcom's T210-D sends 257 bytes as `68 01 01 68`.
  static func mbus(around position: Int, in bytes: [UInt8]) -> Range<Int>? {
    var start = position
    while start >= max(0, position - longestMBus) {
      if start + 5 < bytes.count, bytes[start] == 0x68, bytes[start + 3] == 0x68,
        bytes[start + 1] == bytes[start + 2]
      {
        let length = Int(bytes[start + 1])
        for count in length < 16 ? [length, length + 256] : [length] {
          let sum = start + 4 + count
          if sum + 1 < bytes.count, sum > position, bytes[sum + 1] == 0x16,
            bytes[sum] == checksum(bytes[(start + 4)..<sum])
          {
            return start..<(sum + 2)
          }
        }
      }
      start -= 1
    }
    return nil
  }

  /// Writes both checksums of an HDLC frame; false if it is none.
  static func repairHDLC(_ frame: Range<Int>, in edit: inout StreamEdit) -> Bool {
    guard let header = HDLCShape(edit.bytes, at: frame.lowerBound),
      header.fcs + 2 <= frame.upperBound
    else { return false }
    if header.hcs < header.fcs {
      edit.writeX25(header.hcs, of: (frame.lowerBound + 1)..<header.hcs)
    }
    edit.writeX25(header.fcs, of: (frame.lowerBound + 1)..<header.fcs)
    return true
  }

  /// Writes the sum of an M-Bus frame.
  static func repairMBus(_ frame: Range<Int>, in edit: inout StreamEdit) {
    let sum = frame.upperBound - 2
    edit.bytes[sum] = checksum(edit.bytes[(frame.lowerBound + 4)..<sum])
  }

  /// Where the physical device address stands in an HDLC frame, for addresses of four bytes.
  ///
  /// It is made of the meter's number (Green Book, 8.4.2.3). Shorter ones number a model's ports.
  static func physicalAddresses(_ frame: Range<Int>, in bytes: [UInt8]) -> [Range<Int>] {
    HDLCShape(bytes, at: frame.lowerBound).map { $0.physicalAddresses } ?? []
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt8 { bytes.reduce(0, &+) }
}

/// Where the parts of an HDLC frame are.
private struct HDLCShape {
  /// Offset of the header checksum; that of the frame's where there is no information.
  var hcs: Int
  /// Offset of the frame checksum.
  var fcs: Int
  var physicalAddresses: [Range<Int>] = []

  init?(_ bytes: [UInt8], at start: Int) {
    guard start + 9 < bytes.count, bytes[start + 1] & 0xF0 == 0xA0 else { return nil }
    let length = Int(bytes[start + 1] & 7) << 8 | Int(bytes[start + 2])
    fcs = start + length - 1
    guard length >= 7, fcs + 2 <= bytes.count else { return nil }
    var index = start + 3
    for _ in 0..<2 {
      let first = index
      while index < fcs, index - first < 4, bytes[index] & 1 == 0 { index += 1 }
      guard index < fcs, bytes[index] & 1 == 1 else { return nil }
      index += 1
      if index - first == 4 { physicalAddresses.append((first + 2)..<index) }
    }
    hcs = index + 1
    guard hcs == fcs || hcs + 2 < fcs else { return nil }
  }
}

extension [UInt8] {
  /// The CRC-16/X-25 of a range, low byte first.
  func x25(of range: Range<Int>) -> [UInt8] {
    let crc = CRC16.x25(span, in: range)
    return [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
  }

  /// Whether the CRC-16/X-25 of `range` stands at `place`.
  fileprivate func isX25(_ place: Int, of range: Range<Int>) -> Bool {
    place + 2 <= count && x25(of: range) == Array(self[place..<(place + 2)])
  }
}

extension StreamEdit {
  /// Writes the CRC-16/X-25 of `range` at `place`.
  fileprivate mutating func writeX25(_ place: Int, of range: Range<Int>) {
    write(bytes.x25(of: range), at: [place, place + 1])
  }
}
