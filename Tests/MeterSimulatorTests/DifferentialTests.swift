import Foundation
import OBISDecoder
import Testing

@testable import MeterSimulator

/// The decoder against encoders that share no code with it.
///
/// Runs 200 frames a dialect; `GATEWAY_FRAMES=100000` sets the number of all dialects together, and
/// `GATEWAY_MODELS=de-holley,no-kaifa` keeps to these. A test goes on up to five findings.
struct DifferentialTests {
  static let environment = ProcessInfo.processInfo.environment
  static let total: UInt64? = environment["GATEWAY_FRAMES"].flatMap { UInt64($0) }
  static let chosen = environment["GATEWAY_MODELS"]?.split(separator: ",").map(String.init)
  static let names = MeterModel.all.map(\.name).filter { chosen?.contains($0) ?? true }
  /// Models whose frames can be found in a stream.
  static let framed = MeterModel.all.filter { $0.family != "apdu" }
  /// First bytes of frames and messages: flags, `/`, 0x68, escape, LLC, tags of messages.
  static let begins: Set<UInt8> = [0x7E, 0x2F, 0x68, 0x1B, 0xE6, 0x0F, 0xDB, 0xDF, 0xE0]
  static let checksummed = MeterModel.all.filter(\.hasChecksum).map(\.name).filter {
    names.contains($0)
  }
  static let mostFindings = 5

  /// Frames of each of `count` models, so that all together are at least the number asked for.
  static func framesPerModel(of count: Int) -> UInt64 {
    guard let total else { return 200 }
    return (total + UInt64(count) - 1) / UInt64(count)
  }

  /// Everything a test draws comes from `seed`, so that a failure can be pasted back.
  static func seed(_ test: UInt64, _ index: UInt64) -> UInt64 { test << 32 | index }

  @Test(arguments: names) func decodesEveryRandomFrameExactly(name: String) throws {
    let model = try #require(MeterModel.named(name))
    var findings = 0
    for index in 0..<Self.framesPerModel(of: Self.names.count) where findings < Self.mostFindings {
      let seed = Self.seed(1, index)
      var state = RandomState(seed: seed)
      let frame = state.frame(of: model)
      var random = RandomSource(seed: seed ^ 0xC075)
      let collector = try FrameCollector.decoding(frame.bytes, of: model, cuts: &random)
      let difference = self.difference(collector, frame)
      if let difference {
        Issue.record(report(name, seed, frame.bytes, difference))
        findings += 1
      }
    }
  }

  private func difference(_ collector: FrameCollector, _ frame: SimulatedFrame) -> String? {
    if let rejection = collector.rejections.first { return "rejected: \(rejection)" }
    guard collector.frames.count == 1, collector.discarded == 0 else {
      return "\(collector.frames.count) frames, \(collector.discarded) bytes discarded"
    }
    return collector.frames[0].difference(from: frame)
  }

  /// One byte of the first frame is another one.
  ///
  /// Both checksums find any damage of 16 bits in a row. What they do not cover can only lose the frame or leave it whole: flags, line ends, a
  /// telegram's `/`, `!` and the checksum's own digits. So no value may come out that was not sent,
  /// and the frame behind must come out whole.
  @Test(arguments: checksummed) func damagedByteNeverBringsAWrongValue(name: String) throws {
    let model = try #require(MeterModel.named(name))
    var findings = 0
    for index in 0..<Self.framesPerModel(of: Self.checksummed.count)
    where findings < Self.mostFindings {
      let seed = Self.seed(2, index)
      var state = RandomState(seed: seed)
      let frame = state.frame(of: model)
      let next = state.frame(of: model)
      var random = RandomSource(seed: seed ^ 0xDA_3A6E)
      var bytes = frame.bytes
      let place = Int(random.integer(in: 0...Int64(bytes.count - 1)))
      bytes[place] ^= UInt8(random.integer(in: 1...255))
      let collector = try FrameCollector.decoding(bytes + next.bytes, of: model, cuts: &random)
      let difference = self.wrong(collector, frame, next)
      if let difference {
        let text = "\(difference); byte \(place) of \(frame.bytes.count) damaged"
        Issue.record(report(name, seed, bytes + next.bytes, text))
        findings += 1
      }
    }
  }

  /// Bytes that mean something to a framer, in place of each byte of a frame in turn.
  ///
  /// `!` at a line's begin ends a telegram early, `/` begins one, CR, LF and NUL cut a checksum
  /// short, 0x7E is a flag.
  @Test(arguments: checksummed) func framingCharactersNeverBringAWrongValue(name: String) throws {
    let model = try #require(MeterModel.named(name))
    let seed = Self.seed(3, 0)
    var state = RandomState(seed: seed)
    let frame = state.frame(of: model)
    let next = state.frame(of: model)
    var random = RandomSource(seed: seed)
    let step = Self.total == nil ? 41 : 1
    var findings = 0
    for place in 0..<frame.bytes.count {
      // The ends of a frame are always tried, with every value in a long run.
      let isEnd = place < 12 || place >= frame.bytes.count - 8
      guard isEnd || place % step == 0 else { continue }
      let values = isEnd && Self.total != nil ? Array(0...255) : Array("!/\r\n\0 0f(~".utf8)
      for value in values where value != frame.bytes[place] {
        var bytes = frame.bytes
        bytes[place] = value
        let collector = try FrameCollector.decoding(bytes + next.bytes, of: model, cuts: &random)
        if let difference = self.wrong(collector, frame, next) {
          let text = "\(difference); byte \(place) of \(frame.bytes.count) is \(value)"
          Issue.record(report(name, seed, bytes + next.bytes, text))
          findings += 1
          if findings == Self.mostFindings { return }
        }
      }
    }
  }

