import Glibc

/// Tells systemd how the service is: the datagrams of `sd_notify(3)`, without its library.
///
/// Does nothing where `NOTIFY_SOCKET` is not set.
struct ServiceNotifier: ~Copyable {
  private let number: Int32
  private var address = sockaddr_un()
  private var addressLength: socklen_t = 0
  /// How often systemd wants to hear from us at least, in milliseconds; nil without a watchdog.
  let watchdogMilliseconds: Int?

  /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
  init() {
    watchdogMilliseconds = Self.watchdogInterval()
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard let name = unsafe getenv("NOTIFY_SOCKET"), unsafe strlen(name) > 1,
      unsafe strlen(name) < room
    else {
      number = -1
      return
    }
    let length = unsafe strlen(name)
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: name, count: length))
      // A leading @ stands for the abstract name space.
      if unsafe $0[0] == UInt8(ascii: "@") { unsafe $0[0] = 0 }
    }
    addressLength = socklen_t(MemoryLayout<sockaddr_un>.size - room + length)
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    number = socket(AF_UNIX, type, 0)
  }

  deinit { if number >= 0 { close(number) } }

  /// The service has started.
  mutating func ready() { send("READY=1") }
  /// The service is alive; call it more often than `watchdogMilliseconds`.
  mutating func watchdog() { send("WATCHDOG=1") }
  /// The service is about to end.
  mutating func stopping() { send("STOPPING=1") }

  private mutating func send(_ text: StaticString) {
    guard number >= 0 else { return }
    let length = addressLength
    _ = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe sendto(
          number, text.utf8Start, text.utf8CodeUnitCount,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, length)
      }
    }
  }

  private static func watchdogInterval() -> Int? {
    guard let text = unsafe getenv("WATCHDOG_USEC"),
      let microseconds = unsafe Int(String(cString: text)),
      microseconds >= 1000
    else { return nil }
    if let owner = unsafe getenv("WATCHDOG_PID"),
      let number = unsafe Int32(String(cString: owner)), number != getpid()
    {
      return nil
    }
    return microseconds / 1000
  }
}
