import AllocationCounter
import Glibc
import OBISDecoder
import PrivacyFilter

/// Measures single frames from files, for `Benchmarks/compare.py`, which puts other decoders beside them.
///
///     throughput --frames FILE…       one line a file: readings, nanoseconds and heap allocations a
///                                     frame for decoding alone, the same two from bytes to payload
enum Recordings {
  private static let framesPerRound = 2000
  private static let rounds = 15

  /// Prints a line for each file; false if one cannot be read or nothing comes out of its frame.
  static func measure(_ files: [String]) -> Bool {
    var isRight = true
    for file in files {
      guard let bytes = contents(of: file), !bytes.isEmpty else {
        print("\(file): cannot be read")
        isRight = false
        continue
      }
      print(decoding(bytes), pipeline(bytes))
    }
    return isRight
  }

  private static func decoding(_ bytes: [UInt8]) -> String {
    var sink = CountingSink()
    var shortest = UInt64.max
    var allocations: UInt64 = 0
    for _ in 0..<rounds {
      sink = CountingSink()
      var decoder = MeterDecoder(DecoderOptions())
      let span = bytes.span
      let before = allocation_count()
      let start = nanoseconds()
      for _ in 0..<framesPerRound {
        decoder.push(span, to: &sink)
        decoder.finish(to: &sink)
      }
      shortest = min(shortest, nanoseconds() - start)
      allocations = allocation_count() - before
    }
    let frames = UInt64(framesPerRound)
    let readings = sink.frames == framesPerRound ? sink.readings / framesPerRound : 0
    return "\(readings) \(shortest / frames) \(allocations / frames)"
  }

  /// The agent's path: decoder, snapshot, the gate of an in-house grant that lets every frame out.
  private static func pipeline(_ bytes: [UInt8]) -> String {
    var shortest = UInt64.max
    var allocations: UInt64 = 0
    for _ in 0..<rounds {
      var sink = GateSink(start: Gates.start)
      guard Gates.install(in: &sink.bank, count: 1, now: Gates.start) else { return "0 0" }
      var decoder = MeterDecoder(DecoderOptions())
      let span = bytes.span
      let before = allocation_count()
      let start = nanoseconds()
      for _ in 0..<framesPerRound {
        decoder.push(span, to: &sink)
        decoder.finish(to: &sink)
      }
      shortest = min(shortest, nanoseconds() - start)
      allocations = allocation_count() - before
    }
    let frames = UInt64(framesPerRound)
    return "\(shortest / frames) \(allocations / frames)"
  }

  private static func contents(of file: String) -> [UInt8]? {
    guard let stream = unsafe fopen(file, "rb") else { return nil }
    defer { unsafe fclose(stream) }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = unsafe fread(&bytes, 1, bytes.count, stream)
    return Array(bytes.prefix(count))
  }
}
