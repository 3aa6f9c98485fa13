/// Where a run of a message's bytes lies in the stream.
public struct MessagePiece: Equatable, Sendable, BitwiseCopyable {
  /// Where the run begins in the message.
  public var offset: Int
  /// How many bytes it has.
  public var count: Int
  /// Position in the stream of its first byte, counted from the decoder's first byte.
  public var position: UInt64

  /// Makes a piece.
  public init(offset: Int, count: Int, position: UInt64) {
    self.offset = offset
    self.count = count
    self.position = position
  }
}

/// What was ciphered in a message, and where: all that is needed to cipher it again.
public struct CipheredPart: Equatable, Sendable {
  /// What stood in clear in front of it.
  public var header: CipherHeader
  /// The bytes of the message that were deciphered.
  public var ciphertext: Range<Int>
  /// The bytes of its authentication tag; empty if it has none.
  public var tag: Range<Int>

  /// Makes a part.
  public init(header: CipherHeader, ciphertext: Range<Int>, tag: Range<Int>) {
    self.header = header
    self.ciphertext = ciphertext
    self.tag = tag
  }
}

/// The pieces of the stream that a message was put together from, in the order of its bytes.
struct PieceList: BitwiseCopyable {
  private struct Piece: BitwiseCopyable {
    var position: UInt64 = 0
    var offset: UInt16 = 0
    var count: UInt16 = 0
  }

  /// `Limits.pieces` places.
  private var pieces: [32 of Piece] = .init(repeating: Piece())
  private(set) var count = 0

  /// An empty list.
  init() {}

  /// A message that is one frame of `count` bytes from `position` of the stream on.
  init(frameAt position: UInt64, count: Int) { append(position, offset: 0, count: count) }

  /// Appends `range` of a message made of `source`; it comes to lie at `offset` of this message.
  ///
  /// - Returns: false, and the list is of no use, if it has more than `Limits.pieces`.
  mutating func append(_ range: Range<Int>, of source: PieceList, at offset: Int) -> Bool {
    for index in 0..<source.count {
      let piece = source.pieces[index]
      let start = max(range.lowerBound, Int(piece.offset))
      let end = min(range.upperBound, Int(piece.offset) + Int(piece.count))
      guard start < end else { continue }
      guard count < Limits.pieces, count < pieces.count else { return false }
      append(
        piece.position + UInt64(start - Int(piece.offset)),
        offset: offset + start - range.lowerBound, count: end - start)
    }
    return true
  }

  /// Drops the first `length` bytes of the message.
  mutating func removeFirst(_ length: Int) {
    let old = self
    self = PieceList()
    guard old.count > 0 else { return }
    let last = old.pieces[old.count - 1]
    // As many pieces at most as before.
    _ = append(length..<(Int(last.offset) + Int(last.count)), of: old, at: 0)
  }

  /// Where in the stream byte `offset` of the message lies; nil if it has no such byte.
  func position(of offset: Int) -> UInt64? {
    for index in 0..<count {
      let piece = pieces[index]
      let place = offset - Int(piece.offset)
      if place >= 0, place < Int(piece.count) { return piece.position + UInt64(place) }
    }
    return nil
  }

  /// Tells `sink` of each piece.
  func report<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    for index in 0..<count {
      let piece = pieces[index]
      sink.piece(
        MessagePiece(
          offset: Int(piece.offset), count: Int(piece.count), position: piece.position))
    }
  }

  private mutating func append(_ position: UInt64, offset: Int, count length: Int) {
    // A message is no longer than `Limits.frameBytes`.
    pieces[count] = Piece(
      position: position, offset: UInt16(truncatingIfNeeded: offset),
      count: UInt16(truncatingIfNeeded: length))
    count += 1
  }
}
