import Foundation
import OBISDecoder
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// Redaction of one recording in tests: a fixed secret, and a check with an independent hash.
enum Redacting {
  /// A keyed hash that is good enough to draw numbers from in tests.
  static func hash(key: [UInt8], message: [UInt8]) -> [UInt8] {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    (key + message).forEach(mix)
    return (0..<32).map { index in
      mix(UInt8(index))
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }

  static func redactor(_ secret: UInt8 = 1) -> Redactor {
    Redactor(
      Substitutes(key: [secret, 7, 9, 11], hmac: hash), encipher: RedactionKey.encipher)
  }

  static func records(_ bytes: [UInt8]) -> [Capture.Record] {
    [Capture.Record(milliseconds: 0, bytes: bytes)]
  }

  static func keys(_ key: String?, _ authenticationKey: String? = nil) throws -> MeterKeys {
    guard let key else { return MeterKeys() }
    return try MeterKeys(
      key: Array(key.utf8), authenticationKey: authenticationKey.map { Array($0.utf8) })
  }

  static func redact(
    _ bytes: [UInt8], secret: UInt8 = 1, key: String? = nil, authenticationKey: String? = nil
  ) throws -> (bytes: [UInt8], report: RedactionReport) {
    var redactor = redactor(secret)
    var cipher = try keys(key, authenticationKey)
    var published = try keys(RedactionKey.key, RedactionKey.authenticationKey)
    let result = try redactor.redact(
      records(bytes), with: &cipher, checkedWith: &published)
    return (result.records.flatMap(\.bytes), result.report)
  }
}

@Suite struct RedactionTests {
  /// An invented telegram with every kind of identifier in it.
  static let telegram = sealed(
    """
    /TST5\\2HANP-0001

    1-3:0.2.8(50)
    0-0:1.0.0(260115143007W)
    0-0:96.1.1(4530303432303031323334353637383930)
    0-0:96.1.2(353431343430303132333435363738393037)
    1-0:1.8.1(001234.567*kWh)
    1-0:1.7.0(00.473*kW)
    0-0:96.13.0(4B554E4445203132333435363738)
    0-1:24.1.0(003)
    0-1:96.1.0(4730303432303039383736353433323130)
    0-1:24.2.1(260115140000W)(00123.456*m3)
    !
    """)

  static func sealed(_ text: String, width: Int = 4) -> [UInt8] {
    let body = text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    let sum = String(crc(body), radix: 16, uppercase: true)
    let digits = String(repeating: "0", count: max(0, width - sum.count)) + sum
    return body + Array((digits + "\r\n").utf8)
  }

