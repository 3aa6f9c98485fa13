internal import OBISDecoder

/// Looks for identifiers of the meters in every packet that is about to leave.
///
/// It is the last of several locks: what the gates let through holds no identifier that was not
/// granted, and a hit means that one of them is broken. It is built when the vault changes; a search
/// costs no heap. Forms: text, reversed, hexadecimal of both, runs of eight digits or more, packed
/// BCD in both orders, base64 at three alignments, all without regard to case (privacy design C10).
///
/// A filter over each four bytes decides quickly; what it lets through is compared byte by byte. An
/// automaton over all forms, as the design has it, takes 360 KiB for four numbers; this takes 10.
public struct Tripwire: ~Copyable, Sendable {
  /// In which form an identifier was found.
  public enum Form: UInt8, Sendable, BitwiseCopyable {
    // Of two that are the same bytes the later one says more.
    case digits, text, reversed, packed, packedReversed, base64, hex, hexOfReversed

    /// The form's name in the ledger.
    public var name: StaticString {
      switch self {
      case .text: "text"
      case .reversed: "reversed"
      case .hex: "hex"
      case .hexOfReversed: "hex-of-reversed"
      case .digits: "digits"
      case .packed: "packed"
      case .packedReversed: "packed-reversed"
      case .base64: "base64"
      }
    }
  }

  /// What was found, without its value.
  public struct Hit: Equatable, Sendable, BitwiseCopyable {
    /// In which form.
    public var form: Form
    /// How many bytes into the topic or the payload.
    public var offset: Int
    /// Whether in the topic.
    public var isInTopic: Bool
  }

  /// Most bytes of forms; with more, nothing may leave the house (`E_SCAN_LIMIT`).
  public static let byteLimit = 262_144
  /// How many bytes the filter looks at; no form is shorter.
  static let headBytes = 4
  /// A number of fewer digits than this can be a measured value as well.
  static let digitsOfNoValue = 10

  private struct Entry: BitwiseCopyable {
    var head: UInt32
    var start: Int32
    var count: Int32
    var form: Form
    /// Whether it is looked for on its way to the house's own broker too.
    var isForHouse: Bool
    /// Whether it can be a measured value as well.
    var isNumber: Bool
  }

  private var bytes: [UInt8] = []
  /// Sorted by their heads.
  private var entries: [Entry] = []
  /// A bit for each value of a head's hash.
  private var filter = [UInt64](repeating: 0, count: 1024)
  /// Whether every identifier that a meter sent is looked for.
  public private(set) var isComplete = true

  /// Makes one that finds nothing.
  public init() {}

  /// How many forms are looked for.
  public var formCount: Int { entries.count }

  /// Makes it anew for what a vault holds.
  ///
  /// Maker, type and texts of no known meaning are not looked for on the way to the house's own
  /// broker: a household may well call its meter what its maker does.
  public init(_ vault: borrowing IdentifierVault) {
    isComplete = vault.refusedCount == 0
    // A P1 meter sends its number in hexadecimal: that spelling is found as what it stands for.
    var known: [[UInt8]: (form: Form, isForHouse: Bool)] = [:]
    vault.forEach { kind, identifier in
      let isForHouse = kind != .meterType && kind != .unknown
      for (form, bytes) in TripwireForms.all(of: identifier) {
        let other = known[bytes] ?? (form, isForHouse)
        known[bytes] = (
          form.rawValue > other.form.rawValue ? form : other.form, isForHouse || other.isForHouse
        )
      }
    }
    for (bytes, (form, isForHouse)) in known {
      guard self.bytes.count + bytes.count <= Self.byteLimit else {
        isComplete = false
        break
      }
      add(form, bytes, isForHouse: isForHouse)
    }
    // The longer of two that begin alike says more.
    entries.sort { ($0.head, $1.count) < ($1.head, $0.count) }
  }

  private mutating func add(_ form: Form, _ text: [UInt8], isForHouse: Bool) {
    let head = text.prefix(Self.headBytes).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    entries.append(
      Entry(
        head: head, start: Int32(bytes.count), count: Int32(text.count), form: form,
        isForHouse: isForHouse,
        isNumber: text.count < Self.digitsOfNoValue && text.allSatisfy(TripwireForms.isDigit)))
    bytes += text
    let hash = Self.hash(head)
    filter[hash >> 6] |= 1 << UInt64(hash & 63)
  }

