/// The lists in which the position alone says what a value is: known ones, as data.
///
///     LIST                          ELEMENTS              SOURCE
///     Kaifa, Norway: `KFM_001`      1, 9, 13, 14, 18      "Kaifa HAN OBIS codes KFM_001" (NEK, HAN-NVE)
///     Iskraemeco AM550, Slovenia:   8, 9, 10, 10, 12,     amsreader-firmware frames/slovenia-iskra.raw
///       device name `ISK…`          12, 18                (list annotated by the grid company), #869
///     Siemens IM350, Iskraemeco     10, 12                Wiener Netze, Netz OÖ: description of the
///       AM550, Austria: 0-6:25.9.0                        customer interface; shrdzm Device_IM350
///     Landis+Gyr E450, Burgenland   11, 14                Netz Burgenland, "Beschreibung Endkunden-
///                                                         schnittstelle"; Tasmota #23027
///
/// A list is one of these if its count, the mark in its first element and the type of every element
/// are right; no other list is taken for one. Lists of which only guesses are public (AM550 with 4
/// and 15 elements, IE.5 of Croatia with 33) are left out.
struct ListLayout: Equatable, BitwiseCopyable {
  /// How many elements it has.
  let count: Int
  private let first: Int
  private let mark: Mark

  /// What the list's first element must be.
  private enum Mark: UInt8 {
    /// Anything of its type.
    case any
    /// Anything, behind a date-time in the message's header.
    case time
    /// The text `KFM_001`.
    case kaifa
    /// A text that begins with `ISK`.
    case iskraemeco
    /// The code 0-6:25.9.0, push setup.
    case push
  }

  /// The layouts: number of elements, mark, and where the first row is.
  private static let layouts: [16 of (count: UInt8, mark: UInt8, first: UInt8)] = [
    // A number alone is told from any other by the date-time in front of it.
    (1, 1, 3), (13, 2, 0), (18, 2, 0), (9, 2, 18), (14, 2, 18),
    (18, 3, 32), (12, 3, 50), (12, 3, 62), (10, 3, 74), (10, 3, 84), (9, 3, 94), (8, 3, 103),
    (10, 4, 111), (12, 4, 111), (11, 0, 123), (14, 0, 134),
  ]

