import CLinux
import Glibc

/// Opening a serial line the way meters need it.
enum SerialPort {
  /// Baud rates with their constants.
  ///
  /// POSIX.1-2017, <termios.h>, and Linux's higher ones.
  private static let rates: [(speed: Int, code: Int32)] = [
    (300, B300), (600, B600), (1200, B1200), (2400, B2400), (4800, B4800), (9600, B9600),
    (19_200, B19200), (38_400, B38400), (57_600, B57600), (115_200, B115200), (230_400, B230400),
  ]

  /// Baud rates that `open` takes.
  static var speeds: [Int] { rates.map(\.speed) }

  /// Opens `path` for reading, raw, exclusively and without waiting.
  ///
  /// Bytes that wait already are kept: a driver receives nothing before it is opened, and a frame
  /// waiting in a pseudo-terminal is worth having. Modem lines that a device does not have (a
  /// pseudo-terminal's) are passed over. Calls `open`, `tcsetattr` and `ioctl`.
  /// - Throws: `SystemError`; `ENOTTY` if it is no terminal, `EINVAL` for an unknown speed.
  static func open(_ path: String, _ settings: SerialSettings) throws(SystemError)
    -> FileDescriptor
  {
    let access = settings.signOn == nil ? O_RDONLY : O_RDWR
    let flags = access | O_NOCTTY | O_NONBLOCK | O_CLOEXEC
    let port = unsafe try FileDescriptor(Glibc.open(path, flags), from: "open")
    try configure(port.number, settings)
    _ = ioctl(port.number, UInt(TIOCEXCL))
    set(TIOCM_RTS, to: settings.rts, on: port.number)
    set(TIOCM_DTR, to: settings.dtr, on: port.number)
    return port
  }

  /// Changes the speed of an open port; bytes that have not left yet leave at the new one.
  static func setSpeed(
    _ speed: Int, on port: Int32, _ settings: SerialSettings
  ) throws(SystemError) {
    var settings = settings
    settings.speed = speed
    try configure(port, settings)
  }

  /// Sends a few bytes, which a port's buffer always has room for.
  static func send(_ bytes: [UInt8], to number: Int32) throws(SystemError) {
    let count = unsafe bytes.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
    guard count == bytes.count else {
      throw SystemError(call: "write", number: count < 0 ? errno : EIO)
    }
  }

  /// Takes a line that libmodbus has opened for this process alone, and has it tell silence from an end.
  ///
  /// With VMIN 0, as libmodbus leaves it, a raw line answers both with 0 bytes.
  static func claim(_ port: Int32) throws(SystemError) {
    var line = termios()
    guard unsafe tcgetattr(port, &line) == 0 else {
      throw SystemError(call: "tcgetattr", number: errno)
    }
    line.c_cflag &= ~tcflag_t(HUPCL)
    line.c_cc.6 = 1
    line.c_cc.5 = 0
    guard unsafe tcsetattr(port, TCSANOW, &line) == 0 else {
      throw SystemError(call: "tcsetattr", number: errno)
    }
    _ = ioctl(port, UInt(TIOCEXCL))
  }

  /// Whether the driver turns the line already, as the computer's own description may have told it.
  ///
  /// Calls `ioctl` with `TIOCGRS485`.
  static func turnsByItself(_ port: Int32) -> Bool {
    var mode = serial_rs485()
    guard unsafe ioctl(port, UInt(TIOCGRS485), &mode) == 0 else { return false }
    return mode.flags & UInt32(SER_RS485_ENABLED) != 0
  }

  private static func configure(_ port: Int32, _ settings: SerialSettings) throws(SystemError) {
    guard let rate = rates.first(where: { $0.speed == settings.speed }) else {
      throw SystemError(call: "cfsetspeed", number: EINVAL)
    }
    var line = termios()
    guard unsafe tcgetattr(port, &line) == 0 else {
      throw SystemError(call: "tcgetattr", number: errno)
    }
    unsafe cfmakeraw(&line)
    line.c_cflag &= ~tcflag_t(CSIZE | PARENB | PARODD | CSTOPB | HUPCL) & ~tcflag_t(CRTSCTS)
    line.c_cflag |= tcflag_t(CREAD | CLOCAL)
    line.c_cflag |= tcflag_t(settings.dataBits == 7 ? CS7 : CS8)
    if settings.stopBits == 2 { line.c_cflag |= tcflag_t(CSTOPB) }
    if settings.parity != .none { line.c_cflag |= tcflag_t(PARENB) }
    if settings.parity == .odd { line.c_cflag |= tcflag_t(PARODD) }
    // With VMIN 0 a raw line would answer "no bytes yet" and "unplugged" alike: with 0.
    line.c_cc.6 = 1
    line.c_cc.5 = 0
    _ = unsafe cfsetspeed(&line, speed_t(rate.code))
    guard unsafe tcsetattr(port, TCSANOW, &line) == 0 else {
      throw SystemError(call: "tcsetattr", number: errno)
    }
  }

  private static func set(_ modemLine: Int32, to isRaised: Bool?, on port: Int32) {
    guard let isRaised else { return }
    var bits = modemLine
    _ = unsafe ioctl(port, UInt(isRaised ? TIOCMBIS : TIOCMBIC), &bits)
  }
}
