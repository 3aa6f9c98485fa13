/// Makes mutated frames look sound: lengths and checksums are computed anew.
///
/// Shares no code with the decoder: checksums go bit by bit here. What a family does not need stays as
/// it is; whatever these functions make of bytes is a good input, so that they may guess.
enum Repair {
  /// Repairs what `target` checks; `variant` picks among several ways.
  static func checksums(_ bytes: inout [UInt8], of target: FuzzTarget, variant: UInt32) {
    switch target {
    case .family(.p1): p1(&bytes)
    case .family(.d0):
      p1(&bytes)
      d0(&bytes)
    case .family(.hdlc): hdlc(&bytes, variant)
    case .family(.mbus): mbus(&bytes, variant)
    case .family(.sml): sml(&bytes)
    case .family(.apdu), .dlms: break
    case .ciphered, .whole:
      hdlc(&bytes, variant)
      mbus(&bytes, variant)
      if target == .whole {
        sml(&bytes)
        p1(&bytes)
      }
    }
  }

  /// One HDLC frame with right checksums whose information is `content`, cut to what a frame takes.
  static func hdlcFrame(around content: [UInt8]) -> [UInt8] {
    let information = content.prefix(2030)
    var bytes: [UInt8] = [0x7E, 0xA0, 0, 0x41, 0x08, 0x83, 0x13, 0, 0]
    bytes += information
    bytes += [0, 0, 0x7E]
    hdlcFrame(&bytes, at: 0, length: bytes.count - 2)
    return bytes
  }

  /// Each '!' at the start of a line gets the CRC-16/ARC from the first '/' behind the last one on.
  private static func p1(_ bytes: inout [UInt8]) {
    var start: Int?
    var index = 0
    while index < bytes.count {
      defer { index += 1 }
      if bytes[index] == UInt8(ascii: "/"), start == nil { start = index }
      guard let first = start, bytes[index] == UInt8(ascii: "!"), bytes[index - 1] == 0x0A else {
        continue
      }
      start = nil
      let digits = index + 1..<min(index + 5, bytes.count)
      let crc = reflected(bytes[first...index], 0xA001, 0)
      let hexadecimal = Array(String(UInt32(crc) + 0x10000, radix: 16, uppercase: true).utf8)
      bytes.replaceSubrange(digits, with: hexadecimal.dropFirst())
    }
  }

  /// A block check character behind each ETX: XOR from behind STX on (IEC 62056-21, annex E).
  private static func d0(_ bytes: inout [UInt8]) {
    var check: UInt8?
    for index in bytes.indices {
      if bytes[index] == 0x02 {
        check = 0
      } else if let sum = check {
        check = sum ^ bytes[index]
        guard bytes[index] == 0x03, index + 1 < bytes.count else { continue }
        bytes[index + 1] = sum ^ 0x03
        check = nil
      }
    }
  }

  /// Frames keep their length, or reach to a later flag; both checksums are put right.
  private static func hdlc(_ bytes: inout [UInt8], _ variant: UInt32) {
    var index = 0
    while index + 2 < bytes.count {
      guard bytes[index] == 0x7E, bytes[index + 1] & 0xF0 == 0xA0 else {
        index += 1
        continue
      }
      var length = Int(bytes[index + 1] & 7) << 8 | Int(bytes[index + 2])
      if variant & 1 == 1 || index + length + 1 > bytes.count {
        let next = bytes[(index + 3)...].firstIndex(of: 0x7E) ?? bytes.count
        length = min(next - index - 1, 0x7FF)
      }
      hdlcFrame(&bytes, at: index, length: length)
      index += max(length, 1) + 1
    }
  }

  private static func hdlcFrame(_ bytes: inout [UInt8], at flag: Int, length: Int) {
    let end = flag + 1 + length
    guard length >= 7, end <= bytes.count else { return }
    bytes[flag + 1] = bytes[flag + 1] & 0xF8 | UInt8(length >> 8)
    bytes[flag + 2] = UInt8(length & 0xFF)
    var header = flag + 3
    for _ in 0..<2 {
      while header < end, bytes[header] & 1 == 0 { header += 1 }
      header += 1
    }
    header += 1
    if header + 2 <= end { put(x25(bytes[(flag + 1)..<header]), into: &bytes, at: header) }
    put(x25(bytes[(flag + 1)..<(end - 2)]), into: &bytes, at: end - 2)
  }

  /// Long frames of the wired M-Bus (EN 13757-2): 68 L L 68, L bytes, their sum, 16.
  private static func mbus(_ bytes: inout [UInt8], _ variant: UInt32) {
    var index = 0
    while index + 9 <= bytes.count {
      guard bytes[index] == 0x68, bytes[index + 3] == 0x68 else {
        index += 1
        continue
      }
      let room = min(bytes.count - index - 6, 255)
      let length = variant & 2 == 2 ? room : min(Int(bytes[index + 1]), room)
      bytes[index + 1] = UInt8(length)
      bytes[index + 2] = UInt8(length)
      let end = index + 4 + length
      bytes[end] = bytes[(index + 4)..<end].reduce(0, &+)
      bytes[end + 1] = 0x16
      index = end + 2
    }
  }

  /// Messages of each transport file, then the file itself: CRC-16/X-25, low byte first.
  private static func sml(_ bytes: inout [UInt8]) {
    let escape: [UInt8] = [0x1B, 0x1B, 0x1B, 0x1B]
    var start: Int?
    var message: Int?
    var index = 0
    while index + 8 <= bytes.count {
      if bytes[index..<index + 4].elementsEqual(escape) {
        if bytes[index + 4] == 0x01 { start = index }
        if bytes[index + 4] == 0x1A, let first = start {
          put(x25(bytes[first..<index + 6]), into: &bytes, at: index + 6)
          start = nil
        }
        message = nil
        index += 8
        continue
      }
      if bytes[index] == 0x76, message == nil { message = index }
      if bytes[index] == 0x63, bytes[index + 3] == 0, let first = message {
        put(x25(bytes[first..<index]), into: &bytes, at: index + 1)
        message = nil
        index += 3
      }
      index += 1
    }
  }

  private static func put(_ crc: UInt16, into bytes: inout [UInt8], at index: Int) {
    guard index >= 0, index + 1 < bytes.count else { return }
    bytes[index] = UInt8(crc & 0xFF)
    bytes[index + 1] = UInt8(crc >> 8)
  }

  private static func x25(_ bytes: ArraySlice<UInt8>) -> UInt16 {
    ~reflected(bytes, 0x8408, 0xFFFF)
  }

  private static func reflected(
    _ bytes: ArraySlice<UInt8>, _ polynomial: UInt16, _ start: UInt16
  ) -> UInt16 {
    var crc = start
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
    }
    return crc
  }
}
