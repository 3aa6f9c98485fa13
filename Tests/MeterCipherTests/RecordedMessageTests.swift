import MeterCipher
import OBISDecoder
import Testing

/// Every recorded message of ../shared/frames that is ciphered, or comes in several frames.
@Suite(.enabled(if: RecordedMessages.isPresent, Comment(rawValue: RecordedMessages.absence)))
struct RecordedMessageTests {
  static let good = RecordedMessages.all.filter { !$0.isBroken }
  static let broken = RecordedMessages.all.filter(\.isBroken)
  static let ciphered = good.filter { $0.key != nil }

  private func heard(
    _ message: RecordedMessage, _ bytes: [UInt8], size: Int = .max
  ) throws -> Recorder {
    guard let key = message.key else {
      var none = NoKeys()
      return MeterCipherTests.heard(bytes, with: &none, inChunksOf: size)
    }
    var keyed = try cipher(key, message.authenticationKey)
    return MeterCipherTests.heard(bytes, with: &keyed, inChunksOf: size)
  }

  @Test func hasTheMessagesOfTheManifest() {
    #expect(Self.ciphered.count == 19)
  }

  @Test("yields one message of each file, of the trust that its keys allow", arguments: good)
  func yieldsOneMessage(_ message: RecordedMessage) throws {
    let recorder = try heard(message, message.bytes)
    #expect(recorder.ended.count == 1)
    let isBroken = message.file.hasSuffix("ch_lg_e450_unencrypted_valid_data.bin")
    #expect(recorder.rejected == (isBroken ? [.segmented] : []))
    #expect(recorder.claimedCount == message.bytes.count)
    // Some tags are made without additional data, so that they need no authentication key.
    let isProven = message.authenticationKey != nil || message.file.hasSuffix("_noaad.bin")
    let trust: Trust = message.key == nil ? .clear : isProven ? .authenticated : .decrypted
    #expect(recorder.ended.map(\.trust) == [trust])
    #expect(recorder.ended.map(\.isReplay) == [false])
  }

  @Test("says the same in every chunking", arguments: good)
  func saysTheSameInEveryChunking(_ message: RecordedMessage) throws {
    let whole = try heard(message, message.bytes + message.bytes)
    for size in [1, 2, 3, 7, 64, 250] {
      #expect(try heard(message, message.bytes + message.bytes, size: size) == whole)
    }
  }

  @Test("reads nothing false of damaged ciphered messages", arguments: ciphered)
  func readsNothingFalse(_ message: RecordedMessage) throws {
    let whole = try heard(message, message.bytes)
    for index in stride(from: 0, to: message.bytes.count, by: 3) {
      var damaged = message.bytes
      damaged[index] ^= 0x04
      let readings = try heard(message, damaged).readings
      // A closing flag may be missing.
      #expect(readings.isEmpty || readings == whole.readings, "byte \(index)")
    }
  }

  @Test("reads the message behind a damaged one", arguments: ciphered)
  func readsTheMessageBehind(_ message: RecordedMessage) throws {
    let values = try heard(message, message.bytes).readings.map(\.value)
    for index in stride(from: 0, to: message.bytes.count, by: 29) {
      var damaged = message.bytes
      damaged[index] ^= 0x04
      let recorder = try heard(message, damaged + message.bytes)
      #expect(recorder.readings.map(\.value).suffix(values.count) == values[...], "byte \(index)")
      #expect(recorder.ended.count >= 1)
    }
  }

  @Test("rejects all that a wrong key makes of it", arguments: ciphered)
  func rejectsWithAWrongKey(_ message: RecordedMessage) throws {
    var wrong = try cipher("0F0E0D0C0B0A09080706050403020100", nil)
    let recorder = MeterCipherTests.heard(message.bytes, with: &wrong)
    #expect(recorder.readings.isEmpty && recorder.ended.isEmpty)
    #expect(!recorder.rejected.isEmpty)
  }

  @Test("reads nothing of broken files", arguments: broken)
  func readsNothingOfBrokenFiles(_ message: RecordedMessage) throws {
    #expect(try heard(message, message.bytes).readings.isEmpty)
  }
}
