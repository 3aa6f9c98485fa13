import Glibc
import MeterSimulator
import ModbusMeters

/// Simulated Modbus meters on a loopback port or a pseudo-terminal.
final class ModbusTarget {
  /// Clients at once; more are turned away.
  static let clientLimit = 16

  /// Somebody who asks: a TCP client, or whoever uses the terminal.
  private final class Client {
    let socket: FileDescriptor?
    /// What was received belongs to one client; what the meters know to all.
    var pieces: [ModbusResponder.Piece] = []
    var watch: EventLoop.Watch?
    var timer: Timer?

    init(_ socket: consuming FileDescriptor?) { self.socket = socket }
  }

  /// What to connect to or open.
  let place: String
  private let loop: EventLoop
  private let listener: LoopbackListener?
  private let terminal: PseudoTerminal?
  private let device: FileDescriptor?
  private let link: DeviceLink?
  private var responder: ModbusResponder
  private var clients: [Client] = []
  private let startedAt = GatewayClock.monotonicNanoseconds()

  /// Serves clients of a port on 127.0.0.1; port 0 takes a free one.
  init(port: UInt16, _ responder: ModbusResponder, on loop: EventLoop) throws(SystemError) {
    self.loop = loop
    self.responder = responder
    let listener = try LoopbackListener(port: port)
    place = listener.place
    let number = listener.descriptor.number
    self.listener = consume listener
    terminal = nil
    device = nil
    link = nil
    _ = try loop.watch(number, for: .readable) { [weak self] _ in self?.accept() }
  }

  /// Serves whoever opens a new pseudo-terminal; a `link` is a second path for it.
  init(link path: String?, _ responder: ModbusResponder, on loop: EventLoop) throws(SystemError) {
    self.loop = loop
    self.responder = responder
    listener = nil
    let terminal = try PseudoTerminal()
    device = try terminal.hold()
    link = if let path { try DeviceLink(path, to: terminal.path) } else { nil }
    place = path ?? terminal.path
    let number = terminal.number
    self.terminal = consume terminal
    let client = Client(nil)
    add(client)
    client.watch = try loop.watch(number, for: .readable) { [weak self, weak client] _ in
      guard let self, let client else { return }
      take(readTerminal(), from: client)
    }
  }

  private func add(_ client: Client) {
    client.timer = loop.timer { [weak self, weak client] in
      guard let client else { return }
      self?.send(to: client)
    }
    clients.append(client)
  }

  private func accept() {
    guard let socket = acceptSocket() else { return }
    let limit = responder.faults.isSingle ? 1 : ModbusTarget.clientLimit
    guard clients.count < limit else { return }
    let number = socket.number
    let client = Client(socket)
    add(client)
    client.watch = try? loop.watch(number, for: .readable) { [weak self, weak client] _ in
      guard let client else { return }
      self?.listen(to: client, number)
    }
    guard responder.faults.dropSeconds > 0 else { return }
    loop.schedule(afterMilliseconds: responder.faults.dropSeconds * 1000) {
      [weak self, weak client] in
      guard let client else { return }
      self?.remove(client)
    }
  }

  private func acceptSocket() -> FileDescriptor? {
    switch listener {
    case .some(let listener): listener.accept()
    case .none: nil
    }
  }

  private func readTerminal() -> [UInt8] {
    switch terminal {
    case .some(let terminal): terminal.read()
    case .none: []
    }
  }

  private func listen(to client: Client, _ number: Int32) {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe read(number, &bytes, bytes.count)
    if count > 0 { return take(Array(bytes.prefix(count)), from: client) }
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    remove(client)
  }

  private func remove(_ client: Client) {
    if let watch = client.watch { loop.unwatch(watch) }
    client.watch = nil
    client.timer?.cancel()
    responder.disconnect()
    clients.removeAll { $0 === client }
  }

  private var microseconds: Int64 { (GatewayClock.monotonicNanoseconds() - startedAt) / 1000 }

  private func take(_ bytes: [UInt8], from client: Client) {
    client.pieces += responder.take(bytes, at: microseconds)
    // A late reply may be overtaken by the next one.
    client.pieces.sort { $0.at < $1.at }
    send(to: client)
  }

  private func send(to client: Client) {
    let now = microseconds
    var due: [UInt8] = []
    while let piece = client.pieces.first, piece.at <= now {
      due += piece.bytes
      client.pieces.removeFirst()
    }
    if !due.isEmpty { write(due, to: client) }
    guard let next = client.pieces.first else { return }
    client.timer?.arm(afterMilliseconds: Int((next.at - now + 999) / 1000))
  }

  /// A reply always finds room, unless nobody reads: then it is lost, as on a real line.
  private func write(_ bytes: [UInt8], to client: Client) {
    do throws(SystemError) {
      switch client.socket {
      case .some(let socket): _ = try socket.writeWhatFits(bytes[...])
      case .none:
        switch terminal {
        case .some(let terminal): _ = try terminal.write(bytes[...])
        case .none: break
        }
      }
    } catch {
      if listener != nil { remove(client) }
    }
  }
}
