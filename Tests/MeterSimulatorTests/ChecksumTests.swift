import OBISDecoder
import Testing

@testable import MeterSimulator

/// The check values that the standards and catalogues of checksums print.
struct ChecksumTests {
  @Test func crc16OfTheNineDigitsIsBB3D() {
    #expect(P1Checksum.value(of: Array("123456789".utf8)) == 0xBB3D)
    #expect(P1Checksum.text(of: Array("123456789".utf8)) == "BB3D")
  }

  @Test func x25OfTheNineDigitsIs906E() {
    #expect(HDLCWriter.x25(Array("123456789".utf8)) == 0x906E)
    #expect(HDLCWriter.checksum(of: Array("123456789".utf8)) == [0x6E, 0x90])
  }

  @Test func kermitOfTheNineDigitsIs2189HighOctetFirst() {
    #expect(
      SMLWriter.checksum(of: Array("123456789".utf8), isKermit: true) == [0x21, 0x89])
    #expect(
      SMLWriter.checksum(of: Array("123456789".utf8), isKermit: false) == [0x6E, 0x90])
  }

  /// Test case 2 of "The Galois/Counter Mode of Operation" (McGrew, Viega).
  @Test func gcmOfSixteenZerosIsThatOfItsAuthors() {
    let zeros = [UInt8](repeating: 0, count: 16)
    let sealed = AESGCM.seal(
      zeros, key: zeros, nonce: [UInt8](repeating: 0, count: 12), additional: [])
    #expect(P1Text.hex(sealed.ciphertext) == "0388DACE60B6A392F328C2B971B2FE78")
    #expect(P1Text.hex(sealed.tag) == "AB6E47D42CEC13BDF53A67B21257BDDF")
  }

  /// Green Book, "Example: ciphering of xDLMS APDUs": a get-request under security control 0x30.
  @Test func cipheringIsThatOfTheGreenBook() {
    let request: [UInt8] = [0xC0, 1, 0, 0, 8, 0, 0, 1, 0, 0, 0xFF, 2, 0]
    let title: [UInt8] = [0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E]
    let sealed = CipherForm(maker: "MMM", security: 0x30).seal(
      request, title: title, counter: 0x0123_4567)
    #expect(
      P1Text.hex(sealed)
        == "DB084D4D4D0000BC614E1E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B")
  }

  @Test func privacyFixtureF1HasItsChecksum() {
    let lines = [
      "/TST5\\2HANP-0001", "", "1-3:0.2.8(50)", "0-0:1.0.0(260115143007W)",
      "0-0:96.1.1(4530303432303031323334353637383930)", "1-0:1.8.1(001234.567*kWh)",
      "1-0:1.8.2(002345.678*kWh)", "1-0:2.8.1(000111.222*kWh)", "1-0:2.8.2(000000.000*kWh)",
      "0-0:96.14.0(0002)", "1-0:1.7.0(00.473*kW)", "1-0:2.7.0(00.000*kW)", "0-0:96.7.21(00013)",
      "0-0:96.7.9(00000)", "1-0:99.97.0()", "0-0:96.13.0(4B554E4445203132333435363738)",
      "1-0:32.7.0(231.4*V)", "1-0:31.7.0(002*A)", "0-1:24.1.0(003)",
      "0-1:96.1.0(4730303432303039383736353433323130)",
      "0-1:24.2.1(260115140000W)(00123.456*m3)", "!",
    ]
    #expect(P1Checksum.text(of: Array(lines.joined(separator: "\r\n").utf8)) == "50EA")
  }

  @Test func hdlcGoodFrameLeavesTheResidueF0B8() throws {
    var meter = try #require(SimulatedMeter(name: "no-kaifa", seed: 1))
    let bytes = meter.next(at: 1_768_485_600_000).bytes
    // ISO/IEC 13239: a receiver that includes the FCS ends at 0xF0B8, before the final inversion.
    #expect(~HDLCWriter.x25(Array(bytes[1..<(bytes.count - 1)])) == 0xF0B8)
    #expect(bytes.first == 0x7E && bytes.last == 0x7E)
    #expect(Int(bytes[1] & 7) << 8 | Int(bytes[2]) == bytes.count - 2)
  }

  @Test func gsrnCheckDigitIsThatOfTheGS1Example() {
    // GS1 General Specifications §7.9.1 works out 6291041500213 (GTIN-13).
    #expect(MeterIdentity.withCheckDigit("629104150021") == "6291041500213")
    #expect(MeterIdentity(seed: 5).meteringPoint.utf8.count == 18)
  }

  @Test func dateTimeHasTwelveOctetsInBlueBookOrder() throws {
    let clock = CivilClock.central
    // 2026-07-15 12:30:07 UTC, a Wednesday; 14:30:07 in summer time.
    var time = try #require(clock.time(at: 1_784_118_607_000))
    time.offsetMinutes = 120
    #expect(
      AXDRWriter.dateTime(time, form: DateTimeForm())
        == [0x07, 0xEA, 7, 15, 3, 14, 30, 7, 0xFF, 0xFF, 0x88, 0x80])
  }
}
