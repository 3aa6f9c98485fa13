import CLinux
import Glibc
import ModbusMeters
import Synchronization

/// One bus of Modbus meters: a thread that talks to them, and what it finds, told on the loop.
///
/// The thread owns the line and `BusMaster`, and nothing else. Cycles and states go through a mailbox
/// to the loop, which alone knows meters, gates and brokers: a bus that waits for its timeout holds up
/// nobody.
final class ModbusBus {
  /// A meter on the bus.
  struct Unit {
    /// The meter's number among the agent's sources.
    var source: UInt8
    /// What the bus is told of it.
    var unit: BusMaster.Unit
  }

  /// Counts since the start.
  struct Counters: Equatable, Sendable {
    /// Requests without a whole reply.
    var lostReplies: UInt64 = 0
    /// Cycles that ended when the next one was due already.
    var lateCycles: UInt64 = 0
    /// Bytes that belonged to no reply.
    var strayBytes: UInt64 = 0
  }

  /// Called on the loop with what a cycle brought.
  var onCycle: (_ source: UInt8, MeterCycle) -> Void = { _, _ in }
  /// Called on the loop when a meter can be reached, or no longer.
  var onState: (_ source: UInt8, InputState) -> Void = { _, _ in }
  /// What has been counted.
  private(set) var counters = Counters()

  let place: BusPlace
  let units: [Unit]
  private let loop: EventLoop
  private var mailbox: BusMailbox?
  private var watch: EventLoop.Watch?
  private var watcher: PathWatcher?
  private var retry: Timer?

  /// A bus that is not started.
  init(_ place: BusPlace, _ units: [Unit], on loop: EventLoop) {
    self.place = place
    self.units = units
    self.loop = loop
  }

  deinit { mailbox?.tell(.stop) }

  /// Starts the thread.
  func start() {
    retry = loop.timer { [weak self] in self?.mailbox?.tell(.retry) }
    for unit in units { onState(unit.source, .opening) }
    do throws(SystemError) {
      let mailbox = try BusMailbox()
      self.mailbox = mailbox
      watch = try loop.watch(mailbox.reports.number, for: .readable) { [weak self] _ in
        self?.collect()
      }
      let driver = BusDriver(place, units.map(\.unit), mailbox)
      try HelperThread(on: loop) {
        driver.run()
      } completion: {
      }
    } catch {
      for unit in units { onState(unit.source, .absent(errno: error.number)) }
    }
  }

  /// Ends the thread when it next wakes; no callback comes any more.
  func stop() {
    retry?.cancel()
    watcher = nil
    if let watch { loop.unwatch(watch) }
    watch = nil
    mailbox?.tell(.stop)
    mailbox = nil
  }

  private func collect() {
    guard let mailbox else { return }
    for report in mailbox.takeReports() {
      guard self.mailbox != nil else { return }
      let source = units[report.unit].source
      switch report.content {
      case .cycle(let cycle, let counters):
        self.counters = counters
        onCycle(source, cycle)
      case .state(let state):
        watchPlace(state)
        onState(source, state)
      }
    }
  }

  /// Has an unplugged adapter's return noticed at once.
  private func watchPlace(_ state: InputState) {
    guard case .serial(let path, _, _) = place else { return }
    switch state {
    case .lost(errno: ETIMEDOUT): break
    case .absent, .lost:
      guard watcher == nil else { return }
      watcher = try? PathWatcher(path, on: loop) { [weak self] in
        // udev sets the rights of a new device a moment after it appears.
        self?.retry?.armNoLater(thanMilliseconds: 20)
      }
    case .open: watcher = nil
    case .opening, .ended, .otherMeter: break
    }
  }
}

/// What thread and loop have in common.
final class BusMailbox: Sendable {
  /// What the thread tells of one unit.
  struct Report: Sendable {
    enum Content: Sendable {
      case cycle(MeterCycle, ModbusBus.Counters)
      case state(InputState)
    }

    /// Its place among the units of the bus.
    var unit: Int
    var content: Content
  }

  /// What the loop tells the thread.
  enum Order: Sendable {
    case retry
    case stop
  }

  private struct Contents {
    var reports: [Report] = []
    var orders: [Order] = []
  }

  /// Readable while there are reports.
  let reports: FileDescriptor
  /// Readable while there are orders.
  let orders: FileDescriptor
  private let contents = Mutex(Contents())

