import Testing

@testable import OBISDecoder

/// Damage that `scripts/differential.sh` found to cost more than the frame it is in, or to pass.
struct DamageFindingTests {
  private let message = Link.message(.aidonSwedish)
  private let frame = DLMSVector.aidonSwedish.frame
  private var values: [OBISDecoder.Decimal] { decode(frame).decimals }

  /// The flag of the first frame is the tag of a block, which any byte behind it makes long.
  @Test func takesNoDamagedFlagForABlock() throws {
    var damaged = frame
    damaged[0] = 0xE0
    let sink = try #require(decodedInAnyPieces(damaged + frame))
    #expect(sink.decimals == values)
    #expect(sink.summaries.map(\.count) == [frame.count])
  }

  /// A block that acknowledges one, or whose number no message reaches, is none.
  @Test func takesOnlyBlocksThatAMeterPushes() throws {
    let block = Link.block(message, number: 1, isLast: true)
    #expect(decode(block).decimals == values)
    for place in 2...5 {
      var other = block
      other[place] = place == 3 ? 33 : 1
      let sink = try #require(decodedInAnyPieces(other + frame))
      #expect(sink.decimals == values, "byte \(place)")
      #expect(sink.summaries.map(\.dialect) == [.hdlc])
    }
  }

  /// A ciphered message is found within a frame whose flag is damaged.
  ///
  /// What stands behind it, a checksum that begins with 0F or E0, begins no message.
  @Test func beginsNothingBehindAMessageWithinADamagedFrame() throws {
    let ciphered: [UInt8] =
      [0xDB, 8] + Array("TST12345".utf8) + [7, 0x20, 0, 0, 0, 1, 0x55, 0x66]
    for rest: [UInt8] in [
      [0xE0, 0, 0, 1, 0, 0, 0x7E], [0x0F, 0, 0, 0, 0, 0, 0x7E], [0x76, 0x7E, 0x7E],
    ] {
      let sink = try #require(decodedInAnyPieces([0x9D, 0xA0] + ciphered + rest + frame))
      #expect(sink.summaries.map(\.dialect) == [.apdu, .hdlc])
      #expect(sink.decimals == values)
    }
  }

  /// Ciphertext that looks like a header of HDLC or M-Bus does not make the line one with frames.
  @Test func findsCipheredMessageBehindWhatLooksLikeAHeader() throws {
    let ciphered: [UInt8] =
      [0xDB, 8] + Array("TST12345".utf8) + [7, 0x20, 0, 0, 0, 1, 0x55, 0x66]
    for noise: [UInt8] in [
      [0x7E, 0xA0, 0x20, 0x03, 0x05, 0x13, 0x11, 0x22, 0x33],
      [0x68, 0x03, 0x03, 0x68, 0x11, 0x22, 0x33, 0x44, 0x55] + Array(repeating: 0x42, count: 300),
    ] {
      let sink = try #require(decodedInAnyPieces(noise + ciphered))
      #expect(sink.rejections.count == 1)
      #expect(sink.problems.map(\.code) == [.encrypted])
      #expect(sink.summaries.map(\.count) == [ciphered.count])
    }
  }

  /// A '/' of ciphertext with three letters and a line end behind it takes what follows for a line.
  @Test func findsCipheredMessageWithinWhatLooksLikeATelegram() throws {
    let ciphered: [UInt8] =
      [0xDB, 8] + Array("TST12345".utf8) + [7, 0x20, 0, 0, 0, 1, 0x55, 0x66]
    let noise: [UInt8] = [0x80] + Array("/abc".utf8) + [0xC3, 0x0A, 0x99, 0x80, 0x0A, 0x42]
    let sink = try #require(decodedInAnyPieces(noise + ciphered + ciphered))
    #expect(sink.problems.map(\.code) == [.encrypted, .encrypted])
    #expect(sink.claimedCount == noise.count + 2 * ciphered.count)
  }

