import AllocationCounter
import Glibc
import MeterCipher
import OBISDecoder
import PrivacyFilter

/// Measures single frames from files, for `Benchmarks/compare.py`, which puts other decoders beside them.
///
///     throughput --frames ENCRYPTION-KEY AUTHENTICATION-KEY FILE…
///
/// Prints one line a file: readings, nanoseconds and heap allocations a frame for decoding alone, the
/// same two from bytes to payload. Ciphered frames are deciphered with the keys.
enum Recordings {
  private static let framesPerRound = 2000
  private static let rounds = 15

  /// Prints a line for each file behind the two keys; false if a key or a file cannot be read.
  static func measure(_ arguments: [String]) -> Bool {
    guard arguments.count > 2, var cipher = cipher(arguments[0], arguments[1]) else {
      print("--frames takes two keys of 32 hexadecimal digits, and files")
      return false
    }
    for file in arguments.dropFirst(2) {
      guard let bytes = contents(of: file), !bytes.isEmpty else {
        print("\(file): cannot be read")
        return false
      }
      print(decoding(bytes, with: &cipher), pipeline(bytes, with: &cipher))
    }
    return true
  }

  private static func cipher(_ encryption: String, _ authentication: String) -> DLMSCipher? {
    guard let encryption = try? CipherKey(parsing: Array(encryption.utf8).span),
      let authentication = try? CipherKey(parsing: Array(authentication.utf8).span)
    else { return nil }
    return DLMSCipher(
      encryptionKey: encryption, authenticationKey: authentication, systemTitle: nil)
  }

  private static func decoding(_ bytes: [UInt8], with cipher: inout DLMSCipher) -> String {
    var sink = CountingSink()
    var shortest = UInt64.max
    var allocations: UInt64 = 0
    for _ in 0..<rounds {
      sink = CountingSink()
      let run = run(bytes, with: &cipher, to: &sink)
      shortest = min(shortest, run.nanoseconds)
      allocations = run.allocations
    }
    let frames = UInt64(framesPerRound)
    let readings = sink.frames == framesPerRound ? sink.readings / framesPerRound : 0
    return "\(readings) \(shortest / frames) \(allocations / frames)"
  }

  /// The agent's path: decoder, snapshot, the gate of an in-house grant that lets every frame out.
  private static func pipeline(_ bytes: [UInt8], with cipher: inout DLMSCipher) -> String {
    var shortest = UInt64.max
    var allocations: UInt64 = 0
    for _ in 0..<rounds {
      var sink = GateSink(start: Gates.start)
      guard Gates.install(in: &sink.bank, count: 1, now: Gates.start) else { return "0 0" }
      let run = run(bytes, with: &cipher, to: &sink)
      shortest = min(shortest, run.nanoseconds)
      allocations = run.allocations
    }
    let frames = UInt64(framesPerRound)
    return "\(shortest / frames) \(allocations / frames)"
  }

  /// One round: the frame again and again, each the whole of what was read, then silence.
  private static func run<Sink: FrameSink & ~Copyable>(
    _ bytes: [UInt8], with cipher: inout DLMSCipher, to sink: inout Sink
  ) -> (nanoseconds: UInt64, allocations: UInt64) {
    var decoder = MeterDecoder(DecoderOptions())
    let span = bytes.span
    let before = allocation_count()
    let start = nanoseconds()
    for _ in 0..<framesPerRound {
      decoder.push(span, with: &cipher, to: &sink)
      decoder.finish(with: &cipher, to: &sink)
    }
    return (nanoseconds() - start, allocation_count() - before)
  }

  private static func contents(of file: String) -> [UInt8]? {
    guard let stream = unsafe fopen(file, "rb") else { return nil }
    defer { unsafe fclose(stream) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = unsafe fread(&bytes, 1, bytes.count, stream)
    return Array(bytes.prefix(count))
  }
}
