import Glibc

/// Why a file could not be used: the system's error number.
struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `errno` of the failing call.
  var code: Int32

  /// The system's words for it, in lower case: `no such file or directory`.
  var description: String {
    var text = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    let units = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: units, as: UTF8.self).lowercased()
  }

  /// The error of the call that just failed.
  static var last: FileError { FileError(code: errno) }
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
  static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw .last }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw .last
      }
      guard bytes.count + count <= limit else { throw FileError(code: EFBIG) }
      bytes += chunk[0..<count]
    }
  }

  /// Looks at a file's entry, following links (`stat`).
  static func status(_ path: String) throws(FileError) -> Status {
    var entry = stat()
    guard unsafe stat(path, &entry) == 0 else { throw .last }
    return Status(
      mode: entry.st_mode & 0o7777, user: entry.st_uid, group: entry.st_gid,
      isRegular: entry.st_mode & S_IFMT == S_IFREG,
      isCharacterDevice: entry.st_mode & S_IFMT == S_IFCHR)
  }

  /// Where a link points, nil if it is none (`readlink`).
  static func linkTarget(_ path: String) -> String? {
    var target = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    return String(decoding: target[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