  init() throws(SystemError) {
    let flags = Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)
    reports = try FileDescriptor(eventfd(0, flags), from: "eventfd")
    orders = try FileDescriptor(eventfd(0, flags), from: "eventfd")
  }

  /// For the thread.
  func report(_ more: [Report]) {
    guard !more.isEmpty else { return }
    contents.withLock { $0.reports += more }
    _ = eventfd_write(reports.number, 1)
  }

  /// For the loop.
  func takeReports() -> [Report] {
    BusMailbox.acknowledge(reports.number)
    return contents.withLock { contents in
      defer { contents.reports = [] }
      return contents.reports
    }
  }

  /// For the loop.
  func tell(_ order: Order) {
    contents.withLock { $0.orders.append(order) }
    _ = eventfd_write(orders.number, 1)
  }

  /// For the thread.
  func takeOrders() -> [Order] {
    BusMailbox.acknowledge(orders.number)
    return contents.withLock { contents in
      defer { contents.orders = [] }
      return contents.orders
    }
  }

  private static func acknowledge(_ event: Int32) {
    var count: eventfd_t = 0
    _ = unsafe eventfd_read(event, &count)
  }
}

/// The thread's own: does what `BusMaster` says.
final class BusDriver {
  private let place: BusPlace
  private let mailbox: BusMailbox
  private let unitCount: Int
  private var master: BusMaster
  private var line: BusLine?
  private var isStopped = false
  private var reports: [BusMailbox.Report] = []

  init(_ place: BusPlace, _ units: [BusMaster.Unit], _ mailbox: BusMailbox) {
    self.place = place
    self.mailbox = mailbox
    unitCount = units.count
    master = BusMaster(units, framing: place.framing, pace: place.pace)
  }

  /// Talks to the meters until it is told to stop.
  func run() {
    while !isStopped {
      let now = GatewayClock.monotonicMilliseconds()
      let action = master.next(at: now)
      report()
      switch action {
      case .open: open()
      case .close: line = nil
      case .send(let bytes): send(bytes)
      case .wait(let until): wait(until - now)
      }
    }
    line = nil
  }

  private func open() {
    do throws(SystemError) {
      line = try BusLine(place)
      master.opened(at: GatewayClock.monotonicMilliseconds())
    } catch {
      master.failedToOpen(at: GatewayClock.monotonicMilliseconds())
      tellAll(.absent(errno: error.number))
    }
  }

  private func send(_ bytes: [UInt8]) {
    do throws(SystemError) {
      try line?.send(bytes)
    } catch {
      lost(error.number)
    }
  }

  private func wait(_ milliseconds: Int64) {
    let time = Int32(clamping: max(milliseconds, 0))
    let descriptor: Int32 =
      switch line {
      case .some(let line): line.descriptor
      case .none: -1
      }
    let (isReadable, isWoken) = BusLine.wait(
      milliseconds: time, descriptor, mailbox.orders.number)
    if isWoken { obey() }
    guard isReadable, !isStopped else { return }
    do throws(SystemError) {
      guard let bytes = try line?.receive() else { return }
      master.received(bytes, at: GatewayClock.monotonicMilliseconds())
    } catch {
      lost(error.number)
    }
  }

  private func lost(_ reason: Int32) {
    line = nil
    master.lost(at: GatewayClock.monotonicMilliseconds())
    tellAll(.lost(errno: reason))
  }

  private func obey() {
    for order in mailbox.takeOrders() {
      switch order {
      case .retry: master.retryNow()
      case .stop: isStopped = true
      }
    }
  }

  private func tellAll(_ state: InputState) {
    for unit in 0..<unitCount { reports.append(.init(unit: unit, content: .state(state))) }
  }

  private func report() {
    for event in master.takeEvents() {
      switch event {
      case .cycle(let unit, let cycle):
        let counters = ModbusBus.Counters(
          lostReplies: master.lostReplies, lateCycles: master.lateCycles,
          strayBytes: master.strayBytes)
        reports.append(.init(unit: unit, content: .cycle(cycle, counters)))
      case .reachable(let unit): reports.append(.init(unit: unit, content: .state(.open)))
      case .silent(let unit):
        reports.append(.init(unit: unit, content: .state(.lost(errno: ETIMEDOUT))))
      case .otherMeter(let unit):
        reports.append(.init(unit: unit, content: .state(.otherMeter)))
      }
    }
    mailbox.report(reports)
    reports.removeAll(keepingCapacity: true)
  }
}
