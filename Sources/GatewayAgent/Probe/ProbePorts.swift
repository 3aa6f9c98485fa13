import CLinux
import Glibc

/// A serial port, opened anew with each setting.
struct SerialProbeLine: ProbeLine {
  let path: String

  var candidates: [SerialSettings] { SerialSettings.probed }

  func listen(
    _ settings: SerialSettings?, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) throws(SystemError) -> ProbeTrial {
    let port = try SerialPort.open(path, settings ?? .probed[0])
    let before = LineErrors(of: port.number)
    let bytes = try ProbeReader.read(port.number, milliseconds: milliseconds, until: isEnough)
    return ProbeTrial(
      settings: settings, bytes: bytes, errors: LineErrors(of: port.number)?.since(before))
  }
}

/// A network adapter, whose own settings nobody here can change.
struct TCPProbeLine: ProbeLine {
  let host: String
  let port: UInt16

  var candidates: [SerialSettings] { [] }

  func listen(
    _ settings: SerialSettings?, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) throws(SystemError) -> ProbeTrial {
    let connector = TCPConnector(host: host, port: port)
    connector.run()
    guard connector.socket >= 0 else {
      throw SystemError(call: "connect", number: connector.failure)
    }
    let socket = FileDescriptor(owning: connector.socket)
    let bytes = try ProbeReader.read(socket.number, milliseconds: milliseconds, until: isEnough)
    return ProbeTrial(settings: nil, bytes: bytes, errors: nil)
  }
}

/// Reads for a while.
enum ProbeReader {
  static func read(
    _ descriptor: Int32, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) throws(SystemError) -> [UInt8] {
    let end = GatewayClock.monotonicMilliseconds() + Int64(milliseconds)
    var bytes: [UInt8] = []
    while let chunk = try chunk(descriptor, until: end), !chunk.isEmpty {
      bytes += chunk
      if isEnough(bytes) { break }
    }
    return bytes
  }

  /// What comes next: empty if nothing has come by `end`, nil if the other side closed.
  static func chunk(_ descriptor: Int32, until end: Int64) throws(SystemError) -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let left = end - GatewayClock.monotonicMilliseconds()
      guard left > 0 else { return [] }
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = unsafe poll(&entry, 1, Int32(clamping: left))
      guard ready != 0 else { return [] }
      if ready < 0 {
        guard errno == EINTR else { throw SystemError(call: "poll", number: errno) }
        continue
      }
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count > 0 {
        return Array(chunk[..<count])
      } else if count == 0 {
        return nil
      } else if errno != EINTR && errno != EAGAIN {
        throw SystemError(call: "read", number: errno)
      }
    }
  }
}

extension LineErrors {
  /// What the driver has counted since it was loaded; nil where it counts nothing.
  ///
  /// Calls `ioctl` with `TIOCGICOUNT`.
  fileprivate init?(of port: Int32) {
    var counts = serial_icounter_struct()
    guard unsafe ioctl(port, UInt(TIOCGICOUNT), &counts) == 0 else { return nil }
    self.init(
      framing: Int(counts.frame), parity: Int(counts.parity), breaks: Int(counts.brk))
  }

  fileprivate func since(_ before: LineErrors?) -> LineErrors {
    guard let before else { return self }
    return LineErrors(
      framing: framing - before.framing, parity: parity - before.parity,
      breaks: breaks - before.breaks)
  }
}
