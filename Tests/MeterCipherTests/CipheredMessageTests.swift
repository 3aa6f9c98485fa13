import AllocationCounter
import OBISDecoder
import Testing

@testable import MeterCipher

/// What follows the invocation counter of a ciphered message.
struct CipherVector: Sendable {
  var control: UInt8
  var counter: UInt32
  /// Ciphertext and tag in hexadecimal digits.
  var content: String

  /// The message with a length of `sizes` bytes behind 0x80, or of one byte.
  func message(
    tag: UInt8? = 0xDB, title: [UInt8] = CipherVectors.title, sizes: Int = 0
  ) -> [UInt8] {
    let content =
      [control] + (0..<4).map { UInt8(truncatingIfNeeded: counter >> (24 - 8 * $0)) }
      + bytes(self.content)
    let size = max(sizes, content.count > 255 ? 2 : content.count > 127 ? 1 : 0)
    let length =
      size == 0
      ? [UInt8(content.count)]
      : [0x80 | UInt8(size)]
        + (0..<size).reversed().map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
    return (tag.map { [$0] } ?? []) + [UInt8(title.count)] + title + length + content
  }
}

/// Messages in all the ways that meters cipher them, with invented keys.
@Suite struct CipheredMessageTests {
  private static let power = OBISCode(1, 0, 1, 7, 0)
  private static let energy = OBISCode(1, 0, 1, 8, 0)

  private static func heard(
    _ message: [UInt8], authenticationKey: String? = CipherVectors.authenticationKey,
    key: String = CipherVectors.key, title: UInt64? = nil, size: Int = .max
  ) throws -> Recorder {
    var cipher = try cipher(key, authenticationKey, title: title)
    let recorder = MeterCipherTests.heard(message, with: &cipher, inChunksOf: size)
    #expect(recorder.claimedCount == message.count)
    return recorder
  }

  @Test("believes a tag that is right without additional data, and no damaged one")
  func believesATagWithoutAdditionalData() throws {
    let message = CipherVectors.withoutAdditionalData.message()
    let recorder = try Self.heard(message, authenticationKey: nil)
    #expect(recorder.values(Self.power) == ["1234 W"])
    #expect(recorder.ended.map(\.trust) == [.authenticated])
    var damaged = message
    damaged[damaged.count - 1] ^= 1
    #expect(try Self.heard(damaged, authenticationKey: nil).ended.map(\.trust) == [.decrypted])
    // With an authentication key it must be in the tag.
    #expect(try Self.heard(message).rejected == [.tagMismatch])
  }

  @Test(
    "case 84: reads security control by its bits",
    arguments: [
      (CipherVectors.authenticatedOnly, Trust.authenticated, Trust.decrypted),
      (CipherVectors.encryptedOnly, .decrypted, .decrypted),
      (CipherVectors.encryptedSuite1, .decrypted, .decrypted),
      (CipherVectors.both, .authenticated, .decrypted),
      (CipherVectors.bothSuite2, .authenticated, .decrypted),
    ])
  func readsSecurityControlByItsBits(
    _ vector: CipherVector, _ trust: Trust, _ trustWithoutKey: Trust
  ) throws {
    for tag: UInt8 in [0xDB, 0xDC] {
      let recorder = try Self.heard(vector.message(tag: tag))
      #expect(recorder.values(Self.power) == ["1234 W"])
      #expect(recorder.ended.map(\.trust) == [trust])
      #expect(recorder.ended.map(\.integrity) == [trust == .authenticated ? .ok : .absent])
      #expect(recorder.secrets == [CipherVectors.title])
    }
    // Case 85: no authentication key.
    let without = try Self.heard(vector.message(), authenticationKey: nil)
    #expect(without.values(Self.energy) == ["7654321 Wh"])
    #expect(without.ended.map(\.trust) == [trustWithoutKey])
    #expect(without.ended.map(\.integrity) == [.absent])
  }

  @Test("case 84: reads what is only authenticated without any key")
  func readsAuthenticatedTextWithoutAKey() {
    var cipher = NoKeys()
    let recorder = MeterCipherTests.heard(
      CipherVectors.authenticatedOnly.message(), with: &cipher)
    #expect(recorder.values(Self.power) == ["1234 W"])
    #expect(recorder.ended.map(\.trust) == [.clear])
  }

  @Test("case 85: without a tag a list must be whole to its last byte")
  func believesOnlyWholeLists() throws {
    for vector in [CipherVectors.leftover, CipherVectors.cut] {
      let recorder = try Self.heard(vector.message())
      #expect(recorder.readings.isEmpty && recorder.ended.isEmpty)
      #expect(recorder.rejected.count == 1)
    }
    // With a tag the list is as the meter sent it, and what is sound in it counts.
    let cut = try Self.heard(CipherVectors.cutAuthenticated.message())
    #expect(cut.values(Self.power) == ["1234 W"])
    #expect(cut.problems == [.truncated])
    let without = try Self.heard(
      CipherVectors.cutAuthenticated.message(), authenticationKey: nil)
    #expect(without.readings.isEmpty && without.rejected.count == 1)
  }

