import Glibc

/// One attempt to reach `host:port`; resolving and connecting block, so a helper thread runs it.
final class TCPConnector {
  /// How long one address may take to answer, in milliseconds.
  static let connectTimeoutMilliseconds: Int32 = 5_000

  private let host: String
  private let port: UInt16
  /// The connected socket, −1 without one; whoever takes it closes it.
  private(set) var socket: Int32 = -1
  /// Why there is no socket: an `errno`, or a negative `EAI_…` code.
  private(set) var failure: Int32 = 0

  /// An attempt that has not begun.
  init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Tries each address of the host in the resolver's order.
  ///
  /// Calls `getaddrinfo` and `connect`.
  func run() {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard result == 0 else {
      failure = result == EAI_SYSTEM ? errno : result
      return
    }
    defer { unsafe freeaddrinfo(list) }
    var entry = unsafe list
    while let address = unsafe entry?.pointee {
      if unsafe connect(address) { return }
      unsafe entry = address.ai_next
    }
  }

  private func connect(_ address: addrinfo) -> Bool {
    let type = unsafe address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    guard
      let made = try? FileDescriptor(
        unsafe Glibc.socket(address.ai_family, type, address.ai_protocol), from: "socket")
    else {
      failure = errno
      return false
    }
    if unsafe Glibc.connect(made.number, address.ai_addr, address.ai_addrlen) != 0 {
      guard errno == EINPROGRESS else {
        failure = errno
        return false
      }
      failure = Self.wait(made.number)
      guard failure == 0 else { return false }
    }
    Self.keepAlive(made.number)
    failure = 0
    socket = made.release()
    return true
  }

  /// The result of a connection under way: 0 or an `errno`.
  private static func wait(_ socket: Int32) -> Int32 {
    var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    let ready = unsafe poll(&entry, 1, connectTimeoutMilliseconds)
    guard ready > 0 else { return ready == 0 ? ETIMEDOUT : errno }
    var reason: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    _ = unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size)
    return reason
  }

  /// A silent adapter is noticed after 10 + 3 · 5 s: we never send, so nothing else would tell.
  private static func keepAlive(_ socket: Int32) {
    SocketOption.set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
    let level = Int32(IPPROTO_TCP)
    SocketOption.set(socket, level, TCP_KEEPIDLE, 10)
    SocketOption.set(socket, level, TCP_KEEPINTVL, 5)
    SocketOption.set(socket, level, TCP_KEEPCNT, 3)
  }
}

/// Socket options that are integers.
enum SocketOption {
  /// Calls `setsockopt`; an option that a kernel does not have is passed over.
  static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    _ = unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
