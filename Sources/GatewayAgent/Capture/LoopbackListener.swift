import Glibc

/// A TCP port on 127.0.0.1 that clients may connect to.
struct LoopbackListener: ~Copyable {
  /// What clients connect to, `127.0.0.1:PORT`.
  let place: String
  /// Readable while somebody wants to connect.
  let descriptor: FileDescriptor

  /// Listens (`socket`, `bind`, `listen`); port 0 takes a free one.
  init(port: UInt16) throws(SystemError) {
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
    descriptor = listener
  }

  /// The next client's socket, which does not wait; nil if there is none.
  func accept() -> FileDescriptor? {
    let number = Glibc.accept(descriptor.number, nil, nil)
    guard number >= 0 else { return nil }
    let client = FileDescriptor(owning: number)
    guard fcntl(number, F_SETFL, O_NONBLOCK) == 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0
    else { return nil }
    SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    return client
  }
}
