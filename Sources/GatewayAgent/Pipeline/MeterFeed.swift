import ModbusMeters
import OBISDecoder
import PrivacyFilter

/// One meter: its port, its decoder, what its last frame said, and whether it is fresh.
///
/// A class, because the loop's callbacks and the pipeline share it. Bytes in, snapshots out; nothing
/// here knows of grants or brokers.
final class MeterFeed: FrameSink {
  /// Silence after which held bytes are taken as a complete frame or as rubbish, in milliseconds.
  ///
  /// P1 and HDLC send a frame without pauses; the longest gap seen is a USB adapter's 16 ms latency
  /// timer. Pauses between the frames of one message are the decoder's business.
  static let idleMilliseconds = 250

  /// Frames without checksum in a row after which the meter counts as one that sends none.
  static let framesToForgetChecksums = 10

  /// The meter's number among the agent's sources.
  let source: UInt8
  let configuration: Configuration.Meter
  /// What the last frame said.
  private(set) var snapshot = Snapshot()
  /// Good frames since the start.
  private(set) var frames: UInt64 = 0
  /// Damaged frames since the start.
  private(set) var rejected: UInt64 = 0
  /// Lines or elements that could not be read, in good frames.
  private(set) var problems: UInt64 = 0
  /// Bytes that belonged to no frame.
  private(set) var discardedBytes: UInt64 = 0
  /// Readings and texts of no known quantity: they are never released.
  private(set) var unknownDropped: UInt64 = 0
  /// When the last good frame was complete, gateway time; nil before the first.
  private(set) var lastFrameAt: Int64?
  private(set) var lastError: DecodeError.Code?
  /// How long the last cycle of a Modbus meter took, from the moment when it was due.
  private(set) var cycleMilliseconds: Int64?
  /// How the meter's encryption is.
  private(set) var cipherWatch: CipherWatch
  private(set) var portState: InputState?

  /// Called for each good frame, when `snapshot` is complete.
  var onFrame: (MeterFeed) -> Void = { _ in }
  /// Called when the port's state changes.
  var onPort: (MeterFeed) -> Void = { _ in }
  /// Called when it turns out that frames cannot be deciphered, and when the reason changes.
  var onCipherTrouble: (MeterFeed) -> Void = { _ in }
  /// Called once when no good frame has come for `stale_after_seconds`.
  var onStale: (MeterFeed) -> Void = { _ in }

  private let clock: GatewayClock
  /// Nil for a meter on a bus, which is asked: `ModbusBus` hands over what it says.
  private let input: Input?
  private var decoder: MeterDecoder
  private var keys: MeterKeys
  private let vault: VaultHandle
  private var idle: Timer?
  private var staleness: Timer?
  private var isInFrame = false
  private var hasReading = false
  private var hasUnreadCipher = false
  private var sendsChecksums = false
  private var framesWithoutChecksum = 0
  private var receivedAt: Int64 = 0
  private var lastByteAt: Int64 = 0
  private var lastFrameMonotonic: Int64

  init(
    source: UInt8, _ configuration: Configuration.Meter, keys: consuming MeterKeys,
    vault: VaultHandle, clock: GatewayClock, on loop: EventLoop
  ) {
    self.source = source
    self.configuration = configuration
    self.vault = vault
    self.clock = clock
    self.keys = keys
    cipherWatch = CipherWatch(source: source)
    decoder = MeterDecoder(configuration.decoderOptions)
    input = configuration.modbus == nil ? Input(configuration.input, on: loop) : nil
    lastFrameMonotonic = GatewayClock.monotonicMilliseconds()
    idle = loop.timer { [unowned self] in lineIdle() }
    staleness = loop.timer { [unowned self] in checkFreshness() }
  }

  /// Opens the port.
  func start() {
    input?.onBytes = { [unowned self] bytes, _ in take(bytes) }
    input?.onSignOn = { [unowned self] in tell($0) }
    input?.onState = { [unowned self] in note($0) }
    staleness?.arm(afterMilliseconds: staleMilliseconds)
    input?.start()
  }

  /// Closes the port.
  func stop() {
    idle?.cancel()
    staleness?.cancel()
    input?.stop()
  }

  /// Takes note of how its port, or its bus, is.
  func note(_ state: InputState) {
    portState = state
    if state == .ended { lineIdle() }
    onPort(self)
  }

  // MARK: - Cycles

  /// Takes what a cycle brought from a Modbus meter: a frame like any other.
  func take(_ cycle: MeterCycle) {
    receivedAt = clock.now()
    cycleMilliseconds = cycle.endedAt - cycle.dueAt
    let bytes = cycle.bytes.span
    for reading in cycle.readings { self.reading(reading, in: bytes) }
    for secret in cycle.secrets { self.secret(secret, in: bytes) }
    if cycle.rejected + cycle.failedBlocks > 0 {
      problems &+= UInt64(cycle.rejected + cycle.failedBlocks)
      lastError = .malformedValue
      snapshot.recordProblem()
    }
    isInFrame = false
    complete(meterTime: nil)
  }

  // MARK: - Bytes