  @inline(__always)
  private static func hash(_ head: UInt32) -> Int { Int((head &* 0x9E37_79B1) >> 16) }

  // MARK: - Searching

  /// The first identifier in a packet; nil if there is none.
  ///
  /// - Parameters:
  ///   - granted: the identifier that the packet's grant names: its plain text may stand in the
  ///     payload once, and whatever lies within it is part of it.
  ///   - isExternal: whether it goes to a recipient outside the house.
  public borrowing func find(
    inTopic topic: Span<UInt8>, payload: Span<UInt8>, granted: FixedText<32>?, isExternal: Bool
  ) -> Hit? {
    guard !entries.isEmpty else { return nil }
    if let found = search(topic, except: nil, isTopic: true, isExternal) { return found }
    return search(payload, except: granted, isTopic: false, isExternal)
  }

  private borrowing func search(
    _ packet: Span<UInt8>, except granted: FixedText<32>?, isTopic: Bool, _ isExternal: Bool
  ) -> Hit? {
    let bits = filter.span
    var window: UInt32 = 0
    for place in packet.indices {
      window = window << 8 | UInt32(TripwireForms.fold(packet[place]))
      let hash = Self.hash(window)
      guard bits[hash >> 6] >> UInt64(hash & 63) & 1 != 0, place >= Self.headBytes - 1,
        let hit = verify(window, at: place - Self.headBytes + 1, in: packet, granted, isExternal)
      else { continue }
      return Hit(form: hit, offset: place - Self.headBytes + 1, isInTopic: isTopic)
    }
    return nil
  }

  /// Compares the forms with this head, at `start` of the packet.
  private borrowing func verify(
    _ head: UInt32, at start: Int, in packet: Span<UInt8>, _ granted: FixedText<32>?,
    _ isExternal: Bool
  ) -> Form? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].head < head { low = middle + 1 } else { high = middle }
    }
    while low < entries.count, entries[low].head == head {
      let entry = entries[low]
      low += 1
      guard isExternal || entry.isForHouse, occurs(entry, at: start, in: packet) else { continue }
      let range = start..<(start + Int(entry.count))
      if let granted, Self.isWithin(range, granted, in: packet) { continue }
      if entry.isNumber, Self.isInNumber(range, in: packet) { continue }
      return entry.form
    }
    return nil
  }

  private borrowing func occurs(_ entry: Entry, at start: Int, in packet: Span<UInt8>) -> Bool {
    let count = Int(entry.count)
    guard count <= packet.count - start else { return false }
    for index in 0..<count
    where TripwireForms.fold(packet[start + index]) != bytes[Int(entry.start) + index] {
      return false
    }
    return true
  }

  /// Whether a place lies within the first plain occurrence of the granted identifier.
  private static func isWithin(
    _ range: Range<Int>, _ granted: FixedText<32>, in packet: Span<UInt8>
  ) -> Bool {
    let count = Int(granted.count)
    guard count > 0, count <= packet.count else { return false }
    for start in 0...(packet.count - count) {
      var index = 0
      while index < count, packet[start + index] == granted[index] { index += 1 }
      if index == count { return range.lowerBound >= start && range.upperBound <= start + count }
    }
    return false
  }

  /// Whether a run of digits is a JSON number, or part of one.
  ///
  /// A register of watt-hours that counts past a meter's number of eight digits must not end the
  /// household's feed.
  private static func isInNumber(_ range: Range<Int>, in packet: Span<UInt8>) -> Bool {
    var start = range.lowerBound
    while start > 0, isPartOfNumber(packet[start - 1]) { start -= 1 }
    var end = range.upperBound
    while end < packet.count, isPartOfNumber(packet[end]) { end += 1 }
    let before = start == 0 ? UInt8(ascii: ":") : packet[start - 1]
    let after = end == packet.count ? UInt8(ascii: ",") : packet[end]
    return [UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "[")].contains(before)
      && [UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(after)
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    TripwireForms.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
  }
}
