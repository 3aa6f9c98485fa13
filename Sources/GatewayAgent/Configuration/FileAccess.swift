import Glibc

extension SystemError {
  /// The system's words in lower case, to stand behind others: `no such file or directory`.
  var lowercaseText: String { text.lowercased() }
}

/// Whole files and their modes, for the cold start only.
enum FileAccess {
  /// What matters of a file's entry.
  struct Status: Equatable, Sendable {
    /// Permission bits, such as 0o600.
    var mode: UInt32
    /// Owner.
    var user: UInt32
    /// Group.
    var group: UInt32
    /// Whether it is a plain file.
    var isRegular: Bool
    /// Whether it is a character device.
    var isCharacterDevice: Bool
  }

  /// Reads a file of at most `limit` bytes.
  ///
  /// - Throws: the system's error; `EFBIG` where the file is longer.
  static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor(
      unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), from: "open")
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(file.number, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw SystemError(call: "read", number: errno)
      }
      guard bytes.count + count <= limit else { throw SystemError(call: "read", number: EFBIG) }
      bytes += chunk[0..<count]
    }
  }

  /// Gives a file new bytes, all or none of them as seen by whoever opens it; mode 0600.
  ///
  /// It does not wait for the disk: what a power cut leaves must be checked when read.
  static func replace(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    try put(bytes, at: path) { _ in }
  }

  /// Gives a file of the household's new bytes: mode and owner stay, a link goes on pointing to it,
  /// and they are on the disk before the old ones go.
  static func rewrite(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    guard let resolved = unsafe realpath(path, nil) else {
      throw SystemError(call: "realpath", number: errno)
    }
    defer { unsafe free(resolved) }
    let path = unsafe String(cString: resolved)
    let old = try status(path)
    try put(bytes, at: path) { (file) throws(SystemError) in
      // Who may not give it away must own it already.
      if old.user != geteuid() || old.group != getegid(), fchown(file, old.user, old.group) != 0 {
        throw SystemError(call: "fchown", number: errno)
      }
      guard fchmod(file, old.mode) == 0 else { throw SystemError(call: "fchmod", number: errno) }
      guard fsync(file) == 0 else { throw SystemError(call: "fsync", number: errno) }
    }
  }

  /// Writes a new file of mode 0600 beside `path`, finishes it, and gives it that name; what fails
  /// leaves nothing behind.
  private static func put(
    _ bytes: [UInt8], at path: String, _ finish: (Int32) throws(SystemError) -> Void
  ) throws(SystemError) {
    let temporary = path + ".new"
    unsafe unlink(temporary)
    let file = try FileDescriptor(
      unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600),
      from: "open")
    do throws(SystemError) {
      try write(bytes, to: file)
      try finish(file.number)
      guard unsafe rename(temporary, path) == 0 else {
        throw SystemError(call: "rename", number: errno)
      }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }

  private static func write(_ bytes: [UInt8], to file: borrowing FileDescriptor)
    throws(SystemError)
  {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { raw in
        unsafe Glibc.write(
          file.number, raw.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError(call: "write", number: errno) }
      written += count
    }
  }

  /// Removes a file; one that is not there is removed already.
  static func remove(_ path: String) { unsafe unlink(path) }

  /// Looks at a file's entry, following links (`stat`).
  static func status(_ path: String) throws(SystemError) -> Status {
    var entry = stat()
    guard unsafe stat(path, &entry) == 0 else {
      throw SystemError(call: "stat", number: errno)
    }
    return Status(
      mode: entry.st_mode & 0o7777, user: entry.st_uid, group: entry.st_gid,
      isRegular: entry.st_mode & S_IFMT == S_IFREG,
      isCharacterDevice: entry.st_mode & S_IFMT == S_IFCHR)
  }

  /// The names in a directory but hidden ones, in no order; empty where it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// Where a link points, nil if it is none (`readlink`).
  static func linkTarget(_ path: String) -> String? {
    var target = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    return String(decoding: target[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
