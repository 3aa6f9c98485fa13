import Testing

@testable import OBISDecoder

/// The hard cases 96 … 108 of SML, on files with invented content.
@Suite struct SMLCaseTests {
  private let energy = OBISCode(1, 0, 1, 8, 0)
  private let power = OBISCode(1, 0, 16, 7, 0)

  // MARK: Envelope

  @Test("case 96: takes out escapes at any alignment, and ends only at a multiple of four")
  func takesOutEscapes() {
    for shift in 0..<4 {
      var meter = SMLMeter.plain()
      meter.entries.insert(
        SML.entry(
          [1, 0, 96, 50, 1, 2],
          SML.octets(Array(repeating: 0x41, count: shift) + Array(repeating: 0x1B, count: 9))),
        at: 0)
      meter.entries.append(
        SML.entry([1, 0, 2, 8, 0, 255], SML.unsigned(0x1B1B_1B1B, width: 4), unit: 30, scaler: -1))
      let sink = decode(meter.frame)
      #expect(sink.values(energy) == ["12345678.9 Wh"])
      #expect(sink.values(OBISCode(1, 0, 2, 8, 0)) == ["45476124.3 Wh"])
      #expect(
        sink.texts(.meterType).contains { $0.hasSuffix(hex(Array(repeating: 0x1B, count: 9))) })
      #expect(sink.problems == [] && sink.discards.isEmpty)
      #expect(sink.extents == [0..<UInt64(meter.frame.count)])
      // What a sink is lent is as long as the file without its eight escape bytes more.
      for case .reading(let reading, let text) in sink.events {
        #expect(text.first.map { $0 >> 4 } == 5 || text.first.map { $0 >> 4 } == 6)
        #expect(reading.offset + reading.count <= meter.frame.count - 12)
      }
    }
    let payload = SMLMeter.plain().payload + [0]
    var open = Array(SML.envelope(payload).dropLast(8))
    while open.count % 4 != 1 { open.removeLast() }
    open += [0x1B, 0x1B, 0x1B, 0x1B, 0x1A, 0x00]
    let sink = decode(open + SML.Variant.x25Low.checksum(open))
    #expect(sink.readings == [])
    #expect(sink.rejections.map(\.error.code) == [.truncated])
  }

  @Test("case 96: refuses a padding of more than three, but for four zero bytes")
  func refusesTooMuchPadding() {
    func frame(_ payload: [UInt8], _ padding: UInt8) -> [UInt8] {
      let open =
        [0x1B, 0x1B, 0x1B, 0x1B, 1, 1, 1, 1] + payload + [0x1B, 0x1B, 0x1B, 0x1B, 0x1A, padding]
      return open + SML.Variant.x25Low.checksum(open)
    }
    var payload = SMLMeter.plain().payload
    while payload.count % 4 != 0 { payload.append(0) }
    let zeros: [UInt8] = [0, 0, 0, 0]
    #expect(decode(frame(payload + zeros, 4)).summaries.count == 1)
    #expect(decode(frame(payload + [0, 0, 0, 1], 4)).rejections.count == 1)
    #expect(decode(frame(payload + zeros + zeros, 5)).rejections.map(\.error.found) == [5])
  }

  @Test("case 97: reads nothing from a file that lost bytes of an escape sequence")
  func dropsFileWithLostBytes() {
    let frame = SMLMeter.plain().frame
    let end = frame.count - 8
    for place in [0, end] {
      for count in 1...4 {
        var short = frame
        short.removeSubrange(place..<place + count)
        let sink = decode(short + frame)
        #expect(sink.values(energy) == ["12345678.9 Wh"], "\(count) bytes at \(place)")
        #expect(sink.summaries.map(\.offset) == [UInt64(short.count)])
      }
    }
  }

  @Test(
    "case 98: takes a bare number for a time, and either checksum", arguments: SML.Variant.allCases)
  func readsEitherChecksum(_ variant: SML.Variant) {
    var meter = SMLMeter.plain()
    meter.variant = variant
    meter.time = SML.unsigned(48_013_500, width: 4)
    meter.entries[1] = SML.entry(
      SMLMeter.energy, SML.unsigned(44_998_962, width: 4), unit: 30, scaler: -1,
      status: SML.unsigned(0x1C8104, width: 4), time: SML.unsigned(48_013_500, width: 4))
    let sink = decode(meter.frame)
    #expect(sink.values(energy) == ["4499896.2 Wh"])
    #expect(sink.readings.first?.time == nil)
    #expect(sink.summaries.map(\.meterTime) == [nil])
    #expect(sink.problems == [])
  }

  @Test("case 98: keeps to the checksum that a stream has shown", arguments: SML.Variant.allCases)
  func keepsToTheChecksumOfTheStream(_ variant: SML.Variant) {
    var meter = SMLMeter.plain()
    meter.variant = variant
    let frame = meter.frame
    for other in SML.Variant.allCases where other != variant {
      // Damaged, and by chance right in another variant: the file's checksum is made to fit.
      var damaged = Array(frame.dropLast(2))
      damaged[frame.count / 2] ^= 0x10
      damaged += other.checksum(damaged)
      let sink = decode(frame + damaged + frame)
      #expect(sink.summaries.count == 2, "\(other)")
      #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
      #expect(decode(damaged).summaries.isEmpty || other == .x25Low)
      // Another meter on the same line proves itself by its messages.
      var next = meter
      next.variant = other
      #expect(decode(frame + next.frame + frame).summaries.count == 3, "\(other)")
    }
  }

  @Test("case 99: reports a message whose checksum is wrong, and keeps its values")
  func keepsMessageWithWrongChecksum() {
    var messages = SMLMeter.plain().messages
    messages[1][messages[1].count - 2] ^= 0x55
    let sink = decode(SML.envelope(Array(messages.joined())))
    #expect(sink.values(energy) == ["12345678.9 Wh"])
    #expect(sink.problems.map(\.code) == [.checksumMismatch])
    #expect(sink.problems.map(\.offset) == [8 + messages[0].count + messages[1].count - 3])
    #expect(sink.summaries.map(\.integrity) == [.ok])
  }

  // MARK: Values

  @Test(
    "case 100: reads the power of a DZG DVS74 without sign, and only its own",
    arguments: [
      (41_999_999, false), (42_000_000, true), (48_999_999, true), (49_000_000, false),
      (54_999_999, false), (55_000_000, true), (58_999_999, true), (59_000_000, false),
    ])
  func readsPowerOfDZG(_ number: UInt32, _ isAffected: Bool) {
    func read(_ value: [UInt8], maker: String = "DZG", code: [UInt8] = SMLMeter.power) -> [String] {
      var meter = SMLMeter(entries: [SML.entry(code, value, unit: 27, scaler: -2)])
      meter.server =
        [0x0A, 0x01] + Array(maker.utf8) + [0]
        + (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
      return decode(meter.frame).readings.map { "\($0.value)" }
    }
    #expect(read([0x53, 0x88, 0xB8]) == [isAffected ? "350" : "-305.36"])
    #expect(read([0x53, 0x7F, 0xFF]) == ["327.67"])
    #expect(read([0x52, 0xC8]) == [isAffected ? "2" : "-0.56"])
    #expect(read([0x55, 0xFF, 0xFF, 0x88, 0xB8]) == ["-305.36"])
    #expect(read([0x54, 0xFF, 0x88, 0xB8]) == ["-305.36"])
    #expect(read([0x53, 0x88, 0xB8], maker: "TST") == ["-305.36"])
    #expect(read([0x53, 0x88, 0xB8], code: [1, 0, 36, 7, 0, 255]) == ["-305.36"])
  }

  @Test("case 101: extends the sign from the width that was sent", arguments: 1...8)
  func extendsTheSign(_ width: Int) {
    func read(_ value: [UInt8]) -> [String] {
      decode(SMLMeter(entries: [SML.entry(SMLMeter.power, value, unit: 27, scaler: 0)]).frame)
        .values(power)
    }
    let highest = Int64.max >> Int64(64 - 8 * width)
    for value in [-1, -128, 0, 1, 127, highest, -highest - 1] {
      #expect(read(SML.integer(value, width: width)) == ["\(value) W"])
    }
    let top: UInt64 = width < 8 ? 1 << UInt64(8 * width) - 1 : UInt64(Int64.max)
    #expect(read(SML.unsigned(top, width: width)) == ["\(top) W"])
  }

  @Test("case 101: refuses numbers of no width, of nine bytes, and beyond 63 bits")
  func refusesOtherWidths() {
    let bad: [([UInt8], DecodeError.Code)] = [
      ([0x51], .malformedValue), ([0x5A] + Array(repeating: 1, count: 9), .malformedValue),
      (SML.unsigned(1 << 63, width: 8), .numberTooLarge),
    ]
    for (value, code) in bad {
      var meter = SMLMeter.plain()
      meter.entries.insert(SML.entry([1, 0, 2, 8, 0, 255], value, unit: 30, scaler: -1), at: 1)
      let sink = decode(meter.frame)
      #expect(sink.problems.map(\.code) == [code])
      #expect(sink.readings.map(\.code) == [energy, power])
    }
  }

  @Test("case 102: keeps the other entries where a value is absent")
  func keepsOthersWhereValueIsAbsent() {
    var meter = SMLMeter.plain()
    meter.entries.insert(SML.entry([1, 0, 2, 8, 0, 255], SML.absent, unit: 30, scaler: -1), at: 0)
    meter.entries.append(SML.entry([1, 0, 36, 7, 0, 255], SML.absent))
    meter.entries.append(SML.entry([1, 0, 56, 7, 0, 255], SML.integer(7, width: 1), unit: 27))
    let sink = decode(meter.frame)
    #expect(sink.readings.map { "\($0.value)" } == ["12345678.9", "-1557", "7"])
    #expect(sink.problems == [])
  }

  @Test("case 103: skips a value that is a list, whatever it holds")
  func skipsListAsValue() {
    let time = SML.list([SML.unsigned(1, width: 1), SML.unsigned(1_982_288, width: 4)])
    var deep = time
    for _ in 0..<40 { deep = SML.list([deep, SML.text("x")]) }
    for value in [SML.list([SML.unsigned(1, width: 1), time]), deep, SML.list([])] {
      var meter = SMLMeter.plain()
      meter.entries.insert(SML.entry([129, 0, 96, 8, 0, 1], value), at: 0)
      let sink = decode(meter.frame)
      #expect(sink.values(energy) == ["12345678.9 Wh"])
      #expect(sink.problems == [])
    }
  }

  @Test("case 104: reads times of two and of three parts, and skips all others")
  func readsTimes() {
    func times(_ time: [UInt8]) -> (frame: MeterTime?, reading: MeterTime?) {
      var meter = SMLMeter.plain()
      meter.time = time
      meter.entries[1] = SML.entry(
        SMLMeter.energy, SML.unsigned(1, width: 1), unit: 30, scaler: 0, time: time)
      let sink = decode(meter.frame)
      #expect(sink.values(energy) == ["1 Wh"])
      #expect(sink.problems == [])
      return (sink.summaries.first?.meterTime, sink.readings.first?.time)
    }
    let stamp = SML.unsigned(1_709_210_096, width: 4)
    let hour = SML.integer(60, width: 2)
    let utc = MeterTime(
      year: 2024, month: 2, day: 29, hour: 12, minute: 34, second: 56, season: .unspecified,
      offsetMinutes: 0)
    let local = MeterTime(
      year: 2024, month: 2, day: 29, hour: 14, minute: 34, second: 56, season: .daylight,
      offsetMinutes: 120)
    let two = times(SML.list([SML.unsigned(2, width: 1), stamp]))
    #expect(utc != nil && two.frame == utc && two.reading == utc)
    let three = times(
      SML.list([SML.unsigned(3, width: 1), SML.list([stamp, hour, hour])]))
    #expect(local != nil && three.frame == local && three.reading == local)
    let others: [[UInt8]] = [
      SML.list([stamp, hour, hour]), SML.list([SML.unsigned(1, width: 1), stamp]), stamp,
      SML.absent, SML.list([SML.unsigned(2, width: 1), SML.unsigned(86_400, width: 4)]),
      SML.list([SML.unsigned(3, width: 1), SML.list([stamp, hour])]), SML.list([]),
      SML.list([SML.unsigned(3, width: 1), SML.list([stamp, hour, SML.integer(901, width: 2)])]),
    ]
    for time in others {
      let read = times(time)
      #expect(read.frame == nil && read.reading == nil)
    }
  }

  @Test("case 105: tells identifiers, keys and texts from readings")
  func tellsIdentifiersApart() {
    let number: [UInt8] = [0x0A, 0x01, 0x54, 0x53, 0x54, 0x00, 0x00, 0x12, 0xD6, 0x87]
    let key = (0..<48).map { UInt8($0) }
    let signature = (0..<20).map { UInt8(200 - $0) }
    var meter = SMLMeter.plain()
    meter.entries += [
      SML.entry([1, 0, 96, 1, 0, 255], SML.octets(number)),
      SML.entry([129, 129, 199, 130, 5, 255], SML.octets(key)),
      SML.entry([129, 129, 199, 130, 3, 255], SML.text("MKR")),
      SML.entry([1, 0, 0, 2, 0, 0], SML.text("1.02.007"), signature: SML.octets(signature)),
      SML.entry([1, 0, 96, 5, 0, 255], SML.unsigned(0x1C8104, width: 4)),
      SML.entry([1, 0, 96, 90, 2, 1], SML.text("A01A")),
      SML.entry([0, 0, 96, 1, 255, 255], SML.unsigned(12_345_678, width: 4), unit: 255, scaler: 0),
      SML.entry([1, 0, 97, 97, 0, 0], [0x42, 0x01]),
    ]
    let sink = decode(meter.frame)
    #expect(sink.readings.map(\.code) == [energy, power])
    #expect(sink.problems == [])
    #expect(sink.texts(.meterNumber) == [hex(number), hex(number), hex(number), "00bc614e"])
    #expect(sink.texts(.keyMaterial) == [hex(key), hex(signature)])
    #expect(sink.texts(.meterType) == ["545354", "4d4b52", hex(Array("1.02.007".utf8))])
    #expect(sink.texts(.unknown) == ["001c8104", hex(Array("A01A".utf8)), "01"])
  }

  @Test("case 105: guesses no unit, and reports one that it does not know")
  func guessesNoUnit() {
    let meter = SMLMeter(entries: [
      SML.entry(SMLMeter.energy, SML.unsigned(5, width: 1)),
      SML.entry(SMLMeter.power, SML.unsigned(5, width: 1), unit: 99, scaler: 0),
      SML.entry([1, 0, 81, 7, 1, 255], SML.unsigned(240, width: 1), unit: 8, scaler: 0),
      SML.entry([1, 0, 1, 8, 0, 255], SML.unsigned(6, width: 1), unit: 30, scaler: 0),
    ])
    let sink = decode(meter.frame)
    #expect(sink.problems.map(\.code) == [.unknownUnit, .unknownUnit, .duplicateCode])
    #expect(sink.problems.map(\.found) == [nil, 99, nil])
    #expect(sink.readings.map { "\($0.value) \($0.unit.symbol)" } == ["240 deg"])
  }

  @Test("case 106: leaves out what a meter sends only with its PIN")
  func leavesOutWhatNeedsPIN() {
    let meter = SMLMeter(entries: [
      SML.entry(SMLMeter.energy, SML.unsigned(13_391, width: 2), unit: 30, scaler: 3)
    ])
    let sink = decode(meter.frame)
    #expect(sink.readings.map(\.value) == [Decimal(mantissa: 13_391, exponent: 3)])
    #expect(sink.values(power) == [])
    #expect(sink.problems == [])
  }

  @Test("case 107: leaves a sign as it was sent, whatever the status word says")
  func leavesSignAsSent() {
    for status: UInt64 in [0x1C0104, 0x1C7804, 0x182, 0x1A2] {
      let meter = SMLMeter(entries: [
        SML.entry(
          SMLMeter.energy, SML.unsigned(1, width: 4), unit: 30, scaler: -1,
          status: SML.unsigned(status, width: 4)),
        SML.entry(
          [1, 0, 36, 7, 0, 255], SML.integer(-14_836, width: 2), unit: 27, scaler: -2),
        SML.entry([1, 0, 56, 7, 0, 255], SML.unsigned(50_700, width: 2), unit: 27, scaler: -2),
      ])
      #expect(decode(meter.frame).readings.map { "\($0.value)" } == ["0.1", "-148.36", "507"])
    }
  }

  // MARK: Streams

  @Test("case 108: finds the file behind 3 281 bytes of rubbish and behind one cut off")
  func findsFileBehindRubbish() {
    let frame = SMLMeter.plain().frame
    var state: UInt32 = 12345
    let rubbish = (0..<3281).map { _ -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24) & 0x1F | 0x80
    }
    let sink = decode(rubbish + frame)
    #expect(sink.discards.map(\.count) == [3281])
    #expect(sink.values(energy) == ["12345678.9 Wh"])
    var stream: [UInt8] = []
    while stream.count < 4096 { stream += frame }
    stream = Array(stream.prefix(4096 - 60))
    let cut = decode(stream)
    let whole = stream.count / frame.count
    #expect(cut.summaries.count == whole)
    #expect(cut.rejections.map(\.error.code) == [.truncated])
    #expect(cut.rejections.map(\.summary.count) == [stream.count % frame.count])
    #expect(decode(stream + frame).summaries.count == whole + 1)
  }
}
