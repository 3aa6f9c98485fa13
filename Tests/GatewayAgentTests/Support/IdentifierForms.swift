import CCrypto
import OBISDecoder

@testable import MeterSimulator

/// Every form in which an identifier could hide in outbound bytes: the test-time set of privacy.md
/// C10, compared without case.
enum IdentifierForms {
  /// One form: what it is called, and its bytes in lower case.
  struct Form {
    var name: String
    var bytes: [UInt8]

    /// Whether it occurs, in any case.
    func occurs(in bytes: [UInt8]) -> Bool {
      var index = FormIndex<Int>()
      index.add([self], of: 0)
      return !index.search(bytes).isEmpty
    }
  }

  /// The forms of an identifier, given in each of its spellings.
  static func all(of spellings: [[UInt8]]) -> [Form] {
    var forms: [Form] = []
    var seen: Set<[UInt8]> = []
    func add(_ name: String, _ bytes: [UInt8]) {
      // What is shorter, or one byte repeated, occurs everywhere.
      guard bytes.count >= 4, Set(bytes).count > 1 else { return }
      let lowered = lowercased(bytes)
      if seen.insert(lowered).inserted { forms.append(Form(name: name, bytes: lowered)) }
    }
    var known: Set<[UInt8]> = []
    for spelling in spellings.compactMap(decodedHex) + spellings
    where isTelling(spelling) && known.insert(spelling).inserted {
      addTexts(of: spelling, add)
      addDigits(of: spelling, add)
      // Part of a long message is as telling as all of it: any 31 bytes hold one of these pieces.
      guard spelling.count > 32 else { continue }
      for start in stride(from: 0, through: spelling.count - 16, by: 16) {
        let piece = Array(spelling[start..<start + 16])
        if isTelling(piece) { addTexts(of: piece, add) }
      }
    }
    return forms
  }

  /// Whether it says something: shorter than six characters, or one repeated, it does not.
  static func isTelling(_ text: [UInt8]) -> Bool {
    text.count >= 6 && Set(lowercased(text)).count > 1
  }

  private static func addTexts(of text: [UInt8], _ add: (String, [UInt8]) -> Void) {
    let backwards = Array(text.reversed())
    add("text", text)
    add("reversed", backwards)
    add("hex", hex(text))
    add("hex of reversed", hex(backwards))
    for separator in " :-" { add("separated hex", hex(text, separatedBy: separator)) }
    // Without the last zero it is found in the big-endian form as well.
    add("UTF-16", Array(text.flatMap { [$0, 0] }.dropLast()))
    add("\\u escapes", Array(text.flatMap { Array("\\u00".utf8) + hex([$0]) }))
    add("percent escapes", Array(text.flatMap { [UInt8(ascii: "%")] + hex([$0]) }))
    for shift in 0..<3 { add("base64", radixCore(text, bits: 6, shift, base64)) }
    for shift in 0..<5 { add("base32", radixCore(text, bits: 5, shift, base32)) }
    unsafe add("md5", hex(digest(text, EVP_md5())))
    unsafe add("sha1", hex(digest(text, EVP_sha1())))
    unsafe add("sha256", hex(digest(text, EVP_sha256())))
  }

  private static func addDigits(of text: [UInt8], _ add: (String, [UInt8]) -> Void) {
    for run in text.split(whereSeparator: { !isDigit($0) }) where run.count >= 8 {
      let digits = Array(run)
      // Eight digits are in every longer part as well.
      for start in 0...(digits.count - 8) { add("digits", Array(digits[start..<start + 8])) }
      let even = digits.count % 2 == 0 ? digits : [UInt8(ascii: "0")] + digits
      let packed = decodedHex(even) ?? []
      add("packed BCD", packed)
      add("reversed BCD", packed.reversed())
      let number = bigEndian(digits)
      add("big-endian", number)
      add("little-endian", number.reversed())
    }
  }

  /// The characters in base 2^`bits` that depend on `text` alone, behind `shift` other bytes.
  private static func radixCore(
    _ text: [UInt8], bits: Int, _ shift: Int, _ alphabet: [UInt8]
  ) -> [UInt8] {
    let all = [UInt8](repeating: 0, count: shift) + text
    let first = (shift * 8 + bits - 1) / bits
    return (first..<(all.count * 8 / bits)).map { place in
      var value = 0
      for bit in (place * bits)..<((place + 1) * bits) {
        value = value << 1 | Int(all[bit / 8] >> (7 - bit % 8)) & 1
      }
      return alphabet[value]
    }
  }

  private static let base32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
  private static let base64 = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// A decimal number of any length in base 256, most significant byte first, without zeros before.
  private static func bigEndian(_ digits: [UInt8]) -> [UInt8] {
    var little: [UInt8] = []
    for digit in digits {
      var carry = Int(digit - UInt8(ascii: "0"))
      for index in little.indices {
        let value = Int(little[index]) * 10 + carry
        little[index] = UInt8(value & 0xFF)
        carry = value >> 8
      }
      if carry > 0 { little.append(UInt8(carry)) }
    }
    return little.reversed()
  }

