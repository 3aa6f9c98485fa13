import Glibc

/// One source of bytes: opens it, reads it, and opens it again when it comes back.
///
/// Everything happens on the loop. A class: the loop's callbacks and its owner share it.
@safe final class Input {
  /// Bytes read at once: the kernel's tty buffer is no larger, so more would not be filled.
  static let chunkBytes = 4096
  /// Longest wait between attempts, in milliseconds, while inotify would tell of a return.
  static let watchedCapMilliseconds = 10_000
  /// Longest wait where only an attempt can tell, or the other side just refuses.
  static let unwatchedCapMilliseconds = 1_000

  /// Receives each chunk, with its monotonic receive time in nanoseconds.
  var onBytes: (_ bytes: Span<UInt8>, _ receivedAt: Int64) -> Void = { _, _ in }
  /// Receives each change of state; repeated failures of one kind are told once.
  var onState: (InputState) -> Void = { _ in }
  /// Receives why a meter that is asked for its readout gave none.
  var onSignOn: (SignOnFault) -> Void = { _ in }
  /// How it is; nil before `start()`.
  private(set) var state: InputState?

  private let kind: InputKind
  private let loop: EventLoop
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  private var descriptor: FileDescriptor?
  private var watch: EventLoop.Watch?
  private var watcher: PathWatcher?
  private var helper: HelperThread?
  private var backoff = Backoff(firstMilliseconds: 250)
  private var retry: Timer?
  private var signOn: SignOn?
  private var signOnTimer: Timer?
  private var generation = 0

  /// An input that is not started.
  init(_ kind: InputKind, on loop: EventLoop) {
    self.kind = kind
    self.loop = loop
    unsafe buffer = .allocate(capacity: Self.chunkBytes)
  }

  deinit { unsafe buffer.deallocate() }

  /// Begins to open it.
  ///
  /// Not for an input that is started.
  func start() {
    let generation = generation
    retry = loop.timer { [weak self] in
      guard let self, self.generation == generation else { return }
      attempt()
    }
    signOnTimer = loop.timer { [weak self] in
      guard let self, self.generation == generation else { return }
      continueSignOn()
    }
    report(.opening)
    attempt()
  }

  /// Closes it and forgets what was under way; no callback comes any more.
  func stop() {
    generation += 1
    retry?.cancel()
    watcher = nil
    helper?.interrupt()
    helper = nil
    close()
    state = nil
  }

  private func report(_ new: InputState) {
    guard new != state else { return }
    state = new
    onState(new)
  }

  // MARK: - Opening

  private func attempt() {
    guard descriptor == nil, helper == nil else { return }
    do throws(SystemError) {
      switch kind {
      case .serial(let path, let settings):
        opened(
          try openWatched(path) { () throws(SystemError) in try SerialPort.open(path, settings) })
      case .file(let path):
        opened(try openWatched(path) { () throws(SystemError) in try Self.openFile(path) })
      case .standardInput:
        opened(try FileDescriptor(fcntl(0, F_DUPFD_CLOEXEC, 0), from: "fcntl"))
      case .tcp(let host, let port):
        try connect(TCPConnector(host: host, port: port))
      }
    } catch {
      failed(error.number)
    }
  }

  /// Opens a path; if it is not there, has its place watched and looks once more, so that nothing
  /// that happened in between is missed.
  private func openWatched(
    _ path: String, _ open: () throws(SystemError) -> FileDescriptor
  ) throws(SystemError) -> FileDescriptor {
    if let found = try? open() { return found }
    let generation = generation
    // Made anew for each attempt: a directory that was missing may be there now.
    watcher = try? PathWatcher(path, on: loop) { [weak self] in
      guard let self, self.generation == generation else { return }
      // udev sets the rights of a new device a moment after it appears.
      retry?.armNoLater(thanMilliseconds: 20)
    }
    return try open()
  }

