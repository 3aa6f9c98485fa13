import Glibc

/// A TCP port on loopback: every client receives what is sent from its connection on.
final class TCPTarget: PlaybackTarget {
  /// Clients at once; more are turned away.
  static let clientLimit = 16
  /// How long a client that takes nothing is left alone.
  private static let retryMilliseconds = 5

  private final class Client {
    let socket: FileDescriptor
    var pending = PendingBytes()
    var watch: EventLoop.Watch?

    init(_ socket: consuming FileDescriptor) { self.socket = socket }
  }

  let place: String
  private(set) var lostByteCount = 0
  private let loop: EventLoop
  private let listener: FileDescriptor
  private var clients: [Client] = []
  private var retry: Timer?

  /// Listens on 127.0.0.1 (`socket`, `bind`, `listen`); port 0 takes a free one.
  init(port: UInt16, on loop: EventLoop) throws(SystemError) {
    self.loop = loop
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let listener = try FileDescriptor(socket(AF_INET, type, 0), from: "socket")
    SocketOption.set(listener.number, SOL_SOCKET, SO_REUSEADDR, 1)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let number = listener.number
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        if unsafe Glibc.bind(number, pointer, size) != 0 { return Int32(-1) }
        if Glibc.listen(number, 8) != 0 { return Int32(-1) }
        return unsafe getsockname(number, pointer, &size)
      }
    }
    guard result == 0 else { throw SystemError(call: "bind", number: errno) }
    place = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    self.listener = listener
    retry = loop.timer { [weak self] in self?.flush() }
    _ = try loop.watch(number, for: .readable) { [weak self] _ in self?.accept() }
  }

  var hasReceiver: Bool { !clients.isEmpty }
  var isDrained: Bool { clients.allSatisfy { $0.pending.count == 0 } }

  func send(_ bytes: [UInt8]) throws(CommandFailure) {
    for client in clients where !client.pending.append(bytes) { lostByteCount += bytes.count }
    flush()
  }

  private func accept() {
    let number = Glibc.accept(listener.number, nil, nil)
    guard number >= 0 else { return }
    let client = Client(FileDescriptor(owning: number))
    guard clients.count < TCPTarget.clientLimit,
      fcntl(number, F_SETFL, O_NONBLOCK) == 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0
    else { return }
    SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    client.watch = try? loop.watch(number, for: .readable) { [weak self, weak client] _ in
      guard let client else { return }
      self?.listen(to: client)
    }
    clients.append(client)
  }

  /// A meter hears nothing: what a client says is dropped, and its end noticed.
  private func listen(to client: Client) {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe read(client.socket.number, &bytes, bytes.count)
    if count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR) { return }
    remove(client)
  }

  private func remove(_ client: Client) {
    if let watch = client.watch { loop.unwatch(watch) }
    clients.removeAll { $0 === client }
  }

  private func flush() {
    for client in clients {
      do throws(SystemError) {
        try client.pending.flush { (bytes) throws(SystemError) in
          try client.socket.writeWhatFits(bytes)
        }
      } catch {
        remove(client)
      }
    }
    if !isDrained { retry?.arm(afterMilliseconds: TCPTarget.retryMilliseconds) }
  }
}
