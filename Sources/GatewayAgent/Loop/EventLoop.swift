import CLinux
import Glibc

/// Waits for descriptors, timers and signals on one thread and calls whoever asked for them.
///
/// No periodic tick: with nothing to do it sleeps. Dispatching an event allocates nothing. All of
/// it belongs to the thread that calls `run()`; other threads hand back through `HelperThread`.
@safe final class EventLoop {
  /// Names one registration; worthless after `unwatch`.
  struct Watch: Equatable, Sendable {
    fileprivate let index: UInt32
    fileprivate let generation: UInt32
    fileprivate var key: UInt64 { UInt64(generation) << 32 | UInt64(index) }
  }

  /// A box: a closure taken out of an optional would be wrapped anew, on the heap, each time.
  private final class Handler {
    let call: (Readiness) -> Void
    init(_ call: @escaping (Readiness) -> Void) { self.call = call }
  }

  private struct Slot {
    var generation: UInt32 = 0
    var descriptor: Int32 = -1
    var interest: Readiness = []
    var handler: Handler?
  }

  /// Events taken from the kernel at once; more wait for the next turn.
  private static let batch = 32

  private let epoll: FileDescriptor
  private var slots: [Slot] = []
  private let events: UnsafeMutablePointer<epoll_event>
  private var timers = TimerList()
  private var signals: SignalSource?
  private var isStopping = false

  /// Makes a loop.
  ///
  /// Calls `epoll_create1`.
  init() throws(SystemError) {
    epoll = try FileDescriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), from: "epoll_create1")
    unsafe events = .allocate(capacity: Self.batch)
  }

  deinit { unsafe events.deallocate() }

  // MARK: - Descriptors

  /// Calls `handler` each time `descriptor` is ready (level-triggered), until `unwatch`.
  ///
  /// The caller keeps the descriptor open and calls `unwatch` before closing it.
  /// - Throws: `SystemError` with `EPERM` for a regular file, which is always ready.
  func watch(
    _ descriptor: Int32, for interest: Readiness, _ handler: @escaping (Readiness) -> Void
  ) throws(SystemError) -> Watch {
    let index = slots.firstIndex { $0.handler == nil } ?? slots.count
    if index == slots.count { slots.append(Slot()) }
    let watch = Watch(index: UInt32(index), generation: slots[index].generation)
    try control(EPOLL_CTL_ADD, descriptor, interest, watch)
    slots[index].descriptor = descriptor
    slots[index].interest = interest
    slots[index].handler = Handler(handler)
    return watch
  }

  /// Changes what a watched descriptor is waited for; costs nothing if it is what it was.
  func change(_ watch: Watch, to interest: Readiness) {
    guard isCurrent(watch) else { return }
    let slot = slots[Int(watch.index)]
    guard slot.interest != interest else { return }
    slots[Int(watch.index)].interest = interest
    // The descriptor is registered and open, so the kernel has no reason to refuse.
    try? control(EPOLL_CTL_MOD, slot.descriptor, interest, watch)
  }

  /// Ends a registration; its handler is not called again, not even for events already taken.
  func unwatch(_ watch: Watch) {
    guard isCurrent(watch) else { return }
    let index = Int(watch.index)
    try? control(EPOLL_CTL_DEL, slots[index].descriptor, [], watch)
    slots[index].generation &+= 1
    slots[index].descriptor = -1
    slots[index].handler = nil
  }

  private func isCurrent(_ watch: Watch) -> Bool {
    let index = Int(watch.index)
    return index < slots.count && slots[index].generation == watch.generation
      && slots[index].handler != nil
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, _ interest: Readiness, _ watch: Watch
  ) throws(SystemError) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = watch.key
    guard unsafe epoll_ctl(epoll.number, operation, descriptor, &event) == 0 else {
      throw SystemError(call: "epoll_ctl", number: errno)
    }
  }

  // MARK: - Timers and signals

  /// A timer that is not armed yet; arm it as often as wanted, without cost.
  func timer(_ action: @escaping () -> Void) -> Timer { Timer(of: self, action) }

  /// Calls `action` once, `milliseconds` (0 or more) from now.
  @discardableResult
  func schedule(afterMilliseconds milliseconds: Int, _ action: @escaping () -> Void) -> Timer {
    let timer = timer(action)
    timer.arm(afterMilliseconds: milliseconds)
    return timer
  }

  /// Calls `handler` with the signal's number for each of `numbers` instead of their default.
  ///
  /// To be called once, before any thread starts; children that are to be killable by them need
  /// the mask reset (`posix_spawnattr_setsigmask`). Calls `pthread_sigmask` and `signalfd`.
  func handleSignals(_ numbers: [Int32], _ handler: @escaping (Int32) -> Void)
    throws(SystemError)
  {
    let source = try SignalSource(numbers)
    let descriptor = source.descriptor.number
    _ = try watch(descriptor, for: .readable) { [unowned source] _ in
      while let number = source.next() { handler(number) }
    }
    signals = source
  }

  // MARK: - Running

  /// Dispatches until `stop()`.
  func run() {
    isStopping = false
    while !isStopping { turn(waitingAtMost: .max) }
  }

  /// Dispatches what is ready; waits for it `milliseconds` at most.
  func turn(waitingAtMost milliseconds: Int) {
    let timeout = min(timers.timeout(at: GatewayClock.monotonicNanoseconds()), milliseconds)
    let count = wait(timeout > Int(Int32.max) ? -1 : Int32(timeout))
    var position = 0
    while position < count {
      unsafe dispatch(events[position])
      position += 1
    }
    let now = GatewayClock.monotonicNanoseconds()
    while let timer = timers.removeDue(at: now) { timer.fire() }
  }

  /// Ends `run()` after the event being handled.
  func stop() { isStopping = true }

  private func wait(_ timeout: Int32) -> Int {
    let count = unsafe epoll_wait(epoll.number, events, Int32(Self.batch), timeout)
    // Only EINTR is possible here: the turn ends, the next one waits again.
    return max(0, Int(count))
  }

  private func dispatch(_ event: epoll_event) {
    let key = unsafe event.data.u64
    let watch = Watch(
      index: UInt32(truncatingIfNeeded: key), generation: UInt32(truncatingIfNeeded: key >> 32))
    guard isCurrent(watch), let handler = slots[Int(watch.index)].handler else { return }
    handler.call(Readiness(rawValue: unsafe event.events))
  }

  fileprivate func arm(_ timer: Timer) { timers.insert(timer) }
  fileprivate func disarm(_ timer: Timer) { timers.remove(timer) }
}

