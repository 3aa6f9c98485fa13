import OBISDecoder
import PrivacyFilter

/// One frame of recorded bytes with everything the decoder said of it.
///
/// Holds copies, since the decoder lends a frame's bytes only for a call.
struct DecodedFrame {
  /// A reading with the bytes it was made of.
  struct Value {
    var reading: Reading
    var raw: [UInt8]
    /// The quantity's name, nil where the registry has none.
    var quantity: String?
  }

  /// An identifier with its bytes.
  struct Identifier {
    var secret: Secret
    var raw: [UInt8]

    /// Number of octets meant: half the bytes where they are hexadecimal digits.
    var octetCount: Int { secret.isHex ? secret.count / 2 : secret.count }

    /// Text if printable, else upper-case hexadecimal digits.
    var text: String {
      let octets = secret.isHex ? DecodedFrame.octets(ofHex: raw) ?? raw : raw
      let isText = octets.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
      return isText ? String(decoding: octets, as: UTF8.self) : DecodedFrame.hex(octets)
    }
  }

  /// Good and bad frames counted in input order, from 1.
  var number: Int
  /// What the decoder says of the frame as a whole.
  var summary: FrameSummary
  /// In the frame's order.
  var values: [Value] = []
  /// In the frame's order.
  var identifiers: [Identifier] = []
  /// Parts that could not be read.
  var problems: [DecodeError] = []
  /// Why the frame cannot be used; nil for a good one.
  var rejection: DecodeError?

  /// The integrity as printed: a frame that cannot be used is `bad`, unless its checksum is right.
  var integrityName: String {
    rejection != nil && summary.integrity == .absent ? "bad" : summary.integrity.name.description
  }

  /// Octets of hexadecimal digits, nil where they are none.
  static func octets(ofHex digits: [UInt8]) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var octets: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index].hexValue, let low = digits[index + 1].hexValue else {
        return nil
      }
      octets.append(high << 4 | low)
    }
    return octets
  }

  /// Upper-case hexadecimal digits of bytes.
  static func hex(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
      digits.append(UInt8.hexDigit(byte >> 4))
      digits.append(UInt8.hexDigit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
  }
}

/// Collects what the decoder reports, for a caller that fetches it between pushes.
struct DecodeCollector: FrameSink {
  /// What came out of the stream, in its order.
  enum Event {
    case frame(DecodedFrame)
    /// Bytes that belonged to no frame.
    case discarded(count: Int, offset: UInt64)
  }

  /// Since the caller last emptied it.
  var events: [Event] = []
  /// Frames so far, good and bad.
  private(set) var frameCount: Int
  private var values: [DecodedFrame.Value] = []
  private var identifiers: [DecodedFrame.Identifier] = []
  private var problems: [DecodeError] = []

  /// Numbers its first frame one more than `framesBefore`.
  init(framesBefore: Int) { frameCount = framesBefore }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    let raw = DecodeCollector.copy(bytes, from: reading.offset, count: reading.count)
    let quantity = Quantity.of(reading)?.name.description
    values.append(DecodedFrame.Value(reading: reading, raw: raw, quantity: quantity))
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    let raw = DecodeCollector.copy(bytes, from: secret.offset, count: secret.count)
    identifiers.append(DecodedFrame.Identifier(secret: secret, raw: raw))
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) { problems.append(error) }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    end(summary, nil)
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    // The decoder promises none of these for a bad frame; a bad frame shows none whatever it does.
    values = []
    identifiers = []
    problems = []
    end(summary, error)
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {
    events.append(.discarded(count: count, offset: offset))
  }

  private mutating func end(_ summary: FrameSummary, _ rejection: DecodeError?) {
    frameCount += 1
    events.append(
      .frame(
        DecodedFrame(
          number: frameCount, summary: summary, values: values, identifiers: identifiers,
          problems: problems, rejection: rejection)))
    values = []
    identifiers = []
    problems = []
  }

  private static func copy(_ bytes: Span<UInt8>, from offset: Int, count: Int) -> [UInt8] {
    var copy: [UInt8] = []
    let end = min(bytes.count, offset + count)
    for index in max(0, offset)..<max(0, offset, end) { copy.append(bytes[index]) }
    return copy
  }
}

extension MeterTime {
  /// ISO 8601 with the offset from UTC; without one where neither meter nor caller knows it.
  ///
  /// `standardOffsetMinutes` (−720…840) serves clocks that only say whether it is daylight saving
  /// time.
  func isoText(standardOffsetMinutes: Int16?) -> String {
    func padded(_ number: some BinaryInteger, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let time = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    let offset: Int
    if let sent = offsetMinutes {
      offset = Int(sent)
    } else if let standardOffsetMinutes, season != .unspecified {
      offset = Int(standardOffsetMinutes) + (season == .daylight ? 60 : 0)
    } else {
      return "\(date)T\(time)"
    }
    let sign = offset < 0 ? "-" : "+"
    return "\(date)T\(time)\(sign)\(padded(abs(offset) / 60, 2)):\(padded(abs(offset) % 60, 2))"
  }
}

extension Decimal {
  /// The exact number as JSON and people write it; with an exponent where plain digits would take
  /// more than 18 zeros.
  var exactText: String {
    (-18...18).contains(exponent) || mantissa == 0 ? description : "\(mantissa)e\(exponent)"
  }
}
