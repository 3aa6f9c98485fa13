/// What each M-Bus channel of the telegram measures, from the device type that the meter sends.
///
/// The type is looked up where the first value of a channel needs it, and may stand behind it.
struct P1Channels {
  private var media = InlineArray<16, Medium?>(repeating: nil)

  /// What the value under `code` measures, where the telegram goes on at `position`.
  @inline(__always)
  mutating func medium(of code: OBISCode, from position: Int, in bytes: Span<UInt8>) -> Medium {
    // Nearly every line: electricity, or the meter itself.
    code.a == 1 || code.rawValue >> 32 == 0
      ? .electricity : subMedium(of: code, from: position, in: bytes)
  }

  private mutating func subMedium(
    of code: OBISCode, from position: Int, in bytes: Span<UInt8>
  ) -> Medium {
    switch code.a {
    case 5, 6: return .thermal
    case 7: return .gas
    case 8, 9: return .water
    default: break
    }
    let channel = Int(code.b)
    guard channel > 0 else { return .electricity }
    guard channel < media.count else { return .unknown }
    if let known = media[channel] { return known }
    let found = Self.find(code.b, from: position, in: bytes)
    media[channel] = found
    return found
  }

  /// Takes note of the device type that `group` prints, `0-channel:24.1.0`; the first one counts.
  mutating func note(_ channel: UInt8, _ group: Range<Int>, in bytes: Span<UInt8>) {
    guard channel < media.count, media[Int(channel)] == nil else { return }
    media[Int(channel)] = Self.medium(bytes, in: group)
  }

  /// Searches the lines behind `position` for `0-channel:24.1.0`.
  private static func find(
    _ channel: UInt8, from position: Int, in bytes: Span<UInt8>
  ) -> Medium {
    let wanted = OBISCode(0, channel, 24, 1, 0)
    var index = P1Text.endOfLine(bytes, from: position)
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "0") {
        var cursor = index
        if OBISCode(parsing: bytes, at: &cursor) == wanted {
          var groups = P1Groups(at: cursor)
          if let group = groups.next(in: bytes) { return medium(bytes, in: group) }
        }
      }
      index = P1Text.endOfLine(bytes, from: index)
    }
    return .unknown
  }

  /// Device types of EN 13757-3, table 8; DSMR prints them in one to three digits.
  private static func medium(_ bytes: Span<UInt8>, in range: Range<Int>) -> Medium {
    guard let number = Decimal(parsing: bytes, in: range), number.exponent == 0 else {
      return .unknown
    }
    return switch number.mantissa {
    case 2: .electricity
    case 3: .gas
    case 4, 10, 11, 12, 13: .thermal
    case 6, 7: .water
    default: .unknown
    }
  }
}
