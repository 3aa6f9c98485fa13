import Glibc

/// Says when something happens where a vanished path may come back.
///
/// Watched are the directory of the path and, for a symbolic link, that of its target; where a
/// directory is gone too (`/dev/serial/by-id` goes with the last adapter) its nearest ancestor.
/// Calls `inotify_add_watch`.
final class PathWatcher {
  private static let events = UInt32(IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF)

  private let loop: EventLoop
  private let path: String
  private let notify: FileDescriptor
  private var watch: EventLoop.Watch?

  /// Watches for `path` and calls `changed` for anything that may concern it.
  ///
  /// - Throws: `SystemError` if the system has no more watches to give.
  init(_ path: String, on loop: EventLoop, changed: @escaping () -> Void) throws(SystemError) {
    self.loop = loop
    self.path = path
    notify = try FileDescriptor(
      inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)), from: "inotify_init1")
    var places = [Self.directory(of: path)]
    if let target = Self.target(of: path) { places.append(Self.directory(of: target)) }
    for place in places { try add(place) }
    let descriptor = notify.number
    watch = try loop.watch(descriptor, for: .readable) { _ in
      Self.drain(descriptor)
      changed()
    }
  }

  deinit { if let watch { loop.unwatch(watch) } }

  private func add(_ directory: String) throws(SystemError) {
    var place = directory
    while unsafe inotify_add_watch(notify.number, place, Self.events) < 0 {
      guard errno == ENOENT || errno == ENOTDIR || errno == EACCES, place != "/" else {
        throw SystemError(call: "inotify_add_watch", number: errno)
      }
      place = Self.directory(of: place)
    }
  }

  /// `path` without its last part: `/` and `.` are their own directories.
  static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
  }

  private static func target(of path: String) -> String? {
    var name = ""
    unsafe withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
      guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return }
      let count = unsafe readlink(path, start, buffer.count)
      if count > 0 { name = unsafe String(decoding: buffer[..<count], as: UTF8.self) }
    }
    guard !name.isEmpty else { return nil }
    return name.utf8.first == UInt8(ascii: "/") ? name : directory(of: path) + "/" + name
  }

  private static func drain(_ descriptor: Int32) {
    unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while unsafe read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
    }
  }
}
