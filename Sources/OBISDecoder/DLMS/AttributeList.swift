/// A list that says which attribute each value is, in one of two shapes.
///
///     structure { array of push objects, value of the 2nd, value of the 3rd, … }
///       Switzerland, Austria, Moldova. The first object is the list itself: n objects, n elements.
///     structure { enum, array of structure { descriptor, value } }
///       Czechia (EG.D, ČEZ).
struct AttributeList: BitwiseCopyable {
  /// What a list may be.
  enum Verdict {
    case list(AttributeList)
    /// Push objects whose number is not that of the values: nobody can pair them.
    case unpaired
    case other
  }

  /// How many values are still to come.
  private(set) var pendingCount: Int
  /// Where the next value begins, with what stands before it.
  var values: AXDRCursor
  /// Powers of ten of the registers whose scaler_unit is not in the list.
  private(set) var scale: ListScale?
  /// Where the next push object is; nil in the other shape.
  private var objects: AXDRCursor?
  /// Whether any scaler_unit or capture_time is in the list, so that looking for them pays.
  private var hasDetails = false

  /// Looks at the list at `cursor`, which has read `root`.
  static func judge(
    _ root: AXDRElement, at cursor: AXDRCursor, in bytes: Span<UInt8>
  ) -> Verdict {
    guard root.tag == AXDRElement.Tag.structure else { return .other }
    var probe = cursor
    guard let head = try? probe.next(in: bytes) else { return .other }
    if head.tag == AXDRElement.Tag.enumeration, root.count == 2 {
      return Self(describedAt: probe, in: bytes).map { .list($0) } ?? .other
    }
    guard head.isContainer, head.count > 0, let own = COSEMAttribute(&probe, in: bytes) else {
      return .other
    }
    guard head.count == root.count, own.classID == 40, own.index == 2,
      let list = Self(objectsAt: probe, count: head.count - 1, of: own.code, in: bytes)
    else { return .unpaired }
    return .list(list)
  }

  /// Takes `count` push objects, of which `setup` is the push setup; nil if one of them is none.
  private init?(objectsAt cursor: AXDRCursor, count: Int, of setup: OBISCode, in bytes: Span<UInt8>)
  {
    var probe = cursor
    for _ in 0..<count {
      guard let attribute = COSEMAttribute(&probe, in: bytes) else { return nil }
      if attribute.isScaler || attribute.isCaptureTime { hasDetails = true }
    }
    values = probe
    objects = cursor
    pendingCount = count
    let name = find(OBISCode(0, 0, 42, 0, 0), 2, in: bytes)?.value
    scale = ListScale.push(setup: setup, name: name, in: bytes)
  }

  /// Takes an array of which the first structure begins with a descriptor.
  private init?(describedAt cursor: AXDRCursor, in bytes: Span<UInt8>) {
    values = cursor
    guard let array = try? values.next(in: bytes), array.tag == AXDRElement.Tag.array else {
      return nil
    }
    pendingCount = array.count
    scale = .czech
    var probe = self
    guard array.count > 0, (try? probe.next(in: bytes)) != nil else { return nil }
    probe = self
    while let (attribute, _) = try? probe.next(in: bytes) {
      if attribute.isScaler || attribute.isCaptureTime { hasDetails = true }
    }
  }

  /// Reads the next value, or the head of one that is an array or structure, behind what is left of
  /// the one before; nil behind the last.
  ///
  /// - Throws: what breaks A-XDR; `malformedValue` where a descriptor should be.
  mutating func next(
    in bytes: Span<UInt8>
  ) throws(DecodeError) -> (attribute: COSEMAttribute, value: AXDRElement)? {
    guard pendingCount > 0 else { return nil }
    pendingCount -= 1
    if var cursor = objects {
      try values.skip(to: 1, in: bytes)
      guard let attribute = COSEMAttribute(&cursor, in: bytes) else { return nil }
      objects = cursor
      return (attribute, try values.next(in: bytes))
    }
    try values.skip(to: 2, in: bytes)
    let head = try values.next(in: bytes)
    guard head.tag == AXDRElement.Tag.structure, head.count == 2,
      let attribute = COSEMAttribute(descriptor: &values, in: bytes)
    else { throw DecodeError(.malformedValue, at: head.offset, found: UInt32(head.tag)) }
    return (attribute, try values.next(in: bytes))
  }

  /// The table's power of ten for the value of a register; nil if there is none.
  ///
  /// None for 64-bit integers: Landis+Gyr E570 sends them behind transformers, and of what it sends
  /// 2 588.74 W, 229 V, 4.00 A, 2.00 A and 6.01 A fit together as well as a hundred times as much.
  func exponent(of item: COSEMItem, _ attribute: COSEMAttribute) -> Int8? {
    guard attribute.isRegisterValue, item.value.tag != AXDRElement.Tag.long64,
      item.value.tag != AXDRElement.Tag.long64Unsigned,
      let quantity = ElectricalQuantity(item.code)
    else { return nil }
    return scale?.exponent(of: quantity)
  }

  /// Scaler and unit of the register that `attribute` is the value of, if the list has them.
  ///
  /// To be asked of the list as it was before the first value was read, as the next.
  func scaler(of attribute: COSEMAttribute, in bytes: Span<UInt8>) -> COSEMItem.Scaler? {
    guard hasDetails, let pair = find(attribute.code, attribute.scalerIndex, in: bytes) else {
      return nil
    }
    var cursor = pair.cursor
    return try? COSEMItem.scaler(pair.value, &cursor, in: bytes)
  }

  /// When the extended register that `attribute` is the value of was read, if the list says so.
  func captureTime(of attribute: COSEMAttribute, in bytes: Span<UInt8>) -> MeterTime? {
    guard hasDetails, attribute.classID == 4,
      let value = find(attribute.code, COSEMAttribute.captureTimeIndex, in: bytes)?.value,
      value.isDateTime
    else { return nil }
    return (try? COSEMTime.read(bytes, at: value.content)) ?? nil
  }

  /// The value of an attribute, and where what follows its head begins.
  private func find(
    _ code: OBISCode, _ index: UInt8, in bytes: Span<UInt8>
  ) -> (value: AXDRElement, cursor: AXDRCursor)? {
    var probe = self
    while let (attribute, value) = try? probe.next(in: bytes) {
      if attribute.code == code, attribute.index == index { return (value, probe.values) }
    }
    return nil
  }
}
