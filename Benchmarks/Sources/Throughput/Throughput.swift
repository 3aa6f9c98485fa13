import Glibc
import OBISDecoder

/// How fast bytes become readings, beside a plain checksum over the same bytes in the same run.
///
/// Goals: a number that moves when the code does, on any machine: the ratio to the checksum pass.
/// Non-goals: a record; comparison between machines; anything about input and output, which
/// `Benchmarks/latency.py` measures. The fold at the end of a line is a hash of all values: if it
/// changes, the work did.
@main
enum Throughput {
  static func main() {
    if let option = CommandLine.arguments.firstIndex(of: "--frames") {
      exit(Recordings.measure(Array(CommandLine.arguments[(option + 1)...])) ? 0 : 1)
    }
    let isSmoke = CommandLine.arguments.contains("--smoke")
    let frames = isSmoke ? 200 : 5000
    let rounds = isSmoke ? 3 : 9
    var isWrong = false
    print("meter         frames    bytes   checksum    decode     +names   ns/frame   fold")
    for model in ["nl-dsmr5", "be-emucs", "no-aidon", "no-kaifa", "dk-kamstrup", "no-kamstrup"] {
      guard let corpus = Corpus(model: model, frames: frames) else { continue }
      isWrong = !measure(corpus, rounds: rounds) || isWrong
    }
    if let corpus = Corpus(model: "nl-dsmr5", frames: frames) {
      isWrong = !Gates.measure(corpus, rounds: rounds) || isWrong
    }
    isWrong = !HotPath.measure(frames: isSmoke ? 7200 : 72_000, rounds: rounds) || isWrong
    isWrong = !Scan.measure(packets: isSmoke ? 1000 : 20_000, rounds: rounds) || isWrong
    if isWrong {
      print("FAIL: a frame or a value is missing")
      exit(1)
    }
  }

  /// Prints one line; false if the decoder did not find everything.
  private static func measure(_ corpus: Corpus, rounds: Int) -> Bool {
    var checksum: UInt16 = 0
    var counting = CountingSink()
    var known = 0
    let plain = best(of: rounds) { checksum = crc16(corpus.bytes.span) }
    let decode = best(of: rounds) {
      counting = CountingSink()
      var decoder = MeterDecoder(DecoderOptions())
      decoder.push(corpus.bytes.span, to: &counting)
      decoder.finish(to: &counting)
    }
    let named = best(of: rounds) {
      var sink = SnapshotSink()
      var decoder = MeterDecoder(DecoderOptions())
      decoder.push(corpus.bytes.span, to: &sink)
      decoder.finish(to: &sink)
      known = sink.known
    }
    let columns = [
      padded(corpus.name, 12, left: true), padded("\(corpus.frameCount)", 8),
      padded("\(corpus.bytes.count)", 9), padded("1", 10), padded(ratio(decode, plain), 10),
      padded(ratio(named, plain), 10), padded("\(decode / UInt64(corpus.frameCount))", 10),
      "  \(String(counting.fold ^ UInt64(checksum) ^ UInt64(known), radix: 16))",
    ]
    print(columns.joined())
    return counting.frames == corpus.frameCount && counting.faults == 0
      && counting.readings >= corpus.requiredCount
  }

  /// CRC-16/ARC with a table: the least that anybody must do with these bytes.
  private static func crc16(_ bytes: Span<UInt8>) -> UInt16 {
    var crc: UInt16 = 0
    for index in bytes.indices {
      crc = (crc >> 8) ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])]
    }
    return crc
  }

  private static let table: [UInt16] = (0..<256).map { value in
    (0..<8).reduce(UInt16(value)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
  }

  private static func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
    let fill = String(repeating: " ", count: max(0, width - text.count))
    return left ? text + fill : fill + text
  }
}
