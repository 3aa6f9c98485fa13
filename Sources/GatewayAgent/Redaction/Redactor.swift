import OBISDecoder

/// Why a recording cannot be redacted at all.
enum RedactionRefusal: Error, Equatable {
  /// It is encrypted, and there is no key: what is in it cannot be seen, so neither replaced.
  case needsKey
  /// It is encrypted, and not with this key.
  case wrongKey
  /// There is no frame in it that could be kept.
  case nothingLeft
}

/// What became of a recording.
struct RedactionReport: Equatable {
  /// Frames that were written anew.
  var keptFrames = 0
  /// Frames whose checksum was wrong or that broke off.
  var badFrames = 0
  /// Frames with a part that could not be read, or that could not be written anew.
  var unreadableFrames = 0
  /// Lines of kept frames that could not be read: everything in their brackets was replaced.
  var blankedParts = 0
  /// Bytes that are in no kept frame.
  var droppedBytes = 0
  /// Different identifiers that were replaced.
  var identifiers = 0
  /// Whether the result is encrypted, with the published key of `RedactionKey`.
  var isEncrypted = false
}

/// Replaces every identifier in a recording by an invented one, and writes every checksum anew.
///
/// What is kept are sound frames of which every byte is known to be framing, a value, a time, or an
/// identifier that was replaced. Everything else is left out: a text of unknown meaning is an
/// identifier. The result is decoded again, and a frame that does not say the same, or in which an
/// original still stands, is left out too.
struct Redactor {
  /// Makes the ciphertext and tag of a plaintext under the published key.
  typealias Encipher = (_ header: CipherHeader, _ plaintext: [UInt8]) -> (
    ciphertext: [UInt8], tag: [UInt8]
  )

  private var substitutes: Substitutes
  private let encipher: Encipher

  /// Makes a redactor.
  init(_ substitutes: Substitutes, encipher: @escaping Encipher) {
    self.substitutes = substitutes
    self.encipher = encipher
  }

  /// Redacts the bytes of `records`; times stay, records without a byte left vanish.
  ///
  /// `cipher` has the meter's key, `published` that of the result.
  mutating func redact<Cipher: MessageCipher & ~Copyable, Published: MessageCipher & ~Copyable>(
    _ records: [Capture.Record], with cipher: inout Cipher, checkedWith published: inout Published
  ) throws(RedactionRefusal) -> (records: [Capture.Record], report: RedactionReport) {
    let stream = records.flatMap(\.bytes)
    let collected = Self.frames(of: stream, with: &cipher)
    try Self.refuse(collected)
    var edit = StreamEdit(stream)
    var report = RedactionReport(badFrames: collected.rejections.count)
    var kept: [KeptFrame] = []
    for frame in collected.frames {
      guard let result = rewrite(frame, in: &edit, with: &cipher) else {
        report.unreadableFrames += 1
        continue
      }
      report.blankedParts += result.blankedParts
      report.isEncrypted = report.isEncrypted || !frame.plaintexts.isEmpty
      kept.append(result)
    }
    let before = kept.count
    check(&kept, edit, with: &published)
    guard !kept.isEmpty else { throw .nothingLeft }
    report.unreadableFrames += before - kept.count
    report.keptFrames = kept.count
    report.identifiers = substitutes.replaced.count
    let isKept = Self.mask(kept, count: stream.count)
    report.droppedBytes = isKept.count { !$0 }
    return (Self.records(records, edit, isKept), report)
  }

  // MARK: - Frames

  private static func frames<Cipher: MessageCipher & ~Copyable>(
    of stream: [UInt8], with cipher: inout Cipher
  ) -> RedactionCollector {
    var collector = RedactionCollector()
    var decoder = MeterDecoder(DecoderOptions())
    decoder.push(stream.span, with: &cipher, to: &collector)
    decoder.finish(with: &cipher, to: &collector)
    return collector
  }

  private static func refuse(_ collected: RedactionCollector) throws(RedactionRefusal) {
    if collected.frames.contains(where: { $0.problemCodes.contains(.encrypted) }) {
      throw .needsKey
    }
    if collected.rejections.contains(.wrongKey),
      !collected.frames.contains(where: { !$0.plaintexts.isEmpty })
    {
      throw .wrongKey
    }
  }

