import Glibc
import ModbusMeters

/// Where Modbus meters are reached.
enum BusPlace: Equatable, Sendable {
  /// A serial device.
  case serial(path: String, SerialDefaults, usesRS485: Bool)
  /// A meter or gateway on the network; `rtu` framing where a gateway hands the serial line through.
  case tcp(host: String, port: UInt16, ModbusFraming)

  /// How requests are wrapped there.
  var framing: ModbusFraming {
    switch self {
    case .serial: .rtu
    case .tcp(_, _, let framing): framing
    }
  }

  /// How long bytes take there.
  var pace: BusMaster.Pace {
    switch self {
    case .serial(_, let settings, _): BusMaster.Pace(settings)
    case .tcp: .network
    }
  }
}

/// An open line to Modbus meters; closed when its owner lets go of it.
///
/// Network sides are reached by `TCPConnector`: libmodbus takes an unknown name for a refusal, and
/// before 3.1.11 leaves no reason where a connection takes too long.
struct BusLine: ~Copyable {
  private let serial: SerialBusPort?
  private let socket: FileDescriptor?
  /// What to wait for.
  let descriptor: Int32

  /// Opens it; blocks as long as the network does.
  init(_ place: BusPlace) throws(SystemError) {
    switch place {
    case .serial(let path, let settings, let usesRS485):
      let port = try SerialBusPort(path, settings, usesRS485: usesRS485)
      descriptor = port.descriptor
      serial = consume port
      socket = nil
    case .tcp(let host, let port, _):
      let connector = TCPConnector(host: host, port: port)
      connector.run()
      guard connector.socket >= 0 else {
        throw SystemError(call: "connect", number: connector.failure)
      }
      SocketOption.set(connector.socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
      descriptor = connector.socket
      socket = FileDescriptor(owning: connector.socket)
      serial = nil
    }
  }

  /// Sends a request, which a line that works always has room for.
  func send(_ bytes: [UInt8]) throws(SystemError) {
    let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else {
      throw SystemError(call: "write", number: count < 0 ? errno : EAGAIN)
    }
  }

  /// What has come; empty if it was nothing.
  ///
  /// - Throws: `SystemError`, with 0 where the other side has closed the line.
  func receive() throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    let reason = count == 0 ? 0 : errno
    guard count > 0 || reason == EAGAIN || reason == EINTR else {
      throw SystemError(call: "read", number: reason)
    }
    return Array(bytes.prefix(max(count, 0)))
  }

  /// Waits until bytes have come, `wake` is readable, or so many milliseconds have passed.
  func wait(milliseconds: Int32, orFor wake: Int32) -> (isReadable: Bool, isWoken: Bool) {
    BusLine.wait(milliseconds: milliseconds, descriptor, wake)
  }

  /// The same without a line.
  static func wait(
    milliseconds: Int32, _ descriptor: Int32, _ wake: Int32
  ) -> (isReadable: Bool, isWoken: Bool) {
    // A negative descriptor is passed over.
    var entries: InlineArray<2, pollfd> = [
      pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    var span = entries.mutableSpan
    let ready = unsafe span.withUnsafeMutableBufferPointer {
      unsafe poll($0.baseAddress, 2, milliseconds)
    }
    guard ready > 0 else { return (false, false) }
    return (entries[1].revents != 0, entries[0].revents != 0)
  }
}