  /// Any byte in place of those from the '!' on loses one readout at most.
  @Test func losesOneReadoutToADamagedEnd() throws {
    let first = D0Vector.protected(D0Vector.household)
    let next = D0Vector.protected(["F.F(00)", "0.0.0(55667788)", "1.8.0(000002.5*kWh)"])
    let whole = decode(first).printed
    for place in first.count - 6..<first.count {
      for value in UInt8.min...UInt8.max where value != first[place] {
        var damaged = first
        damaged[place] = value
        let sink = decode(damaged + next)
        #expect(sink.summaries.last?.integrity == .ok, "byte \(place) is \(value)")
        #expect(sink.summaries.last?.count == next.count, "byte \(place) is \(value)")
        let printed = sink.printed
        #expect(
          printed == ["1-0:1.8.0 2500 Wh"] || printed == whole + ["1-0:1.8.0 2500 Wh"],
          "byte \(place) is \(value)")
      }
    }
  }

  /// Noise that begins with `F(`, where a readout without identification may begin.
  @Test func takesNoNoiseForAnErrorCode() throws {
    let noise: [UInt8] = [0x46, 0x28, 0x14, 0x8F, 0x84, 0x56]
    let sink = try #require(decodedInAnyPieces(noise + frame + telegram(["1-0:1.7.0(00.473*kW)"])))
    #expect(sink.summaries.map(\.dialect) == [.hdlc, .p1])
    #expect(sink.rejections.isEmpty && sink.discards.map(\.count) == [noise.count])
    let readout = Array("F(00)\r\n1.8.0(000001.5*kWh)\r\n!\r\n".utf8)
    #expect(decode(readout).printed == ["1-0:1.8.0 1500 Wh"])
  }

  /// DSMR 2.2 with group F in its codes and no checksum: the sub-meter's line, which prints its value
  /// on the next, makes it a telegram.
  @Test func tellsTelegramFromReadoutByItsSubMeters() throws {
    let text =
      "/TST5invented\r\n\r\n1-0:1.8.1*255(00001.500*kWh)\r\n0-2:24.1.0*255(3)\r\n"
      + "0-2:24.3.0*255(241003132348)(00)(60)(1)(0-2:24.2.1)(m3)\r\n(00012.345)\r\n!\r\n"
    let sink = try #require(decodedInAnyPieces(Array(text.utf8)))
    #expect(sink.summaries.map(\.dialect) == [.p1])
    #expect(sink.values(OBISCode(0, 2, 24, 2, 1)) == ["12.345 m3"])
  }

  /// The first file of a stream whose meter uses another checksum than the commonest, damaged, and by
  /// chance right in the commonest.
  @Test(arguments: [SML.Variant.kermitHigh, .kermitLow, .x25High])
  func doesNotBelieveTheCommonestChecksumAgainstTheMessages(_ variant: SML.Variant) throws {
    var meter = SMLMeter.plain(energy: 1000, power: 1)
    meter.variant = variant
    let good = meter.frame
    let entry = try #require(good.firstRange(of: [0x52, 0xFF, 0x66]))
    var damaged = good
    damaged[entry.upperBound + 2] ^= 0x10
    damaged = damaged.dropLast(2) + SML.Variant.x25Low.checksum(Array(damaged.dropLast(2)))
    let sink = try #require(decodedInAnyPieces(damaged + good))
    #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
    #expect(sink.readings.map { "\($0.value) \($0.unit.symbol)" } == ["100 Wh", "1 W"])
  }

  /// A file with escapes behind one with another checksum: its messages prove it too.
  @Test func believesAnotherChecksumOfAFileWithEscapes() throws {
    var meter = SMLMeter.plain(energy: 1000, power: 1)
    meter.variant = .kermitHigh
    let escaped = SMLMeter.plain(energy: 0x1B1B_1B1B, power: 2)
    let sink = try #require(decodedInAnyPieces(meter.frame + escaped.frame))
    #expect(sink.rejections.isEmpty && sink.problems.isEmpty)
    #expect(sink.summaries.map(\.count) == [meter.frame.count, escaped.frame.count])
    #expect(sink.readings.suffix(2).first?.value == Decimal(mantissa: 0x1B1B_1B1B, exponent: -1))
  }
}
