/// A block of a general block transfer.
///
/// DLMS UA Green Book, 9.3.5 and 9.5 "General-Block-Transfer":
///
///     SIZE  MEANING
///     1     APDU tag: E0
///     1     block control: bit 7 last block, bit 6 streaming, bits 0 … 5 window
///     2     block number, from 1
///     2     block number acknowledged; 0 in a push
///     1…5   length of the data
///     n     block data: the next bytes of the message
struct TransferBlock: Equatable {
  /// Its number, from 1.
  var number: UInt16
  /// Whether it is the last one.
  var isLast: Bool
  /// Where its data is.
  var data: Range<Int>

  /// Reads the block at `offset`, its tag.
  init(parsing bytes: Span<UInt8>, at offset: Int, to end: Int) throws(DecodeError) {
    var cursor = MessageCursor(offset: offset, end: end)
    try cursor.skip(1)
    isLast = try cursor.byte(in: bytes) & 0x80 != 0
    number = UInt16(try cursor.byte(in: bytes)) << 8 | UInt16(try cursor.byte(in: bytes))
    try cursor.skip(2)
    let count = try cursor.length(in: bytes)
    let start = cursor.offset
    try cursor.skip(count)
    data = start..<cursor.offset
    guard number > 0, count > 0 else {
      throw DecodeError(.malformedHeader, at: offset, found: UInt32(number))
    }
  }
}

/// Puts the blocks of general block transfers together.
///
/// Two transfers may be under way, because a meter begins its five-second push while a longer one
/// is not over. A block names no transfer: it goes to the one with the addresses of its frame (E450
/// pushes to CE FF and to CE 9B) that waits for its number, and if both do, to the one whose message
/// stays sound with it, else to the younger. A transfer that a meter
/// broke off and began anew (E450) is the older of the two, and is given up in time.
struct BlockLayer: ~Copyable {
  private var first = MessageAssembly()
  private var second = MessageAssembly()
  /// Which of the two began last.
  private var isFirstYounger = false
  private var firstAddresses: UInt64 = 0
  private var secondAddresses: UInt64 = 0
  /// The HDLC addresses of the frame in hand, 0 where it has none.
  var addresses: UInt64 = 0

  init() {}

  /// Whether a transfer waits for its rest.
  var isPending: Bool { first.isPending || second.isPending }

