import OBISDecoder

/// Writes COSEM data in A-XDR: a type tag, a length where the type has none of its own, the content
/// in network byte order (DLMS UA Green Book, "A-XDR"; Blue Book, "common data types").
struct AXDRWriter {
  /// Type tags of the Blue Book that meters push.
  enum Tag {
    static let null: UInt8 = 0
    static let array: UInt8 = 1
    static let structure: UInt8 = 2
    static let boolean: UInt8 = 3
    static let int32: UInt8 = 5
    static let uint32: UInt8 = 6
    static let octetString: UInt8 = 9
    static let visibleString: UInt8 = 10
    static let int8: UInt8 = 15
    static let int16: UInt8 = 16
    static let uint8: UInt8 = 17
    static let uint16: UInt8 = 18
    static let int64: UInt8 = 20
    static let uint64: UInt8 = 21
    static let enumeration: UInt8 = 22
  }

  /// What was written.
  private(set) var bytes: [UInt8] = []

  /// Appends bytes as they are.
  mutating func raw(_ content: [UInt8]) { bytes += content }

  /// Begins an array or structure of `count` elements, which is below 128.
  mutating func begin(_ tag: UInt8, count: Int) { bytes += [tag, UInt8(count)] }

  /// Appends a logical name as an octet string.
  mutating func code(_ code: OBISCode) {
    string(Tag.octetString, AXDRWriter.octets(of: code)[...])
  }

  /// The six octets of a logical name.
  static func octets(of code: OBISCode) -> [UInt8] {
    [code.a, code.b, code.c, code.d, code.e, code.f]
  }

  /// Appends a string shorter than 128 octets.
  mutating func string(_ tag: UInt8, _ content: ArraySlice<UInt8>) {
    bytes += [tag, UInt8(content.count)] + content
  }

  /// Appends an integer of the tag's width; the number fits, as `range(of:)` says.
  mutating func integer(_ tag: UInt8, _ number: Int64) {
    bytes.append(tag)
    for position in (0..<AXDRWriter.width(of: tag)).reversed() {
      bytes.append(UInt8(truncatingIfNeeded: number >> (8 * Int64(position))))
    }
  }

  /// A length: one octet below 128, else 0x81 or 0x82 and as many octets (ITU-T X.690 §8.1.3).
  static func length(_ count: Int) -> [UInt8] {
    switch count {
    case 0..<128: [UInt8(count)]
    case 128..<256: [0x81, UInt8(count)]
    default: [0x82, UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
    }
  }

  /// Octets of an integer type.
  static func width(of tag: UInt8) -> Int {
    switch tag {
    case Tag.int8, Tag.uint8, Tag.enumeration, Tag.boolean: 1
    case Tag.int16, Tag.uint16: 2
    case Tag.int64, Tag.uint64: 8
    default: 4
    }
  }

  /// Numbers that an integer type holds; of uint64 the half that a signed 64-bit number holds.
  static func range(of tag: UInt8) -> ClosedRange<Int64> {
    switch tag {
    case Tag.int8: -128...127
    case Tag.uint8, Tag.enumeration: 0...255
    case Tag.boolean: 0...1
    case Tag.int16: -32_768...32_767
    case Tag.uint16: 0...65_535
    case Tag.int32: -2_147_483_648...2_147_483_647
    case Tag.uint64: 0...Int64.max
    case Tag.int64: Int64.min + 1...Int64.max
    default: 0...4_294_967_295
    }
  }

  /// The twelve octets of a COSEM date-time (Blue Book, "date and time formats").
  ///
  /// Year 2, month, day, day of week, hour, minute, second, hundredths, deviation 2, status. The
  /// deviation is minutes from local time to UTC, 0x8000 for unspecified.
  static func dateTime(_ time: MeterTime, form: DateTimeForm) -> [UInt8] {
    let weekday =
      form.sendsWeekday
      ? CivilClock.weekday(
        year: Int64(time.year), month: Int64(time.month), day: Int64(time.day)) : 0xFF
    var deviation: UInt16 = 0x8000
    if let offset = time.offsetMinutes { deviation = UInt16(bitPattern: -offset) }
    return [
      UInt8(time.year >> 8), UInt8(time.year & 0xFF), time.month, time.day, weekday, time.hour,
      time.minute, time.second, form.hundredths, UInt8(deviation >> 8), UInt8(deviation & 0xFF),
      form.status ?? (time.season == .daylight ? 0x80 : 0x00),
    ]
  }
}

/// What a meter puts into the parts of a date-time that are not date and time.
struct DateTimeForm: Sendable {
  var sendsWeekday = true
  /// 0xFF for not specified.
  var hundredths: UInt8 = 0xFF
  /// Clock status; nil sends bit 7 (daylight saving time) by the season.
  var status: UInt8?
}
