import AllocationCounter
import MeterCipher
import OBISDecoder
import Testing

/// AES-128-GCM as DLMS uses it, against the example of the Green Book.
@Suite struct DLMSCipherTests {
  /// DLMS UA Green Book, "Example: ACCESS / GET service ciphered" (edition 8: table 40), as printed
  /// in the tests of pwitab/dlms-cosem and OpenMUC jDLMS.
  private static let key = "000102030405060708090A0B0C0D0E0F"
  private static let authenticationKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
  private static let request = bytes("C0010000080000010000FF0200")

  private func decipher(
    _ control: UInt8, _ text: String, tag: String, _ authenticationKey: String?
  ) throws -> (CipherVerdict, [UInt8]) {
    var cipher = try MeterCipherTests.cipher(Self.key, authenticationKey)
    let header = CipherHeader(
      systemTitle: 0x4D4D_4D00_00BC_614E, securityControl: control, invocationCounter: 0x0123_4567)
    let text = bytes(text)
    let tag = bytes(tag)
    var plaintext = [UInt8](repeating: 0xA5, count: text.count)
    var room = plaintext.mutableSpan
    let verdict = cipher.decipher(header, text.span, tag: tag.span, into: &room)
    return (verdict, plaintext)
  }

  @Test(
    "deciphers the Green Book's example",
    arguments: [
      (0x10, "C0010000080000010000FF0200", "06725D910F9221D263877516"),
      (0x30, "411312FF935A47566827C467BC", "7D825C3BE4A77C3FCC056B6B"),
    ] as [(UInt8, String, String)])
  func deciphersTheExample(_ control: UInt8, _ text: String, _ tag: String) throws {
    let (verdict, plaintext) = try decipher(control, text, tag: tag, Self.authenticationKey)
    #expect(verdict == .authenticated)
    #expect(plaintext == Self.request)
    let without = try decipher(control, text, tag: tag, nil)
    #expect(without.0 == .decrypted)
    #expect(without.1 == Self.request)
  }

  @Test func deciphersTheExampleWithoutATag() throws {
    let (verdict, plaintext) = try decipher(
      0x20, "411312FF935A47566827C467BC", tag: "", Self.authenticationKey)
    #expect(verdict == .decrypted)
    #expect(plaintext == Self.request)
  }

  @Test func seesEveryBitFlipped() throws {
    let text = bytes("411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B")
    var cipher = try MeterCipherTests.cipher(Self.key, Self.authenticationKey)
    let header = CipherHeader(
      systemTitle: 0x4D4D_4D00_00BC_614E, securityControl: 0x30, invocationCounter: 0x0123_4567)
    for bit in 0...text.count * 8 {
      var damaged = text
      if bit < text.count * 8 { damaged[bit / 8] ^= 1 << (bit % 8) }
      var plaintext = [UInt8](repeating: 0, count: 13)
      var room = plaintext.mutableSpan
      let verdict = cipher.decipher(
        header, damaged.span.extracting(0..<13), tag: damaged.span.extracting(13..<25), into: &room)
      // The last one is undamaged: the context is as good as new.
      #expect(verdict == (bit == text.count * 8 ? .authenticated : .tagMismatch))
    }
  }

  @Test func allocatesNothingForAMessage() throws {
    var cipher = try MeterCipherTests.cipher(Self.key, Self.authenticationKey)
    let header = CipherHeader(
      systemTitle: 0x4D4D_4D00_00BC_614E, securityControl: 0x30, invocationCounter: 0x0123_4567)
    let text = bytes("411312FF935A47566827C467BC")
    let tag = bytes("7D825C3BE4A77C3FCC056B6B")
    var plaintext = [UInt8](repeating: 0, count: text.count)
    var room = plaintext.mutableSpan
    _ = cipher.decipher(header, text.span, tag: tag.span, into: &room)
    let before = allocation_count()
    for _ in 0..<10 { _ = cipher.decipher(header, text.span, tag: tag.span, into: &room) }
    let after = allocation_count()
    #expect(after == before)
  }

  @Test func hasNoKeyForAMessageWithoutATitle() throws {
    let header = CipherHeader(systemTitle: 0, securityControl: 0x20, invocationCounter: 1)
    var cipher = try MeterCipherTests.cipher(Self.key, nil)
    let text: [UInt8] = [1, 2, 3]
    var plaintext = text
    var room = plaintext.mutableSpan
    let verdict = cipher.decipher(header, text.span, tag: Span(), into: &room)
    #expect(verdict == .noKey)
    #expect(plaintext == text)
  }

  @Test(
    "says what is wrong with a key and never what it is",
    arguments: [
      ("", CipherKeyError.wrongLength(digits: 0)),
      ("0001020304050607", .wrongLength(digits: 16)),
      ("000102030405060708090A0B0C0D0E0F00", .wrongLength(digits: 34)),
      ("000102030405060708090A0B0C0D0E0g", .notHexadecimal(digit: 31)),
      ("0x0102030405060708090A0B0C0D0E0F", .notHexadecimal(digit: 1)),
    ])
  func namesWhatIsWrongWithAKey(_ text: String, _ expected: CipherKeyError) {
    let digits = Array(text.utf8)
    do throws(CipherKeyError) {
      _ = try CipherKey(parsing: digits.span)
      Issue.record("that is no key")
    } catch {
      #expect(error == expected)
      #expect(text.count < 16 || !"\(error)".contains(text.prefix(8)))
    }
  }

  @Test func takesAKeyOfEitherCaseWithALineEnd() throws {
    let text = Array(" 000102030405060708090a0B0c0D0e0F\r\n".utf8)
    _ = try CipherKey(parsing: text.span)
  }
}
