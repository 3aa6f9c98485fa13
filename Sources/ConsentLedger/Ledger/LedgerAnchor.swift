/// `ledger.anchor`: the last checkpoint, outside the database, so that a tail that was cut off the
/// chain is missed.
///
/// It is replaced as a whole, so a power cut leaves the old one or the new one. Whoever can write
/// both files can still forge both; a checkpoint or receipt kept elsewhere tells then.
enum LedgerAnchor {
  static let fileName = "ledger.anchor"
  /// 32 random bytes, the private key of checkpoints; never exported.
  static let keyFileName = "checkpoint.key"

  /// What the file says.
  enum Content: Equatable {
    case missing
    /// No checkpoint, or one that another key signed.
    case damaged
    case checkpoint(Checkpoint)
  }

  /// Reads the private key; nil if there is none yet.
  ///
  /// - Throws: `SystemError.exposed` if others may read it, `.truncated` if it is not 32 bytes long.
  static func key(from directory: StateDirectory) throws(SystemError) -> [UInt8]? {
    guard directory.holds(keyFileName) else { return nil }
    let file = try StateFile(opening: directory.path(of: keyFileName))
    let bytes = try file.read(at: 0, count: Ed25519.keyByteCount + 1)
    guard bytes.count == Ed25519.keyByteCount else { throw .truncated }
    return bytes
  }

  /// Makes the private key.
  static func makeKey(
    in directory: StateDirectory, random: (Int) -> [UInt8]
  ) throws(SystemError) -> [UInt8] {
    let key = random(Ed25519.keyByteCount)
    try directory.create(keyFileName, key)
    return key
  }

  /// Reads the last checkpoint.
  static func load(
    from directory: StateDirectory, privateKey: [UInt8]?
  ) throws(SystemError) -> Content {
    guard directory.holds(fileName) else { return .missing }
    let file = try StateFile(opening: directory.path(of: fileName))
    guard let privateKey, let found = Checkpoint(try file.read(at: 0, count: 1024)),
      found.key == Ed25519.publicKey(of: privateKey).map(Hex.text)
    else { return .damaged }
    return .checkpoint(found)
  }
}
