import Glibc
import MeterCipher

/// Passwords and keys in files: who may read them, and what they hold.
enum SecretFile {
  /// What is wrong with a secret's file, as the `found` of an error; nil if nothing is.
  ///
  /// The file must be a plain one that neither group nor others may touch (privacy.md C12).
  static func fault(of path: String) -> String? {
    let status: FileAccess.Status
    do {
      status = try FileAccess.status(path)
    } catch {
      return "\(path): \(error.lowercaseText)"
    }
    guard status.isRegular else { return "\(path), which is not a plain file" }
    guard status.mode & 0o077 == 0 else {
      return "\(path) with mode 0\(String(status.mode, radix: 8)) (run: chmod 600 \(path))"
    }
    guard unsafe access(path, R_OK) == 0 else { return "\(path): no permission to read it" }
    return nil
  }

  /// What a file with a key holds.
  static let expectedKey = "32 hexadecimal digits"

  /// What is wrong with a key's file, nil if nothing is; says nothing of what stands there.
  static func keyFault(in path: String) -> String? {
    do {
      _ = try MeterKeys(key: FileAccess.read(path, limit: keyFileBytes))
      return nil
    } catch let error as CipherKeyError {
      return error.found
    } catch {
      return (error as? SystemError)?.lowercaseText ?? "unreadable"
    }
  }

  /// What is wrong with a system title's file, nil if nothing is; says nothing of what stands there.
  static func titleFault(in path: String) -> String? {
    do throws(SystemError) {
      let text = try FileAccess.read(path, limit: keyFileBytes)
      return SystemTitle(parsing: text) == nil ? SystemTitle.found(text) : nil
    } catch {
      return error.lowercaseText
    }
  }

  /// The keys in these files, 32 hexadecimal digits each, and the system title, 16 of them; no key
  /// without a file.
  ///
  /// - Throws: the system's error, `EACCES` where others may read a file, `EINVAL` where it holds no
  ///   key or no title.
  static func keys(
    in path: String?, authenticationIn authenticationPath: String?, titleIn titlePath: String?
  ) throws(SystemError) -> MeterKeys {
    guard let path else { return MeterKeys() }
    let key = try keyText(in: path)
    var authenticationKey: [UInt8]?
    if let authenticationPath { authenticationKey = try keyText(in: authenticationPath) }
    var title: SystemTitle?
    if let titlePath {
      title = SystemTitle(parsing: try keyText(in: titlePath))
      guard title != nil else { throw SystemError(call: "read", number: EINVAL) }
    }
    do {
      return try MeterKeys(key: key, authenticationKey: authenticationKey, systemTitle: title)
    } catch {
      throw SystemError(call: "read", number: EINVAL)
    }
  }

  /// More than digits and line end is no key.
  static let keyFileBytes = 256

  private static func keyText(in path: String) throws(SystemError) -> [UInt8] {
    guard fault(of: path) == nil else { throw SystemError(call: "read", number: EACCES) }
    return try FileAccess.read(path, limit: keyFileBytes)
  }

  /// The first line of a password file, without its line end.
  ///
  /// - Throws: the system's error, `EACCES` where others may read the file, `EINVAL` where the line
  ///   is empty or not UTF-8.
  static func password(in path: String) throws(SystemError) -> String {
    guard fault(of: path) == nil else { throw SystemError(call: "read", number: EACCES) }
    let bytes = try FileAccess.read(path, limit: Configuration.Limits.passwordBytes)
    var line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !line.isEmpty, !line.contains(0), let text = String(validating: line, as: UTF8.self)
    else { throw SystemError(call: "read", number: EINVAL) }
    return text
  }
}
