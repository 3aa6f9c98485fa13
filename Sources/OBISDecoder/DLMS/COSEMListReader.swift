/// Reads the list in a data-notification: what each element means, and what it is worth.
///
///     LIST        SHAPE                                               SENT BY
///     nested      array or structure of { OBIS, value [, scaler] }    Aidon, Iskraemeco, Kaifa (AT)
///     flat        structure of [id or time,] OBIS, value [, scaler],  Kamstrup, Kaifa (SE), Kaifa
///                 … [, meter number]                                  (EVN), Landis+Gyr, Sagemcom
///     positional  structure of values alone                           see ListLayout
///     described   attributes first, or before each value              see AttributeList
///
/// OBIS is an octet-string of 6; scaler and unit a structure of integer and enum (Blue Book,
/// "scal_unit_type"). A list of any other shape is `unknownList`, once; its texts still go to the
/// sink as secrets, and none of its numbers does.
struct COSEMListReader {
  /// The clock that stood in a list.
  private(set) var clock: MeterTime?
  private let override: ScaleOverride
  private var codes = CodeSet()
  private var scale = Scale.known(nil)
  private var isReported = false

  /// The powers of ten of numbers without scaler.
  private enum Scale: BitwiseCopyable {
    case known(ListScale?)
    /// To be found in the list when the first such number is met.
    case unread(root: AXDRElement, AXDRCursor)
  }

  init(_ options: DecoderOptions = DecoderOptions()) { override = options.scale }

  /// Reads the list between `offset` and `end` of `frame` and returns where it ends.
  ///
  /// - Parameter hasTime: whether a date-time stood in front of the list.
  /// - Throws: what breaks A-XDR; elements in front of that place have reached the sink.
  mutating func read<Sink: FrameSink & ~Copyable>(
    _ frame: Span<UInt8>, from offset: Int, to end: Int, hasTime: Bool, to sink: inout Sink
  ) throws(DecodeError) -> Int {
    var cursor = AXDRCursor(offset: offset, end: end)
    let root = try cursor.next(in: frame)
    isReported = false
    guard root.isContainer, root.count > 0 else {
      try refuse(root, &cursor, to: 0, in: frame, to: &sink)
      return cursor.offset
    }
    if let list = ListLayout(root, at: cursor, hasTime: hasTime, in: frame) {
      scale = .known(nil)
      try readPositions(list, &cursor, in: frame, to: &sink)
      return cursor.offset
    }
    switch AttributeList.judge(root, at: cursor, in: frame) {
    case .list(let list):
      scale = .known(nil)
      return try readAttributes(list, in: frame, to: &sink)
    case .unpaired:
      try refuse(root, &cursor, to: 0, in: frame, to: &sink)
    case .other:
      scale = .unread(root: root, cursor)
      try readItems(&cursor, in: frame, to: &sink)
    }
    return cursor.offset
  }

  private mutating func readPositions<Sink: FrameSink & ~Copyable>(
    _ list: ListLayout, _ cursor: inout AXDRCursor, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let lacksL2 = list.lacksL2(cursor, in: frame)
    for position in 0..<list.count {
      let value = try cursor.next(in: frame)
      guard let item = list.item(at: position, value) else {
        if !list.isHarmless(at: position) {
          report(value, .unknown, code: nil, in: frame, to: &sink)
        }
        continue
      }
      if lacksL2, list.isUnmeasured(item, in: frame) { continue }
      deliver(item, in: frame, to: &sink)
    }
  }

  private mutating func readItems<Sink: FrameSink & ~Copyable>(
    _ cursor: inout AXDRCursor, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    var isFirst = true
    while cursor.level > 0 {
      let head = try cursor.next(in: frame)
      defer { isFirst = false }
      if try readAlone(head, isFirst: isFirst, isLast: cursor.level == 0, in: frame, to: &sink) {
        continue
      }
      guard let item = try COSEMItem(head, &cursor, in: frame) else {
        try refuse(head, &cursor, to: 1, in: frame, to: &sink)
        // Behind something unknown in a flat list nobody can tell code and value apart.
        if !head.isContainer { try refuseRest(&cursor, in: frame, to: &sink) }
        continue
      }
      deliver(item, in: frame, to: &sink)
      if item.value.isContainer { try refuse(item.value, &cursor, to: 1, in: frame, to: &sink) }
    }
  }

