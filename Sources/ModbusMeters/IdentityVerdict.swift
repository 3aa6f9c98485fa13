public import OBISDecoder

/// Whether the meter on the line is the one that a profile is for.
public enum IdentityVerdict: Equatable, Sendable {
  /// It is, or the profile knows no check.
  case same
  /// Another: the raw number that its register holds.
  case other(UInt64)
  /// The register was not read.
  case unread
}

extension MeterProfile {
  /// Compares what the identity blocks brought with what the profile expects.
  public func identity(in image: RegisterImage) -> IdentityVerdict {
    guard let identify else { return .same }
    guard let (bits, _) = image.bits(identify.register) else { return .unread }
    return identify.accepts(bits) ? .same : .other(bits)
  }
}

extension IdentityCheck {
  /// Whether a raw number is one that this meter gives.
  public func accepts(_ bits: UInt64) -> Bool {
    switch rule {
    case .among(let ranges): return ranges.contains { $0.contains(bits) }
    case .between(let lowest, let highest, let scale):
      guard case .number(let number) = register.type.number(bits), let value = number.times(scale)
      else { return false }
      return !value.isLess(than: lowest) && !highest.isLess(than: value)
    }
  }

  /// The number of two registers in the four orders that bytes and words can have: ABCD, CDAB, BADC,
  /// DCBA; none of which is a number is nil. Only for a register of two words.
  ///
  /// What a voltage is in each tells whoever sees the error which `word_order` to write.
  public static func readings(
    of words: (UInt16, UInt16), as type: RegisterType, scale: Decimal
  ) -> [(order: StaticString, value: Decimal?)] {
    func value(_ high: UInt16, _ low: UInt16) -> Decimal? {
      let bits = UInt64(high) << 16 | UInt64(low)
      guard case .number(let number) = type.number(bits) else { return nil }
      return number.times(scale)
    }
    let (first, second) = words
    return [
      ("ABCD", value(first, second)), ("CDAB", value(second, first)),
      ("BADC", value(first.byteSwapped, second.byteSwapped)),
      ("DCBA", value(second.byteSwapped, first.byteSwapped)),
    ]
  }
}
