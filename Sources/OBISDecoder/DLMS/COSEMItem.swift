/// One entry of a list: an OBIS code, its value, and scaler and unit if the frame carries them.
struct COSEMItem: BitwiseCopyable {
  /// Power of ten and unit code, and where they are.
  struct Scaler: BitwiseCopyable {
    var exponent: Int8
    var unit: UInt8
    private var place: UInt32

    /// Where the unit is.
    var offset: Int { Int(place) }

    init(exponent: UInt8, unit: UInt8, at offset: Int) {
      self.exponent = Int8(bitPattern: exponent)
      self.unit = unit
      place = UInt32(truncatingIfNeeded: offset)
    }
  }

  var code: OBISCode
  var value: AXDRElement
  /// What the frame says; nil if it says nothing.
  var scaler: Scaler?
  /// The power of ten that a table has for this entry; nil if none does.
  var listExponent: Int8?

  init(code: OBISCode, value: AXDRElement) {
    self.code = code
    self.value = value
  }

  /// The entry that begins with `head`, which `cursor` has just read; nil if none does.
  ///
  /// It is a code with the value behind it, or a structure of both. After nil `cursor` stands where
  /// it stood. Where the value is an array or structure `cursor` is left at its first element.
  init?(
    _ head: AXDRElement, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) {
    if head.tag == AXDRElement.Tag.structure {
      guard head.count == 2 || head.count == 3 else { return nil }
      if let item = Self(plain: head, &cursor, in: bytes) {
        self = item
        return
      }
      // Look ahead: what is no entry is left for the caller to walk.
      var probe = cursor
      let first = try probe.next(in: bytes)
      guard let code = try Self.code(first, &probe, in: bytes) else { return nil }
      self.init(code: code, value: try probe.next(in: bytes))
      if head.count == 3 {
        guard !value.isContainer, probe.level > head.level else { return nil }
        scaler = try Self.nextScaler(at: head.level + 1, &probe, in: bytes)
        guard scaler != nil else { return nil }
      }
      cursor = probe
      return
    }
    guard cursor.level == head.level, let code = try Self.code(head, &cursor, in: bytes) else {
      return nil
    }
    self.init(code: code, value: try cursor.next(in: bytes))
    if !value.isContainer {
      scaler = try Self.nextScaler(at: head.level, &cursor, in: bytes)
    }
  }

  /// The entry behind `head` in the form that nearly all have, read in one go for speed.
  ///
  ///     09 06 and 6 bytes   OBIS code
  ///     value               no array and no structure
  ///     02 02 0F x 16 x     scaler and unit, in a structure of three
  ///
  /// Nil, with `cursor` as it was, for any other form, broken ones too.
  private init?(plain head: AXDRElement, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>) {
    let start = cursor.offset
    guard cursor.end - start > 8 else { return nil }
    let name = bytes.bigEndian(at: start, count: 8)
    guard name >> 48 == 0x0906,
      let value = try? AXDRElement(
        at: start + 8, to: cursor.end, level: head.level + 1, in: bytes), !value.isContainer
    else { return nil }
    self.init(code: OBISCode(lowest: name), value: value)
    let next = value.content + value.count
    guard head.count == 3 else {
      cursor.leave(at: next, after: 2)
      return
    }
    guard cursor.end - next > 5 else { return nil }
    let pair = bytes.bigEndian(at: next, count: 6)
    guard pair & 0xFFFF_FF00_FF00 == 0x0202_0F00_1600 else { return nil }
    scaler = Scaler(
      exponent: UInt8(truncatingIfNeeded: pair >> 16), unit: UInt8(truncatingIfNeeded: pair),
      at: next + 4)
    cursor.leave(at: next + 6, after: 5)
  }

  /// The OBIS code that `element` is, which `cursor` has just read; nil, with `cursor` as it was, if
  /// it is none.
  ///
  /// Firmware of one maker writes tag and length of the octet-string in the wrong order, `06 09` for
  /// `09 06` (decoder cases, 77). Read by its tag that is a double-long-unsigned. It is a code if the
  /// medium is abstract or electricity, F is 255, and one more element follows on the same level.
  private static func code(
    _ element: AXDRElement, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> OBISCode? {
    guard element.tag == AXDRElement.Tag.doubleLongUnsigned else { return element.code(in: bytes) }
    guard bytes[element.content] == 0x09, cursor.end - element.content > 7,
      cursor.level == element.level
    else { return nil }
    let code = OBISCode(bytes, at: element.content + 1)
    guard code.a <= 1, code.f == 255 else { return nil }
    try cursor.skip(bytes: 3)
    return code
  }

  /// Reads scaler and unit, if that is what comes next on `level`.
  private static func nextScaler(
    at level: Int, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> Scaler? {
    guard cursor.level == level else { return nil }
    var probe = cursor
    let head = try probe.next(in: bytes)
    guard let scaler = try scaler(head, &probe, in: bytes) else { return nil }
    cursor = probe
    return scaler
  }

  /// Scaler and unit in the structure that begins with `head`; nil if it is another.
  static func scaler(
    _ head: AXDRElement, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) -> Scaler? {
    guard head.tag == AXDRElement.Tag.structure, head.count == 2 else { return nil }
    let exponent = try cursor.next(in: bytes)
    guard exponent.tag == AXDRElement.Tag.integer else { return nil }
    let unit = try cursor.next(in: bytes)
    guard unit.tag == AXDRElement.Tag.enumeration else { return nil }
    return Scaler(
      exponent: bytes[exponent.content], unit: bytes[unit.content], at: unit.offset)
  }
}
