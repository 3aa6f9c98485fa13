/// The Norwegian Kaifa list without OBIS codes, in which the position says what a number is.
///
/// Source: "Kaifa HAN OBIS codes KFM_001" (NEK, HAN-NVE). A structure of 1 element is the active
/// power import alone; 9 and 14 are one phase without and with registers, 13 and 18 three phases.
/// Elements 0 … 2 are octet-strings, 13 is a date-time of 12 octets, all others
/// double-long-unsigned. Nothing else is a Kaifa list: any other count or type is refused.
struct KaifaList: Equatable, BitwiseCopyable {
  /// How many elements it has: 1, 9, 13, 14 or 18.
  let count: Int

  /// The list id of all Kaifa lists, with codes and without.
  static let identifier: StaticString = "KFM_001"

  /// Groups A, C, D and E for each element of the longest list; B is 0.
  private static let codes: [18 of UInt32] = [
    0x01_00_02_81, 0x00_60_01_00, 0x00_60_01_07,  // list id, meter number, meter type
    0x01_01_07_00, 0x01_02_07_00, 0x01_03_07_00, 0x01_04_07_00,  // P+, P−, Q+, Q−
    0x01_1F_07_00, 0x01_33_07_00, 0x01_47_07_00,  // currents
    0x01_20_07_00, 0x01_34_07_00, 0x01_48_07_00,  // voltages
    0x00_01_00_00,  // clock
    0x01_01_08_00, 0x01_02_08_00, 0x01_03_08_00, 0x01_04_08_00,  // registers
  ]

  /// The list at `cursor`, which has read the structure's head; nil if it is none.
  init?(_ root: AXDRElement, at cursor: AXDRCursor, hasTime: Bool, in bytes: Span<UInt8>) {
    guard root.tag == AXDRElement.Tag.structure else { return nil }
    count = root.count
    switch count {
    case 1:
      // Without an id; what tells it from any other single number is the date-time before it.
      guard hasTime else { return nil }
    case 9, 13, 14, 18:
      var probe = cursor
      guard let identifier = try? probe.next(in: bytes),
        identifier.isText(Self.identifier, in: bytes)
      else { return nil }
    default:
      return nil
    }
    guard hasTypes(at: cursor, in: bytes) else { return nil }
  }

  /// The code of the element at `position`.
  func code(at position: Int) -> OBISCode {
    let packed = Self.codes[index(at: position)]
    return OBISCode(
      UInt8(truncatingIfNeeded: packed >> 24), 0, UInt8(truncatingIfNeeded: packed >> 16),
      UInt8(truncatingIfNeeded: packed >> 8), UInt8(truncatingIfNeeded: packed))
  }

  /// Where the element stands in the longest list.
  private func index(at position: Int) -> Int {
    switch count {
    case 1: 3
    case 13, 18: position
    // One phase: neither current nor voltage of L2 and L3.
    default: position < 8 ? position : position == 8 ? 10 : position + 4
    }
  }

  private func hasTypes(at cursor: AXDRCursor, in bytes: Span<UInt8>) -> Bool {
    var probe = cursor
    for position in 0..<count {
      guard let element = try? probe.next(in: bytes) else { return false }
      switch index(at: position) {
      case 0...2:
        guard element.tag == AXDRElement.Tag.octetString else { return false }
      case 13:
        guard element.tag == AXDRElement.Tag.octetString, element.count == COSEMTime.byteCount
        else { return false }
      default:
        guard element.tag == AXDRElement.Tag.doubleLongUnsigned else { return false }
      }
    }
    return true
  }
}
