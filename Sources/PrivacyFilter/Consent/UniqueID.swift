/// A 16-byte identifier of grants, sources and receipts: random, never made from a meter number.
public struct UniqueID: Hashable, Sendable {
  /// The 16 bytes.
  public let bytes: [UInt8]

  /// Makes an id from 16 bytes, nil if there are more or fewer.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Makes a random id (UUID version 4) from 16 random bytes; nil if there are more or fewer.
  public init?(random bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    var marked = bytes
    marked[6] = marked[6] & 0x0F | 0x40
    marked[8] = marked[8] & 0x3F | 0x80
    self.bytes = marked
  }

  /// Reads `7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b`, upper or lower case; nil for anything else.
  public init?(parsing text: String) {
    let units = Array(text.utf8)
    guard units.count == 36 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for (index, unit) in units.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard unit == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let nibble = Hexadecimal.value(of: unit) else { return nil }
      if let first = high {
        bytes.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    self.init(bytes: bytes)
  }

  /// The usual text form, in lower case.
  public var text: String {
    let digits = Hexadecimal.text(of: bytes)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index == 8 || index == 12 || index == 16 || index == 20 { result.append("-") }
      result.append(digit)
    }
    return result
  }
}

extension UniqueID: Codable {
  /// Reads the text form.
  ///
  /// - Throws: `DecodingError.dataCorrupted` if it is none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = UniqueID(parsing: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
    }
    self = id
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

/// Hexadecimal digits, in lower case when written.
enum Hexadecimal {
  static func value(of unit: UInt8) -> UInt8? {
    switch unit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): unit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): unit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): unit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  static func text(of bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var units: [UInt8] = []
    for byte in bytes {
      units.append(digits[Int(byte >> 4)])
      units.append(digits[Int(byte & 15)])
    }
    return String(decoding: units, as: UTF8.self)
  }

  static func isText(_ text: String, count: Int) -> Bool {
    text.utf8.count == count && text.utf8.allSatisfy { value(of: $0) != nil }
  }
}