  /// CRC-16/ARC, made here bit by bit.
  static func crc(_ bytes: [UInt8]) -> UInt16 {
    var crc: UInt16 = 0
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xA001 : crc >> 1 }
    }
    return crc
  }

  static let originals = [
    "E0042001234567890", "541440012345678907", "KUNDE 12345678", "G0042009876543210", "HANP-0001",
  ]

  @Test func replacesEveryIdentifierOfATelegram() throws {
    let (bytes, report) = try Redacting.redact(Self.telegram)
    #expect(report.keptFrames == 1)
    #expect(report.identifiers == 5)
    #expect(report.droppedBytes == 0)
    #expect(bytes.count == Self.telegram.count)
    for original in Self.originals {
      for form in IdentifierForms.all(of: [Array(original.utf8)]) {
        #expect(!form.occurs(in: bytes), "\(form.name) of \(original)")
      }
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("/TST5\\2"))
    #expect(text.contains("1-0:1.8.1(001234.567*kWh)\r\n1-0:1.7.0(00.473*kW)"))
    #expect(text.contains("1-3:0.2.8(50)\r\n0-0:1.0.0(260115143007W)"))
  }

  @Test func givesAMeteringPointARightCheckDigitThatNobodyHas() throws {
    let (bytes, _) = try Redacting.redact(Self.telegram)
    let text = String(decoding: bytes, as: UTF8.self)
    let digits = try #require(text.components(separatedBy: "96.1.2(").last?.prefix(36))
    let number = try #require(DecodedFrame.octets(ofHex: Array(digits.utf8)))
    #expect(String(decoding: number, as: UTF8.self).hasPrefix("999"))
    #expect(GS1.isNumber(number))
  }

  @Test func givesOneOriginalOneSubstituteInAFileAndAnotherInTheNext() throws {
    let (first, _) = try Redacting.redact(Self.telegram + Self.telegram)
    #expect(first.prefix(first.count / 2) == first.suffix(first.count / 2))
    let (second, _) = try Redacting.redact(Self.telegram, secret: 2)
    #expect(second != Array(first.prefix(second.count)))
  }

  @Test func keepsCaseAndWidthOfAChecksum() throws {
    var lower: [UInt8] = []
    var count = 0
    // One whose checksum has a letter in it.
    while !lower.dropLast(2).suffix(4).contains(where: { $0 >= 0x61 }) {
      let text = "/TST5\\2HANP-0001\n\n0-0:96.1.1(4530\(1000 + count))\n1-0:1.7.0(00.473*kW)\n!"
      let telegram = Self.sealed(text)
      lower = telegram.dropLast(6) + telegram.suffix(6).map { $0 >= 0x41 ? $0 | 0x20 : $0 }
      count += 1
    }
    for secret in 1...8 {
      let (bytes, report) = try Redacting.redact(lower, secret: UInt8(secret))
      #expect(report.keptFrames == 1)
      #expect(bytes.suffix(6).allSatisfy { !(0x41...0x46).contains($0) })
    }
    // Without leading zeros, as NWA WarmteLink prints it: the width may change with the value.
    var short = [UInt8]()
    var number = 0
    while short.isEmpty {
      let text = "/TST5\\2HANP-0001\n\n0-0:96.1.1(4530\(1000 + number))\n1-0:1.7.0(00.473*kW)\n!"
      if Self.crc(text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }) < 0x1000 {
        short = Self.sealed(text, width: 3)
      }
      number += 1
    }
    for secret in 1...20 {
      #expect(try Redacting.redact(short, secret: UInt8(secret)).report.keptFrames == 1)
    }
  }

  @Test func dropsWhatBelongsToNoFrameAndBadFrames() throws {
    var bad = Self.telegram
    bad[40] ^= 1
    let noise = Array("E0042001234567890".utf8)
    let (bytes, report) = try Redacting.redact(noise + Self.telegram + bad + Self.telegram)
    #expect(report.keptFrames == 2)
    #expect(report.badFrames == 1)
    #expect(report.droppedBytes == noise.count + bad.count)
    #expect(bytes.count == 2 * Self.telegram.count)
  }

  @Test func blanksALineThatCannotBeRead() throws {
    let telegram = Self.sealed(
      """
      /TST5\\2HANP-0001

      0-0:96.1.1(4530303432303031323334353637383930)
      1-0:1.7.0(00.473*kW)
      1-0:21.7.0(98x765432*kW)
      !
      """)
    let (bytes, report) = try Redacting.redact(telegram)
    #expect(report.keptFrames == 1)
    #expect(report.blankedParts == 1)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(!text.contains("98x765432"))
    #expect(text.contains("*kW)\r\n!"))
  }

  @Test func keepsTheTimeOfEveryByte() throws {
    let bytes = Self.telegram
    let records = [
      Capture.Record(milliseconds: 3, bytes: Array("noise".utf8)),
      Capture.Record(milliseconds: 5, bytes: Array(bytes[..<90])),
      Capture.Record(milliseconds: 40, bytes: Array(bytes[90...])),
    ]
    var redactor = Redacting.redactor()
    var cipher = NoKeys()
    var published = NoKeys()
    let result = try redactor.redact(records, with: &cipher, checkedWith: &published)
    #expect(result.records.map(\.milliseconds) == [5, 40])
    #expect(result.records.map(\.bytes.count) == [90, bytes.count - 90])
  }

  @Test func refusesWhatHoldsNoFrame() {
    #expect(throws: RedactionRefusal.nothingLeft) { try Redacting.redact(Array("noise".utf8)) }
  }

  @Test func findsAnIdentifierThatStandsElsewhereToo() throws {
    // In the name of a value that is read: such a frame cannot be kept.
    let search = LeakSearch([Array("E0042001234567890".utf8)])
    #expect(search.occurs(in: Array("x4530303432303031323334353637383930".utf8)))
    #expect(search.occurs(in: Array("xE0042001234567890".utf8)))
    #expect(!search.occurs(in: Self.sealed("/TST5\n!")))
  }
}

@Suite struct SubstitutesTests {
  private func substitute(_ octets: [UInt8]) -> [UInt8] {
    var substitutes = Substitutes(key: [1, 2, 3], hmac: Redacting.hash)
    return substitutes.substitute(for: octets)
  }

  @Test func keepsTheShape() {
    let text = Array("Ab9-Z z0".utf8)
    let result = substitute(text)
    for (old, new) in zip(text, result) {
      let kinds: [ClosedRange<UInt8>] = [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
      let kind = kinds.first { $0.contains(old) }
      #expect(kind.map { $0.contains(new) } ?? (old == new))
    }
    #expect(result != text)
  }

  @Test func keepsTheMakerOfTitlesAndServerIDs() {
    #expect(
      substitute(Array("KFM".utf8) + [0x67, 0x50, 0, 0, 9]).prefix(3) == Array("KFM".utf8)[...])
    let id: [UInt8] = [0x0A, 1] + Array("TST".utf8) + [0, 1, 2, 3, 4]
    #expect(substitute(id).prefix(5) == id.prefix(5))
    #expect(substitute(id) != id)
  }

  @Test func leavesWhatTellsNothing() {
    #expect(substitute([0xFF, 0xFF, 0xFF]) == [0xFF, 0xFF, 0xFF])
    #expect(substitute(Array("000000".utf8)) == Array("000000".utf8))
    #expect(substitute([]).isEmpty)
  }

  @Test func keepsPackedDigitsPacked() {
    #expect(substitute([0x12, 0x34, 0x56, 0x78]).allSatisfy { $0 >> 4 < 10 && $0 & 15 < 10 })
  }
}
