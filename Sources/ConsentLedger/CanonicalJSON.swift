/// JSON in the one form that is hashed: keys sorted by their bytes, no spaces, UTF-8.
///
/// Ledger bodies and receipts are built from it. Numbers are whole, so that no two programs can
/// write the same number differently.
enum CanonicalJSON {
  case object([String: CanonicalJSON])
  case array([CanonicalJSON])
  case text(String)
  case integer(Int64)
  case boolean(Bool)
  case null
  /// A value that is canonical JSON already.
  case canonical([UInt8])

  /// The bytes of the value.
  var bytes: [UInt8] {
    var out: [UInt8] = []
    write(to: &out)
    return out
  }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .object(let members):
      Self.list(members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }, "{}", &out) {
        Self.quote($0.key, to: &$1)
        $1.append(UInt8(ascii: ":"))
        $0.value.write(to: &$1)
      }
    case .array(let values): Self.list(values, "[]", &out) { $0.write(to: &$1) }
    case .text(let text): Self.quote(text, to: &out)
    case .integer(let number): out += Array(String(number).utf8)
    case .boolean(let truth): out += Array((truth ? "true" : "false").utf8)
    case .null: out += Array("null".utf8)
    case .canonical(let bytes): out += bytes
    }
  }

  private static func list<Item>(
    _ items: [Item], _ brackets: String, _ out: inout [UInt8],
    _ write: (Item, inout [UInt8]) -> Void
  ) {
    out += Array(brackets.utf8.prefix(1))
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      write(item, &out)
    }
    out += Array(brackets.utf8.suffix(1))
  }

  /// Escapes what RFC 8259 section 7 demands, with the short forms where it has them.
  private static func quote(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0x08: out += Array(#"\b"#.utf8)
      case 0x09: out += Array(#"\t"#.utf8)
      case 0x0A: out += Array(#"\n"#.utf8)
      case 0x0C: out += Array(#"\f"#.utf8)
      case 0x0D: out += Array(#"\r"#.utf8)
      case 0..<0x20: out += Array((#"\u00"# + Hex.text([byte])).utf8)
      default: out.append(byte)
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}

extension CanonicalJSON: ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  init(stringLiteral value: String) { self = .text(value) }
  init(arrayLiteral elements: CanonicalJSON...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, CanonicalJSON)...) {
    self = .object(Dictionary(elements) { $1 })
  }
  init(booleanLiteral value: Bool) { self = .boolean(value) }
  init(nilLiteral: ()) { self = .null }
}
