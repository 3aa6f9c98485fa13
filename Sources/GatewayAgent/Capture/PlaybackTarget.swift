internal import ArgumentParser
import Glibc

/// Where played-back or simulated bytes go, as `--to` names it.
enum PlaybackDestination: Equatable, Sendable, ExpressibleByArgument {
  /// A new pseudo-terminal.
  case pseudoTerminal
  /// Clients of a TCP port on loopback; 0 takes a free one.
  case tcp(port: UInt16)
  /// Standard output.
  case standardOutput

  /// Reads `pty`, `tcp:PORT` or `-`.
  init?(argument: String) {
    switch argument {
    case "pty": self = .pseudoTerminal
    case "-": self = .standardOutput
    default:
      guard argument.hasPrefix("tcp:") else { return nil }
      var place = argument.dropFirst(4)
      for host in ["127.0.0.1:", "localhost:"] where place.hasPrefix(host) {
        place = place.dropFirst(host.utf8.count)
      }
      guard let port = UInt16(place) else { return nil }
      self = .tcp(port: port)
    }
  }

  /// Opens it; a `link` is a second path for a pseudo-terminal.
  func open(link: String?, on loop: EventLoop) throws(CommandFailure) -> any PlaybackTarget {
    do throws(SystemError) {
      switch self {
      case .pseudoTerminal: return try TerminalTarget(link: link, on: loop)
      case .tcp(let port): return try TCPTarget(port: port, on: loop)
      case .standardOutput: return StandardOutputTarget()
      }
    } catch {
      throw .unusable("\(error.call): \(error.lowercaseText)")
    }
  }
}

/// A receiver of played-back bytes that never waits: what a slow reader leaves is kept for it.
protocol PlaybackTarget: AnyObject {
  /// What to open or connect to, for the person who started it; empty for standard output.
  var place: String { get }
  /// Whether somebody listens.
  var hasReceiver: Bool { get }
  /// Whether everything sent has left.
  var isDrained: Bool { get }
  /// Bytes that were given up because a reader was too far behind.
  var lostByteCount: Int { get }
  /// Sends bytes to whoever listens; to nobody they are lost, as on a real line.
  func send(_ bytes: [UInt8]) throws(CommandFailure)
}

/// Bytes on their way to one slow reader.
struct PendingBytes {
  /// A reader this far behind is not reading any more: three hours of P1.
  static let limit = 8 << 20

  private var bytes: [UInt8] = []
  private var start = 0

  /// How many wait.
  var count: Int { bytes.count - start }

  /// Adds bytes; false if that would be too many, and then adds none.
  mutating func append(_ more: [UInt8]) -> Bool {
    guard count + more.count <= PendingBytes.limit else { return false }
    if start > 0, start == bytes.count || start > 65_536 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes += more
    return true
  }

  /// Forgets all.
  mutating func removeAll() {
    bytes = []
    start = 0
  }

  /// Lets `write` take what it can; it gives the count it took.
  mutating func flush(
    _ write: (ArraySlice<UInt8>) throws(SystemError) -> Int
  ) throws(SystemError) {
    while count > 0 {
      let taken = try write(bytes[start...])
      if taken == 0 { return }
      start += taken
    }
  }
}

/// A new pseudo-terminal, and a link to it if wanted.
final class TerminalTarget: PlaybackTarget {
  /// How long a full terminal is left alone.
  private static let retryMilliseconds = 5

  let place: String
  private(set) var lostByteCount = 0
  private let terminal: PseudoTerminal
  private let link: DeviceLink?
  private var pending = PendingBytes()
  private var retry: Timer?

  init(link path: String?, on loop: EventLoop) throws(SystemError) {
    terminal = try PseudoTerminal()
    link = if let path { try DeviceLink(path, to: terminal.path) } else { nil }
    place = path ?? terminal.path
    retry = loop.timer { [weak self] in self?.flush() }
  }

  var hasReceiver: Bool { terminal.hasReader }
  var isDrained: Bool {
    guard hasReceiver else { return true }
    return pending.count == 0 && terminal.unreadCount() == 0
  }

  func send(_ bytes: [UInt8]) throws(CommandFailure) {
    guard hasReceiver else { return pending.removeAll() }
    if !pending.append(bytes) { lostByteCount += bytes.count }
    flush()
  }

  private func flush() {
    do throws(SystemError) {
      try pending.flush { (bytes) throws(SystemError) in try terminal.write(bytes) }
    } catch {
      // The reader closed the device between looking and writing.
      pending.removeAll()
    }
    if pending.count > 0 { retry?.arm(afterMilliseconds: TerminalTarget.retryMilliseconds) }
  }
}

/// A symbolic link to a device, removed with the value unless somebody else has replaced it.
struct DeviceLink: ~Copyable {
  private let path: String
  private let target: String

  /// Makes the link; replaces an older link, but nothing else.
  ///
  /// - Throws: `EEXIST` where something else than a link has the name.
  init(_ path: String, to target: String) throws(SystemError) {
    if FileAccess.linkTarget(path) != nil { _ = unsafe unlink(path) }
    guard unsafe symlink(target, path) == 0 else {
      throw SystemError(call: "symlink", number: errno)
    }
    self.path = path
    self.target = target
  }

  deinit {
    if FileAccess.linkTarget(path) == target { _ = unsafe unlink(path) }
  }
}

/// Standard output, written at once.
final class StandardOutputTarget: PlaybackTarget {
  let place = ""
  let hasReceiver = true
  let isDrained = true
  let lostByteCount = 0

  func send(_ bytes: [UInt8]) throws(CommandFailure) { try Terminal.write(bytes) }
}
