/// One entry of a list: an OBIS code, its value, and scaler and unit if the frame carries them.
struct COSEMItem: BitwiseCopyable {
  var code: OBISCode
  var value: AXDRElement
  /// Power of ten and unit code; nil if none was sent.
  var scaler: (exponent: Int8, unit: UInt8, offset: Int)?

  init(code: OBISCode, value: AXDRElement) {
    self.code = code
    self.value = value
    scaler = nil
  }

  /// The entry that begins with `head`, which `cursor` has just read; nil if none does.
  ///
  /// It is a code with the value behind it, or a structure of both. After nil `cursor` stands where
  /// it stood. Where the value is an array or structure `cursor` is left at its first element.
  init?(
    _ head: AXDRElement, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) {
    if let code = head.code(in: bytes) {
      guard cursor.level == head.level else { return nil }
      self.init(code: code, value: try cursor.next(in: bytes))
      if !value.isContainer { try readScaler(at: head.level, &cursor, in: bytes) }
      return
    }
    guard head.tag == AXDRElement.Tag.structure, head.count == 2 || head.count == 3 else {
      return nil
    }
    // Look ahead: what is no entry is left for the caller to walk.
    var probe = cursor
    guard let code = try probe.next(in: bytes).code(in: bytes) else { return nil }
    self.init(code: code, value: try probe.next(in: bytes))
    if head.count == 3 {
      guard !value.isContainer, probe.level > head.level else { return nil }
      try readScaler(at: head.level + 1, &probe, in: bytes)
      guard scaler != nil else { return nil }
    }
    cursor = probe
  }

  /// Reads a structure of integer and enum, if that is what comes next on `level`.
  private mutating func readScaler(
    at level: Int, _ cursor: inout AXDRCursor, in bytes: Span<UInt8>
  ) throws(DecodeError) {
    guard cursor.level == level else { return }
    var probe = cursor
    let pair = try probe.next(in: bytes)
    guard pair.tag == AXDRElement.Tag.structure, pair.count == 2 else { return }
    let exponent = try probe.next(in: bytes)
    guard exponent.tag == AXDRElement.Tag.integer else { return }
    let unit = try probe.next(in: bytes)
    guard unit.tag == AXDRElement.Tag.enumeration else { return }
    scaler = (
      Int8(bitPattern: bytes[exponent.content]), bytes[unit.content], unit.offset
    )
    cursor = probe
  }

  /// Power of ten and unit of an integer value, from the frame or else from `scale`.
  ///
  /// Nil if neither knows, if the code names an identifier, or if it is abstract and the number a
  /// plain one.
  ///
  /// - Throws: `unknownUnit`.
  func measure(
    by scale: ListScale?
  ) throws(DecodeError) -> (exponent: Int8, unit: Unit)? {
    guard !code.namesIdentifier else { return nil }
    guard let scaler else {
      guard let quantity = ElectricalQuantity(code),
        let exponent = scale?.exponent(of: quantity)
      else { return nil }
      return (exponent, quantity.unit)
    }
    guard let unit = Unit(rawValue: scaler.unit) else {
      throw DecodeError(.unknownUnit, at: scaler.offset, found: UInt32(scaler.unit))
    }
    // A count under an abstract code may be a serial number.
    guard unit != .one || code.a != 0 else { return nil }
    return (scaler.exponent, unit)
  }

  /// `head` if it is the list id that a flat list may begin with: a text that is no OBIS code.
  static func listIdentifier(_ head: AXDRElement, isFirst: Bool) -> AXDRElement? {
    isFirst && head.tag == AXDRElement.Tag.visibleString ? head : nil
  }
}

extension ListScale {
  /// The scale of the list at `cursor`, by its id and, for Kamstrup, the meter type behind it.
  ///
  /// Nil for a list that is not known to leave out its scalers. Reads ahead, and stops without an
  /// error at what it cannot read.
  init?(of cursor: AXDRCursor, in bytes: Span<UInt8>) {
    var probe = cursor
    guard let first = try? probe.next(in: bytes) else { return nil }
    let isKamstrup = first.isText("Kamstrup_V0001", in: bytes)
    if !isKamstrup { probe = cursor }
    while probe.level > 0, let head = try? probe.next(in: bytes),
      let item = try? COSEMItem(head, &probe, in: bytes)
    {
      if item.value.isText(KaifaList.identifier, in: bytes),
        item.code.cde == OBISCode.cde(0, 2, 129)
      {
        self = .kaifa
        return
      }
      if isKamstrup, item.value.isString, item.code.cde == OBISCode.cde(96, 1, 1) {
        self = .kamstrup(type: item.value, in: bytes)
        return
      }
    }
    guard isKamstrup else { return nil }
    self = .kamstrup(type: nil, in: bytes)
  }
}
