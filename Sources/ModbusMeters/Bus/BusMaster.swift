/// One bus and the meters on it: what to send and when, as a machine that is told bytes and time.
///
/// Whoever drives it asks `next` what to do, does it, and tells what came of it. It opens and closes
/// nothing itself, so its rules about time are tested without a line. All times are milliseconds of a
/// clock that nobody steps.
public struct BusMaster: Sendable {
  /// What to do next.
  public enum Action: Equatable, Sendable {
    /// Open the line, then tell `opened` or `failedToOpen`.
    case open
    /// Close it.
    case close
    /// Send this.
    case send([UInt8])
    /// Wait for bytes until then, and ask again.
    case wait(until: Int64)
  }

  /// What became of a unit.
  public enum Event: Sendable {
    /// A cycle brought values.
    case cycle(unit: Int, MeterCycle)
    /// It answers again, or for the first time may.
    case reachable(unit: Int)
    /// It gives no answer.
    case silent(unit: Int)
    /// It is another meter than the profile's.
    case otherMeter(unit: Int)
  }

  /// A meter on the bus.
  public struct Unit: Sendable {
    /// Its registers.
    public var profile: MeterProfile
    /// Its address.
    public var address: UInt8
    /// From the start of a cycle to the start of the next.
    public var intervalMilliseconds: Int

    /// Makes a unit.
    public init(profile: MeterProfile, address: UInt8, intervalMilliseconds: Int) {
      self.profile = profile
      self.address = address
      self.intervalMilliseconds = intervalMilliseconds
    }
  }

  /// Time that bytes take on the line; nothing on a network.
  public struct Pace: Equatable, Sendable {
    /// Microseconds for a character; 0 on a network.
    public var microsecondsPerByte: Int

    /// A network's.
    public static let network = Pace(microsecondsPerByte: 0)

    private init(microsecondsPerByte: Int) { self.microsecondsPerByte = microsecondsPerByte }

    /// A serial line's: a start bit, eight data bits, and what the settings add.
    public init(_ serial: SerialDefaults) {
      let bits = 9 + serial.stopBits + (serial.parity == .none ? 0 : 1)
      microsecondsPerByte = bits * 1_000_000 / max(serial.baud, 300)
    }

    func milliseconds(_ count: Int) -> Int64 { Int64(count * microsecondsPerByte / 1000) }
    /// The silence that ends a frame: 3.5 characters, 1.75 ms above 19 200 baud (V1.02, 2.5.1.1).
    var silence: Int64 {
      microsecondsPerByte == 0 ? 0 : Int64(max(microsecondsPerByte * 7 / 2, 1750) / 1000) + 1
    }
  }

  /// Longest wait before a line or a unit that failed is tried again.
  public static let longestWait: Int64 = 60_000
  /// Longest time that a line is listened to until it is silent.
  static let longestDrain: Int64 = 5000

  private struct Slot: Sendable {
    let unit: Unit
    var session: MeterSession
    /// When its next cycle begins; the least number says at once, whenever that is.
    var dueAt: Int64 = .min
    /// What it is left alone for after a failure, 0 while all is well.
    var wait: Int64 = 0
    /// What was said of it last.
    var isReachable: Bool?
  }

  private enum Line: Equatable {
    case closed(until: Int64)
    case open
  }

  private enum Exchange: Equatable {
    case none
    case awaiting(deadline: Int64)
    case draining(silence: Int64, since: Int64)
  }

  /// Cycles that ended behind the moment when the unit's next one was due.
  public private(set) var lateCycles: UInt64 = 0
  /// Requests without a whole reply.
  public private(set) var lostReplies: UInt64 = 0

  private let framing: ModbusFraming
  private let pace: Pace
  private var slots: [Slot]
  private var receiver: ReplyReceiver
  private var line = Line.closed(until: .min)
  private var exchange = Exchange.none
  private var active: Int?
  private var lastUnit: Int?
  private var transaction: UInt16 = 0
  private var lastByteAt: Int64 = .min
  private var openWait: Int64 = 0
  private var events: [Event] = []

  /// Makes a bus whose line is closed.
  public init(_ units: [Unit], framing: ModbusFraming, pace: Pace) {
    self.framing = framing
    self.pace = pace
    receiver = ReplyReceiver(framing)
    slots = units.map {
      Slot(unit: $0, session: MeterSession($0.profile, resyncs: framing == .rtu))
    }
  }

  /// Bytes that belonged to no reply.
  public var strayBytes: UInt64 { receiver.strayCount }

  /// Hands over what has happened since the last call.
  public mutating func takeEvents() -> [Event] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  // MARK: - The line

  /// The line is open: whoever is at its other end may be somebody else now.
  public mutating func opened(at now: Int64) {
    line = .open
    exchange = .none
    active = nil
    lastUnit = nil
    lastByteAt = now
    for index in slots.indices {
      slots[index].session.reconnect()
      if slots[index].wait == 0 { slots[index].dueAt = .min }
      if slots[index].isReachable == nil { note(index, isReachable: true) }
    }
  }

  /// It could not be opened.
  public mutating func failedToOpen(at now: Int64) {
    openWait = BusMaster.longer(openWait)
    close(until: now + openWait)
    for index in slots.indices { slots[index].isReachable = nil }
  }

  /// It broke, or the other side closed it.
  public mutating func lost(at now: Int64) {
    // Tried again at once where it worked; then with longer and longer waits.
    close(until: now + openWait)
    openWait = BusMaster.longer(openWait)
    for index in slots.indices { slots[index].isReachable = nil }
  }

