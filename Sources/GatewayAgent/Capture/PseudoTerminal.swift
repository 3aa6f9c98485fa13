import Glibc

/// A serial line that is not there: what is written to it can be read from the device at `path`.
///
/// The line is raw (no echo, no line editing). The device disappears when the value is let go.
struct PseudoTerminal: ~Copyable {
  private let master: FileDescriptor
  /// The device to open, such as `/dev/pts/4`.
  let path: String

  /// Makes a pair (`openpty`; `posix_openpt` is not in Swift's Glibc module).
  init() throws(SystemError) {
    var numbers: (master: Int32, device: Int32) = (-1, -1)
    var name = [CChar](repeating: 0, count: 128)
    var settings = termios()
    unsafe cfmakeraw(&settings)
    settings.c_cflag |= tcflag_t(CS8 | CREAD)
    settings.c_cc.6 = 1
    let result = unsafe openpty(&numbers.master, &numbers.device, &name, &settings, nil)
    let pair = try FileDescriptor(result == 0 ? numbers.master : -1, from: "openpty")
    // With the device closed the master reports a hang-up until somebody opens it: that is how a
    // reader is noticed. The line's settings stay as long as the master is open.
    close(numbers.device)
    let flags = fcntl(pair.number, F_GETFL)
    guard flags >= 0, fcntl(pair.number, F_SETFL, flags | O_NONBLOCK) == 0,
      fcntl(pair.number, F_SETFD, FD_CLOEXEC) == 0
    else { throw SystemError(call: "fcntl", number: errno) }
    master = pair
    path = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether somebody has the device open.
  var hasReader: Bool {
    var entry = pollfd(fd: master.number, events: 0, revents: 0)
    _ = unsafe poll(&entry, 1, 0)
    return entry.revents & Int16(POLLHUP) == 0
  }

  /// Writes what fits and gives its count, 0 while the reader is behind.
  ///
  /// - Throws: the system's error; `EIO` where the device is gone.
  func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
    try master.writeWhatFits(bytes)
  }

  /// The descriptor to wait for what somebody writes to the device.
  var number: Int32 { master.number }

  /// What has been written to the device; empty if it was nothing.
  func read() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe Glibc.read(master.number, &bytes, bytes.count)
    return Array(bytes.prefix(max(count, 0)))
  }

  /// A second descriptor of the device: while it is open, its users may come and go unnoticed.
  func hold() throws(SystemError) -> FileDescriptor {
    unsafe try FileDescriptor(
      open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), from: "open")
  }

  /// How many bytes a reader has not fetched yet (`FIONREAD`).
  ///
  /// Opens the device for the moment, so `hasReader` must not be asked meanwhile.
  func unreadCount() -> Int {
    let descriptor = unsafe open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var count: Int32 = 0
    _ = unsafe ioctl(descriptor, UInt(FIONREAD), &count)
    return Int(count)
  }
}

extension FileDescriptor {
  /// Writes what a non-blocking descriptor takes: 0 if it takes nothing now.
  borrowing func writeWhatFits(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
    guard !bytes.isEmpty else { return 0 }
    while true {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(number, buffer.baseAddress, buffer.count)
      }
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN: return 0
      default: throw SystemError(call: "write", number: errno)
      }
    }
  }
}
