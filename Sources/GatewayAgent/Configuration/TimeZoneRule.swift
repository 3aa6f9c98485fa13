/// The household's zone: its IANA name and its standard time's offset from UTC.
///
/// Reads the POSIX rule in the last line of the zone's TZif file, so that no process-wide `TZ` has
/// to be set. Source: RFC 8536 §3.3 (footer); POSIX.1-2017 §8.3 (`TZ`).
struct TimeZoneRule: Equatable, Sendable {
  /// IANA name, such as `Europe/Oslo`.
  var name: String
  /// Minutes that standard time is ahead of UTC, −720…840.
  var standardOffsetMinutes: Int16

  /// Universal time.
  static let utc = TimeZoneRule(name: "UTC", standardOffsetMinutes: 0)

  private static let directory = "/usr/share/zoneinfo/"

  /// Looks a zone up by name; nil if the system knows none of that name.
  init?(named name: String, directory: String = TimeZoneRule.directory) {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "+"), UInt8(ascii: "/"):
        true
      default: false
      }
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= 64, !name.hasPrefix("/"),
      let offset = TimeZoneRule.standardOffset(ofFile: directory + name)
    else { return nil }
    self.init(name: name, standardOffsetMinutes: offset)
  }

  /// The system's zone from `/etc/localtime`; UTC where that cannot be read.
  static func system(localtime: String = "/etc/localtime") -> TimeZoneRule {
    guard let offset = standardOffset(ofFile: localtime) else { return .utc }
    let target = FileAccess.linkTarget(localtime) ?? ""
    let name = target.split(separator: "/zoneinfo/", maxSplits: 1).dropFirst().first
    return TimeZoneRule(name: name.map(String.init) ?? "system", standardOffsetMinutes: offset)
  }

  private init(name: String, standardOffsetMinutes: Int16) {
    self.name = name
    self.standardOffsetMinutes = standardOffsetMinutes
  }

  private static func standardOffset(ofFile path: String) -> Int16? {
    guard let bytes = try? FileAccess.read(path, limit: 1 << 16),
      bytes.starts(with: "TZif".utf8),
      let footer = bytes.dropLast().split(separator: UInt8(ascii: "\n")).last
    else { return nil }
    return standardOffset(ofRule: String(decoding: footer, as: UTF8.self))
  }

  /// Standard offset of a POSIX rule such as `CET-1CEST,M3.5.0,M10.5.0/3`: the smaller of both.
  ///
  /// The smaller, because Ireland's rule calls summer the standard (`IST-1GMT0,…`).
  static func standardOffset(ofRule rule: String) -> Int16? {
    var rest = Substring(rule.split(separator: ",", maxSplits: 1).first ?? "")
    guard skipName(&rest), let standard = offset(&rest) else { return nil }
    guard !rest.isEmpty else { return standard }
    guard skipName(&rest) else { return nil }
    if rest.isEmpty { return standard }
    guard let other = offset(&rest), rest.isEmpty else { return nil }
    return min(standard, other)
  }

  private static func skipName(_ rest: inout Substring) -> Bool {
    let before = rest.count
    if rest.first == "<" {
      guard let end = rest.firstIndex(of: ">") else { return false }
      rest = rest[rest.index(after: end)...]
    } else {
      rest = rest.drop { $0.isLetter }
    }
    return before - rest.count >= 3
  }

  /// Reads `[+-]hh[:mm[:ss]]`, whose sign is opposite to ISO's.
  private static func offset(_ rest: inout Substring) -> Int16? {
    let isWest = rest.first != "-"
    if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
    let digits = rest.prefix { $0.isNumber || $0 == ":" }
    rest = rest.dropFirst(digits.count)
    let parts = digits.split(separator: ":", omittingEmptySubsequences: false).map { Int16($0) }
    guard (1...3).contains(parts.count), let hours = parts[0], hours <= 24 else { return nil }
    let minutes = parts.count > 1 ? parts[1] : 0
    guard let minutes, minutes < 60 else { return nil }
    return (hours * 60 + minutes) * (isWest ? -1 : 1)
  }
}
