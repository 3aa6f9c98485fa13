import OBISDecoder

/// Where a frame's message lies in the stream, and the link's frames around it.
struct RedactedMessage {
  /// The place in the stream of each byte of the message.
  private(set) var places: [Int] = []
  /// All bytes of the frame, in order; of a message in several frames, each of them.
  private(set) var ranges: [Range<Int>] = []

  /// Finds it; nil where the stream has no such frames.
  init?(_ frame: RedactableFrame, in stream: [UInt8]) {
    let start = Int(clamping: frame.summary.offset)
    let whole = start..<(start + frame.summary.count)
    guard !frame.pieces.isEmpty else {
      guard whole.upperBound <= stream.count, !whole.isEmpty else { return nil }
      ranges = [whole]
      if frame.summary.dialect == .sml {
        guard let file = SMLRepair(whole, in: stream) else { return nil }
        places = file.countedPlaces
      } else {
        places = Array(whole)
      }
      return
    }
    for piece in frame.pieces {
      guard piece.offset == places.count, piece.count > 0 else { return nil }
      let first = Int(clamping: piece.position)
      guard first + piece.count <= stream.count else { return nil }
      places += first..<(first + piece.count)
      guard !(ranges.last.map { $0.contains(first) } ?? false) else { continue }
      let link: Range<Int>? =
        switch frame.summary.dialect {
        case .hdlc: LinkFrames.hdlc(around: first, in: stream)
        case .mbus: LinkFrames.mbus(around: first, in: stream)
        case .p1, .apdu, .sml, .d0: whole
        }
      guard let link, link.upperBound <= stream.count else { return nil }
      ranges.append(link)
    }
  }
}

/// Texts that name a kind of meter and are the same in all of them: whoever reads the capture needs
/// them to read the values.
///
///     TEXT                        STAYS                 SOURCE
///     P1, D0 identification line  `/FFF5`, `\2`         IEC 62056-21, 6.3.2: maker, baud rate, mode
///     list id                     all                   Aidon, Kaifa, Kamstrup
///     logical device name         3 letters of the maker  Blue Book, 4.1.8.2
///     Kaifa meter type            `MA304H3E`            order number
///     Kamstrup meter type         first 7 of 18         order number; the digits that set the scale
///     versions                    up to 5 characters    DSMR 0.2.8, e-MUCS 96.1.4
enum PublicText {
  private static let listIdentifiers = ["AIDON_V", "Kamstrup_V", "KFM_"]

  /// How many octets of an identifier stay, from the first on.
  static func keptCount(_ octets: [UInt8], _ secret: Secret) -> Int {
    if namesDevice(octets, secret) { return 3 }
    guard secret.kind == .meterType else { return 0 }
    if secret.code == nil, !secret.isHex, isIdentification(octets) {
      // Iskra's IE.5 sends STX where others have a backslash.
      let hasMode = octets.count > 6 && (octets[4] == UInt8(ascii: "\\") || octets[4] == 0x02)
      return hasMode ? 6 : 4
    }
    guard Substitutes.isText(octets) else { return 0 }
    if octets.count <= 5 { return octets.count }
    let text = String(decoding: octets, as: UTF8.self)
    if listIdentifiers.contains(where: { text.hasPrefix($0) }), octets.count <= 16 {
      return octets.count
    }
    // MA304H3E, MA304H4: the last digit says how many wires it has.
    if text.hasPrefix("MA"), octets.count <= 8 { return octets.count }
    let isKamstrup = octets.count == 18 && text.hasPrefix("68")
    return isKamstrup ? 7 : 0
  }

  /// Whether a text is a COSEM logical device name: the maker's three letters, by which lists are
  /// told apart, then a type and a number (DLMS UA Blue Book, 4.1.8.2).
  private static func namesDevice(_ octets: [UInt8], _ secret: Secret) -> Bool {
    guard secret.kind == .meterNumber, !secret.isHex, (11...16).contains(octets.count) else {
      return false
    }
    return octets[0...2].allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
      && octets[3...].allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// Whether a text begins with a maker's letters and a baud rate character.
  private static func isIdentification(_ octets: [UInt8]) -> Bool {
    octets.count > 4 && octets[0...2].allSatisfy { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
      && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octets[3])
  }
}

/// Looks for identifiers as they were: the octets themselves, and their hexadecimal digits.
struct LeakSearch {
  private var needles: [UInt16: [[UInt8]]] = [:]

  /// Looks for those that are long enough to mean something.
  init(_ originals: Set<[UInt8]>) {
    for octets in originals where octets.count >= 6 && Set(octets).count > 2 {
      let upper = Array(DecodedFrame.hex(octets).utf8)
      let lower = upper.map { $0 >= UInt8(ascii: "A") ? $0 | 0x20 : $0 }
      for needle in [octets, upper, lower] {
        needles[UInt16(needle[0]) << 8 | UInt16(needle[1]), default: []].append(needle)
      }
    }
  }

  /// Whether one of them occurs.
  func occurs(in bytes: [UInt8]) -> Bool {
    guard bytes.count > 1 else { return false }
    for index in 0..<(bytes.count - 1) {
      guard let candidates = needles[UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])] else {
        continue
      }
      if candidates.contains(where: { bytes[index...].starts(with: $0) }) { return true }
    }
    return false
  }
}
