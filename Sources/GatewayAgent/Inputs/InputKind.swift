/// Where a meter's bytes come from.
enum InputKind: Equatable, Sendable {
  /// A serial device or pseudo-terminal.
  case serial(path: String, SerialSettings)
  /// A raw byte stream over TCP, as ser2net and esp-link serve it.
  case tcp(host: String, port: UInt16)
  /// A file of recorded bytes, read once to its end.
  case file(path: String)
  /// Standard input, read to its end.
  case standardInput
}

extension InputKind {
  /// As the configuration writes it.
  var address: String {
    switch self {
    case .serial(let path, _): path
    case .tcp(let host, let port): "tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    case .file(let path): "file:\(path)"
    case .standardInput: "stdin"
    }
  }
}

/// Settings of a serial line; flow control is always off.
struct SerialSettings: Equatable, Sendable {
  /// The parity bit, named as in configuration and command line.
  enum Parity: String, CaseIterable, Sendable {
    case none
    case even
    case odd
  }

  /// Baud, one of `SerialPort.speeds`.
  var speed: Int
  /// 7 or 8.
  var dataBits: Int
  /// The parity bit.
  var parity: Parity
  /// 1 or 2.
  var stopBits: Int
  /// Whether RTS is raised at opening (P1 wants its request line high); nil leaves it.
  var rts: Bool?
  /// Whether DTR is raised at opening; nil leaves it.
  var dtr: Bool?
  /// How the meter is asked for its readout; nil listens only.
  var signOn: SignOnSettings?
}

/// How an input is.
enum InputState: Equatable, Sendable {
  /// The first attempt to open it is under way.
  case opening
  /// Bytes may come.
  case open
  /// It cannot be opened; attempts go on. The reason is an `errno`, or a negative `EAI_…` code.
  case absent(errno: Int32)
  /// It was open and is gone; attempts go on. The reason is an `errno`, 0 if the other side closed.
  case lost(errno: Int32)
  /// All of a file or of standard input has been read; nothing more will come.
  case ended
  /// A Modbus meter answers, and is not the one that its profile describes.
  case otherMeter
}
