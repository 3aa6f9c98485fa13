public import OBISDecoder

/// The identifiers that meters sent, in memory only: so that they can be recognised and kept in.
///
/// It has no printable form, is never stored, and overwrites its bytes at the end. A value already
/// held is recognised without heap. A meter that sends ever new texts under one code pushes out its
/// own oldest, not another's.
public struct IdentifierVault: ~Copyable {
  /// Most values held; more are counted in `refusedCount`.
  ///
  /// A P1 meter with its sub-meters has up to twenty, most meters have one to three.
  public static let capacity = 256
  /// Most values under one code of one meter.
  public static let valuesPerCode = 8
  /// Shortest value that is looked for: shorter ones occur by chance.
  public static let shortestBytes = 6

  /// One value; a class, so that its end overwrites the bytes where they are.
  private final class Entry {
    let kind: Secret.Kind
    let code: OBISCode?
    let source: UInt8
    var bytes: [UInt8]

    init(_ secret: Secret, source: UInt8, bytes: [UInt8]) {
      kind = secret.kind
      code = secret.code
      self.source = source
      self.bytes = bytes
    }

    /// Whether it is the same thing of the same meter.
    func isAnother(_ secret: Secret, source: UInt8) -> Bool {
      kind == secret.kind && code == secret.code && self.source == source
    }

    deinit {
      for index in bytes.indices { bytes[index] = 0 }
    }
  }

  private var entries: [Entry] = []
  /// Values that did not fit.
  public private(set) var refusedCount = 0
  /// Grows with each change.
  public private(set) var revision = 0

  /// Makes an empty vault.
  public init() {}

  /// How many values it holds.
  public var count: Int { entries.count }

  /// Copies an identifier out of its frame; returns whether it is new.
  ///
  /// Where the frame has it as hexadecimal digits, the octets that they stand for are kept too.
  ///
  /// - Parameter source: the number of the meter that sent it.
  @discardableResult
  public mutating func keep(
    _ secret: Secret, in frame: Span<UInt8>, source: UInt8 = 0
  ) -> Bool {
    guard secret.offset >= 0, secret.count > 0, secret.count <= 1024,
      secret.offset <= frame.count - secret.count
    else { return false }
    let range = secret.offset..<(secret.offset + secret.count)
    if holds(frame, range) { return false }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(secret.count)
    for index in range { bytes.append(frame[index]) }
    add(secret, source, bytes)
    if secret.isHex, let octets = IdentifierVault.octets(of: bytes) {
      add(secret, source, octets)
    }
    return true
  }

  /// The one field that a gate may ask for: the last number of this kind that a meter sent, as it
  /// is printed on the meter.
  ///
  /// Nil if the meter sent none, or none of at most 32 letters, digits and marks.
  func field(_ mode: IdentifierMode, ofSource source: UInt8) -> FixedText<32>? {
    guard let kind = mode.secretKind else { return nil }
    let printed = entries.last { entry in
      entry.kind == kind && entry.source == source && entry.bytes.allSatisfy(Self.isPlain)
    }
    return printed.flatMap { FixedText<32>($0.bytes.span) }
  }

  /// Whether a byte can stand in a JSON text as it is.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// Whether `text` contains a value held, as text, without regard to case.
  public func occurs(in text: String) -> Bool {
    let units = text.utf8.map(IdentifierVault.lower)
    return entries.contains { entry in
      guard entry.bytes.count >= IdentifierVault.shortestBytes,
        Set(entry.bytes).count > 1
      else { return false }
      return IdentifierVault.contains(units, entry.bytes.map(IdentifierVault.lower))
        || IdentifierVault.contains(units, Array(Hexadecimal.text(of: entry.bytes).utf8))
    }
  }

  private func holds(_ frame: Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in entries.indices where entries[index].bytes.count == range.count {
      if IdentifierVault.isEqual(entries[index].bytes, frame, range) { return true }
    }
    return false
  }

  private static func isEqual(_ bytes: [UInt8], _ frame: Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in 0..<range.count where bytes[index] != frame[range.lowerBound + index] {
      return false
    }
    return true
  }

  private mutating func add(_ secret: Secret, _ source: UInt8, _ bytes: [UInt8]) {
    guard !bytes.isEmpty, !entries.contains(where: { $0.bytes == bytes }) else { return }
    let others = entries.indices.filter { entries[$0].isAnother(secret, source: source) }
    if others.count >= IdentifierVault.valuesPerCode { entries.remove(at: others[0]) }
    guard entries.count < IdentifierVault.capacity else {
      refusedCount += 1
      // Whoever was made of it must learn that it is no longer all.
      if refusedCount == 1 { revision += 1 }
      return
    }
    entries.append(Entry(secret, source: source, bytes: bytes))
    revision += 1
  }

  /// Lends each value and its kind; for the room alone.
  func forEach(_ body: (Secret.Kind, [UInt8]) -> Void) {
    for entry in entries { body(entry.kind, entry.bytes) }
  }

  private static func octets(of digits: [UInt8]) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var octets: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Hexadecimal.value(of: digits[index]),
        let low = Hexadecimal.value(of: digits[index + 1])
      else { return nil }
      octets.append(high << 4 | low)
    }
    return octets
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard !part.isEmpty, part.count <= text.count else { return false }
    for start in 0...(text.count - part.count)
    where text[start..<(start + part.count)].elementsEqual(part) { return true }
    return false
  }
}

extension IdentifierMode {
  /// The kind of identifier that a recipient sees; nil if it sees none.
  fileprivate var secretKind: Secret.Kind? {
    switch self {
    case .none, .pseudonym: nil
    case .meterNumber: .meterNumber
    case .meteringPoint: .meteringPoint
    }
  }
}

extension GateBank {
  /// Lends the gates of one meter the identifiers that their grants name.
  ///
  /// To be called when the vault has learnt something: a gate without such a grant gets nothing.
  public mutating func lendIdentifiers(
    from vault: borrowing IdentifierVault, ofSource source: UInt8
  ) {
    for index in 0..<GateBank.capacity {
      guard let gate = gate(at: index), gate.source == source, gate.channel == 0,
        let mode = gate.identifier.mode
      else { continue }
      setIdentifier(vault.field(mode, ofSource: source), of: index)
    }
  }
}

extension GateBank {
  /// The identifier that a gate was lent; nil if it names none.
  public mutating func identifier(at index: Int) -> FixedText<32>? {
    guard let gate = gate(at: index), gate.identifier != .none, !identifiers[index].isEmpty
    else { return nil }
    return identifiers[index]
  }
}

extension GateIdentifier {
  fileprivate var mode: IdentifierMode? {
    switch self {
    case .none: nil
    case .meterNumber: .meterNumber
    case .meteringPoint: .meteringPoint
    }
  }
}