  @Test("case 86: names a wrong key, once a message")
  func namesAWrongKey() throws {
    let wrong = "00000000000000000000000000000001"
    for vector in [CipherVectors.encryptedOnly, CipherVectors.both, CipherVectors.telegram] {
      let message = vector.message()
      let recorder = try Self.heard(message + message, key: wrong)
      #expect(recorder.rejected == [.wrongKey, .wrongKey])
      #expect(recorder.readings.isEmpty && recorder.secrets.isEmpty && recorder.ended.isEmpty)
    }
    #expect(try Self.heard(CipherVectors.other.message()).rejected == [.wrongKey])
  }

  @Test("case 86: names a wrong authentication key")
  func namesAWrongAuthenticationKey() throws {
    let recorder = try Self.heard(
      CipherVectors.both.message(), authenticationKey: "00000000000000000000000000000001")
    #expect(recorder.rejected == [.tagMismatch])
    #expect(recorder.readings.isEmpty && recorder.secrets.isEmpty)
  }

  @Test("case 87: takes lengths of every form", arguments: [0, 1, 2, 4])
  func takesEveryLength(_ sizes: Int) throws {
    let recorder = try Self.heard(CipherVectors.both.message(sizes: sizes))
    #expect(recorder.values(Self.power) == ["1234 W"])
    let framed = try Self.heard(frame(CipherVectors.both.message(sizes: sizes)))
    #expect(framed.values(Self.power) == ["1234 W"])
  }

  @Test("case 87: refuses lengths that are too short, and those that no frame has")
  func refusesImpossibleLengths() throws {
    for length: [UInt8] in [[0x00], [0x05], [0x10], [0x80], [0x85, 0, 0, 0, 0, 1]] {
      let message = [0xDB, 0x08] + CipherVectors.title + length + [0x30, 0, 0, 0, 1, 1, 2, 3]
      #expect(try Self.heard(message).readings.isEmpty)
      let framed = try Self.heard(frame(message))
      #expect(framed.problems == [.encrypted] && framed.readings.isEmpty)
    }
    let long =
      [0xDB, 0x08] + CipherVectors.title + [0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x30, 0, 0, 0, 1]
    #expect(try Self.heard(long + CipherVectors.both.message()).values(Self.power) == ["1234 W"])
  }

  @Test("case 88: bounds the system title, and tells of it only as key material")
  func boundsTheTitle() throws {
    for count in [1, 7, 9, 200] {
      let title = [UInt8](repeating: 0x5A, count: count)
      let framed = try Self.heard(frame(CipherVectors.both.message(title: title)))
      #expect(framed.readings.isEmpty && framed.problems == [.encrypted])
      #expect(framed.secrets == (count <= 8 ? [title] : []))
    }
  }

  @Test("case 89: a message whose bytes were lost costs no other")
  func lostBytesCostOneMessage() throws {
    let message = CipherVectors.telegram.message()
    for index in stride(from: 1, to: message.count, by: 5) {
      var short = message
      short.remove(at: index)
      let recorder = try Self.heard(short + message + message)
      #expect(recorder.values(Self.power) == ["1234 W", "1234 W"], "without byte \(index)")
    }
  }

  @Test("case 89: a flipped bit costs its message and no other")
  func flippedBitCostsOneMessage() throws {
    let message = CipherVectors.both.message()
    for bit in stride(from: 0, to: message.count * 8, by: 3) {
      var damaged = message
      damaged[bit / 8] ^= 1 << (bit % 8)
      let recorder = try Self.heard(damaged + message + message)
      #expect(recorder.values(Self.power) == ["1234 W", "1234 W"], "bit \(bit)")
    }
  }

  @Test("case 90: marks a counter that does not rise, and goes on")
  func marksReplays() throws {
    let first = CipherVectors.both.message()
    let next = CipherVectors.next.message()
    let recorder = try Self.heard(first + next + next + first + next)
    #expect(recorder.ended.map(\.isReplay) == [false, false, true, true, false])
    #expect(recorder.values(Self.power).count == 5)
  }

  @Test("case 90: a message that cannot be deciphered changes no counter")
  func rejectedMessagesChangeNoCounter() throws {
    var damaged = CipherVectors.next.message()
    damaged[damaged.count - 1] ^= 1
    let recorder = try Self.heard(
      CipherVectors.both.message() + damaged + CipherVectors.next.message())
    #expect(recorder.ended.map(\.isReplay) == [false, false])
    #expect(recorder.rejected == [.tagMismatch])
  }