/// A deadline on a loop, to be armed and cancelled at will.
///
/// A class, because the loop and its owner both hold it. It keeps its action until it is freed.
final class Timer {
  private unowned let loop: EventLoop
  private let action: () -> Void
  /// When it is due, in monotonic nanoseconds.
  fileprivate(set) var deadline: Int64 = .max
  /// Whether it is going to fire.
  fileprivate(set) var isArmed = false

  fileprivate init(of loop: EventLoop, _ action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
  }

  /// Makes it fire once, `milliseconds` from now; an earlier arming is forgotten.
  func arm(afterMilliseconds milliseconds: Int) {
    // A year is as good as never and leaves room below overflow.
    let wait = Int64(max(0, min(milliseconds, 31_536_000_000)))
    deadline = GatewayClock.monotonicNanoseconds() + wait * 1_000_000
    if !isArmed {
      isArmed = true
      loop.arm(self)
    }
  }

  /// Like `arm`, but leaves it alone if it is due before that anyway.
  func armNoLater(thanMilliseconds milliseconds: Int) {
    let limit = GatewayClock.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
    if !isArmed || deadline > limit { arm(afterMilliseconds: milliseconds) }
  }

  /// Makes it not fire.
  func cancel() {
    guard isArmed else { return }
    isArmed = false
    loop.disarm(self)
  }

  fileprivate func fire() { action() }
}

/// The armed timers; a few dozen at most, so they are searched in a row.
private struct TimerList {
  private var armed: [Timer] = []

  mutating func insert(_ timer: Timer) { armed.append(timer) }

  mutating func remove(_ timer: Timer) { armed.removeAll { $0 === timer } }

  /// Where the earliest is.
  ///
  /// Counts by hand: unoptimised, an iterator would allocate.
  private var firstIndex: Int? {
    guard !armed.isEmpty else { return nil }
    var first = 0
    var index = 1
    while index < armed.count {
      if armed[index].deadline < armed[first].deadline { first = index }
      index += 1
    }
    return first
  }

  /// Milliseconds until the first deadline, rounded up; `Int.max` without one.
  func timeout(at now: Int64) -> Int {
    guard let first = firstIndex else { return .max }
    return Int(max(0, (armed[first].deadline - now + 999_999) / 1_000_000))
  }

  /// The earliest timer that is due, now disarmed.
  mutating func removeDue(at now: Int64) -> Timer? {
    guard let first = firstIndex, armed[first].deadline <= now else { return nil }
    let due = armed.remove(at: first)
    due.isArmed = false
    return due
  }
}
