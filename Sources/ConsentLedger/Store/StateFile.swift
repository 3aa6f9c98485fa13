/// Files of the state directory, through the system's own calls: the ledger must know when a byte
/// is on the disk, and who else may read it.

internal import Glibc

/// A system call that failed, by its `errno`.
struct SystemError: Error, Equatable {
  var number: Int32

  /// The error of the call that just failed.
  static var last: SystemError { SystemError(number: errno) }
  /// A file that must not be read by others can be.
  static let exposed = SystemError(number: EPERM)
  /// A file does not have the size that this software gives it.
  static let truncated = SystemError(number: EIO)
  /// Every slot is in use.
  static let full = SystemError(number: ENOSPC)
}

/// One open file with one owner; closed when it goes out of scope.
struct StateFile: ~Copyable {
  private let descriptor: Int32

  /// Opens an existing file for reading and writing, refusing one that others may read or write.
  ///
  /// - Throws: `SystemError`, `.exposed` if group or others have any right.
  init(opening path: String) throws(SystemError) {
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw .last }
    guard try permissions() & 0o077 == 0 else { throw .exposed }
  }

  /// Makes a file that does not exist yet, readable by its owner only, whatever the umask says.
  init(creating path: String) throws(SystemError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .last }
    guard fchmod(descriptor, 0o600) == 0 else { throw .last }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// At most `count` bytes from `offset`; fewer only at the end of the file.
  func read(at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = unsafe bytes.withUnsafeMutableBytes { raw in
        unsafe pread(
          descriptor, raw.baseAddress?.advanced(by: filled), count - filled, offset + filled)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .last }
      if got == 0 { break }
      filled += got
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  /// Writes all of `bytes` at `offset` and waits until they are on the disk.
  func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let got = unsafe bytes.withUnsafeBytes { raw in
        unsafe pwrite(
          descriptor, raw.baseAddress?.advanced(by: written), bytes.count - written,
          offset + written)
      }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw .last }
      written += got
    }
    guard fdatasync(descriptor) == 0 else { throw .last }
  }

  /// The file's size, bytes.
  func size() throws(SystemError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
    return Int(status.st_size)
  }

  private func permissions() throws(SystemError) -> mode_t {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last }
    return status.st_mode & 0o777
  }
}

/// The directory that holds the consent state, and the ways to make files in it.
struct StateDirectory {
  /// Its path, without a slash at the end.
  let path: String

  /// Makes the directory (0700) if it is missing.
  ///
  /// An existing one must belong to this user, and nobody else may write into it: whoever could
  /// swap a file could undo a withdrawal. Its rights are not changed, because a mistyped path must
  /// not lock others out of theirs.
  ///
  /// - Throws: `SystemError`, `.exposed` if group or others may write.
  init(preparing path: String) throws(SystemError) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if unsafe mkdir(self.path, 0o700) != 0 && errno != EEXIST { throw .last }
    var status = stat()
    guard unsafe stat(self.path, &status) == 0 else { throw .last }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError(number: ENOTDIR) }
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else { throw .exposed }
  }

  /// The path of a file in the directory.
  func path(of name: String) -> String { path + "/" + name }

  /// Whether a file of that name is there.
  func holds(_ name: String) -> Bool { unsafe access(path(of: name), F_OK) == 0 }

  /// Makes a file with these bytes, durable and complete, or leaves none: it gets its name only
  /// when its content is on the disk.
  ///
  /// - Throws: `SystemError`, `EEXIST` if the name is taken.
  func create(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    let temporary = path(of: name + ".new")
    unsafe unlink(temporary)
    let file = try StateFile(creating: temporary)
    try file.write(bytes, at: 0)
    guard unsafe link(temporary, path(of: name)) == 0 else { throw .last }
    unsafe unlink(temporary)
    try sync()
  }

  /// Puts a file with these bytes in the place of one of that name: a power cut leaves one of both.
  func replace(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
    let temporary = path(of: name + ".new")
    unsafe unlink(temporary)
    let file = try StateFile(creating: temporary)
    try file.write(bytes, at: 0)
    guard unsafe rename(temporary, path(of: name)) == 0 else { throw .last }
    try sync()
  }

  /// Waits until names made or removed in the directory are on the disk.
  func sync() throws(SystemError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last }
  }
}
