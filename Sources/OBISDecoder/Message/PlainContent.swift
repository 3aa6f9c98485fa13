/// What a deciphered message is.
enum PlainContent {
  /// Data-notifications.
  case notification
  /// A P1 telegram of `count` bytes; `error` is what is wrong with its checksum.
  case telegram(count: Int, error: DecodeError?, hasChecksum: Bool)
  /// Nothing that can be believed, and why.
  case nothing(DecodeError.Code)

  /// Looks at a plaintext.
  ///
  /// Without a right tag nothing says that the key was right or that no byte was lost: then a
  /// notification must be whole to its last byte, and so must a telegram, without a wrong checksum:
  /// what stands behind it shows that a length was damaged, which then reaches into the next message.
  init(_ bytes: Span<UInt8>, isAuthentic: Bool) {
    guard bytes.count > 0 else {
      self = .nothing(.wrongKey)
      return
    }
    switch bytes[0] {
    case APDUTag.dataNotification: self = Self.notification(bytes, isAuthentic)
    case P1Header.start: self = Self.telegram(bytes, isAuthentic)
    default: self = .nothing(.wrongKey)
    }
  }

  private static func notification(_ bytes: Span<UInt8>, _ isAuthentic: Bool) -> PlainContent {
    if isAuthentic { return .notification }
    guard let fault = MessageExtent.fault(in: bytes, 0..<bytes.count) else { return .notification }
    // A wrong key makes one message in 256 begin like a notification.
    return .nothing(fault.code == .malformedHeader ? .wrongKey : fault.code)
  }

  private static func telegram(_ bytes: Span<UInt8>, _ isAuthentic: Bool) -> PlainContent {
    var framer = P1Framer()
    switch framer.finish(overTelegram: bytes) {
    case .complete(let count, let integrity):
      guard isAuthentic || count == bytes.count else { return .nothing(.trailingBytes) }
      return .telegram(count: count, error: nil, hasChecksum: integrity == .ok)
    case .damaged(let error, let count):
      guard isAuthentic else { return .nothing(error.code) }
      return .telegram(count: count, error: error, hasChecksum: false)
    case .incomplete, .notAFrame: return .nothing(.wrongKey)
    }
  }
}

/// The identification line in front of some ciphered messages.
///
///     '/' FFF B identification CR LF   as in a P1 telegram
///     CR LF                            optional blank line
///     message                          DB …, or without its tag 00 8x … (see CipheredMessage)
enum P1Header {
  static let start = UInt8(ascii: "/")
  /// Count of an empty system title, which stands where the tag is missing.
  static let emptyTitle: UInt8 = 0

  /// What the bytes behind a '/' are.
  enum Lines: Equatable {
    /// No identification line.
    case none
    /// One, so far; or the byte behind the lines has not come.
    case incomplete
    /// The identification without its '/', with its line end; `end` is behind the blank line.
    case line(Range<Int>, end: Int)
  }

  /// Looks at the lines that begin at `start`, a '/'.
  static func end(_ bytes: Span<UInt8>, from start: Int) -> Lines {
    var index = start + 1
    while index < bytes.count, bytes[index] != lineFeed {
      guard isPlausible(bytes[index], at: index - start) else { return .none }
      index += 1
    }
    guard index < bytes.count else { return .incomplete }
    guard index - start > 3 else { return .none }
    let line = (start + 1)..<(index + 1)
    while index < bytes.count, bytes[index] == carriageReturn || bytes[index] == lineFeed {
      index += 1
    }
    return index < bytes.count ? .line(line, end: index) : .incomplete
  }

  private static func isPlausible(_ byte: UInt8, at offset: Int) -> Bool {
    switch offset {
    case 1...3: byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    case Limits.identificationBytes...: false
    default: byte >= 0x20 && byte < 0x7F || byte == carriageReturn
    }
  }

  private static let carriageReturn = UInt8(ascii: "\r")
  private static let lineFeed = UInt8(ascii: "\n")
}
