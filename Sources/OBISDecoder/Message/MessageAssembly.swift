/// A message of which some frames have come and others have not.
struct MessageAssembly: ~Copyable {
  /// What it consists of so far.
  private(set) var bytes = FrameBuffer()
  /// Where that lies in the stream.
  private(set) var pieces = PieceList()
  /// Number of the segment or block that must come next.
  private(set) var next: UInt16 = 0
  /// Where in the message a frame began that looks like the beginning of another; 0 if none did.
  private(set) var restart = 0
  private var summary: FrameSummary?
  private var countBeforeRestart = 0
  private var positionOfRestart: UInt64 = 0
  /// Silences since the last frame of it.
  private var silences = 0

  init() {}

  /// Whether a message is waiting for its rest.
  var isPending: Bool { summary != nil }

  /// The message as one frame: the first frame's place, the bytes of all of them.
  var frame: FrameSummary? { summary }

  /// Appends `range` of `source`, which frame `part` brought; frame number `next` must follow.
  ///
  /// - Returns: false if it does not fit: then the message must be rejected.
  mutating func append(
    _ range: Range<Int>, of source: Span<UInt8>, _ sourcePieces: PieceList, in part: FrameSummary,
    next: UInt16
  ) -> Bool {
    if summary == nil {
      summary = part
    } else {
      summary?.count += part.count
    }
    self.next = next
    silences = 0
    let isKnown = pieces.append(range, of: sourcePieces, at: bytes.count)
    bytes.append(source, in: range)
    return isKnown && !bytes.overflowed
  }

  /// Notes that frame `part`, not yet appended, looks like the beginning of another message.
  mutating func noteRestart(_ part: FrameSummary) {
    restart = bytes.count
    countBeforeRestart = summary?.count ?? 0
    positionOfRestart = part.offset
  }

  /// Drops what stood in front of the restart; it becomes the beginning.
  ///
  /// - Returns: What was dropped.
  mutating func takeRestart() -> FrameSummary? {
    guard var dropped = summary else { return nil }
    summary?.count -= countBeforeRestart
    summary?.offset = positionOfRestart
    dropped.count = countBeforeRestart
    bytes.removeFirst(min(restart, bytes.count))
    pieces.removeFirst(restart)
    restart = 0
    return dropped
  }

  /// Counts a silence; whether there were too many to go on waiting.
  mutating func isTiredOfSilence() -> Bool {
    guard isPending else { return false }
    silences += 1
    return silences > Limits.silences
  }

  /// Forgets the message.
  mutating func removeAll() {
    bytes.removeAll()
    pieces = PieceList()
    summary = nil
    restart = 0
    silences = 0
    next = 0
  }

  /// Rejects the message, if there is one.
  mutating func reject<Sink: FrameSink & ~Copyable>(_ error: DecodeError, to sink: inout Sink) {
    guard var rejected = summary else { return }
    rejected.integrity = .bad
    sink.frameRejected(rejected, error)
    removeAll()
  }

  /// Rejects the message because a part of it is missing.
  mutating func rejectIncomplete<Sink: FrameSink & ~Copyable>(to sink: inout Sink) {
    reject(DecodeError(.segmented, at: bytes.count, expected: UInt32(next)), to: &sink)
  }
}