  /// Takes the blocks that fill `range`, of which at least one is; what they complete goes to
  /// `sink` by `reader`.
  ///
  /// - Returns: why their frame must be rejected.
  // Called from two places; once is enough for a small board.
  @inline(never)
  mutating func take<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ bytes: Span<UInt8>, in range: Range<Int>, _ summary: FrameSummary, pieces: PieceList,
    by reader: inout CipherLayer, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    if let error = Self.fault(in: bytes, range) { return error }
    // Each block has its own bytes; what stands around them goes with the first one.
    var part = summary
    part.count -= range.count
    var offset = range.lowerBound
    while offset < range.upperBound,
      let block = try? TransferBlock(parsing: bytes, at: offset, to: range.upperBound)
    {
      part.count += block.data.upperBound - offset
      if block.number == 1 { begin(to: &sink) }
      guard let isFirst = choose(block, bytes, trial: &reader.plaintext) else {
        let error = outOfOrder(block, at: offset)
        rejectAll(error, to: &sink)
        if offset == range.lowerBound { return error }
        part.count = range.upperBound - offset
        part.integrity = .bad
        sink.frameRejected(part, error)
        return nil
      }
      if isFirst {
        Self.append(
          block, bytes, pieces, part, to: &first, by: &reader, with: &cipher, to: &sink)
      } else {
        Self.append(
          block, bytes, pieces, part, to: &second, by: &reader, with: &cipher, to: &sink)
      }
      offset = block.data.upperBound
      part.offset = pieces.position(of: offset) ?? part.offset
      part.count = 0
    }
    return nil
  }

  /// Rejects what waits, because a part of it is missing.
  mutating func rejectAll<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    if isFirstYounger { second.rejectIncomplete(to: &sink) }
    first.rejectIncomplete(to: &sink)
    second.rejectIncomplete(to: &sink)
  }

  /// Counts a silence for what waits.
  mutating func noteSilence<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    if first.isTiredOfSilence() { first.rejectIncomplete(to: &sink) }
    if second.isTiredOfSilence() { second.rejectIncomplete(to: &sink) }
  }

  private mutating func rejectAll<Sink: FrameSink & ~Copyable>(
    _ error: DecodeError, to sink: inout Sink
  ) {
    if isFirstYounger { second.reject(error, to: &sink) }
    first.reject(error, to: &sink)
    second.reject(error, to: &sink)
  }

  /// Makes room for another transfer; if there is none, the one goes that alone has the same
  /// addresses, else the older one.
  private mutating func begin<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    let isOneOwn = (firstAddresses == addresses) != (secondAddresses == addresses)
    let yieldsFirst = isOneOwn ? firstAddresses == addresses : !isFirstYounger
    let takesFirst = !first.isPending || (second.isPending && yieldsFirst)
    if takesFirst {
      first.rejectIncomplete(to: &sink)
      firstAddresses = addresses
    } else {
      second.rejectIncomplete(to: &sink)
      secondAddresses = addresses
    }
    isFirstYounger = takesFirst
  }

  /// Which transfer a block goes to: true the first, false the second, nil neither.
  private func choose(
    _ block: TransferBlock, _ bytes: Span<UInt8>, trial: inout FrameBuffer
  ) -> Bool? {
    if block.number == 1 { return isFirstYounger }
    let fitsFirst =
      first.isPending && first.next == block.number && firstAddresses == addresses
    let fitsSecond =
      second.isPending && second.next == block.number && secondAddresses == addresses
    guard fitsFirst, fitsSecond else { return fitsFirst ? true : fitsSecond ? false : nil }
    let staysSound =
      isFirstYounger
      ? Self.staysSound(first, with: block, bytes, trial: &trial)
      : Self.staysSound(second, with: block, bytes, trial: &trial)
    return staysSound ? isFirstYounger : !isFirstYounger
  }

  /// Whether the message of `assembly` may go on, or end, with `block`.
  private static func staysSound(
    _ assembly: borrowing MessageAssembly, with block: TransferBlock, _ bytes: Span<UInt8>,
    trial: inout FrameBuffer
  ) -> Bool {
    trial.removeAll()
    assembly.bytes.withBytes { held in trial.append(held) }
    trial.append(bytes, in: block.data)
    return trial.withBytes { message in
      switch MessageExtent.scan(message, from: 0, to: message.count) {
      case .complete(let end): block.isLast && end == message.count
      case .incomplete: !block.isLast
      case .invalid: false
      }
    }
  }

  @inline(never)
  private static func append<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ block: TransferBlock, _ bytes: Span<UInt8>, _ pieces: PieceList, _ part: FrameSummary,
    to assembly: inout MessageAssembly, by reader: inout CipherLayer,
    with cipher: inout Cipher, to sink: inout Sink
  ) {
    let fits = assembly.append(
      block.data, of: bytes, pieces, in: part, next: block.number &+ 1)
    guard fits else {
      assembly.reject(DecodeError(.tooLong, at: assembly.bytes.count), to: &sink)
      return
    }
    guard block.isLast, let frame = assembly.frame else { return }
    let error = read(assembly, frame, by: &reader, with: &cipher, to: &sink)
    if let error { assembly.reject(error, to: &sink) }
    assembly.removeAll()
  }

  private static func read<Sink: FrameSink & ~Copyable, Cipher: MessageCipher & ~Copyable>(
    _ assembly: borrowing MessageAssembly, _ frame: FrameSummary,
    by reader: inout CipherLayer, with cipher: inout Cipher, to sink: inout Sink
  ) -> DecodeError? {
    let pieces = assembly.pieces
    return assembly.bytes.withBytes { message in
      reader.read(
        message, in: 0..<message.count, frame, pieces: pieces, isCovered: false, with: &cipher,
        to: &sink)
    }
  }

  /// Why `range` is not filled by blocks; nil if it is.
  private static func fault(in bytes: Span<UInt8>, _ range: Range<Int>) -> DecodeError? {
    var offset = range.lowerBound
    do throws(DecodeError) {
      while offset < range.upperBound {
        guard bytes[offset] == APDUTag.generalBlockTransfer else {
          throw DecodeError(.trailingBytes, at: offset, found: UInt32(bytes[offset]))
        }
        offset = try TransferBlock(parsing: bytes, at: offset, to: range.upperBound)
          .data.upperBound
      }
    } catch {
      return error
    }
    return nil
  }

  private func outOfOrder(_ block: TransferBlock, at offset: Int) -> DecodeError {
    let isFirst = first.isPending && (isFirstYounger || !second.isPending)
    let expected = isFirst ? first.next : second.isPending ? second.next : 1
    return DecodeError(
      .blockOutOfOrder, at: offset, expected: UInt32(expected), found: UInt32(block.number))
  }
}
