/// Finds the end of a long frame of the wired M-Bus and checks its checksum.
///
/// EN 13757-2, 5.7 (FT1.2, IEC 60870-5-2):
///
///     OFFSET  SIZE  MEANING
///     0       1     start 0x68
///     1       1     L: bytes from offset 4 to the checksum
///     2       1     L again
///     3       1     start 0x68 again
///     4       L     C field, address, CI, data (see MessageLayer)
///     4+L     1     sum of those L bytes, modulo 256
///     5+L     1     stop 0x16
///
/// Sagemcom's T210-D in Lower Austria sends 257 bytes with L = 1 (`68 01 01 68`; amsreader-firmware
/// issue 155): an L that is too short, or with which the sum is wrong and which is below 16, is
/// taken for 256 more. Single characters (E5) and short frames (10 … 16) are no message and are
/// passed over as rubbish.
struct MBusFramer {
  init() {}

  /// Forgets the candidate.
  mutating func reset() { self = MBusFramer() }

  /// Whether a frame may begin with `byte`.
  static func isStart(_ byte: UInt8) -> Bool { byte == MBusHeader.start }

  /// Judges all bytes held.
  mutating func advance(over bytes: Span<UInt8>) -> FramingVerdict {
    judge(bytes, isEnd: false)
  }

  /// Judges all bytes held when no more will come.
  mutating func finish(over bytes: Span<UInt8>) -> FramingVerdict { judge(bytes, isEnd: true) }

  private func judge(_ bytes: Span<UInt8>, isEnd: Bool) -> FramingVerdict {
    switch MBusHeader.parse(bytes, at: 0) {
    case .none: .notAFrame
    case .incomplete: isEnd ? .notAFrame : .incomplete
    case .length(let length): judge(bytes, length: length, isEnd: isEnd)
    }
  }

  private func judge(_ bytes: Span<UInt8>, length: Int, isEnd: Bool) -> FramingVerdict {
    var error = DecodeError(.truncated, at: bytes.count, expected: UInt32(length + 6))
    if length >= MBusHeader.shortestLength {
      guard bytes.count >= length + 6 else {
        return isEnd ? damaged(bytes, error, held: bytes.count) : .incomplete
      }
      guard let fault = fault(bytes, length: length) else {
        return .complete(count: length + 6, integrity: .ok)
      }
      error = fault
      if length >= Self.shortestPlain { return damaged(bytes, error, held: length + 6) }
    }
    let wrapped = length + 256
    guard bytes.count >= wrapped + 6 else {
      guard isEnd else { return .incomplete }
      return damaged(
        bytes, error, held: length >= MBusHeader.shortestLength ? length + 6 : bytes.count)
    }
    guard let fault = fault(bytes, length: wrapped) else {
      return .complete(count: wrapped + 6, integrity: .ok)
    }
    let isShort = length >= MBusHeader.shortestLength
    return damaged(bytes, isShort ? error : fault, held: (isShort ? length : wrapped) + 6)
  }

  /// A shorter length may stand for 256 more; the longest seen is 257.
  private static let shortestPlain = 16

  private func fault(_ bytes: Span<UInt8>, length: Int) -> DecodeError? {
    let place = length + 4
    var sum: UInt8 = 0
    for index in 4..<place { sum = sum &+ bytes[index] }
    guard sum == bytes[place] else {
      return DecodeError(
        .checksumMismatch, at: place, expected: UInt32(sum), found: UInt32(bytes[place]))
    }
    guard bytes[place + 1] == MBusHeader.stop else {
      return DecodeError(
        .truncated, at: place + 1, expected: UInt32(MBusHeader.stop),
        found: UInt32(bytes[place + 1]))
    }
    return nil
  }

  /// Rejects those of the `held` bytes that stand before the next plausible header: where bytes were
  /// lost, the length reaches into the frame behind.
  private func damaged(
    _ bytes: Span<UInt8>, _ error: DecodeError, held: Int
  ) -> FramingVerdict {
    let extent = bytes.extracting(first: held)
    for index in 1..<held where extent[index] == MBusHeader.start {
      if MBusHeader.parse(extent, at: index) != .none { return .damaged(error, count: index) }
    }
    return .damaged(error, count: held)
  }
}

/// The fields of a long frame whose checksum is right.
struct MBusHeader {
  /// What bytes are.
  enum Parsed: Equatable {
    /// A header so far.
    case incomplete
    /// No header.
    case none
    /// A header with this length in it.
    case length(Int)
  }

  static let start: UInt8 = 0x68
  static let stop: UInt8 = 0x16
  /// C field, address and CI.
  static let shortestLength = 3
  /// Where the CI field is.
  static let control = 6

  /// The CI field.
  var information: UInt8
  /// Where the part of a DLMS message is that the frame carries.
  var content: Range<Int>

  /// Reads a whole frame.
  init(_ frame: Span<UInt8>) {
    information = frame[Self.control]
    let end = frame.count - 2
    content = min(Self.control + 3, end)..<end
  }

  /// Whether the frame carries DLMS: CI 00 … 1F, and both transport addresses.
  var isTransport: Bool { information & 0xE0 == 0 && !content.isEmpty }
  /// Number of the frame in its message.
  var number: UInt16 { UInt16(information & 0x0F) }
  /// Whether it is the last one of its message.
  var isLast: Bool { information & 0x10 != 0 }

  /// Looks at the header that may begin at `start`.
  static func parse(_ bytes: Span<UInt8>, at start: Int) -> Parsed {
    let held = bytes.count - start
    if held >= 3, bytes[start + 1] != bytes[start + 2] { return .none }
    guard held >= 4 else { return .incomplete }
    return bytes[start + 3] == Self.start ? .length(Int(bytes[start + 1])) : .none
  }
}