  /// Takes what the port received, in pieces of any size.
  func take(_ bytes: Span<UInt8>) {
    receivedAt = clock.now()
    lastByteAt = GatewayClock.monotonicMilliseconds()
    var sink = self
    decoder.push(bytes, with: &keys, to: &sink)
    if decoder.isMidFrame, idle?.isArmed == false {
      idle?.arm(afterMilliseconds: idleMilliseconds)
    }
  }

  /// Logs why there was no readout, with what was found or where it was expected.
  private func tell(_ fault: SignOnFault) {
    switch fault {
    case .noIdentification(let bytes):
      Log.event(.warning, "NO_IDENTIFICATION", Int64(source), Int64(bytes))
    case .malformedIdentification: Log.event(.warning, "MALFORMED_IDENTIFICATION", Int64(source))
    case .noData(let speed): Log.event(.warning, "NO_READOUT", Int64(source), Int64(speed))
    }
  }

  /// Readouts may pause for as long as their standard lets a meter react (IEC 62056-21, 6.4.3.1).
  private var idleMilliseconds: Int {
    configuration.dialect == .d0 ? SignOn.answerMilliseconds : Self.idleMilliseconds
  }

  private func lineIdle() {
    let quiet = Int(GatewayClock.monotonicMilliseconds() - lastByteAt)
    guard quiet >= idleMilliseconds || portState == .ended else {
      idle?.arm(afterMilliseconds: idleMilliseconds - quiet)
      return
    }
    var sink = self
    guard portState != .ended else {
      decoder.finish(with: &keys, to: &sink)
      return
    }
    decoder.idle(with: &keys, to: &sink)
    // A message may wait for its other frames.
    if decoder.isMidFrame { idle?.arm(afterMilliseconds: Self.idleMilliseconds) }
  }

  // MARK: - Freshness

  /// Real milliseconds of silence that make the meter stale.
  private var staleMilliseconds: Int { configuration.staleAfterSeconds * 1000 / clock.rate }

  /// Whether a good frame has come within `stale_after_seconds`, with a second of grace.
  var isFresh: Bool { silentMilliseconds < staleMilliseconds + 1000 }

  private var silentMilliseconds: Int {
    Int(GatewayClock.monotonicMilliseconds() - lastFrameMonotonic)
  }

  private func checkFreshness() {
    let silent = silentMilliseconds
    if silent >= staleMilliseconds {
      onStale(self)
    } else {
      staleness?.arm(afterMilliseconds: staleMilliseconds - silent)
    }
  }

  // MARK: - FrameSink

  func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    begin()
    hasReading = true
    snapshot.record(reading)
  }

  func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    begin()
    if secret.kind == .unknown { unknownDropped &+= 1 }
    vault.insert(secret, in: bytes, source: source)
  }

  func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    begin()
    if error.code == .encrypted { hasUnreadCipher = true }
    problems &+= 1
    lastError = error.code
    snapshot.recordProblem()
  }

  func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    begin()
    isInFrame = false
    if hasUnreadCipher, !hasReading {
      // Its framing is sound, but it said nothing: such a meter is not fresh.
      lastError = .encrypted
      return note(.needsKey)
    }
    guard isTrustworthy(summary.integrity) else {
      rejected &+= 1
      lastError = .malformedChecksum
      Log.event(.warning, "CHECKSUM_MISSING", Int64(source))
      return
    }
    cipherWatch.noteGood(summary)
    complete(meterTime: summary.meterTime)
  }

  private func complete(meterTime: MeterTime?) {
    frames &+= 1
    lastFrameAt = receivedAt
    lastFrameMonotonic = GatewayClock.monotonicMilliseconds()
    if staleness?.isArmed == false { staleness?.arm(afterMilliseconds: staleMilliseconds) }
    snapshot.meterTime = meterTime
    snapshot.end()
    unknownDropped &+= UInt64(snapshot.unknownCount)
    onFrame(self)
  }

  /// Whether a frame may count: one without checksum may not, from a meter that sends them.
  ///
  /// A damaged checksum can look like none at all. Only many such frames in a row mean that another
  /// meter was plugged in.
  private func isTrustworthy(_ integrity: Integrity) -> Bool {
    if integrity == .ok {
      framesWithoutChecksum = 0
      sendsChecksums = true
    } else if sendsChecksums {
      framesWithoutChecksum += 1
      sendsChecksums = framesWithoutChecksum < Self.framesToForgetChecksums
    }
    return integrity == .ok || !sendsChecksums
  }

  func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    isInFrame = false
    rejected &+= 1
    lastError = error.code
    if let trouble = CipherWatch.Trouble(error.code) { return note(trouble) }
    Log.event(
      .warning, "FRAME_REJECTED", Int64(source), Int64(error.code.rawValue), Int64(error.offset))
  }

  func discarded(_ count: Int, at offset: UInt64) {
    discardedBytes &+= UInt64(count)
  }

  private func note(_ trouble: CipherWatch.Trouble) {
    if cipherWatch.note(trouble) { onCipherTrouble(self) }
  }

  private func begin() {
    guard !isInFrame else { return }
    isInFrame = true
    hasReading = false
    hasUnreadCipher = false
    snapshot.begin(source: source, sequence: frames &+ 1, receivedAt: receivedAt)
    snapshot.standardOffsetMinutes = configuration.clockOffsetMinutes
  }
}
