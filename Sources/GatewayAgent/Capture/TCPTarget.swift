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
  private let listener: LoopbackListener
  private var clients: [Client] = []
  private var retry: Timer?

  /// Listens on 127.0.0.1; port 0 takes a free one.
  init(port: UInt16, on loop: EventLoop) throws(SystemError) {
    self.loop = loop
    listener = try LoopbackListener(port: port)
    place = listener.place
    let number = listener.descriptor.number
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
    guard let socket = listener.accept(), clients.count < TCPTarget.clientLimit else { return }
    let number = socket.number
    let client = Client(socket)
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
