import Glibc

/// Ports on 127.0.0.1 for servers that a demo or a test starts.
enum LoopbackPort {
  /// A TCP port that nobody listens on now.
  ///
  /// Calls `bind` with port 0.
  /// - Throws: `SystemError` if no socket or port is to be had.
  static func free() throws(SystemError) -> UInt16 {
    let probe = try FileDescriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), from: "socket")
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(probe.number, $0, size) == 0 && getsockname(probe.number, $0, &size) == 0
      }
    }
    guard isBound else { throw SystemError(call: "bind", number: errno) }
    return UInt16(bigEndian: address.sin_port)
  }
}
