/// Writes SML's binary encoding (SML 1.04 §6) and its transport (§8).
///
/// A field begins with type and length in one octet, or in two with bit 7 set in the first: bits 4–6
/// the type (0 octet string, 5 signed, 6 unsigned, 7 list), low nibbles the length. The length counts
/// its own octets, except a list's, which counts elements. `01` is a field left out, `00` an end.
struct SMLWriter {
  /// What was written.
  private(set) var bytes: [UInt8] = []

  /// Appends octets as they are.
  mutating func raw(_ octets: [UInt8]) { bytes += octets }

  /// Begins a list of `count` elements, at most 255.
  mutating func list(_ count: Int) {
    bytes += count < 16 ? [0x70 | UInt8(count)] : [0xF0 | UInt8(count >> 4), UInt8(count & 15)]
  }

  /// Appends an octet string of at most 253 octets.
  mutating func octets(_ octets: [UInt8]) {
    let long = UInt8(octets.count + 2)
    bytes += octets.count < 15 ? [UInt8(octets.count + 1)] : [0x80 | long >> 4, long & 15]
    bytes += octets
  }

  /// Appends a field that is left out.
  mutating func none() { bytes.append(0x01) }

  /// Appends an integer of `count` octets, highest first.
  mutating func integer(_ number: Int64, _ count: Int, isSigned: Bool) {
    bytes.append((isSigned ? 0x50 : 0x60) | UInt8(count + 1))
    for place in (0..<count).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: number >> (8 * Int64(place))))
    }
  }

  /// The transport frame around whole messages.
  ///
  ///     1B1B1B1B 01010101 | messages | 0…3 times 00 | 1B1B1B1B 1A, number of 00, checksum
  ///
  /// Four octets 1B in a message are sent twice. The checksum covers all before it.
  static func transport(_ messages: [UInt8], isKermit: Bool) -> [UInt8] {
    let escape = [UInt8](repeating: 0x1B, count: 4)
    var bytes: [UInt8] = escape + [1, 1, 1, 1]
    var run = 0
    for octet in messages {
      bytes.append(octet)
      run = octet == 0x1B ? run + 1 : 0
      if run == 4 {
        bytes += escape
        run = 0
      }
    }
    let padding = (4 - bytes.count % 4) % 4
    bytes += [UInt8](repeating: 0, count: padding) + escape + [0x1A, UInt8(padding)]
    return bytes + checksum(of: bytes, isKermit: isKermit)
  }

  /// CRC-16/X-25, low octet first as in HDLC; or CRC-16/KERMIT, which starts and ends without the
  /// exclusive or, high octet first as Holley sends it.
  static func checksum(of bytes: [UInt8], isKermit: Bool) -> [UInt8] {
    guard isKermit else { return HDLCWriter.checksum(of: bytes) }
    let crc = ~HDLCWriter.x25(bytes, start: 0)
    return [UInt8(crc >> 8), UInt8(crc & 0xFF)]
  }
}