  /// Writes one frame anew; nil where that cannot be done: then its bytes are left out.
  private mutating func rewrite<Cipher: MessageCipher & ~Copyable>(
    _ frame: RedactableFrame, in edit: inout StreamEdit, with cipher: inout Cipher
  ) -> KeptFrame? {
    guard let message = RedactedMessage(frame, in: edit.original) else { return nil }
    var result = KeptFrame(original: frame, ranges: message.ranges)
    var bytes = message.places.map { edit.original[$0] }
    guard replace(frame.secrets, frame.problems, frame, in: &bytes, &result) else { return nil }
    for plaintext in frame.plaintexts {
      guard rewrite(plaintext, frame, in: &bytes, &result, with: &cipher) else { return nil }
    }
    edit.write(bytes, at: message.places)
    return repair(frame, message, in: &edit) ? result : nil
  }

  /// Deciphers a part, writes it anew and enciphers it under the published key.
  private mutating func rewrite<Cipher: MessageCipher & ~Copyable>(
    _ plaintext: RedactableFrame.Plaintext, _ frame: RedactableFrame, in message: inout [UInt8],
    _ result: inout KeptFrame, with cipher: inout Cipher
  ) -> Bool {
    let part = plaintext.part
    guard part.ciphertext.upperBound <= message.count, part.tag.upperBound <= message.count else {
      return false
    }
    var bytes = [UInt8](repeating: 0, count: part.ciphertext.count)
    let sent = Array(message[part.ciphertext])
    let tag = Array(message[part.tag])
    var span = bytes.mutableSpan
    switch cipher.decipher(part.header, sent.span, tag: tag.span, into: &span) {
    case .authenticated, .decrypted: break
    case .tagMismatch, .noKey: return false
    }
    // Behind the telegram some meters fill up; what else stands there nobody has read.
    let isFilled = bytes[min(plaintext.count, bytes.count)...].allSatisfy {
      $0 == 0 || $0 == 0xFF || $0 == 0x0D || $0 == 0x0A
    }
    guard isFilled, replace(plaintext.secrets, plaintext.problems, frame, in: &bytes, &result)
    else { return false }
    if bytes.first == UInt8(ascii: "/") {
      guard let repaired = TextFrames.repairedP1(bytes) else { return false }
      bytes = repaired
    }
    var header = part.header
    header.systemTitle = substitutedTitle(header.systemTitle)
    let made = encipher(header, bytes)
    message.replaceSubrange(part.ciphertext, with: made.ciphertext)
    message.replaceSubrange(part.tag, with: made.tag.prefix(part.tag.count))
    result.plaintexts.append(bytes)
    return true
  }

  /// The title as it stands in the message once `secrets` are replaced; 0 where it has none.
  private mutating func substitutedTitle(_ title: UInt64) -> UInt64 {
    guard title != 0 else { return 0 }
    let octets = (0..<8).map { UInt8(truncatingIfNeeded: title >> (56 - 8 * UInt64($0))) }
    return substitutes.substitute(for: octets).reduce(0) { $0 << 8 | UInt64($1) }
  }

  // MARK: - Identifiers

  /// Replaces what `secrets` and `problems` point at; false where a problem may hide anything.
  private mutating func replace(
    _ secrets: [Secret], _ problems: [DecodeError], _ frame: RedactableFrame,
    in bytes: inout [UInt8], _ result: inout KeptFrame
  ) -> Bool {
    let isText =
      frame.summary.dialect == .p1 || frame.summary.dialect == .d0
      || bytes.first == UInt8(ascii: "/")
    // A wrong checksum of a message within a sound SML frame hides nothing.
    let isHarmless = problems.allSatisfy {
      frame.summary.dialect == .sml
        && ($0.code == .checksumMismatch || $0.code == .malformedChecksum)
    }
    guard isText || isHarmless else { return false }
    let original = bytes
    for problem in problems where isText && problem.code != .invalidTime {
      for group in TextFrames.groups(at: problem.offset, in: original)
      where !secrets.contains(where: {
        $0.offset < group.upperBound
          && group.lowerBound < $0.offset + $0.count
      }) {
        bytes.replaceSubrange(
          group, with: substitutes.substitute(for: Array(original[group]), inText: true))
        result.blankedParts += 1
      }
    }
    for secret in secrets {
      guard secret.offset >= 0, secret.count >= 0, secret.offset + secret.count <= bytes.count
      else { return false }
      let range = secret.offset..<(secret.offset + secret.count)
      let raw = Array(original[range])
      bytes.replaceSubrange(
        range, with: substitute(for: raw, secret, inText: isText, &result))
    }
    return true
  }

