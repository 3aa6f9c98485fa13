/// `install.secret`: 32 random bytes from which every pseudonym of this installation is derived.
///
/// It is made once, is readable by its owner only, never exported and by default in no backup:
/// without it nobody can link a pseudonym to another.
enum InstallSecret {
  static let fileName = "install.secret"
  static let byteCount = 32

  /// Reads the secret, or makes it if there is none yet.
  ///
  /// - Throws: `SystemError.exposed` if others may read it; `EIO` if it is not 32 bytes long.
  static func load(
    from directory: StateDirectory, random: (Int) -> [UInt8]
  ) throws(SystemError) -> (bytes: [UInt8], created: Bool) {
    let created = !directory.holds(fileName)
    if created { try directory.create(fileName, random(byteCount)) }
    let file = try StateFile(opening: directory.path(of: fileName))
    let bytes = try file.read(at: 0, count: byteCount + 1)
    guard bytes.count == byteCount else { throw .truncated }
    return (bytes, created)
  }
}
