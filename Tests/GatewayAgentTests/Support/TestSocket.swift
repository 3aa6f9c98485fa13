import Glibc

/// Loopback sockets, polled by the test itself: nothing runs beside it.
enum TestSocket {
  /// A listening socket and its port; port 0 takes a free one.
  static func listen(port: UInt16 = 0) -> (socket: Int32, port: UInt16) {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var one: Int32 = 1
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    var address = loopback(port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    var length = size
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        precondition(unsafe bind(number, $0, size) == 0, "the loopback port is free")
        _ = unsafe getsockname(number, $0, &length)
      }
    }
    _ = Glibc.listen(number, 8)
    return (number, UInt16(bigEndian: address.sin_port))
  }

  /// A port that nobody listens on.
  static func freePort() -> UInt16 {
    let (number, port) = listen()
    close(number)
    return port
  }

  /// A connected socket, nil if nobody listens.
  static func connect(port: UInt16) -> Int32? {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    // A small packet behind another would wait for the other side's delayed acknowledgement, 40 ms.
    var isOn: Int32 = 1
    _ = unsafe setsockopt(
      number, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    var address = loopback(port)
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result == 0 { return number }
    close(number)
    return nil
  }

  /// What can be read now; nil at the end.
  static func available(_ number: Int32) -> [UInt8]? {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
      }
      if count > 0 {
        all += chunk[..<count]
      } else {
        return count == 0 && all.isEmpty ? nil : all
      }
    }
  }

  /// Reads to the end and tells how it came: 0 for FIN, else an `errno`.
  static func drain(_ number: Int32) -> Int32 {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&entry, 1, 60_000) > 0 else { return ETIMEDOUT }
      let count = unsafe recv(number, &chunk, chunk.count, 0)
      if count <= 0 { return count == 0 ? 0 : errno }
    }
  }

  /// Sends all of it.
  static func send(_ bytes: [UInt8], to number: Int32) {
    _ = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}

/// A server that does as the test says: accepts, records, answers, closes.
final class FakeServer {
  let port: UInt16
  private(set) var clients: [Int32] = []
  private(set) var received: [[UInt8]] = []
  private var listener: Int32
  /// What it answers to the first bytes of each connection; an empty answer closes it.
  var answer: ([UInt8]) -> [UInt8]? = { _ in nil }

  init(port: UInt16 = 0) {
    (listener, self.port) = TestSocket.listen(port: port)
    _ = fcntl(listener, F_SETFL, O_NONBLOCK)
  }

  deinit { stop() }

  /// Accepts and reads what is there.
  func turn() {
    let number = accept(listener, nil, nil)
    if number >= 0 {
      clients.append(number)
      received.append([])
    }
    for index in clients.indices where clients[index] >= 0 {
      guard let bytes = TestSocket.available(clients[index]) else {
        closeClient(index)
        continue
      }
      let isFirst = received[index].isEmpty && !bytes.isEmpty
      received[index] += bytes
      if isFirst, let reply = answer(bytes) {
        if reply.isEmpty { closeClient(index) } else { TestSocket.send(reply, to: clients[index]) }
      }
    }
  }

  func closeClient(_ index: Int) {
    if clients[index] >= 0 { close(clients[index]) }
    clients[index] = -1
  }

  func stop() {
    for index in clients.indices { closeClient(index) }
    if listener >= 0 { close(listener) }
    listener = -1
  }
}