  @Test("case 91: the plaintext decides between list and telegram")
  func plaintextDecides() throws {
    let telegram = try Self.heard(CipherVectors.telegram.message())
    #expect(telegram.values(Self.power) == ["1234 W"])
    #expect(telegram.ended.map(\.trust) == [.authenticated])
    #expect(telegram.ended.first?.meterTime != nil)
    // The checksum within is all that says the telegram is sound.
    let unproven = try Self.heard(CipherVectors.telegramEncryptedOnly.message())
    #expect(unproven.ended.map(\.trust) == [.decrypted])
    #expect(unproven.ended.map(\.integrity) == [.ok])
    let bare = try Self.heard(
      CipherVectors.telegramWithoutChecksum.message(), authenticationKey: nil)
    #expect(bare.values(Self.power) == ["1234 W"])
    #expect(bare.ended.map(\.integrity) == [.absent])
    let damaged = try Self.heard(CipherVectors.telegramDamaged.message())
    #expect(damaged.rejected == [.checksumMismatch] && damaged.readings.isEmpty)
  }

  @Test("case 15: deciphers what stands behind an identification line")
  func deciphersBehindAnIdentification() throws {
    let line = Array("/ZZZ5GAMA\r\n\r\n".utf8)
    let titled = line + CipherVectors.telegram.message()
    let untitled = line + CipherVectors.untitled.message(tag: nil, title: [], sizes: 2)
    for size in [1, 7, Int.max] {
      let recorder = try Self.heard(titled + titled, size: size)
      #expect(recorder.values(Self.power) == ["1234 W", "1234 W"])
      let told = try Self.heard(
        untitled + untitled, title: 0x0000_0000_0000_0000, size: size)
      #expect(told.values(Self.power) == ["1234 W", "1234 W"])
      #expect(told.ended.map(\.isReplay) == [false, false])
      let unknown = try Self.heard(untitled, size: size)
      #expect(unknown.problems == [.encrypted])
    }
  }

  @Test("case 16: says the same in every chunking", arguments: [1, 2, 3, 5, 17, 100])
  func saysTheSameInEveryChunking(_ size: Int) throws {
    let stream =
      CipherVectors.telegram.message() + CipherVectors.both.message()
      + frame(CipherVectors.next.message()) + CipherVectors.telegramDamaged.message()
    let whole = try Self.heard(stream)
    #expect(try Self.heard(stream, size: size) == whole)
    #expect(whole.ended.count == 3)
  }

  @Test func tellsWherePiecesAndCiphertextLie() throws {
    let message = CipherVectors.both.message()
    let rubbish: [UInt8] = [1, 2, 3]
    let stream = rubbish + frame(message)
    let recorder = try Self.heard(stream)
    let piece = try #require(recorder.pieces.first)
    let part = try #require(recorder.ciphered.first)
    #expect(recorder.pieces.count == 1 && recorder.ciphered.count == 1)
    let start = Int(piece.position) - piece.offset
    let content = bytes(CipherVectors.both.content)
    let text = Array(
      stream[start + part.ciphertext.lowerBound..<start + part.ciphertext.upperBound])
    let tag = Array(stream[start + part.tag.lowerBound..<start + part.tag.upperBound])
    #expect(text + tag == content)
    #expect(part.header.invocationCounter == CipherVectors.both.counter)
  }

  @Test func allocatesNothingForAMessage() throws {
    var cipher = try cipher(CipherVectors.key, CipherVectors.authenticationKey)
    var decoder = MeterDecoder(DecoderOptions())
    var sink = Silent()
    let stream = frame(CipherVectors.both.message()) + CipherVectors.telegram.message()
    decoder.push(stream.span, with: &cipher, to: &sink)
    let before = allocation_count()
    decoder.push(stream.span, with: &cipher, to: &sink)
    let after = allocation_count()
    #expect(after == before)
    #expect(sink.readings > 0)
  }

  private struct Silent: FrameSink {
    var readings = 0
    mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { readings += 1 }
    mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
    mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {}
    mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {}
    mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {}
    mutating func discarded(_ count: Int, at offset: UInt64) {}
  }

  /// An HDLC frame around a message with its LLC header.
  private func frame(_ message: [UInt8]) -> [UInt8] {
    let information = [0xE6, 0xE7, 0x00] + message
    let length = 9 + information.count
    let head: [UInt8] = [0xA0 | UInt8(length >> 8), UInt8(length & 0xFF), 0x03, 0x21, 0x13]
    let body = head + checksum(head) + information
    return [0x7E] + body + checksum(body) + [0x7E]
  }

  /// CRC-16/X-25 bit by bit, low byte first.
  private func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x8408 : crc >> 1 }
    }
    return [UInt8(~crc & 0xFF), UInt8(~crc >> 8)]
  }
}
