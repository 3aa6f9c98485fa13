/// The family of frames that a meter sends.
public enum Dialect: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// P1 text telegram (DSMR, e-MUCS, Swedish and Finnish HAN text).
  case p1
  /// DLMS in HDLC frames.
  case hdlc
  /// DLMS in frames of the wired M-Bus.
  case mbus
  /// A DLMS message without a link layer, as TCP and MQTT bridges deliver it, or ciphered P1.
  case apdu
  /// Smart Message Language.
  case sml
  /// IEC 62056-21 readout (D0).
  case d0

  /// The dialect's name in documents and on the command line.
  public var name: StaticString {
    switch self {
    case .p1: "p1"
    case .hdlc: "hdlc"
    case .mbus: "mbus"
    case .apdu: "apdu"
    case .sml: "sml"
    case .d0: "d0"
    }
  }
}

/// What the frame's checksum says.
public enum Integrity: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// Checksum present and right.
  case ok
  /// Checksum present and wrong: no reading is ever delivered with this.
  case bad
  /// The meter sends none.
  case absent

  /// The name in documents.
  public var name: StaticString {
    switch self {
    case .ok: "ok"
    case .bad: "bad"
    case .absent: "absent"
    }
  }
}

/// How far a frame's content is known to come from the meter.
public enum Trust: UInt8, Equatable, Sendable, BitwiseCopyable {
  /// Sent without encryption.
  case clear
  /// Deciphered, and its authentication tag was not checked: there is none, or no key for it.
  case decrypted
  /// Its authentication tag is right.
  case authenticated

  /// The name in documents.
  public var name: StaticString {
    switch self {
    case .clear: "clear"
    case .decrypted: "decrypted"
    case .authenticated: "authenticated"
    }
  }
}

/// A frame as a whole: kind, place in the stream, integrity, trust, the meter's own clock.
///
/// A message that a meter sends in several frames (HDLC segments, M-Bus sequences, block transfer)
/// counts as one frame: `offset` is where the first begins, `count` the bytes of all.
public struct FrameSummary: Equatable, Sendable, BitwiseCopyable {
  /// Which family.
  public var dialect: Dialect
  /// Position of its first byte in the stream, counted from the decoder's first byte.
  public var offset: UInt64
  /// Its length in bytes, line end or closing flag included.
  public var count: Int
  /// What its checksum says.
  public var integrity: Integrity
  /// How far its content is known to come from the meter.
  public var trust = Trust.clear
  /// Whether its invocation counter is not above the one before: recorded and played again, or
  /// another meter.
  public var isReplay = false
  /// The meter's clock, nil if it sent none or one that is not set.
  public var meterTime: MeterTime?

  /// Makes the summary of a frame sent without encryption.
  public init(
    dialect: Dialect, offset: UInt64, count: Int, integrity: Integrity, meterTime: MeterTime?
  ) {
    self.dialect = dialect
    self.offset = offset
    self.count = count
    self.integrity = integrity
    self.meterTime = meterTime
  }
}

/// Receives what a decoder finds, in this order for each frame:
/// any number of `piece` and `deciphered`, then of `reading`, `secret` and `problem`, then one
/// `frameEnded`; or one `frameRejected`.
///
/// `bytes` is what the offsets of that call count in, and lives only for the call: the whole frame,
/// or the message that was put together from several frames or deciphered. A frame whose checksum is
/// wrong brings `frameRejected` and nothing else.
public protocol FrameSink: ~Copyable {
  /// Where a piece of the frame's message lies in the stream, in the order of the message's bytes.
  ///
  /// Only for a message that was put together or deciphered: any other is the frame itself.
  mutating func piece(_ piece: MessagePiece)
  /// A part of the message was deciphered: what follows is about its plaintext.
  mutating func deciphered(_ part: CipheredPart)
  /// A value of the frame.
  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>)
  /// An identifier of the frame.
  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>)
  /// A part of the frame that could not be read; the other parts still are.
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>)
  /// The end of a frame whose checksum is right or absent.
  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>)
  /// A frame that cannot be used at all: `summary.integrity` is `bad`, or the frame has no end.
  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError)
  /// `count` bytes from `offset` of the stream on belonged to no frame.
  mutating func discarded(_ count: Int, at offset: UInt64)
}

extension FrameSink where Self: ~Copyable {
  /// Ignores it.
  public mutating func piece(_ piece: MessagePiece) {}
  /// Ignores it.
  public mutating func deciphered(_ part: CipheredPart) {}
}
