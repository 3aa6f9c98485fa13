import MeterCipher
import OBISDecoder

@testable import MeterSimulator

/// Keeps all that a decoder reports, frame by frame.
struct FrameCollector: FrameSink {
  /// What was found in one frame that ended.
  struct Frame {
    var readings: [Reading] = []
    var secrets: [(range: Range<Int>, bytes: [UInt8])] = []
    var problems: [DecodeError] = []
    var summary: FrameSummary?
  }

  var frames: [Frame] = []
  var rejections: [DecodeError] = []
  var discarded = 0
  private var running = Frame()

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    running.readings.append(reading)
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    let range = secret.offset..<(secret.offset + secret.count)
    running.secrets.append((range, range.map { bytes[$0] }))
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    running.problems.append(error)
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    running.summary = summary
    frames.append(running)
    running = Frame()
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    rejections.append(error)
    running = Frame()
  }

  mutating func discarded(_ count: Int, at offset: UInt64) { discarded += count }

  /// Decodes `bytes`, cut into pieces by `random`, as one stream that then falls silent, with the
  /// keys that `model` gives a household.
  static func decoding(
    _ bytes: [UInt8], of model: MeterModel, cuts random: inout RandomSource
  ) throws -> FrameCollector {
    var collector = FrameCollector()
    let key = Array(P1Text.hex(model.key ?? CipherForm.exampleKey).utf8)
    let authenticationKey = model.authenticationKey.map { Array(P1Text.hex($0).utf8) }
    var cipher = DLMSCipher(
      encryptionKey: try CipherKey(parsing: key.span),
      authenticationKey: try authenticationKey.map { try CipherKey(parsing: $0.span) },
      systemTitle: nil)
    var decoder = MeterDecoder(DecoderOptions())
    var start = 0
    let longest = random.pick([Int64(1), 7, 64, 512, 8192])
    while start < bytes.count {
      let end = min(start + Int(random.integer(in: 1...longest)), bytes.count)
      decoder.push(bytes[start..<end].span, with: &cipher, to: &collector)
      start = end
    }
    decoder.finish(with: &cipher, to: &collector)
    return collector
  }
}

extension FrameCollector.Frame {
  /// The first thing that is not as `frame` was made; nil if all is.
  func difference(from frame: SimulatedFrame) -> String? {
    let sendsImpossibleTime = frame.content.contains(Array("(632525252525W)".utf8))
    // A register whose unit no line says may be a problem rather than a number without unit.
    let hidesUnits = frame.family == "d0" && frame.expected.contains { $0.unit == .one }
    for problem in problems {
      if sendsImpossibleTime, problem.code == .invalidTime { continue }
      if hidesUnits, problem.code == .malformedValue { continue }
      return "problem \(problem)"
    }
    let integrity: Integrity = frame.hasChecksum ? .ok : .absent
    if summary?.integrity != integrity { return "integrity is not \(integrity)" }
    if summary?.trust != frame.trust { return "trust is not \(frame.trust)" }
    if summary?.count != frame.bytes.count { return "count \(summary?.count ?? -1)" }
    if !Self.same(summary?.meterTime, frame.meterTime) {
      return "meter time \(String(describing: summary?.meterTime))"
    }
    if let reading = readings.first(where: { !isExpected($0, of: frame) }) {
      return "reading \(reading.code) = \(reading.value) \(reading.unit) was never sent"
    }
    for expected in frame.expected where expected.isRequired {
      guard readings.contains(where: { Self.same($0, expected) }) else {
        return "\(expected.code) = \(expected.value) \(expected.unit) is missing"
      }
    }
    for identifier in frame.identifiers where !hides(identifier) {
      return "identifier \(identifier.text) is no secret"
    }
    for reading in readings {
      let range = reading.offset..<(reading.offset + reading.count)
      if secrets.contains(where: { $0.range.overlaps(range) }) {
        return "reading \(reading.code) overlaps a secret"
      }
    }
    let codes = Set(readings.filter { !$0.isOfList }.map(\.code))
    if codes.count != readings.count(where: { !$0.isOfList }) { return "a code came twice" }
    return nil
  }

  /// Whether the reading is one of those that `frame` carries.
  func isExpected(_ reading: Reading, of frame: SimulatedFrame) -> Bool {
    frame.expected.contains { Self.same(reading, $0) }
  }

  private func hides(_ identifier: SimulatedIdentifier) -> Bool {
    secrets.contains { secret in
      secret.bytes.count >= identifier.bytes.count && secret.bytes.contains(identifier.bytes)
    }
  }

  private static func same(_ reading: Reading, _ expected: ExpectedReading) -> Bool {
    reading.code == expected.code && reading.unit == expected.unit
      && reading.value.isEqual(to: expected.value) && same(reading.time, expected.time)
  }

  /// Equal, where a season that one side leaves open is no difference.
  private static func same(_ left: MeterTime?, _ right: MeterTime?) -> Bool {
    guard var left, let right else { return left == nil && right == nil }
    let isOpen =
      left.season == .unspecified || right.season == .unspecified
      || (left.season == .standard) == (right.season == .standard)
    left.season = right.season
    return isOpen && left == right
  }
}

extension Reading {
  /// Whether its code may come several times: logs, histories, limits.
  var isOfList: Bool {
    code.c == 98 || code.c == 99 || (code.d == 4 && code.b == 1)
  }
}
