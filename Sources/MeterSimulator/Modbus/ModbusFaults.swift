/// What goes wrong on a simulated Modbus line, and how fast it is; chances are in per cent of replies.
public struct ModbusFaults: Equatable, Sendable {
  /// Chance of a reply that comes late.
  public var latePercent = 0
  /// How late it comes.
  public var lateMilliseconds = 0
  /// Chance of no reply.
  public var lostPercent = 0
  /// Chance of a reply with one bit changed.
  public var corruptPercent = 0
  /// Chance of a reply that names another unit.
  public var otherUnitPercent = 0
  /// Chance of exception 6, server device busy.
  public var busyPercent = 0
  /// Bytes that come in front of every reply.
  public var stray: [UInt8] = []
  /// Registers for which it answers exception 2.
  public var holes: [ClosedRange<Int>] = []
  /// Registers for which it does not answer.
  public var silentHoles: [ClosedRange<Int>] = []
  /// Most registers of one request; more are exception 3.
  public var mostRegisters = 125
  /// What the meter takes to answer.
  public var turnaroundMilliseconds = 0
  /// Bits in a second, ten for a character; 0 sends as fast as it can.
  public var baud = 0
  /// A connection is closed so many seconds after it was made; 0 never.
  public var dropSeconds = 0
  /// Whether a second connection is refused while there is one.
  public var isSingle = false

  /// Nothing goes wrong.
  public init() {}
}
