/// Reads the body of a get list response.
///
///     ELEMENT           TYPE            READ AS
///     list of 7
///       client id       octet string    secret
///       server id       octet string    secret: the meter's number
///       list name       octet string    –
///       sensor time     SML_Time        the meter's clock
///       values          list
///         list of 7
///           name        octet string    OBIS code, 6 bytes
///           status      unsigned        –
///           time        SML_Time        the reading's time
///           unit        unsigned        Blue Book unit code
///           scaler      integer         power of ten, absent is 0
///           value       any             reading, or secret
///           signature   octet string    secret
///       signature       octet string    secret
///       gateway time    SML_Time        the meter's clock where the sensor sends none
///
/// Source: BSI TR-03109-1 annex IV part b, 6.2 ("SML_GetList.Res", "SML_ListEntry"). Everything but
/// name and value may be absent (01). Meters that were not unlocked with their PIN leave out entries
/// or send whole kWh: what is absent stays absent.
///
/// The status word is not used: its bits differ between EDL and Basiszähler, and no standard says
/// that a sign follows from them where the meter sends none.
struct SMLListReader {
  /// The time of the list.
  private(set) var clock: MeterTime?
  private var codes = CodeSet()
  private var sendsUnsignedPower = false

  /// Reads the body that comes next.
  ///
  /// - Throws: what breaks SML; values in front of that place have reached the sink.
  mutating func read<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let body = try cursor.next(in: bytes)
    guard body.kind == SMLElement.Kind.list else { return }
    for index in 0..<body.count {
      switch index {
      case 0: try SMLText.report(.unknown, &cursor, in: bytes, to: &sink)
      case 1:
        let server = try SMLText.report(.meterNumber, &cursor, in: bytes, to: &sink)
        sendsUnsignedPower = DZGServer.sendsUnsignedPower(server, in: bytes)
      case 3, 6:
        let time = try SMLTime.read(&cursor, in: bytes)
        clock = clock ?? time
      case 4: try readValues(&cursor, in: bytes, to: &sink)
      case 5: try SMLText.report(.keyMaterial, &cursor, in: bytes, to: &sink)
      default: try cursor.skip(1, in: bytes)
      }
    }
  }

  private mutating func readValues<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let values = try cursor.next(in: bytes)
    guard values.kind == SMLElement.Kind.list else { return }
    for _ in 0..<values.count {
      let entry = try cursor.next(in: bytes)
      guard entry.kind == SMLElement.Kind.list, entry.count == 7 else {
        sink.problem(DecodeError(.unknownList, at: entry.offset), in: bytes)
        if entry.kind == SMLElement.Kind.list { try cursor.skip(entry.count, in: bytes) }
        continue
      }
      try readEntry(&cursor, in: bytes, to: &sink)
    }
  }

  private mutating func readEntry<Sink: FrameSink & ~Copyable>(
    _ cursor: inout SMLCursor, in bytes: Span<UInt8>, to sink: inout Sink
  ) throws(DecodeError) {
    let name = try cursor.value(in: bytes)
    try cursor.skip(1, in: bytes)
    let time = try SMLTime.read(&cursor, in: bytes)
    let unit = try cursor.value(in: bytes)
    let scaler = try cursor.value(in: bytes)
    let value = try cursor.value(in: bytes)
    if let code = name.code(in: bytes) {
      if codes.insert(code) {
        let entry = SMLEntry(code: code, time: time, unit: unit, scaler: scaler, value: value)
        let isSigned = !sendsUnsignedPower || code != DZGServer.power || value.count > 2
        entry.deliver(isSigned: isSigned, in: bytes, to: &sink)
      } else {
        sink.problem(DecodeError(.duplicateCode, at: value.offset), in: bytes)
      }
    } else {
      sink.problem(DecodeError(.malformedCode, at: name.offset), in: bytes)
      SMLText.report(name, .unknown, code: nil, in: bytes, to: &sink)
    }
    try SMLText.report(.keyMaterial, &cursor, in: bytes, to: &sink)
  }
}

/// One value of a list with what stands beside it.
struct SMLEntry: BitwiseCopyable {
  var code: OBISCode
  var time: MeterTime?
  var unit: SMLElement
  var scaler: SMLElement
  var value: SMLElement

  /// Hands the value to `sink`: a reading, a secret, or the problem with it.
  func deliver<Sink: FrameSink & ~Copyable>(
    isSigned: Bool, in bytes: Span<UInt8>, to sink: inout Sink
  ) {
    let kind = Secret.Kind(sml: code)
    switch value.kind {
    case SMLElement.Kind.integer, SMLElement.Kind.unsigned:
      do throws(DecodeError) {
        guard kind == .unknown, let measure = try measure(in: bytes) else {
          SMLText.report(value, kind, code: code, in: bytes, to: &sink)
          return
        }
        let number = try number(isSigned: isSigned, in: bytes)
        let reading = Reading(
          code: code, value: Decimal(mantissa: number, exponent: measure.exponent),
          unit: measure.unit, medium: code.medium, time: time, offset: value.offset,
          count: value.content - value.offset + value.count)
        sink.reading(reading, in: bytes)
      } catch {
        sink.problem(error, in: bytes)
      }
    case SMLElement.Kind.octets, SMLElement.Kind.boolean:
      SMLText.report(value, kind, code: code, in: bytes, to: &sink)
    default:
      // A list holds a time or what no standard names: there is no number in it to use.
      break
    }
  }

  /// Power of ten and unit; nil for a number that has none and is not known to be a quantity.
  private func measure(
    in bytes: Span<UInt8>
  ) throws(DecodeError) -> (exponent: Int8, unit: Unit)? {
    if unit.isAbsent {
      // A status word or version; of an electrical quantity nobody could tell the size.
      guard ElectricalQuantity(code) == nil else {
        throw DecodeError(.unknownUnit, at: unit.offset)
      }
      return nil
    }
    guard let unitCode = unit.unsigned(in: bytes) else {
      throw DecodeError(.malformedValue, at: unit.offset)
    }
    guard unitCode <= 255, let known = Unit(rawValue: UInt8(truncatingIfNeeded: unitCode)) else {
      throw DecodeError(.unknownUnit, at: unit.offset, found: unitCode)
    }
    // A count under an abstract code may be a serial number.
    guard known != .one || code.a != 0 else { return nil }
    if scaler.isAbsent { return (0, known) }
    guard scaler.kind == SMLElement.Kind.integer, scaler.isNumber,
      let power = scaler.number(in: bytes, isSigned: true), let exponent = Int8(exactly: power)
    else { throw DecodeError(.malformedValue, at: scaler.offset) }
    return (exponent, known)
  }

  private func number(isSigned: Bool, in bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
    guard value.isNumber else { throw DecodeError(.malformedValue, at: value.offset) }
    let isInteger = value.kind == SMLElement.Kind.integer
    guard let number = value.number(in: bytes, isSigned: isInteger && isSigned) else {
      throw DecodeError(.numberTooLarge, at: value.offset)
    }
    return number
  }
}
