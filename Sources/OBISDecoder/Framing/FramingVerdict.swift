/// What a framer says of the bytes held, the first of which may begin a frame.
enum FramingVerdict: Equatable {
  /// Plausible so far: more bytes are needed.
  case incomplete
  /// The first `count` bytes are a frame whose checksum is right or absent.
  case complete(count: Int, integrity: Integrity)
  /// The first `count` bytes were meant as a frame and cannot be used.
  case damaged(DecodeError, count: Int)
  /// The first byte begins no frame: look for another start behind it.
  case notAFrame
}
