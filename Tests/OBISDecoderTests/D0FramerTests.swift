import OBISDecoder
import Testing

/// Where a readout begins and ends, and what its check character says.
struct D0FramerTests {
  private let protected = D0Vector.protected(D0Vector.household)

  @Test func acceptsReadoutWithRightCheckCharacter() {
    let sink = decode(protected)
    #expect(sink.summaries.map(\.integrity) == [.ok])
    #expect(sink.summaries.map(\.dialect) == [.d0])
    #expect(sink.summaries.first?.count == protected.count)
    #expect(sink.readings.count == 7)
  }

  @Test func rejectsReadoutWithWrongCheckCharacter() {
    var bytes = protected
    bytes[bytes.count - 1] ^= 0x10
    let sink = decode(bytes)
    #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
    #expect(sink.rejections.first?.error.expected == UInt32(protected[protected.count - 1]))
    #expect(sink.readings.isEmpty)
  }

  @Test func completesUnprotectedReadoutAtItsEndWithoutWaiting() {
    let bytes = D0Vector.plain(D0Vector.household)
    var decoder = MeterDecoder(DecoderOptions())
    var sink = RecordingSink()
    decoder.push(bytes.span, to: &sink)
    #expect(sink.summaries.map(\.integrity) == [.absent])
    let isMidFrame = decoder.isMidFrame
    #expect(!isMidFrame)
  }

  @Test("case 109: finds an identification that noise is glued to, and eight decimals")
  func findsGluedIdentification() {
    let readout = D0Vector.plain(
      ["1-0:1.8.0*255(000422.20196574*kWh)"], identification: "EBZ5DD3invented")
    let sink = decode(Array("0-@P`R+".utf8) + [0xC3, 0x2F, 0x11] + readout)
    #expect(sink.printed == ["1-0:1.8.0 422201.96574 Wh"])
    #expect(sink.discards.map(\.count) == [10])
    #expect(sink.rejections.isEmpty)
  }

  @Test("case 110: reads F.F, pairs of brackets and an end mark right behind a bracket")
  func readsEndBehindBracket() {
    let body = "F.F(00)\r\nC.2.1(2203210915)(22-03-21)\r\n1.8.0(000001.5*kWh)\r\n0.2.2(:::::G11)"
    let block = Array((body + "!\r\n\u{3}").utf8)
    let sink = decode(Array("/LGZ4ZMD\r\n\u{2}".utf8) + block + [block.reduce(0, ^)])
    #expect(sink.summaries.map(\.integrity) == [.ok])
    #expect(sink.printed == ["1-0:1.8.0 1500 Wh"])
    #expect(sink.hidden.contains("meter_type :::::G11"))
    #expect(sink.hidden.contains("unknown 22-03-21"))
    #expect(sink.problems.isEmpty)
  }

  @Test func skipsRequestAcknowledgementAndWakeUp() {
    let lead = Array(repeating: UInt8(0), count: 40) + Array("\u{7F}\u{7F}/?!\r\n".utf8)
    let whole = D0Vector.protected(D0Vector.household)
    let split = whole.firstIndex(of: 2) ?? 0
    let sink = decode(lead + whole[..<split] + Array("\u{6}050\r\n".utf8) + whole[split...])
    #expect(sink.summaries.map(\.integrity) == [.ok])
    #expect(sink.printed == decode(whole).printed)
  }

  @Test func readsLineFeedsInPlaceOfCarriageReturns() {
    let bytes = D0Vector.plain(D0Vector.household).map { $0 == 13 ? 10 : $0 }
    #expect(decode(bytes).printed == decode(protected).printed)
  }

  @Test func readsBlockWithoutIdentificationOnlyAtBoundary() {
    let block = Array("0.0.0(11223344)\r\n1.8.0(000001.5*kWh)\r\n!\r\n".utf8)
    #expect(decode(block + block).printed.count == 2)
    let inside = decode([0x41] + block)
    #expect(inside.readings.isEmpty)
    #expect(inside.discards.map(\.count) == [block.count + 1])
    // What may be the rest of 21.8.0 is not read as 1.8.0.
    #expect(decode(Array("1.8.0(000001.5*kWh)\r\n!\r\n".utf8)).readings.isEmpty)
  }

  @Test func keepsTrailerOfGatewayOutOfReadings() {
    let trailer = Array("  12345678\r\nDE0000000000000000000000000000001\r\n".utf8)
    let readout = D0Vector.plain(["1-0:0.0.0*255(123)", "1-0:1.7.0*255(001688.21*W)"])
    let sink = decode(readout + trailer + readout)
    #expect(sink.summaries.count == 2)
    #expect(sink.discards.map(\.count) == [trailer.count])
    #expect(sink.printed == ["1-0:1.7.0 1688.21 W", "1-0:1.7.0 1688.21 W"])
  }