  /// What was not there may have come back: try again now.
  public mutating func retryNow() {
    if case .closed = line { line = .closed(until: .min) }
    for index in slots.indices where slots[index].wait > 0 { slots[index].dueAt = .min }
  }

  private mutating func close(until: Int64) {
    line = .closed(until: until)
    exchange = .none
    active = nil
  }

  private static func longer(_ wait: Int64) -> Int64 { min(max(1000, wait * 2), longestWait) }

  // MARK: - Turns

  /// What to do now.
  public mutating func next(at now: Int64) -> Action {
    if case .closed(let until) = line { return now >= until ? .open : .wait(until: until) }
    while true {
      switch exchange {
      case .awaiting(let deadline):
        if now < deadline { return .wait(until: deadline) }
        lose(at: now)
      case .draining(let silence, let since):
        let end = min(max(lastByteAt, since) + silence, since + BusMaster.longestDrain)
        if now < end { return .wait(until: end) }
        exchange = .none
      case .none:
        if let action = turn(at: now) { return action }
      }
    }
  }

  /// Takes bytes from the line.
  public mutating func received(_ bytes: some Sequence<UInt8>, at now: Int64) {
    lastByteAt = now
    let reply = receiver.take(bytes)
    guard case .awaiting = exchange, let index = active, let reply else { return }
    exchange = .none
    openWait = 0
    switch reply {
    case .words(let words): slots[index].session.answer(words)
    case .exception(let code): slots[index].session.refuse(code)
    }
  }

  /// Goes on with the unit whose turn it is; nil where another look is needed.
  private mutating func turn(at now: Int64) -> Action? {
    guard let index = active ?? firstDue else { return .wait(until: now + BusMaster.longestWait) }
    if active == nil {
      guard now >= slots[index].dueAt else { return .wait(until: slots[index].dueAt) }
      active = index
      if slots[index].dueAt == .min { slots[index].dueAt = now }
      slots[index].session.begin(asksOnce: slots[index].isReachable == false)
    }
    guard let block = slots[index].session.request else { return finish(index, at: now) }
    let limits = slots[index].session.limits
    let isSame = lastUnit == nil || lastUnit == index
    let gap = max(
      Int64(isSame ? limits.minGapMilliseconds : limits.unitGapMilliseconds), pace.silence)
    guard now >= lastByteAt + gap else { return .wait(until: lastByteAt + gap) }
    transaction &+= 1
    let request = ModbusRequest(
      block, unit: slots[index].unit.address, transaction: transaction)
    receiver.expect(request)
    let bytes = request.bytes(framing)
    let onLine = pace.milliseconds(bytes.count + request.replyCount(framing))
    exchange = .awaiting(
      deadline: now + timeout(limits) + onLine + onLine / 4)
    lastByteAt = now + pace.milliseconds(bytes.count)
    lastUnit = index
    return .send(bytes)
  }

  private var firstDue: Int? { slots.indices.min { slots[$0].dueAt < slots[$1].dueAt } }

  /// No reply in time: on a serial line it may still come, and must not be taken for another.
  private mutating func lose(at now: Int64) {
    lostReplies &+= 1
    exchange = .none
    guard let index = active else { return }
    if framing == .rtu {
      exchange = .draining(silence: drain(index), since: now)
    }
    slots[index].session.lose()
  }

  /// How long the line has to be silent behind a reply that did not come.
  ///
  /// A unit that was silent before is asked once and left alone; the others need not wait for it, since
  /// whatever it still says names itself.
  private func drain(_ index: Int) -> Int64 {
    let slot = slots[index]
    if slot.session.isFragile { return BusMaster.longestDrain }
    if slot.isReachable == false { return pace.silence }
    return max(timeout(slot.session.limits), pace.silence)
  }

  private func timeout(_ limits: RequestLimits) -> Int64 {
    Int64(limits.timeout(onNetwork: pace == .network))
  }

  /// Ends a unit's cycle; an action where the line has to be closed.
  private mutating func finish(_ index: Int, at now: Int64) -> Action? {
    active = nil
    let dueAt = slots[index].dueAt
    let interval = Int64(slots[index].unit.intervalMilliseconds)
    switch slots[index].session.finish(atMilliseconds: now) {
    case .read(var cycle):
      cycle.dueAt = dueAt
      cycle.endedAt = now
      if now > dueAt + interval { lateCycles &+= 1 }
      slots[index].wait = 0
      // What was missed is not made up for.
      slots[index].dueAt = max(dueAt + interval, now)
      note(index, isReachable: true)
      events.append(.cycle(unit: index, cycle))
    case .nothing:
      slots[index].wait = 0
      slots[index].dueAt = max(dueAt + interval, now)
    case .otherMeter:
      postpone(index, at: now)
      slots[index].isReachable = nil
      events.append(.otherMeter(unit: index))
    case .lost:
      postpone(index, at: now)
      note(index, isReachable: false)
      if slots.allSatisfy({ $0.wait > 0 }) {
        // Nobody answers: perhaps it is the line.
        close(until: slots.map(\.dueAt).min() ?? now)
        return .close
      }
    }
    return nil
  }

  private mutating func postpone(_ index: Int, at now: Int64) {
    slots[index].wait = BusMaster.longer(slots[index].wait)
    slots[index].dueAt = now + slots[index].wait
    slots[index].session.reconnect()
  }

  private mutating func note(_ index: Int, isReachable: Bool) {
    guard slots[index].isReachable != isReachable else { return }
    slots[index].isReachable = isReachable
    events.append(isReachable ? .reachable(unit: index) : .silent(unit: index))
  }
}