  /// Reads an element that has no code: id or time in front, meter number at the end, nothing.
  ///
  /// The number: Kaifa in EVN's net, Sagemcom T210-D (amsreader-firmware #905).
  private mutating func readAlone<Sink: FrameSink & ~Copyable>(
    _ element: AXDRElement, isFirst: Bool, isLast: Bool, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) -> Bool {
    guard !element.isContainer else { return false }
    if element.tag == AXDRElement.Tag.null { return true }
    if isFirst, element.tag == AXDRElement.Tag.visibleString {
      report(element, .meterType, code: nil, in: frame, to: &sink)
      return true
    }
    if isFirst, element.isDateTime {
      readClock(element, in: frame, to: &sink)
      return true
    }
    guard isLast, !isFirst, element.isString else { return false }
    report(element, .meterNumber, code: nil, in: frame, to: &sink)
    return true
  }

  private mutating func readAttributes<Sink: FrameSink & ~Copyable>(
    _ list: AttributeList, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) -> Int {
    var rest = list
    while let (attribute, value) = try rest.next(in: frame) {
      var item = COSEMItem(code: attribute.code, value: value)
      if attribute.isScaler || attribute.isCaptureTime || attribute.isName {
        // Read where it belongs to.
      } else if attribute.isRegister && !attribute.isRegisterValue || attribute.dataIndex != 0 {
        // A status, or part of something.
        report(value, .unknown, code: attribute.code, in: frame, to: &sink)
      } else {
        item.scaler = list.scaler(of: attribute, in: frame)
        item.listExponent = list.exponent(of: item, attribute)
        let time = list.captureTime(of: attribute, in: frame)
        deliver(item, at: time, in: frame, to: &sink)
        if value.isContainer {
          try refuse(value, &rest.values, to: value.level, in: frame, to: &sink)
        }
      }
    }
    try rest.values.skip(to: 0, in: frame)
    return rest.values.offset
  }
}

// MARK: One value

extension COSEMListReader {
  private mutating func deliver<Sink: FrameSink & ~Copyable>(
    _ item: COSEMItem, at time: MeterTime? = nil, in frame: Span<UInt8>, to sink: inout Sink
  ) {
    guard codes.insert(item.code) else {
      sink.problem(DecodeError(.duplicateCode, at: item.value.offset), in: frame)
      return
    }
    do throws(DecodeError) {
      if let number = try item.value.number(in: frame) {
        try deliver(number, of: item, at: time, in: frame, to: &sink)
      } else if item.value.isDateTime, item.code.isClock {
        readClock(item.value, in: frame, to: &sink)
      } else if !item.value.isContainer {
        report(item.value, Secret.Kind(dlms: item.code), code: item.code, in: frame, to: &sink)
      }
    } catch {
      sink.problem(error, in: frame)
    }
  }

  private mutating func deliver<Sink: FrameSink & ~Copyable>(
    _ number: Decimal, of item: COSEMItem, at time: MeterTime?, in frame: Span<UInt8>,
    to sink: inout Sink
  ) throws(DecodeError) {
    let code = item.code
    guard let measure = try measure(of: item, in: frame) else {
      if code.isMeasured {
        reportUnknownList(at: item.value.offset, in: frame, to: &sink)
      } else {
        report(item.value, Secret.Kind(dlms: code), code: code, in: frame, to: &sink)
      }
      return
    }
    guard let scaled = number.shifted(by: measure.exponent),
      let value = code.medium == .electricity
        ? override.transformed(scaled, in: measure.unit) : scaled
    else { throw DecodeError(.numberTooLarge, at: item.value.offset) }
    sink.reading(
      Reading(
        code: code, value: value, unit: measure.unit, medium: code.medium, time: time,
        offset: item.value.offset, count: item.value.byteCount),
      in: frame)
  }

