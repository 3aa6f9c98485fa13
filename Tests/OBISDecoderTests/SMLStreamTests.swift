import Testing

@testable import OBISDecoder

/// SML files in a stream: in pieces, cut, damaged, glued, without envelope, with rubbish between.
@Suite struct SMLStreamTests {
  /// Three files, each with values of its own.
  private let frames = [
    SMLMeter.plain(energy: 1000, power: 1).frame, SMLMeter.plain(energy: 2000, power: -2).frame,
    SMLMeter.plain(energy: 3000, power: 3).frame,
  ]
  private var stream: [UInt8] { Array(frames.joined()) }

  private func values(_ sink: RecordingSink) -> [String] {
    sink.readings.map { "\($0.value) \($0.unit.symbol)" }
  }

  private func expected(without lost: Int?) -> [String] {
    let all = [["100 Wh", "1 W"], ["200 Wh", "-2 W"], ["300 Wh", "3 W"]]
    return all.enumerated().filter { $0.offset != lost }.flatMap(\.element)
  }

  @Test func readsThreeFiles() {
    let sink = decode(stream)
    #expect(values(sink) == expected(without: nil))
    #expect(sink.problems == [] && sink.rejections.isEmpty && sink.discards.isEmpty)
  }

  @Test func readsWholeFilesOfEveryPrefix() {
    let bytes = stream
    let length = frames[0].count
    for count in 0..<bytes.count {
      let sink = decode(Array(bytes.prefix(count)))
      let whole = Array(expected(without: nil).prefix(2 * (count / length)))
      #expect(values(sink) == whole, "\(count) bytes")
      #expect(accountingFault(sink, total: count) == nil)
    }
  }

  @Test func losesOneFileForEveryFlippedBit() {
    let bytes = stream
    let length = frames[0].count
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(values(decode(damaged)) == expected(without: bit / 8 / length), "bit \(bit)")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 20])
  func losesOnlyTheFileThatLostBytes(_ count: Int) {
    let length = frames[0].count
    for index in 0...length - count {
      var damaged = stream
      damaged.removeSubrange(length + index..<length + index + count)
      #expect(values(decode(damaged)) == expected(without: 1), "\(count) bytes from \(index)")
    }
  }

  @Test func losesAtMostTheFileWithBytesAdded() {
    let length = frames[0].count
    for extra: [UInt8] in [[0x1B], [0x1B, 0x1B, 0x1B, 0x1B], [0x00], [0x1A, 0x1B, 0x01]] {
      for index in 1..<length {
        var damaged = stream
        damaged.insert(contentsOf: extra, at: length + index)
        // A byte more in front of the start sequence's rest does not harm the file behind it.
        let found = values(decode(damaged))
        let isWhole = index <= 4 && found == expected(without: nil)
        #expect(isWhole || found == expected(without: 1), "\(extra) at \(index)")
      }
    }
  }

  @Test func saysTheSameInRandomPieces() {
    var escaped = SMLMeter.plain(energy: 0x1B1B_1B1B)
    escaped.entries.append(
      SML.entry([1, 0, 96, 50, 1, 4], SML.octets(Array(repeating: 0x1B, count: 13))))
    let bytes =
      [0x1B, 0x1B, 0x01] + frames[0] + [0x1B] + escaped.frame + frames[1].dropLast(5) + frames[2]
      + escaped.frame.dropFirst(3) + SMLMeter.long.frame + [0x1B, 0x1B]
    let whole = decode(bytes)
    #expect(whole.summaries.count == 4)
    #expect(accountingFault(whole, total: bytes.count) == nil)
    for size in 1...64 { #expect(decode(bytes, chunk: size).events == whole.events) }
    var state: UInt64 = 0x5EED
    print("seed \(state)")
    for _ in 0..<50 {
      var decoder = MeterDecoder(DecoderOptions())
      var sink = RecordingSink()
      var start = 0
      while start < bytes.count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let end = min(bytes.count, start + 1 + Int(state >> 58))
        decoder.push(bytes.span.extracting(start..<end), to: &sink)
        start = end
      }
      decoder.finish(to: &sink)
      #expect(sink.events == whole.events)
    }
  }

  @Test func survivesRandomBytes() {
    var state: UInt64 = 0x5EED
    print("seed \(state)")
    var bytes: [UInt8] = []
    for _ in 0..<60_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let byte = UInt8(truncatingIfNeeded: state >> 56)
      bytes.append(byte & 1 == 0 ? 0x1B : byte & 2 == 0 ? 0x01 : byte & 4 == 0 ? 0x1A : byte)
    }
    let sink = decode(bytes, chunk: 4096)
    #expect(sink.readings == [])
    #expect(accountingFault(sink, total: bytes.count) == nil)
  }

  @Test func readsDamagedMessagesUnderARightEnvelopeWithoutATrap() {
    let payload = SMLMeter.long.payload
    for bit in 0..<payload.count * 8 {
      var damaged = payload
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(SML.envelope(damaged))
      #expect(sink.summaries.count == 1 && sink.problems != [], "bit \(bit)")
    }
    for count in 0..<payload.count {
      let sink = decode(SML.envelope(Array(payload.prefix(count))))
      #expect(sink.summaries.count == 1, "\(count) bytes")
    }
  }

  @Test func givesUpOnAFileLongerThanTheLimit() {
    let start: [UInt8] = [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1]
    let sink = decode(start + Array(repeating: 0x42, count: 9000) + frames[0])
    #expect(sink.rejections.map(\.error.code) == [.tooLong])
    #expect(sink.rejections.map(\.summary.count) == [Limits.frameBytes])
    #expect(values(sink) == ["100 Wh", "1 W"])
    // Exactly full: the padding is inside the close response's file.
    var meter = SMLMeter.plain()
    meter.entries.append(SML.entry([1, 0, 96, 50, 1, 4], SML.octets([])))
    let room = Limits.frameBytes - meter.frame.count
    for extra in [room - 20, room - 4, room - 2, room - 1, room, room + 4] {
      var filled = meter
      var rest = extra
      while rest > 0 {
        let count = min(rest, 200)
        filled.entries.append(SML.octets(Array(repeating: 0x43, count: count)))
        rest -= count + 2
      }
      let frame = filled.frame
      #expect(decode(frame).summaries.count == (frame.count <= Limits.frameBytes ? 1 : 0))
      if frame.count == Limits.frameBytes { return }
    }
  }

  @Test(arguments: SML.Variant.allCases)
  func readsFilesWithoutEnvelope(_ variant: SML.Variant) {
    var meter = SMLMeter.plain(energy: 1000, power: 1)
    meter.variant = variant
    let bytes = meter.payload + meter.payload
    let whole = decode(bytes)
    #expect(values(whole) == ["100 Wh", "1 W", "100 Wh", "1 W"])
    #expect(whole.problems == [] && whole.summaries.map(\.integrity) == [.ok, .ok])
    for size in 1...40 { #expect(decode(bytes, chunk: size).events == whole.events) }
    let open = Array(meter.messages.dropLast().joined())
    #expect(values(decode(open)) == ["100 Wh", "1 W"])
  }

  @Test func readsNothingFromADamagedFileWithoutEnvelope() {
    let bytes = SMLMeter.plain(energy: 1000, power: 1).payload
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(damaged + frames[2])
      let found = values(sink)
      #expect(found.suffix(2) == ["300 Wh", "3 W"], "bit \(bit)")
      #expect(found.count == 2 || Array(found.prefix(2)) == ["100 Wh", "1 W"], "bit \(bit)")
    }
    #expect(decode([0x00] + bytes).readings == [], "no boundary")
  }
}
