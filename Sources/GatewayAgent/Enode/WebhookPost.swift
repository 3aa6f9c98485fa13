import Glibc

/// Why a receiver did not take an event.
enum WebhookTrouble: Error, Equatable {
  case nameNotFound
  /// No way there: an `errno`.
  case unreachable(Int32)
  case timedOut
  /// TLS failed for another reason than the certificate.
  case tls
  /// The certificate is not good for this name: OpenSSL's number.
  case certificate(Int32)
  /// The file of certificate authorities cannot be used.
  case authorities
  case closedEarly
  /// What came is no answer of HTTP/1.
  case noAnswer
  /// The receiver answered with another status than 2xx.
  case status(Int)

  /// One phrase for a person.
  var text: String {
    switch self {
    case .nameNotFound: "the name has no address"
    case .unreachable(let number): SystemError(call: "connect", number: number).lowercaseText
    case .timedOut: "no answer within \(WebhookPost.answerMilliseconds / 1000) s"
    case .tls: "TLS failed"
    case .certificate(let number): "certificate refused: \(TLSStream.text(ofFault: number))"
    case .authorities: "the certificate authorities cannot be read"
    case .closedEarly: "the connection was closed before an answer"
    case .noAnswer: "what came is no HTTP answer"
    case .status(let number): "HTTP \(number)"
    }
  }
}

/// One POST over a connection of its own (HTTP/1.1, RFC 9112); it blocks, so a helper thread runs it.
final class WebhookPost {
  /// How long the receiver has from the connection to its status: Enode's own limit (§1.1).
  static let answerMilliseconds: Int64 = 5_000
  /// More than a status line is not needed.
  static let statusBytes = 1024

  private let address: WebhookAddress
  private let authorities: String?
  private let request: [UInt8]
  /// What became of it, once `run` has returned; nil is success.
  private(set) var trouble: WebhookTrouble?

  /// A request that is not sent yet.
  init(_ address: WebhookAddress, authorities: String?, headers: [String], body: [UInt8]) {
    self.address = address
    self.authorities = authorities
    let lines =
      [
        "POST \(address.target) HTTP/1.1", "Host: \(address.authority)",
        "User-Agent: gateway-agent/\(Gateway.release)", "Content-Type: application/json",
        "Content-Length: \(body.count)", "Connection: close",
      ] + headers
    request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
  }

  /// Connects, sends, and waits for the status.
  func run() {
    do throws(WebhookTrouble) {
      let status = try exchange()
      trouble = (200...299).contains(status) ? nil : .status(status)
    } catch {
      trouble = error
    }
  }

  private func exchange() throws(WebhookTrouble) -> Int {
    let connector = TCPConnector(host: address.host, port: address.port)
    connector.run()
    guard connector.socket >= 0 else {
      if connector.failure < 0 { throw .nameNotFound }
      throw connector.failure == ETIMEDOUT ? .timedOut : .unreachable(connector.failure)
    }
    let socket = FileDescriptor(owning: connector.socket)
    let deadline = GatewayClock.monotonicMilliseconds() + Self.answerMilliseconds
    guard address.isSecure else {
      try Self.send(request, on: socket.number, until: deadline)
      return try Self.status { () throws(WebhookTrouble) in
        try Self.receive(from: socket.number, until: deadline)
      }
    }
    let stream = try TLSStream(
      socket.number, host: address.host, authorities: authorities, deadline: deadline)
    try stream.open()
    try stream.write(request)
    return try Self.status { () throws(WebhookTrouble) in try stream.read() }
  }

  /// The number in the status line, `HTTP/1.1 200 OK`.
  static func status(
    _ read: () throws(WebhookTrouble) -> [UInt8]
  ) throws(WebhookTrouble) -> Int {
    var head: [UInt8] = []
    while !head.contains(UInt8(ascii: "\n")) {
      let bytes = try read()
      guard !bytes.isEmpty else { throw .closedEarly }
      head += bytes
      guard head.count <= statusBytes || head.contains(UInt8(ascii: "\n")) else { throw .noAnswer }
    }
    let words = head.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }.split(
      separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count >= 2, words[0].starts(with: Array("HTTP/1.".utf8)), words[1].count == 3,
      let number = Int(String(decoding: words[1], as: UTF8.self)), number >= 100
    else { throw .noAnswer }
    return number
  }

  // MARK: - The socket

  private static func send(
    _ bytes: [UInt8], on socket: Int32, until deadline: Int64
  ) throws(WebhookTrouble) {
    var sent = 0
    while sent < bytes.count {
      let rest = bytes[sent...]
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else {
        guard errno == EAGAIN || errno == EINTR else { throw .closedEarly }
        try wait(socket, Int16(POLLOUT), until: deadline)
      }
    }
  }

  private static func receive(
    from socket: Int32, until deadline: Int64
  ) throws(WebhookTrouble) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 2048)
    while true {
      let count = unsafe recv(socket, &bytes, bytes.count, 0)
      if count >= 0 { return Array(bytes.prefix(count)) }
      guard errno == EAGAIN || errno == EINTR else { throw .closedEarly }
      try wait(socket, Int16(POLLIN), until: deadline)
    }
  }

  /// Waits until the socket is ready.
  ///
  /// - Throws: `.timedOut` at the deadline.
  static func wait(
    _ socket: Int32, _ events: Int16, until deadline: Int64
  ) throws(WebhookTrouble) {
    let left = deadline - GatewayClock.monotonicMilliseconds()
    guard left > 0 else { throw .timedOut }
    var entry = pollfd(fd: socket, events: events, revents: 0)
    guard unsafe poll(&entry, 1, Int32(clamping: left)) != 0 else { throw .timedOut }
  }
}
