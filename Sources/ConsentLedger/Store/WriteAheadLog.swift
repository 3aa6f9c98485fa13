/// Finds out whether the last process died inside a transaction.
///
/// SQLite drops a torn transaction silently when it opens the file; the ledger wants to say so. The
/// write-ahead log shows it: frames of the present generation behind the last commit.
///
///     OFFSET SIZE MEANING                        (all big-endian; sqlite.org/fileformat2.html, 4)
///          0    4 magic 377F0682, or 377F0683 if checksums read big-endian words
///          8    4 page size, bytes
///         16    8 salts of this generation
///         24    8 checksum of bytes 0 … 23
///         32      frames: 24 bytes of header and one page each
///        + 4    4 pages in the database after a commit, 0 inside a transaction
///        + 8    8 salts
///        +16    8 checksum over everything so far: the frame's bytes 0 … 7 and its page
enum WriteAheadLog {
  private static let headerByteCount = 32
  private static let frameHeaderByteCount = 24

  /// Whether the log at `path` ends inside a transaction; false if there is no readable log.
  ///
  /// To be asked before SQLite opens the database, which repairs the log.
  static func endsInsideTransaction(_ path: String) -> Bool {
    guard let file = try? StateFile(opening: path),
      let header = try? file.read(at: 0, count: headerByteCount), header.count == headerByteCount,
      word(header, 0, bigEndian: true) & ~1 == 0x377F_0682
    else { return false }
    let bigEndian = header[3] & 1 == 1
    let pageByteCount = Int(word(header, 8, bigEndian: true))
    guard (512...65_536).contains(pageByteCount), pageByteCount % 8 == 0 else { return false }
    var sum = checksum((0, 0), header, 0..<24, bigEndian)
    guard stored(header, 24) == sum else { return false }
    var offset = headerByteCount
    var isInside = false
    while let frame = try? file.read(at: offset, count: frameHeaderByteCount + pageByteCount),
      frame.count >= 16, frame[8..<16].elementsEqual(header[16..<24])
    {
      guard frame.count == frameHeaderByteCount + pageByteCount else { return true }
      sum = checksum(sum, frame, 0..<8, bigEndian)
      sum = checksum(sum, frame, frameHeaderByteCount..<frame.count, bigEndian)
      guard stored(frame, 16) == sum else { return true }
      isInside = word(frame, 4, bigEndian: true) == 0
      offset += frame.count
    }
    return isInside
  }

  private static func stored(_ bytes: [UInt8], _ offset: Int) -> (UInt32, UInt32) {
    (word(bytes, offset, bigEndian: true), word(bytes, offset + 4, bigEndian: true))
  }

  private static func word(_ bytes: [UInt8], _ offset: Int, bigEndian: Bool) -> UInt32 {
    let value = bytes[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return bigEndian ? value : value.byteSwapped
  }

  /// The log's own running checksum over pairs of words.
  private static func checksum(
    _ start: (UInt32, UInt32), _ bytes: [UInt8], _ range: Range<Int>, _ bigEndian: Bool
  ) -> (UInt32, UInt32) {
    var (first, second) = start
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
      first = first &+ word(bytes, offset, bigEndian: bigEndian) &+ second
      second = second &+ word(bytes, offset + 4, bigEndian: bigEndian) &+ first
    }
    return (first, second)
  }
}