  /// A row for each element: type, power of ten, groups A, C, D and E of its code (B is 0, F 255).
  ///
  /// The types are those of A-XDR, but 03 is boolean or enum, 09 any string, and 19, 1A and 1B are
  /// octet-strings as long as date-time, date and time. Without a code an element has no meaning.
  private static let rows: [148 of UInt64] = [
    // Kaifa, three phases.
    0x09_00_01_00_02_81, 0x09_00_00_60_01_00, 0x09_00_00_60_01_07,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    0x06_FD_01_1F_07_00, 0x06_FD_01_33_07_00, 0x06_FD_01_47_07_00,
    0x06_FF_01_20_07_00, 0x06_FF_01_34_07_00, 0x06_FF_01_48_07_00,
    0x19_00_00_01_00_00,
    0x06_00_01_01_08_00, 0x06_00_01_02_08_00, 0x06_00_01_03_08_00, 0x06_00_01_04_08_00,
    // 18: Kaifa, one phase.
    0x09_00_01_00_02_81, 0x09_00_00_60_01_00, 0x09_00_00_60_01_07,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    0x06_FD_01_1F_07_00, 0x06_FF_01_20_07_00,
    0x19_00_00_01_00_00,
    0x06_00_01_01_08_00, 0x06_00_01_02_08_00, 0x06_00_01_03_08_00, 0x06_00_01_04_08_00,
    // 32: Slovenia, 18: powers, voltages, currents, power of each phase.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_03,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    0x12_FF_01_20_07_00, 0x12_FF_01_34_07_00, 0x12_FF_01_48_07_00,
    0x12_FE_01_1F_07_00, 0x12_FE_01_33_07_00, 0x12_FE_01_47_07_00,
    0x06_00_01_15_07_00, 0x06_00_01_29_07_00, 0x06_00_01_3D_07_00,
    0x06_00_01_16_07_00, 0x06_00_01_2A_07_00, 0x06_00_01_3E_07_00,
    // 50: Slovenia, 12: disconnector, tariff, registers.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_03, 0x03_00_00_60_03_0A, 0x09_00_00_60_0E_00,
    0x06_00_01_01_08_00, 0x06_00_01_01_08_01, 0x06_00_01_01_08_02,
    0x06_00_01_02_08_00, 0x06_00_01_02_08_01, 0x06_00_01_02_08_02,
    0x06_00_01_03_08_00, 0x06_00_01_04_08_00,
    // 62: Slovenia, 12: voltages, currents, powers.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_02,
    0x12_FF_01_20_07_00, 0x12_FF_01_34_07_00, 0x12_FF_01_48_07_00,
    0x12_FE_01_1F_07_00, 0x12_FE_01_33_07_00, 0x12_FE_01_47_07_00,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    // 74: Slovenia, 10: one phase.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_02,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    0x12_FF_01_20_07_00, 0x12_FE_01_1F_07_00, 0x06_00_01_15_07_00, 0x06_00_01_16_07_00,
    // 84: Slovenia, 10: registers by tariff.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_03,
    0x06_00_01_01_08_01, 0x06_00_01_01_08_02, 0x06_00_01_02_08_01, 0x06_00_01_02_08_02,
    0x06_00_01_03_08_01, 0x06_00_01_03_08_02, 0x06_00_01_04_08_01, 0x06_00_01_04_08_02,
    // 94: Slovenia, 9: powers, voltage, export by tariff.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_02,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    0x12_FF_01_20_07_00, 0x06_00_01_02_08_01, 0x06_00_01_02_08_02,
    // 103: Slovenia, 8: voltage, current, powers.
    0x09_00_00_2A_00_00, 0x09_00_00_60_01_02, 0x12_FF_01_20_07_00, 0x12_FE_01_1F_07_00,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_03_07_00, 0x06_00_01_04_07_00,
    // 111: Austria: number, time, date, registers, powers; of 12 the last two are empty.
    0x09_00_00_00_00_00, 0x09_00_00_60_01_00, 0x1B_00_00_00_00_00, 0x1A_00_00_00_00_00,
    0x06_00_01_01_08_00, 0x06_00_01_02_08_00, 0x06_00_01_03_08_00, 0x06_00_01_04_08_00,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x09_00_00_00_00_00, 0x09_00_00_00_00_00,
    // 123: Burgenland, 11: voltages, currents, powers, registers, number.
    0x12_00_01_20_07_00, 0x12_00_01_34_07_00, 0x12_00_01_48_07_00,
    0x12_FE_01_1F_07_00, 0x12_FE_01_33_07_00, 0x12_FE_01_47_07_00,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_01_08_00, 0x06_00_01_02_08_00,
    0x09_00_00_60_01_00,
    // 134: Burgenland, 14: the same with three numbers that nobody explains.
    0x12_00_01_20_07_00, 0x12_00_01_34_07_00, 0x12_00_01_48_07_00,
    0x12_FE_01_1F_07_00, 0x12_FE_01_33_07_00, 0x12_FE_01_47_07_00,
    0x06_00_01_01_07_00, 0x06_00_01_02_07_00, 0x06_00_01_01_08_00, 0x06_00_01_02_08_00,
    0x12_00_00_00_00_00, 0x12_00_00_00_00_00, 0x12_00_00_00_00_00,
    0x09_00_00_60_01_00,
  ]

  /// The layout of the list at `cursor`, which has read the structure's head; nil if none is known.
  init?(_ root: AXDRElement, at cursor: AXDRCursor, hasTime: Bool, in bytes: Span<UInt8>) {
    guard root.tag == AXDRElement.Tag.structure else { return nil }
    for index in 0..<Self.layouts.count where Int(Self.layouts[index].count) == root.count {
      let row = Self.layouts[index]
      let layout = Self(
        count: root.count, first: Int(row.first), mark: Mark(rawValue: row.mark) ?? .any)
      if layout.fits(cursor, hasTime: hasTime, in: bytes) {
        self = layout
        return
      }
    }
    return nil
  }

  private init(count: Int, first: Int, mark: Mark) {
    self.count = count
    self.first = first
    self.mark = mark
  }