  private func wrong(
    _ collector: FrameCollector, _ frame: SimulatedFrame, _ next: SimulatedFrame
  ) -> String? {
    guard let last = collector.frames.last else { return "the next frame is lost too" }
    if let difference = last.difference(from: next) { return "next frame: \(difference)" }
    for decoded in collector.frames.dropLast() {
      for reading in decoded.readings where !decoded.isExpected(reading, of: frame) {
        return "wrong value \(reading.code) = \(reading.value) \(reading.unit)"
      }
    }
    return nil
  }

  /// Meters of all dialects on one line, with noise between their frames.
  ///
  /// The noise holds no byte that begins a frame, which then would take what follows; a message
  /// without frame has no begin that could be told from noise.
  @Test func findsFramesOfEveryDialectAmongNoise() throws {
    // Whoever has this model's keys can check those of the others in the stream.
    let ciphered = try #require(MeterModel.named("ch-landisgyr-ciphered"))
    var findings = 0
    for index in 0..<(Self.total ?? 2000) / 100 where findings < Self.mostFindings {
      let seed = Self.seed(4, index)
      var random = RandomSource(seed: seed ^ 0x0157)
      var state = RandomState(seed: seed)
      var bytes: [UInt8] = []
      var frames: [SimulatedFrame] = []
      var noise = 0
      for _ in 0..<8 {
        for _ in 0..<random.integer(in: 0...60) {
          let byte = UInt8(random.integer(in: 0...255))
          guard !Self.begins.contains(byte) else { continue }
          bytes.append(byte)
          noise += 1
        }
        let frame = state.frame(of: random.pick(Self.framed))
        frames.append(frame)
        bytes += frame.bytes
      }
      let collector = try FrameCollector.decoding(bytes, of: ciphered, cuts: &random)
      var difference: String?
      if collector.frames.count != frames.count {
        difference = "\(collector.frames.count) frames, \(collector.rejections)"
      } else if collector.discarded != noise {
        difference = "\(collector.discarded) bytes discarded of \(noise)"
      } else {
        for (decoded, frame) in zip(collector.frames, frames) where difference == nil {
          difference = decoded.difference(from: frame)
        }
      }
      if let difference {
        Issue.record("\(difference), seed 0x\(String(seed, radix: 16)): \(P1Text.hex(bytes))")
        findings += 1
      }
    }
  }

  /// Block transfers of two push setups, their frames in turn: Landis+Gyr's address tells them apart.
  @Test func keepsInterleavedBlockTransfersApart() throws {
    for index in 0..<(Self.total ?? 2000) / 100 {
      let seed = Self.seed(5, index)
      var random = RandomSource(seed: seed)
      var meters = [
        try #require(SimulatedMeter(name: "ch-landisgyr", seed: seed)),
        try #require(SimulatedMeter(name: "ch-landisgyr-e570", seed: seed)),
      ]
      let model = meters[1].model
      let time = Int64(index) * 10_000
      let frames = [meters[0].next(at: time), meters[1].next(at: time)]
      var parts = frames.map(\.parts)
      var bytes: [UInt8] = []
      var order: [Int] = []
      while let which = random.pickNonEmpty(parts) {
        bytes += parts[which].removeFirst()
        if parts[which].isEmpty { order.append(which) }
      }
      let collector = try FrameCollector.decoding(bytes, of: model, cuts: &random)
      #expect(collector.rejections.isEmpty, "\(collector.rejections), seed \(seed)")
      try #require(collector.frames.count == 2, "seed \(seed): \(P1Text.hex(bytes))")
      for (decoded, which) in zip(collector.frames, order) {
        let difference = decoded.difference(from: frames[which])
        #expect(difference == nil, "\(difference ?? ""), seed \(seed): \(P1Text.hex(bytes))")
      }
    }
  }

  /// An afternoon of a household through each meter: every frame decodes.
  @Test(arguments: names) func decodesAnAfternoonOfEachMeter(name: String) throws {
    var meter = try #require(SimulatedMeter(name: name, seed: 31))
    var random = RandomSource(seed: 31)
    var time: Int64 = 1_768_485_590_000
    for _ in 0..<12 {
      let frame = meter.next(at: time)
      let collector = try FrameCollector.decoding(frame.bytes, of: meter.model, cuts: &random)
      let difference = self.difference(collector, frame)
      try #require(difference == nil, "\(name) at \(time): \(difference ?? "")")
      time = meter.nextDue(after: time + 1_195_000)
    }
  }

  /// A failure as Swift to paste, with the bytes.
  private func report(
    _ name: String, _ seed: UInt64, _ bytes: [UInt8], _ difference: String
  ) -> Comment {
    """
    \(difference)
    var state = RandomState(seed: 0x\(String(seed, radix: 16)))
    let frame = state.frame(of: try #require(MeterModel.named("\(name)")))
    hex: \(P1Text.hex(bytes))
    """
  }
}

extension SimulatedFrame {
  /// The bytes frame by frame.
  var parts: [[UInt8]] {
    zip([0] + boundaries, boundaries + [bytes.count]).map { Array(bytes[$0..<$1]) }
  }
}

extension RandomSource {
  /// The number of a list that still has parts, nil if none has.
  mutating func pickNonEmpty(_ lists: [[[UInt8]]]) -> Int? {
    let left = lists.indices.filter { !lists[$0].isEmpty }
    return left.isEmpty ? nil : pick(left)
  }
}
