import Glibc

/// A pseudo-terminal that appears under a path, as an adapter does, and can be pulled out.
final class TestTerminal {
  private(set) var master: Int32 = -1
  private let path: String

  /// Plugs it in: a pair, raw or as a terminal for people is, and a symbolic link at `path`.
  init(at path: String, isRaw: Bool = true) {
    self.path = path
    var slave: Int32 = -1
    var name = [CChar](repeating: 0, count: 128)
    precondition(unsafe openpty(&master, &slave, &name, nil, nil) == 0, "there is a free pty")
    var line = termios()
    _ = unsafe tcgetattr(slave, &line)
    if isRaw { unsafe cfmakeraw(&line) }
    _ = unsafe tcsetattr(slave, TCSANOW, &line)
    close(slave)
    _ = unsafe unlink(path)
    precondition(unsafe symlink(name, path) == 0, "the link can be made")
  }

  deinit { unplug() }

  func send(_ bytes: [UInt8]) {
    _ = unsafe bytes.withUnsafeBytes { unsafe write(master, $0.baseAddress, $0.count) }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// What the other side sent and nobody has taken yet; does not wait.
  func receive() -> [UInt8] {
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(master, $0.baseAddress, 256) }
    return Array(buffer.prefix(max(0, count)))
  }

  /// The speed that the other side has set, one of the `B…` constants.
  var speed: speed_t {
    var line = termios()
    _ = unsafe tcgetattr(master, &line)
    return unsafe cfgetospeed(&line)
  }

  /// Pulls it out: both the line and the path are gone.
  func unplug() {
    guard master >= 0 else { return }
    close(master)
    master = -1
    _ = unsafe unlink(path)
  }
}
