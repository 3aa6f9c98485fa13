internal import OBISDecoder

/// Instants as RFC 3339 text in whole seconds with `Z`; instants are milliseconds since 1970 UTC.
public enum Timestamp {
  /// Writes `2026-01-15T14:00:00Z`; milliseconds are cut.
  public static func text(_ milliseconds: Int64) -> String {
    var out = ByteBuffer<32>()
    UTCTime.write(seconds: UTCTime.floorDivide(milliseconds, 1000), to: &out)
    return out.text
  }

  /// Reads exactly that form; nil for anything else or a time that no calendar has.
  public static func parse(_ text: String) -> Int64? {
    let units = Array(text.utf8)
    let pattern = Array("dddd-dd-ddTdd:dd:ddZ".utf8)
    guard units.count == pattern.count else { return nil }
    for (unit, expected) in zip(units, pattern) {
      let isRight =
        expected == UInt8(ascii: "d")
        ? unit >= UInt8(ascii: "0") && unit <= UInt8(ascii: "9") : unit == expected
      guard isRight else { return nil }
    }
    func number(_ range: Range<Int>) -> Int {
      units[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
    let time = MeterTime(
      year: UInt16(number(0..<4)), month: UInt8(number(5..<7)), day: UInt8(number(8..<10)),
      hour: UInt8(number(11..<13)), minute: UInt8(number(14..<16)),
      second: UInt8(number(17..<19)), season: .unspecified, offsetMinutes: 0)
    return time?.secondsSince1970(standardOffsetMinutes: nil).map { $0 * 1000 }
  }
}

extension KeyedDecodingContainer {
  func instant(_ key: Key) throws -> Int64 {
    guard let instant = Timestamp.parse(try decode(String.self, forKey: key)) else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "not a time of the form 2026-01-15T14:00:00Z")
    }
    return instant
  }

  func instantIfPresent(_ key: Key) throws -> Int64? {
    guard contains(key), try !decodeNil(forKey: key) else { return nil }
    return try instant(key)
  }
}