  @Test func diagnosesEvenParityAtPortWithoutParity() {
    let bytes = protected.map { $0.nonzeroBitCount % 2 == 0 ? $0 : $0 | 0x80 }
    for dialect in [nil, Dialect.d0] {
      let sink = decode(bytes, dialect: dialect)
      #expect(sink.rejections.first?.error.code == .notText)
      #expect(sink.readings.isEmpty)
    }
  }

  @Test func leavesTelegramsWithPeriodInLaterLineToP1() {
    let text = "/XYZ5\\invented\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.8.0*255(000001.5*kWh)\r\n!\r\n"
    let sink = decode(Array(text.utf8))
    #expect(sink.summaries.map(\.dialect) == [.p1])
    #expect(sink.printed == ["1-0:1.8.0 1500 Wh"])
  }

  @Test func leavesTelegramsWithPeriodInEveryCodeToP1() {
    let lines = [
      "1-0:0.0.0*255(9988776655)", "1-0:1.8.0*255(000001.5*kWh)", "1-0:1.7.0*255(00.473*kW)",
    ]
    let good = telegram(lines)
    let clocked = telegram(["0-0:1.0.0*255(260115143007W)"] + lines)
    for chunk in [Int.max, 1, 7] {
      let sink = decode(good + clocked + good, chunk: chunk)
      #expect(sink.summaries.map(\.dialect) == [.p1, .p1, .p1])
      #expect(sink.summaries.map(\.integrity) == [.ok, .ok, .ok])
      #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W", "473 W", "473 W"])
    }
    var damaged = good
    damaged[40] ^= 1
    let sink = decode(damaged + good)
    #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
    #expect(sink.summaries.map(\.dialect) == [.p1])
  }

  @Test("case 109: takes the same codes as a readout where no checksum follows the end mark")
  func takesReadoutWithPeriodAtItsEnd() {
    let readout = D0Vector.plain(["1-0:0.0.0*255(9988776655)", "1-0:1.8.0*255(000001.5*kWh)"])
    let behindBracket = readout.filter { $0 != 0x21 }.dropLast(4) + Array("!\r\n".utf8)
    for bytes in [readout, Array(behindBracket)] {
      for chunk in [Int.max, 1, 7] {
        let sink = decode(bytes + bytes + telegram(["1-0:1.8.0*255(000001.5*kWh)"]), chunk: chunk)
        #expect(sink.summaries.map(\.dialect) == [.d0, .d0, .p1])
        #expect(sink.printed == Array(repeating: "1-0:1.8.0 1500 Wh", count: 3))
        #expect(sink.rejections.isEmpty)
      }
    }
    let clocked = D0Vector.plain(["0-0:1.0.0*255(260115143007W)", "1-0:1.7.0*255(00.473*kW)"])
    #expect(decode(clocked).summaries.map(\.dialect) == [.p1])
  }

  @Test func losesOneReadoutToOneThatIsCutOff() {
    for cut in stride(from: 20, to: protected.count, by: 3) {
      let sink = decode(Array(protected[..<cut]) + protected + protected)
      #expect(sink.summaries.suffix(2).map(\.integrity) == [.ok, .ok], "cut at \(cut)")
    }
  }

  @Test func rejectsReadoutThatIsTooLong() {
    let lines = Array(repeating: "1.8.0*01(001700.5*kWh)", count: 400)
    let sink = decode(D0Vector.protected(lines))
    #expect(sink.rejections.map(\.error.code) == [.tooLong])
    #expect(sink.readings.isEmpty)
  }

  @Test func findsEveryFlippedBitBehindTheIdentification() {
    let whole = decode(protected).readings
    let start = (protected.firstIndex(of: 2) ?? 0) + 1
    for bit in start * 8..<protected.count * 8 {
      var damaged = protected
      damaged[bit / 8] ^= 1 << (bit % 8)
      let sink = decode(damaged)
      #expect(sink.readings.isEmpty || sink.readings == whole, "bit \(bit)")
    }
  }

  @Test func readsNothingFalseFromAnyPrefixOrSuffix() {
    let whole = Set(decode(protected).printed)
    for cut in protected.indices {
      #expect(whole.isSuperset(of: decode(Array(protected[..<cut])).printed), "\(cut)")
      #expect(whole.isSuperset(of: decode(Array(protected[cut...])).printed), "\(cut)")
    }
  }

  @Test func saysTheSameHoweverTheBytesAreCut() {
    let stream = Array("\u{7F}/?!\r\n".utf8) + protected + D0Vector.plain(D0Vector.household)
    let whole = decode(stream)
    for chunk in [1, 2, 3, 7, 64] { #expect(decode(stream, chunk: chunk).events == whole.events) }
    #expect(accountingFault(whole, total: stream.count) == nil)
  }
}