  /// Power of ten and unit of a number: from the frame, else from the user, else from a table.
  ///
  /// Nil if none knows, if the code names an identifier, or if it is abstract and the number a plain
  /// one.
  ///
  /// - Throws: `unknownUnit`.
  private mutating func measure(
    of item: COSEMItem, in frame: Span<UInt8>
  ) throws(DecodeError) -> (exponent: Int8, unit: Unit)? {
    guard !item.code.namesIdentifier else { return nil }
    guard let scaler = item.scaler else {
      guard let quantity = ElectricalQuantity(item.code),
        let exponent = override.exponent(of: quantity) ?? item.listExponent
          ?? listScale(in: frame)?.exponent(of: quantity)
      else { return nil }
      return (exponent, quantity.unit)
    }
    guard let unit = Unit(rawValue: scaler.unit) else {
      throw DecodeError(.unknownUnit, at: scaler.offset, found: UInt32(scaler.unit))
    }
    // A count under an abstract code may be a serial number.
    guard unit != .one || item.code.a != 0 else { return nil }
    return (scaler.exponent, unit)
  }

  private mutating func listScale(in frame: Span<UInt8>) -> ListScale? {
    switch scale {
    case .known(let scale): return scale
    case .unread(let root, let cursor):
      let found = ListScale(root, at: cursor, in: frame)
      scale = .known(found)
      return found
    }
  }

  private mutating func readClock<Sink: FrameSink & ~Copyable>(
    _ element: AXDRElement, in frame: Span<UInt8>, to sink: inout Sink
  ) {
    do throws(DecodeError) {
      let time = try COSEMTime.read(frame, at: element.content)
      if clock == nil { clock = time }
    } catch {
      sink.problem(error, in: frame)
    }
  }

  private func report<Sink: FrameSink & ~Copyable>(
    _ value: AXDRElement, _ kind: Secret.Kind, code: OBISCode?, in frame: Span<UInt8>,
    to sink: inout Sink
  ) {
    guard value.count > 0, !value.isContainer else { return }
    sink.secret(
      Secret(
        kind: kind, code: code, offset: value.content, count: value.count, isHex: false),
      in: frame)
  }
}

// MARK: What is not understood

extension COSEMListReader {
  /// Reports `element`, which is no item, and steps behind it; texts in it become secrets.
  private mutating func refuse<Sink: FrameSink & ~Copyable>(
    _ element: AXDRElement, _ cursor: inout AXDRCursor, to level: Int, in frame: Span<UInt8>,
    to sink: inout Sink
  ) throws(DecodeError) {
    reportUnknownList(at: element.offset, in: frame, to: &sink)
    reportText(element, in: frame, to: &sink)
    while cursor.level > level {
      reportText(try cursor.next(in: frame), in: frame, to: &sink)
    }
  }

  private mutating func refuseRest<Sink: FrameSink & ~Copyable>(
    _ cursor: inout AXDRCursor, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    while cursor.level > 0 { reportText(try cursor.next(in: frame), in: frame, to: &sink) }
  }

  private mutating func reportUnknownList<Sink: FrameSink & ~Copyable>(
    at offset: Int, in frame: Span<UInt8>, to sink: inout Sink
  ) {
    guard !isReported else { return }
    isReported = true
    sink.problem(DecodeError(.unknownList, at: offset), in: frame)
  }

  /// A text in a list nobody knows is an identifier, unless it is an OBIS code or a time.
  private func reportText<Sink: FrameSink & ~Copyable>(
    _ element: AXDRElement, in frame: Span<UInt8>, to sink: inout Sink
  ) {
    guard element.isString else { return }
    if let code = element.code(in: frame), code.f == 255 { return }
    if element.count == COSEMTime.byteCount,
      (try? COSEMTime.read(frame, at: element.content)) != nil
    {
      return
    }
    report(element, .unknown, code: nil, in: frame, to: &sink)
  }
}
