import OBISDecoder

/// A sound frame with all that is needed to write it anew.
struct RedactableFrame {
  /// What was deciphered in it; places count in the plaintext.
  struct Plaintext {
    var part: CipheredPart
    /// Bytes that the decoder read, from the first on.
    var count = 0
    var secrets: [Secret] = []
    var problems: [DecodeError] = []
  }

  var summary: FrameSummary
  /// Where its message lies in the stream; empty where the message is the frame itself.
  var pieces: [MessagePiece]
  /// In the order they were sent.
  var readings: [Reading]
  /// Places count in the message.
  var secrets: [Secret]
  var problems: [DecodeError]
  var plaintexts: [Plaintext]

  /// Codes of all that could not be read.
  var problemCodes: [DecodeError.Code] { (problems + plaintexts.flatMap(\.problems)).map(\.code) }

  /// Whether `other` says the same, place and identifiers aside.
  func saysTheSame(as other: RedactableFrame) -> Bool {
    summary.dialect == other.summary.dialect && summary.integrity == other.summary.integrity
      && summary.meterTime == other.summary.meterTime
      && problemCodes == other.problemCodes
      && readings.count == other.readings.count
      && zip(readings, other.readings).allSatisfy { left, right in
        left.code == right.code && left.value == right.value && left.unit == right.unit
          && left.time == right.time && left.medium == right.medium
      }
  }
}

/// Collects sound frames, and counts what is not.
struct RedactionCollector: FrameSink {
  private(set) var frames: [RedactableFrame] = []
  /// Why frames were rejected.
  private(set) var rejections: [DecodeError.Code] = []
  private var pieces: [MessagePiece] = []
  private var readings: [Reading] = []
  private var secrets: [Secret] = []
  private var problems: [DecodeError] = []
  private var plaintexts: [RedactableFrame.Plaintext] = []

  mutating func piece(_ piece: MessagePiece) { pieces.append(piece) }

  mutating func deciphered(_ part: CipheredPart) {
    plaintexts.append(RedactableFrame.Plaintext(part: part))
  }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    if isPlaintext(bytes) { note(bytes) }
    readings.append(reading)
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    if isPlaintext(bytes) {
      note(bytes)
      plaintexts[plaintexts.count - 1].secrets.append(secret)
    } else {
      secrets.append(secret)
    }
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    if isPlaintext(bytes) {
      note(bytes)
      plaintexts[plaintexts.count - 1].problems.append(error)
    } else {
      problems.append(error)
    }
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    frames.append(
      RedactableFrame(
        summary: summary, pieces: pieces, readings: readings, secrets: secrets,
        problems: problems, plaintexts: plaintexts))
    clear()
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    rejections.append(error.code)
    clear()
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {}

  /// Whether `bytes` is what was last deciphered: a message is always longer than what is in it.
  private func isPlaintext(_ bytes: Span<UInt8>) -> Bool {
    guard let last = plaintexts.last else { return false }
    return bytes.count <= last.part.ciphertext.count
  }

  private mutating func note(_ bytes: Span<UInt8>) {
    plaintexts[plaintexts.count - 1].count = bytes.count
  }

  private mutating func clear() {
    pieces = []
    readings = []
    secrets = []
    problems = []
    plaintexts = []
  }
}
