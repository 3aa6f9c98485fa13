import ConsentLedger
import Glibc

/// Serves the control socket on the loop: one JSON request a line, one JSON answer a line.
///
/// Who may connect is decided by the socket's mode (0660) and group; who asks is the peer's user id
/// as the kernel states it (`SO_PEERCRED`), never what the request says (privacy.md C12).
@safe final class ControlServer {
  /// Answers a request of a local person.
  private let answer: (_ request: ControlRequest, _ authority: Authority) -> ControlResponse
  private let loop: EventLoop
  private let path: String
  private let listener: FileDescriptor
  private var watch: EventLoop.Watch?
  private var clients: [ControlSession] = []

  /// Binds the socket; a stale one of an agent that is gone is replaced.
  ///
  /// - Throws: `ControlFailure` if the path is taken by a living agent or cannot be bound.
  init(
    path: String, on loop: EventLoop,
    answer: @escaping (_ request: ControlRequest, _ authority: Authority) -> ControlResponse
  ) throws(ControlFailure) {
    self.path = path
    self.loop = loop
    self.answer = answer
    listener = try Self.listen(at: path)
    let number = listener.number
    do throws(SystemError) {
      watch = try loop.watch(number, for: .readable) { [unowned self] _ in accept() }
    } catch {
      throw ControlFailure(code: "", message: "\(path): \(error.text)")
    }
  }

  deinit {
    if let watch { loop.unwatch(watch) }
    for client in clients { client.close() }
    _ = unsafe unlink(path)
  }

  private static func listen(at path: String) throws(ControlFailure) -> FileDescriptor {
    guard let address = UnixAddress(path: path) else {
      throw ControlFailure(code: "", message: "\(path): a socket path has at most 107 bytes")
    }
    if isServed(address) {
      throw ControlFailure(code: "", message: "\(path): another agent is running")
    }
    do throws(SystemError) {
      return try bind(address, at: path)
    } catch {
      throw ControlFailure(code: "", message: "\(path): \(error.call): \(error.text)")
    }
  }

  private static let socketType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

  private static func isServed(_ address: UnixAddress) -> Bool {
    var address = address
    let probe = socket(AF_UNIX, socketType | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard probe >= 0 else { return false }
    defer { close(probe) }
    // EAGAIN: somebody listens, but has been asked too often at once.
    return address.connect(probe) == 0 || errno == EAGAIN
  }

  /// Removes what a killed agent left; anything but a socket is somebody else's and stays.
  private static func removeStaleSocket(at path: String) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
    _ = unsafe unlink(path)
  }

  private static func bind(
    _ address: UnixAddress, at path: String
  ) throws(SystemError) -> FileDescriptor {
    var address = address
    let made = try FileDescriptor(
      socket(AF_UNIX, socketType | Int32(SOCK_NONBLOCK.rawValue), 0), from: "socket")
    removeStaleSocket(at: path)
    // The mode is right from the first moment on: no one can slip in before a chmod.
    let mask = umask(0o117)
    let bound = address.bind(made.number)
    let reason = errno
    umask(mask)
    guard bound == 0 else { throw SystemError(call: "bind", number: reason) }
    guard Glibc.listen(made.number, 8) == 0 else {
      throw SystemError(call: "listen", number: errno)
    }
    return made
  }

  private func accept() {
    let number = Glibc.accept(listener.number, nil, nil)
    guard number >= 0 else { return }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    _ = fcntl(number, F_SETFL, O_NONBLOCK)
    guard clients.count < ControlLimits.clients else {
      Log.event(.warning, "CONTROL_CLIENTS_LIMIT", Int64(ControlLimits.clients))
      close(number)
      return
    }
    let session = ControlSession(FileDescriptor(owning: number))
    clients.append(session)
    session.watch = try? loop.watch(number, for: .readable) { [weak self, unowned session] _ in
      self?.serve(session)
    }
  }

  private func serve(_ session: ControlSession) {
    switch session.receive() {
    case .more: return
    case .gone: drop(session)
    case .line(let line):
      let response: ControlResponse
      if !session.peer.isPermitted(at: path) {
        response = .failure("E_AUTH", "only the agent's own group may ask; add the user to it")
      } else if let request = ControlJSON.decode(ControlRequest.self, from: line) {
        response = answer(request, session.authority)
      } else {
        response = .failure("E_STATE", "the request is no JSON of this version")
      }
      session.send(ControlJSON.line(response))
      drop(session)
    }
  }

  private func drop(_ session: ControlSession) {
    if let watch = session.watch { loop.unwatch(watch) }
    session.close()
    clients.removeAll { $0 === session }
  }
}

/// One client of the control socket: it asks once and is answered once.
@safe private final class ControlSession {
  enum Received {
    case more
    case gone
    case line([UInt8])
  }

  /// How long the loop waits for a client to take its whole answer.
  static let patienceMilliseconds: Int64 = 100

  /// The peer as the kernel states it.
  let peer: ControlPeer
  var authority: Authority { .uid(peer.uid) }
  var watch: EventLoop.Watch?
  private var descriptor: FileDescriptor?
  private var held: [UInt8] = []
  private let number: Int32

  init(_ descriptor: consuming FileDescriptor) {
    number = descriptor.number
    peer = ControlPeer(ofSocket: descriptor.number)
    self.descriptor = consume descriptor
  }

  func receive() -> Received {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let got = unsafe chunk.withUnsafeMutableBytes {
      unsafe recv(number, $0.baseAddress, $0.count, 0)
    }
    guard got > 0 else { return got < 0 && (errno == EAGAIN || errno == EINTR) ? .more : .gone }
    held += chunk[0..<got]
    if let end = held.firstIndex(of: 10) { return .line(Array(held[..<end])) }
    return held.count > ControlLimits.lineBytes ? .gone : .more
  }

  /// Writes the answer; a client that does not read loses it, the loop never waits for long.
  func send(_ bytes: [UInt8]) {
    let deadline = GatewayClock.monotonicMilliseconds() + Self.patienceMilliseconds
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          number, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if written > 0 {
        sent += written
        continue
      }
      var wait = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
      let left = deadline - GatewayClock.monotonicMilliseconds()
      guard errno == EAGAIN, left > 0, unsafe poll(&wait, 1, Int32(left)) == 1 else { return }
    }
  }

  func close() { descriptor = nil }
}
