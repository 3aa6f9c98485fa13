import OBISDecoder

/// What a serial driver counted while bytes came.
struct LineErrors: Equatable {
  /// Bytes without a stop bit where one belongs: another speed, or an inverted signal.
  var framing = 0
  /// Bytes whose parity bit was wrong.
  var parity = 0
  /// Breaks: the line stayed low for more than a byte.
  var breaks = 0
}

/// What one attempt to listen brought.
struct ProbeTrial: Equatable {
  /// The line's settings; nil for a network adapter, which has its own.
  var settings: SerialSettings?
  var bytes: [UInt8]
  /// Nil where the driver counts nothing.
  var errors: LineErrors?
}

/// A meter that was understood.
struct ProbedMeter: Equatable {
  /// Families of its frames, the most frequent first.
  var dialects: [Dialect]
  /// In words; nil where its letters are nobody's.
  var maker: String?
  /// Whether it encrypts, so that a key is needed.
  var isEncrypted: Bool
  var goodFrames: Int
  var badFrames: Int
}

/// What the bytes of one attempt say.
enum ProbeFinding: Equatable {
  case silent
  case meter(ProbedMeter)
  /// Text with a parity bit in each byte.
  case parityBits(SerialSettings.Parity)
  /// Frames that begin as HDLC does, read with a parity bit that the meter does not send.
  case wrongParity
  /// A signal whose highs and lows are exchanged.
  case inverted
  /// Frames of this family, every one damaged.
  case damaged(Dialect)
  /// Bytes that a line at another speed makes.
  case wrongSpeed
  /// Bytes of no known form.
  case unknown

  /// How much it helps: of several attempts the finding with the highest one counts.
  var weight: Int {
    switch self {
    case .silent: 0
    case .unknown: 1
    case .wrongSpeed: 2
    case .damaged: 3
    case .wrongParity: 4
    case .parityBits: 5
    case .inverted: 6
    case .meter: 7
    }
  }
}

/// Judges the bytes of one attempt; knows nothing of ports and time.
struct LineEvidence {
  /// Fewer bytes than these prove nothing about the line.
  static let leastBytes = 32

  let finding: ProbeFinding

  init(_ trial: ProbeTrial) {
    finding = Self.finding(trial)
  }

  private static func finding(_ trial: ProbeTrial) -> ProbeFinding {
    guard !trial.bytes.isEmpty else { return .silent }
    var collector = ProbeCollector()
    var decoder = MeterDecoder(DecoderOptions())
    decoder.push(trial.bytes.span, to: &collector)
    decoder.finish(to: &collector)
    if let meter = collector.meter { return .meter(meter) }
    guard trial.bytes.count >= leastBytes else {
      return collector.damaged.map { .damaged($0) } ?? .unknown
    }
    if trial.settings?.dataBits != 7, let parity = parity(of: trial.bytes) {
      return .parityBits(parity)
    }
    if isInverted(trial.bytes) { return .inverted }
    if hasWrongParity(trial) { return .wrongParity }
    if let damaged = collector.damaged { return .damaged(damaged) }
    return isGarbled(trial) ? .wrongSpeed : .unknown
  }

  /// The parity that every byte has, where what is below it is text; nil where that is not so.
  ///
  /// Text of random parity fails at one byte in two, text without a parity bit has none set.
  private static func parity(of bytes: [UInt8]) -> SerialSettings.Parity? {
    let text = bytes.map { $0 & 0x7F }
    guard share(of: text, { isPrinted($0) }) > 0.95, share(of: bytes, { $0 > 0x7F }) > 0.2 else {
      return nil
    }
    let even = share(of: bytes) { $0.nonzeroBitCount % 2 == 0 }
    return even > 0.95 ? .even : even < 0.05 ? .odd : nil
  }

