/// Bits that mean "no value", some of which may be anything: `7FFF????` is any number that begins so.
public struct MissingPattern: Equatable, Sendable, BitwiseCopyable {
  /// The bits that mean it, 0 where the mask is.
  public var bits: UInt64
  /// The bits that count.
  public var mask: UInt64

  /// Makes a pattern of which every bit counts.
  public init(_ bits: UInt64) { self.init(bits, mask: .max) }

  /// Makes a pattern.
  public init(_ bits: UInt64, mask: UInt64) {
    self.bits = bits & mask
    self.mask = mask
  }

  /// Whether the bits of a number mean "no value".
  public func matches(_ number: UInt64) -> Bool { number & mask == bits }

  /// Reads hexadecimal digits and question marks; nil for anything else, and beyond 16.
  init?(_ text: String) {
    guard (1...16).contains(text.utf8.count) else { return nil }
    var bits: UInt64 = 0
    var mask: UInt64 = 0
    for character in text {
      let digit = character.hexDigitValue
      guard character == "?" || digit != nil else { return nil }
      bits = bits << 4 | UInt64(digit ?? 0)
      mask = mask << 4 | (digit == nil ? 0 : 0xF)
    }
    self.init(bits, mask: mask)
  }

  /// The patterns of a list of texts for one type; others are noted with the key of `table`.
  static func patterns(
    _ texts: [String], for type: RegisterType, _ key: String, _ table: ProfileTable
  ) -> [MissingPattern] {
    texts.compactMap { text in
      guard let pattern = MissingPattern(text) else {
        table.reject(key, "missing \"\(text)\": expected hexadecimal digits such as \"FFFF\"")
        return nil
      }
      guard text.utf8.count == type.digits else {
        table.reject(
          key,
          "missing \"\(text)\" has \(text.utf8.count) digits; \(type.rawValue) needs \(type.digits)"
        )
        return nil
      }
      return pattern
    }
  }
}

extension RegisterType {
  /// How many hexadecimal digits its bits are.
  fileprivate var digits: Int { registerCount * 4 }
}

/// The "no value" patterns of a profile, by type.
struct MissingDefaults {
  private var byType: [RegisterType: [MissingPattern]] = [:]

  init() {}

  /// Reads `missing` of `[defaults]`: a list for every type of that many digits, or a table of lists
  /// by type.
  init(reading table: inout ProfileTable) {
    guard let value = table.value("missing") else { return }
    switch value {
    case .table(var lists):
      for type in RegisterType.allCases {
        guard let texts = lists.words(type.rawValue) else { continue }
        byType[type] = MissingPattern.patterns(texts, for: type, type.rawValue, lists)
      }
      lists.finish()
    case .list:
      for text in table.words("missing") ?? [] {
        let types = RegisterType.allCases.filter { $0.digits == text.utf8.count }
        guard !types.isEmpty, MissingPattern(text) != nil else {
          table.reject("missing", "missing \"\(text)\": expected 4, 8 or 16 hexadecimal digits")
          continue
        }
        for type in types {
          byType[type, default: []] += MissingPattern.patterns([text], for: type, "missing", table)
        }
      }
    default: table.reject("missing", "\(value.shown): expected a list, or lists by type")
    }
  }

  func patterns(for type: RegisterType) -> [MissingPattern] { byType[type] ?? [] }
}
