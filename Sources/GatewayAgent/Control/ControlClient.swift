import Glibc

/// What can go wrong between a verb and the running agent.
struct ControlFailure: Error, CustomStringConvertible {
  var code: String
  var message: String
  var description: String { code.isEmpty ? message : "\(code): \(message)" }
}

/// Asks the running agent through its control socket; blocks until the answer or a timeout.
enum ControlClient {
  /// Sends one request and returns the agent's answer.
  ///
  /// - Throws: `ControlFailure` if the agent does not run, does not answer, or refuses.
  static func ask(_ request: ControlRequest, at path: String) throws(ControlFailure)
    -> ControlResponse
  {
    let descriptor = try connect(to: path)
    defer { close(descriptor) }
    try send(ControlJSON.line(request), on: descriptor, path: path)
    let line = try receiveLine(on: descriptor, path: path)
    guard let response = ControlJSON.decode(ControlResponse.self, from: line) else {
      throw ControlFailure(code: "", message: "\(path): the answer is no JSON of this version")
    }
    guard response.ok else {
      throw ControlFailure(code: response.code ?? "E_STATE", message: response.message ?? "refused")
    }
    return response
  }

  private static func connect(to path: String) throws(ControlFailure) -> Int32 {
    guard var address = UnixAddress(path: path) else {
      throw ControlFailure(code: "", message: "\(path): a socket path has at most 107 bytes")
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure(path, "no socket could be made") }
    var patience = timeval(tv_sec: ControlLimits.answerSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    guard address.connect(descriptor) == 0 else {
      let reason = errno
      close(descriptor)
      throw ControlFailure(
        code: "",
        message: "\(path): no agent answers (\(describe(reason))); start it with gateway-agent run")
    }
    return descriptor
  }

  private static func send(_ bytes: [UInt8], on descriptor: Int32, path: String)
    throws(ControlFailure)
  {
    var sent = 0
    while sent < bytes.count {
      let written = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      guard written > 0 else { throw failure(path, "the agent closed the connection") }
      sent += written
    }
  }

  private static func receiveLine(on descriptor: Int32, path: String) throws(ControlFailure)
    -> [UInt8]
  {
    var line: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while line.count <= ControlLimits.lineBytes {
      let got = unsafe chunk.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      guard got > 0 else { throw failure(path, "the agent gave no answer") }
      line += chunk[0..<got]
      if line.last == 10 { return line }
    }
    throw ControlFailure(code: "E_LIMIT", message: "\(path): the answer is longer than allowed")
  }

  private static func failure(_ path: String, _ what: String) -> ControlFailure {
    ControlFailure(code: "", message: "\(path): \(what) (\(describe(errno)))")
  }

  private static func describe(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
  }
}

/// The address of a Unix-domain socket.
struct UnixAddress {
  private var address = sockaddr_un()

  /// Makes an address; nil if the path is empty or longer than the kernel's 107 bytes.
  init?(path: String) {
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard !bytes.isEmpty, bytes.count < room else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
  }

  /// Calls `connect`.
  mutating func connect(_ descriptor: Int32) -> Int32 {
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Calls `bind`.
  mutating func bind(_ descriptor: Int32) -> Int32 {
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