  /// The entry of the element at `position`, which must be below `count`; nil if it has no meaning.
  func item(at position: Int, _ value: AXDRElement) -> COSEMItem? {
    let row = Self.rows[first + position]
    let code = OBISCode(
      UInt8(truncatingIfNeeded: row >> 24), 0, UInt8(truncatingIfNeeded: row >> 16),
      UInt8(truncatingIfNeeded: row >> 8), UInt8(truncatingIfNeeded: row))
    guard code.cde != 0 else { return nil }
    var item = COSEMItem(code: code, value: value)
    item.listExponent = Int8(truncatingIfNeeded: row >> 32)
    return item
  }

  /// Whether the element at `position` is known to identify nothing: the push setup's own code, or a
  /// date or a time that the message's header has too.
  func isHarmless(at position: Int) -> Bool {
    let type = UInt8(truncatingIfNeeded: Self.rows[first + position] >> 40)
    return type == AXDRElement.Tag.date || type == AXDRElement.Tag.time || position == 0
  }

  private func fits(_ cursor: AXDRCursor, hasTime: Bool, in bytes: Span<UInt8>) -> Bool {
    guard mark != .time || hasTime else { return false }
    var probe = cursor
    for position in 0..<count {
      guard let element = try? probe.next(in: bytes),
        Self.hasType(UInt8(truncatingIfNeeded: Self.rows[first + position] >> 40), element),
        position > 0 || isMarked(element, in: bytes)
      else { return false }
    }
    return true
  }

  private func isMarked(_ element: AXDRElement, in bytes: Span<UInt8>) -> Bool {
    switch mark {
    case .any, .time: true
    case .kaifa: element.isText(Self.kaifaName, in: bytes)
    case .iskraemeco: element.hasPrefix("ISK", in: bytes)
    case .push: element.code(in: bytes) == OBISCode(0, 6, 25, 9, 0)
    }
  }

  private static func hasType(_ type: UInt8, _ element: AXDRElement) -> Bool {
    let isOctets = element.tag == AXDRElement.Tag.octetString
    return switch type {
    case AXDRElement.Tag.boolean:
      element.tag == AXDRElement.Tag.boolean || element.tag == AXDRElement.Tag.enumeration
    case AXDRElement.Tag.octetString: element.isString
    case AXDRElement.Tag.dateTime: isOctets && element.count == COSEMTime.byteCount
    case AXDRElement.Tag.date: isOctets && element.count == 5
    case AXDRElement.Tag.time: isOctets && element.count == 4
    default: element.tag == type
    }
  }
}

// MARK: Meters that do not measure L2

extension ListLayout {
  /// The list id of all Kaifa lists, with codes and without.
  static let kaifaName: StaticString = "KFM_001"

  /// Whether this list of three phases sends a zero for L2 that was never measured.
  ///
  /// Kaifa's meters for IT nets have three wires and measure neither voltage nor, some, current of L2,
  /// and send 0 in their place (amsreader-firmware #182, amshan-homeassistant #57 and #68). A list is
  /// of such a meter if its L2 voltage is exactly 0 while those of L1 and L3 are not, unless its meter
  /// type says four wires (MA304x4). `cursor` has read the structure's head.
  func lacksL2(_ cursor: AXDRCursor, in bytes: Span<UInt8>) -> Bool {
    guard mark == .kaifa, count == 13 || count == 18 else { return false }
    var probe = cursor
    var isDead = (l1: true, l2: true, l3: true)
    for position in 0..<13 {
      guard let element = try? probe.next(in: bytes) else { return false }
      switch position {
      case 2:
        let isFourWire =
          element.hasPrefix("MA304", in: bytes) && element.count > 6
          && bytes[element.content + 6] == UInt8(ascii: "4")
        if isFourWire { return false }
      case 10: isDead.l1 = bytes.bigEndian(at: element.content, count: 4) == 0
      case 11: isDead.l2 = bytes.bigEndian(at: element.content, count: 4) == 0
      case 12: isDead.l3 = bytes.bigEndian(at: element.content, count: 4) == 0
      default: break
      }
    }
    return isDead.l2 && !isDead.l1 && !isDead.l3
  }

  /// Whether an entry of a list that lacks L2 is a zero that stands for nothing.
  func isUnmeasured(_ item: COSEMItem, in bytes: Span<UInt8>) -> Bool {
    let isL2 = item.code.cde == OBISCode.cde(51, 7, 0) || item.code.cde == OBISCode.cde(52, 7, 0)
    return isL2 && bytes.bigEndian(at: item.value.content, count: 4) == 0
  }
}
