/// What each M-Bus channel of the telegram measures, from the device type that the meter sends.
///
/// The type is looked up where the first value of a channel needs it, and may stand behind it.
struct P1Channels {
  private var media = InlineArray<16, Medium?>(repeating: nil)

  /// What the value under `code` measures; `bytes` is the whole telegram.
  mutating func medium(of code: OBISCode, in bytes: Span<UInt8>) -> Medium {
    switch code.a {
    case 1: return .electricity
    case 5, 6: return .thermal
    case 7: return .gas
    case 8, 9: return .water
    default: break
    }
    let channel = Int(code.b)
    guard channel > 0 else { return .electricity }
    guard channel < media.count else { return .unknown }
    if let known = media[channel] { return known }
    let found = Self.find(code.b, in: bytes)
    media[channel] = found
    return found
  }

  /// Searches the telegram for `0-channel:24.1.0`.
  private static func find(_ channel: UInt8, in bytes: Span<UInt8>) -> Medium {
    let wanted = OBISCode(0, channel, 24, 1, 0)
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "0") {
        var cursor = index
        if OBISCode(parsing: bytes, at: &cursor) == wanted {
          var groups = P1Groups(at: cursor)
          if let group = groups.next(in: bytes) { return medium(bytes, in: group) }
        }
      }
      while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
      index += 1
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
