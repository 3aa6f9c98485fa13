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
      guard let value = register.type.value(bits, scale) else { return false }
      return !value.isLess(than: lowest) && !highest.isLess(than: value)
    }
  }

  /// One sentence for whoever set the meter up: what was read, what was expected, and, of a number of
  /// two registers, what it is in each order of words and bytes.
  public func complaint(about bits: UInt64) -> String {
    switch rule {
    case .among:
      return "identify read \(bits), which is not a number of this model: another meter?"
    case .between(let lowest, let highest, let scale):
      var text = "identify read \(IdentityCheck.shown(register.type.value(bits, scale)))"
      text += " outside \(lowest)-\(highest)"
      guard register.type.registerCount == 2 else { return text + ": another meter?" }
      var words = (UInt16(truncatingIfNeeded: bits >> 16), UInt16(truncatingIfNeeded: bits))
      if register.wordOrder == .lowFirst { swap(&words.0, &words.1) }
      let readings = IdentityCheck.readings(of: words, as: register.type, scale: scale)
      return text + ": wrong word_order? The four readings were "
        + readings.map { "\($0.order) \(IdentityCheck.shown($0.value))" }.joined(separator: ", ")
    }
  }

  private static func shown(_ value: Decimal?) -> String { value?.description ?? "no number" }

  /// The number of two registers in the four orders that bytes and words can have; nil for no number.
  ///
  /// The orders are ABCD, CDAB, BADC, DCBA. What a voltage is in each tells whoever sees the error which `word_order` to write.
  public static func readings(
    of words: (UInt16, UInt16), as type: RegisterType, scale: Decimal
  ) -> [(order: StaticString, value: Decimal?)] {
    func value(_ high: UInt16, _ low: UInt16) -> Decimal? {
      type.value(UInt64(high) << 16 | UInt64(low), scale)
    }
    let (first, second) = words
    return [
      ("ABCD", value(first, second)), ("CDAB", value(second, first)),
      ("BADC", value(first.byteSwapped, second.byteSwapped)),
      ("DCBA", value(second.byteSwapped, first.byteSwapped)),
    ]
  }
}

extension IdentityCheck {
  /// The one order in which two registers are a mains voltage; nil if none or several are.
  public static func mainsVoltage(
    in words: (UInt16, UInt16)
  ) -> (order: StaticString, value: Decimal)? {
    let (lowest, highest) = (Decimal(mantissa: 90), Decimal(mantissa: 290))
    let plausible = readings(of: words, as: .float32, scale: Decimal(mantissa: 1)).compactMap {
      reading in
      reading.value.flatMap { value in
        value.isLess(than: lowest) || highest.isLess(than: value) ? nil : (reading.order, value)
      }
    }
    return plausible.count == 1 ? plausible[0] : nil
  }
}

extension RegisterType {
  /// The number that the lowest bits hold, times `scale`; nil where they hold none.
  fileprivate func value(_ bits: UInt64, _ scale: Decimal) -> Decimal? {
    guard case .number(let number) = number(bits) else { return nil }
    return number.times(scale)
  }
}