  private static func digest(_ text: [UInt8], _ algorithm: OpaquePointer?) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 64)
    var count: UInt32 = 0
    let isDone = unsafe EVP_Digest(text, text.count, &digest, &count, algorithm, nil) == 1
    precondition(isDone, "libcrypto knows this digest")
    return Array(digest.prefix(Int(count)))
  }

  // MARK: - Bytes

  /// The octets that hexadecimal text of at least four of them stands for.
  static func decodedHex(_ text: [UInt8]) -> [UInt8]? {
    guard text.count >= 8, text.count % 2 == 0 else { return nil }
    var octets: [UInt8] = []
    for place in stride(from: 0, to: text.count, by: 2) {
      guard let high = nibble(text[place]), let low = nibble(text[place + 1]) else { return nil }
      octets.append(high << 4 | low)
    }
    return octets
  }

  private static func nibble(_ character: UInt8) -> UInt8? {
    Character(UnicodeScalar(character)).hexDigitValue.map { UInt8($0) }
  }

  /// Two lower-case hexadecimal digits an octet.
  static func hex(_ octets: [UInt8], separatedBy separator: Character? = nil) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for octet in octets {
      if let separator, !text.isEmpty { text += Array(String(separator).utf8) }
      text += [digits[Int(octet >> 4)], digits[Int(octet & 15)]]
    }
    return text
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
  }
}

/// Many forms of many owners, looked for in one pass.
struct FormIndex<Owner: Hashable> {
  /// A form that occurs.
  struct Hit {
    var owner: Owner
    var form: IdentifierForms.Form
  }

  private var entries: [Hit] = []
  /// Entries by their first four bytes.
  private var heads: [UInt32: [Int]] = [:]
  /// Which low halves of the first four bytes occur, so that hardly any place needs a look-up.
  private var filter = [Bool](repeating: false, count: 65_536)

  /// Whether nothing is looked for.
  var isEmpty: Bool { entries.isEmpty }

  mutating func add(_ forms: [IdentifierForms.Form], of owner: Owner) {
    for form in forms {
      let head = form.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
      heads[head, default: []].append(entries.count)
      filter[Int(head & 0xFFFF)] = true
      entries.append(Hit(owner: owner, form: form))
    }
  }

  /// Every form that occurs in `bytes`, once.
  func search(_ bytes: [UInt8]) -> [Hit] {
    let bytes = IdentifierForms.lowercased(bytes)
    var found: Set<Int> = []
    var window: UInt32 = 0
    for (place, byte) in bytes.enumerated() {
      window = window << 8 | UInt32(byte)
      guard place >= 3, filter[Int(window & 0xFFFF)], let candidates = heads[window] else {
        continue
      }
      for index in candidates where bytes[(place - 3)...].starts(with: entries[index].form.bytes) {
        found.insert(index)
      }
    }
    return found.sorted().map { entries[$0] }
  }
}

extension SimulatedFrame {
  /// Whether one identifier can be replaced in place: the bytes are a single frame in clear with
  /// one checksum.
  ///
  /// Else the frame is made again, of another meter.
  var canBeDisguised: Bool {
    trust == .clear && boundaries.isEmpty && (family == "p1" || family == "hdlc")
  }

  /// Puts another identifier in an identifier's place, under a checksum that fits.
  mutating func disguise(_ number: Int) {
    let identifier = identifiers[number]
    let text = Array(identifier.text.utf8)
    let isHex = identifier.bytes != text && family == "p1"
    let new =
      isHex
      ? Self.upperHex(Self.other(IdentifierForms.decodedHex(identifier.bytes) ?? []))
      : Self.other(identifier.bytes)
    bytes.replace(identifier.bytes, with: new)
    if isHex, IdentifierForms.isTelling(text) { bytes.replace(text, with: Self.other(text)) }
    guard hasChecksum, let end = checksumPlace else { return }
    if family == "p1" {
      let sum = Array(P1Checksum.text(of: Array(bytes[..<end])).utf8)
      let old = bytes[end...].prefix { Character(UnicodeScalar($0)).isHexDigit }
      bytes.replaceSubrange(old.indices, with: sum)
    } else {
      bytes.replaceSubrange(end..<end + 2, with: HDLCWriter.checksum(of: Array(bytes[1..<end])))
    }
    let other = Self.other(text)
    identifiers[number].bytes = new
    identifiers[number].text = String(decoding: other, as: UTF8.self)
  }

  /// Where the frame's checksum begins.
  var checksumPlace: Int? {
    guard family == "p1" else { return bytes.count - 3 }
    return bytes.lastIndex(of: UInt8(ascii: "!")).map { $0 + 1 }
  }

  private static func upperHex(_ octets: [UInt8]) -> [UInt8] {
    Array(P1Text.hex(octets).utf8)
  }

  /// Bytes of the same kind that are others: digits, letters, anything else that is not printed.
  private static func other(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { byte in
      switch byte {
      case 0x30...0x39: (byte - 0x30 + 3) % 10 + 0x30
      case 0x41...0x5A: (byte - 0x41 + 5) % 26 + 0x41
      case 0x61...0x7A: (byte - 0x61 + 5) % 26 + 0x61
      case 0x20...0x7E: byte
      default: byte ^ 0x15
      }
    }
  }
}
