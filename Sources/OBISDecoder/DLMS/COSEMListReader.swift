/// Reads the list in a data-notification: what each element means, and what it is worth.
///
///     LIST      SHAPE                                                    MAKERS
///     nested    array or structure of { OBIS, value [, scaler and unit] }  Aidon, and in general
///     flat      structure of [list id,] OBIS, value [, scaler and unit], …  Kamstrup, Kaifa (SE)
///     position  structure of values alone                                   Kaifa (NO)
///
/// OBIS is an octet-string of 6; scaler and unit a structure of integer and enum (Blue Book,
/// "scal_unit_type"). A list of any other shape is `unknownList`, once; its texts still go to the
/// sink as secrets, and none of its numbers does.
struct COSEMListReader {
  /// The clock that stood in a list.
  private(set) var clock: MeterTime?
  private var codes = CodeSet()
  private var scale: ListScale?
  private var isReported = false

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
    scale = ListScale(of: cursor, in: frame)
    if let list = KaifaList(root, at: cursor, hasTime: hasTime, in: frame) {
      scale = .kaifa
      try readPositions(list, &cursor, in: frame, to: &sink)
    } else {
      try readItems(&cursor, in: frame, to: &sink)
    }
    return cursor.offset
  }

  private mutating func readPositions<Sink: FrameSink & ~Copyable>(
    _ list: KaifaList, _ cursor: inout AXDRCursor, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    for position in 0..<list.count {
      let value = try cursor.next(in: frame)
      deliver(COSEMItem(code: list.code(at: position), value: value), in: frame, to: &sink)
    }
  }

  private mutating func readItems<Sink: FrameSink & ~Copyable>(
    _ cursor: inout AXDRCursor, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    var isFirst = true
    while cursor.level > 0 {
      let head = try cursor.next(in: frame)
      if let identifier = COSEMItem.listIdentifier(head, isFirst: isFirst) {
        report(identifier, .meterType, code: nil, in: frame, to: &sink)
      } else if head.tag != AXDRElement.Tag.null {
        guard let item = try COSEMItem(head, &cursor, in: frame) else {
          try refuse(head, &cursor, to: 1, in: frame, to: &sink)
          // Behind something unknown in a flat list nobody can tell code and value apart.
          if !head.isContainer { try refuseRest(&cursor, in: frame, to: &sink) }
          isFirst = false
          continue
        }
        deliver(item, in: frame, to: &sink)
        if item.value.isContainer { try refuse(item.value, &cursor, to: 1, in: frame, to: &sink) }
      }
      isFirst = false
    }
  }
}

// MARK: One value

extension COSEMListReader {
  private mutating func deliver<Sink: FrameSink & ~Copyable>(
    _ item: COSEMItem, in frame: Span<UInt8>, to sink: inout Sink
  ) {
    guard codes.insert(item.code) else {
      sink.problem(DecodeError(.duplicateCode, at: item.value.offset), in: frame)
      return
    }
    do throws(DecodeError) {
      if let number = try item.value.integer(in: frame) {
        try deliver(number, of: item, in: frame, to: &sink)
      } else {
        try deliverOther(item, in: frame, to: &sink)
      }
    } catch {
      sink.problem(error, in: frame)
    }
  }

  private mutating func deliver<Sink: FrameSink & ~Copyable>(
    _ number: Int64, of item: COSEMItem, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let code = item.code
    guard let measure = try item.measure(by: scale) else {
      if ElectricalQuantity(code) == nil {
        report(item.value, Secret.Kind(dlms: code), code: code, in: frame, to: &sink)
      } else {
        reportUnknownList(at: item.value.offset, in: frame, to: &sink)
      }
      return
    }
    sink.reading(
      Reading(
        code: code, value: Decimal(mantissa: number, exponent: measure.exponent),
        unit: measure.unit, medium: code.medium, time: nil, offset: item.value.offset,
        count: item.value.byteCount),
      in: frame)
  }

  private mutating func deliverOther<Sink: FrameSink & ~Copyable>(
    _ item: COSEMItem, in frame: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let value = item.value
    let isTime = value.tag == AXDRElement.Tag.octetString || value.tag == AXDRElement.Tag.dateTime
    switch value.tag {
    case AXDRElement.Tag.null, AXDRElement.Tag.dontCare, AXDRElement.Tag.array,
      AXDRElement.Tag.structure:
      return
    case AXDRElement.Tag.float32, AXDRElement.Tag.float64:
      throw DecodeError(.malformedValue, at: value.offset, found: UInt32(value.tag))
    case _ where isTime && value.count == COSEMTime.byteCount && item.code.isClock:
      let time = try COSEMTime.read(frame, at: value.content)
      if clock == nil { clock = time }
    default:
      report(value, Secret.Kind(dlms: item.code), code: item.code, in: frame, to: &sink)
    }
  }

  private func report<Sink: FrameSink & ~Copyable>(
    _ value: AXDRElement, _ kind: Secret.Kind, code: OBISCode?, in frame: Span<UInt8>,
    to sink: inout Sink
  ) {
    guard value.count > 0 else { return }
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