  private mutating func substitute(
    for raw: [UInt8], _ secret: Secret, inText: Bool, _ result: inout KeptFrame
  ) -> [UInt8] {
    if secret.isHex, let octets = DecodedFrame.octets(ofHex: raw) {
      let digits = Array(
        DecodedFrame.hex(substitute(octets, secret, inText: false, &result)).utf8)
      let isLower = raw.contains { $0 >= UInt8(ascii: "a") }
      return isLower ? digits.map { $0 >= UInt8(ascii: "A") ? $0 | 0x20 : $0 } : digits
    }
    return substitute(raw, secret, inText: inText, &result)
  }

  private mutating func substitute(
    _ octets: [UInt8], _ secret: Secret, inText: Bool, _ result: inout KeptFrame
  ) -> [UInt8] {
    let kept = PublicText.keptCount(octets, secret)
    guard kept < octets.count else { return octets }
    let rest = Array(octets[kept...])
    let substitute = substitutes.substitute(for: rest, inText: inText)
    if substitute != rest { result.originals.insert(rest) }
    return Array(octets[..<kept]) + substitute
  }

  // MARK: - Checksums

  private mutating func repair(
    _ frame: RedactableFrame, _ message: RedactedMessage, in edit: inout StreamEdit
  ) -> Bool {
    let range = message.ranges[0]
    switch frame.summary.dialect {
    case .p1: TextFrames.repairP1(range, in: &edit)
    case .d0: TextFrames.repairD0(range, in: &edit)
    case .sml: return repairSML(range, in: &edit)
    case .apdu: break
    case .mbus: for link in message.ranges { LinkFrames.repairMBus(link, in: &edit) }
    case .hdlc:
      for link in message.ranges {
        for address in LinkFrames.physicalAddresses(link, in: edit.original) {
          let octets = Array(edit.original[address])
          // The lowest bit of each byte says whether another follows.
          let other = zip(substitutes.substitute(for: octets), octets).map { $0 & 0xFE | $1 & 1 }
          edit.write(other, at: Array(address))
        }
        guard LinkFrames.repairHDLC(link, in: &edit) else { return false }
      }
    }
    return true
  }

  /// Replaces what the decoder passed over as well: transaction ids, signatures.
  private mutating func repairSML(_ range: Range<Int>, in edit: inout StreamEdit) -> Bool {
    guard let file = SMLRepair(range, in: edit.original) else { return false }
    for places in file.texts where places.allSatisfy({ edit.bytes[$0] == edit.original[$0] }) {
      let octets = places.map { edit.original[$0] }
      edit.write(substitutes.substitute(for: octets), at: places)
    }
    return file.repair(&edit)
  }
}

// MARK: - What is kept

/// A frame written anew.
struct KeptFrame {
  /// What it said before.
  var original: RedactableFrame
  /// Its bytes in the stream, in order.
  var ranges: [Range<Int>]
  /// Its deciphered parts as they are now.
  var plaintexts: [[UInt8]] = []
  /// The identifiers that were replaced in it.
  var originals: Set<[UInt8]> = []
  var blankedParts = 0
}

extension Redactor {
  /// Leaves out frames that do not say the same any more, and those in which an original stands.
  private func check<Published: MessageCipher & ~Copyable>(
    _ kept: inout [KeptFrame], _ edit: StreamEdit, with published: inout Published
  ) {
    let leaks = LeakSearch(Set(kept.flatMap(\.originals)))
    kept.removeAll { frame in
      let bytes = frame.ranges.flatMap { edit.written($0) }
      return ([bytes] + frame.plaintexts).contains { leaks.occurs(in: $0) }
    }
    // What is left out changes nothing in the frames that stay: each stands for itself.
    kept.removeAll { frame in
      let bytes = frame.ranges.flatMap { edit.written($0) }
      let said = Self.frames(of: bytes, with: &published)
      return said.frames.count != 1 || !said.rejections.isEmpty
        || !said.frames[0].saysTheSame(as: frame.original)
    }
  }

  private static func mask(_ kept: [KeptFrame], count: Int) -> [Bool] {
    var isKept = [Bool](repeating: false, count: count)
    for range in kept.flatMap(\.ranges) {
      for index in range where index < count { isKept[index] = true }
    }
    return isKept
  }

  private static func records(
    _ records: [Capture.Record], _ edit: StreamEdit, _ isKept: [Bool]
  ) -> [Capture.Record] {
    var start = 0
    var result: [Capture.Record] = []
    for record in records {
      let range = start..<(start + record.bytes.count)
      start = range.upperBound
      let bytes = range.filter { isKept[$0] }.flatMap { edit.written($0..<($0 + 1)) }
      if !bytes.isEmpty {
        result.append(Capture.Record(milliseconds: record.milliseconds, bytes: bytes))
      }
    }
    return result
  }
}
