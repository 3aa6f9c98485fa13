/// How a manual counts registers.
enum Addressing: String, CaseIterable {
  /// As in the request, from 0.
  case wire
  /// From 1.
  case oneBased = "one-based"
  /// From 30001 (input) or 40001 (holding), or with six digits from 300001 or 400001.
  case modicon

  /// The address in the request, and the table where the number names it; nil for one that is none.
  func place(of number: Int, isHexadecimal: Bool) -> (address: UInt16, function: ReadFunction?)? {
    switch self {
    case .wire:
      if !isHexadecimal, Addressing.looksLikeModicon(number) { return nil }
      return UInt16(exactly: number).map { ($0, nil) }
    case .oneBased: return UInt16(exactly: number - 1).map { ($0, nil) }
    case .modicon: return Addressing.modiconPlace(of: number)
    }
  }

  /// What is wrong with a number that has no place.
  func fault(of number: Int) -> String {
    let shown = "at = \(number)"
    switch self {
    case .modicon: return "\(shown): a Modicon number begins with 3 (input) or 4 (holding)"
    case .wire, .oneBased:
      guard let place = Addressing.modiconPlace(of: number) else {
        return "\(shown): addresses end at 65535"
      }
      if number > 65535 {
        return "\(shown): looks like a 6-digit Modicon number. Set addressing = \"modicon\" "
          + "or write \(place.address)"
      }
      return "\(shown): this looks like a manual number. Wire address would be \(place.address): "
        + "set addressing = \"modicon\", or write it as 0x\(String(number, radix: 16))"
    }
  }

  private static func looksLikeModicon(_ number: Int) -> Bool {
    number <= 65535 && modiconPlace(of: number) != nil
  }

  private static func modiconPlace(of number: Int) -> (address: UInt16, function: ReadFunction?)? {
    switch number {
    case 30001...39999: (UInt16(number - 30001), .input)
    case 40001...49999: (UInt16(number - 40001), .holding)
    case 300_001...365_536: (UInt16(number - 300_001), .input)
    case 400_001...465_536: (UInt16(number - 400_001), .holding)
    default: nil
    }
  }
}

/// What a value falls back on.
struct ValueContext {
  var addressing: Addressing
  var function: ReadFunction
  var wordOrder: WordOrder
  var type: RegisterType?
}

extension ValueContext {
  /// The register that a table names with `at`, `type` and perhaps `function` and `word_order`; nil
  /// where one is missing or wrong, which is noted.
  func register(_ table: inout ProfileTable) -> Register? {
    let own = ProfileReader.function(&table)
    let order = table.choice("word_order", of: WordOrder.self)
    let type = table.choice("type", of: RegisterType.self)
    if !table.has("type"), self.type == nil { table.reject("type missing") }
    guard let place = place("at", &table), let type = type ?? self.type else { return nil }
    if order != nil, type.registerCount == 1 {
      table.warn("word_order", "word_order is ignored for \(type.rawValue): remove it")
    }
    let register = Register(
      function: own ?? place.function ?? function, address: place.address, type: type,
      wordOrder: order ?? wordOrder)
    guard register.range.upperBound <= 65536 else {
      table.reject("at", "needs \(type.registerCount) registers at \(register.address)")
      return nil
    }
    return register
  }

  /// The address of a key; nil where absent or wrong, which is noted for `at` alone.
  func place(
    _ key: String, _ table: inout ProfileTable
  ) -> (address: UInt16, function: ReadFunction?)? {
    guard let value = table.value(key) else {
      if key == "at" { table.reject("address missing") }
      return nil
    }
    guard case .integer(let number) = value else {
      table.reject(key, "\(value.shown): expected an address")
      return nil
    }
    let place = addressing.place(of: number, isHexadecimal: table.isHexadecimal(key))
    if place == nil { table.reject(key, addressing.fault(of: number)) }
    return place
  }
}