  private static func openFile(_ path: String) throws(SystemError) -> FileDescriptor {
    unsafe try FileDescriptor(
      Glibc.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), from: "open")
  }

  private func connect(_ connector: TCPConnector) throws(SystemError) {
    let generation = generation
    helper = try HelperThread(on: loop) {
      connector.run()
    } completion: { [weak self] in
      let made = connector.socket >= 0 ? FileDescriptor(owning: connector.socket) : nil
      guard let self, self.generation == generation else { return }
      helper = nil
      if let made { opened(made) } else { failed(connector.failure) }
    }
  }

  private func failed(_ reason: Int32) {
    report(.absent(errno: reason))
    retryLater()
  }

  private func retryLater() {
    let isCheap = watcher == nil
    let cap = isCheap ? Self.unwatchedCapMilliseconds : Self.watchedCapMilliseconds
    retry?.arm(afterMilliseconds: backoff.next(cap: cap))
  }

  // MARK: - Reading

  private func opened(_ new: consuming FileDescriptor) {
    let number = new.number
    descriptor = consume new
    watcher = nil
    retry?.cancel()
    let generation = generation
    report(.open)
    guard self.generation == generation else { return }
    beginSignOn()
    do throws(SystemError) {
      watch = try loop.watch(number, for: .readable) { [weak self] _ in self?.read() }
    } catch {
      // A regular file is always ready and cannot be waited for: it is read a chunk a turn.
      guard error.number == EPERM else { return lost(error.number) }
      readNextTurn()
    }
  }

  private func readNextTurn() {
    let generation = generation
    loop.schedule(afterMilliseconds: 0) { [weak self] in
      guard let self, self.generation == generation, descriptor != nil else { return }
      read()
      if self.generation == generation, watch == nil, descriptor != nil { readNextTurn() }
    }
  }

  private func read() {
    guard let number = descriptorNumber else { return }
    let count = unsafe Glibc.read(number, buffer.baseAddress, buffer.count)
    if count > 0 {
      backoff.reset()
      let bytes = unsafe Span(_unsafeElements: UnsafeBufferPointer(rebasing: buffer[..<count]))
      let generation = generation
      onBytes(bytes, GatewayClock.monotonicNanoseconds())
      if signOn != nil, self.generation == generation { follow(bytes) }
      return
    }
    let reason = count == 0 ? 0 : errno
    guard reason != EAGAIN, reason != EINTR else { return }
    if reason == 0, endsForGood { ended() } else { lost(reason) }
  }

  private var descriptorNumber: Int32? {
    switch descriptor {
    case .some(let open): open.number
    case .none: nil
    }
  }

  private var endsForGood: Bool {
    switch kind {
    case .file, .standardInput: true
    case .serial, .tcp: false
    }
  }

  private func ended() {
    close()
    report(.ended)
  }

  private func lost(_ reason: Int32) {
    close()
    report(.lost(errno: reason))
    if state != nil { retryLater() }
  }

  private func close() {
    if let watch { loop.unwatch(watch) }
    watch = nil
    signOn = nil
    signOnTimer?.cancel()
    descriptor = nil
  }

  // MARK: - Asking for a readout

  private func beginSignOn() {
    guard case .serial(_, let settings) = kind, let asked = settings.signOn else { return }
    signOn = SignOn(asked, at: GatewayClock.monotonicMilliseconds())
    continueSignOn()
  }

  private func continueSignOn() {
    perform(signOn?.due(at: GatewayClock.monotonicMilliseconds()) ?? [])
  }

  /// Lets the conversation see what came; the bytes themselves went on already.
  private func follow(_ bytes: Span<UInt8>) {
    let now = GatewayClock.monotonicMilliseconds()
    var actions: [SignOn.Action] = []
    for index in bytes.indices { actions += signOn?.take(bytes[index], at: now) ?? [] }
    perform(actions)
  }

  private func perform(_ actions: [SignOn.Action]) {
    let generation = generation
    for action in actions {
      guard self.generation == generation, let number = descriptorNumber,
        case .serial(_, let settings) = kind
      else { return }
      do throws(SystemError) {
        switch action {
        case .send(let bytes): try SerialPort.send(bytes, to: number)
        case .setSpeed(let speed): try SerialPort.setSpeed(speed, on: number, settings)
        case .fail(let fault): onSignOn(fault)
        }
      } catch {
        return lost(error.number)
      }
    }
    guard self.generation == generation, let signOn else { return }
    let wait = signOn.deadline - GatewayClock.monotonicMilliseconds()
    signOnTimer?.arm(afterMilliseconds: Int(max(0, wait)))
  }
}