  /// Whether a line of 8N1 was read with a parity bit.
  ///
  /// The stop bit is taken for it then, which is wrong for every second byte, and the next start bit
  /// for the stop bit. Only the first byte behind a pause comes as it was sent, the flag
  /// (amsreader-firmware #339: `7E 13 2B …`).
  private static func hasWrongParity(_ trial: ProbeTrial) -> Bool {
    guard let settings = trial.settings, settings.parity != .none, let errors = trial.errors else {
      return false
    }
    return trial.bytes[0] == 0x7E && errors.parity > trial.bytes.count / 10
  }

  private static func isPrinted(_ byte: UInt8) -> Bool {
    (0x20..<0x7F).contains(byte) || byte == 0x0D || byte == 0x0A || byte == 0x02 || byte == 0x03
  }

  /// Whether the bytes are what a receiver makes of inverted text.
  ///
  /// Of a character in ASCII bit 7 is 0, which is then high, and the stop bit behind it low: there the
  /// line falls, and a receiver takes the stop bit for a start bit. What it reads is the start bit as
  /// 1, then bits 0 … 6 the other way round: `0` comes as 0x9F. Digits have the highest bit then.
  private static func isInverted(_ bytes: [UInt8]) -> Bool {
    share(of: bytes) { $0 & 1 == 1 } > 0.9 && share(of: bytes) { $0 > 0x7F } > 0.4
      && share(of: bytes) { isPrinted(~($0 >> 1) & 0x7F) } > 0.9
  }

  /// Whether the bytes are those of a line at another speed: without stop bits, or all high or low,
  /// or of a few kinds only.
  private static func isGarbled(_ trial: ProbeTrial) -> Bool {
    let bytes = trial.bytes
    if let errors = trial.errors, errors.framing + errors.breaks > bytes.count / 10 { return true }
    // Too slow a receiver sees whole bytes as one bit, too fast a one sees each bit several times.
    let flat: Set<UInt8> = [0x00, 0x80, 0xC0, 0xE0, 0xF0, 0xF8, 0xFC, 0xFE, 0xFF]
    return share(of: bytes) { flat.contains($0) } > 0.4
  }

  private static func share(of bytes: [UInt8], _ isIt: (UInt8) -> Bool) -> Double {
    Double(bytes.count(where: isIt)) / Double(max(1, bytes.count))
  }
}

/// Counts frames by family, and finds who made the meter.
private struct ProbeCollector: FrameSink {
  private var good: [Dialect: Int] = [:]
  private var badFrames: [Dialect: Int] = [:]
  private var maker: String?
  private var isEncrypted = false
  private var hasEncryptedPart = false
  private var readings = 0

  /// The meter, once one frame of it was sound.
  var meter: ProbedMeter? {
    guard !good.isEmpty else { return nil }
    let dialects = good.sorted { ($0.value, $1.key.rawValue) > ($1.value, $0.key.rawValue) }
    return ProbedMeter(
      dialects: dialects.map(\.key), maker: maker, isEncrypted: isEncrypted,
      goodFrames: good.values.reduce(0, +), badFrames: badFrames.values.reduce(0, +))
  }

  /// The family of most damaged frames.
  var damaged: Dialect? { badFrames.max { $0.value < $1.value }?.key }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings += 1 }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    guard maker == nil, secret.offset >= 0, secret.count >= 0,
      secret.offset + secret.count <= bytes.count
    else { return }
    let octets = (secret.offset..<(secret.offset + secret.count)).map { bytes[$0] }
    maker = MakerNames.name(in: octets, secret)
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    if error.code == .encrypted { hasEncryptedPart = true }
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    // What has neither a value nor a checksum may be anything.
    if readings > 0 || hasEncryptedPart || summary.integrity == .ok {
      good[summary.dialect, default: 0] += 1
    }
    isEncrypted = isEncrypted || hasEncryptedPart
    readings = 0
    hasEncryptedPart = false
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    // Text with parity bits is a finding of its own.
    if error.code != .notText { badFrames[summary.dialect, default: 0] += 1 }
    readings = 0
    hasEncryptedPart = false
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {}
}
