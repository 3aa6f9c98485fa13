internal import ArgumentParser
import MeterCipher

/// The keys of an encrypted meter on the command line.
struct KeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Key of an encrypted meter, 32 hexadecimal digits; others on this computer can see it while "
        + "the command runs, --key-file they cannot.", valueName: "hex"))
  var key: String?

  @Option(
    name: .customLong("auth-key"),
    help: ArgumentHelp(
      "Authentication key, with which tags are checked, 32 hexadecimal digits.", valueName: "hex"))
  var authenticationKey: String?

  @Option(help: ArgumentHelp("A file with the key, mode 0600.", valueName: "file"))
  var keyFile: String?

  @Option(
    name: .customLong("auth-key-file"),
    help: ArgumentHelp("A file with the authentication key, mode 0600.", valueName: "file"))
  var authenticationKeyFile: String?

  @Option(
    help: ArgumentHelp(
      "A file with the system title of a meter that does not send it, 16 hexadecimal digits, mode 0600.",
      valueName: "file"))
  var systemTitleFile: String?

  mutating func validate() throws {
    if key != nil, keyFile != nil { throw ValidationError("--key or --key-file, not both") }
    if authenticationKey != nil, authenticationKeyFile != nil {
      throw ValidationError("--auth-key or --auth-key-file, not both")
    }
    if authenticationKey ?? authenticationKeyFile != nil, key ?? keyFile == nil {
      throw ValidationError("an authentication key goes with a key")
    }
    if systemTitleFile != nil, key ?? keyFile == nil {
      throw ValidationError("a system title goes with a key")
    }
    // The parser would print what it was given; this says what is wrong with it.
    for (option, text) in [("--key", key), ("--auth-key", authenticationKey)] {
      guard let text else { continue }
      do throws(CipherKeyError) {
        _ = try MeterKeys(key: Array(text.utf8))
      } catch {
        throw ValidationError("\(option): expected \(SecretFile.expectedKey), found \(error.found)")
      }
    }
  }

  /// Whether there is one.
  var isGiven: Bool { key != nil || keyFile != nil }

  /// The keys, or none.
  func keys() throws(CommandFailure) -> MeterKeys {
    guard let encryption = try text(key, keyFile) else { return MeterKeys() }
    let authentication = try text(authenticationKey, authenticationKeyFile)
    let title = try title()
    do throws(CipherKeyError) {
      return try MeterKeys(
        key: encryption, authenticationKey: authentication, systemTitle: title)
    } catch {
      throw .unusable("key: expected \(SecretFile.expectedKey), found \(error.found)")
    }
  }

  private func title() throws(CommandFailure) -> SystemTitle? {
    guard let systemTitleFile else { return nil }
    let text = try contents(of: systemTitleFile)
    guard let title = SystemTitle(parsing: text) else {
      throw .unusable(
        "\(systemTitleFile): expected \(SystemTitle.expected), found \(SystemTitle.found(text))")
    }
    return title
  }

  private func text(_ text: String?, _ file: String?) throws(CommandFailure) -> [UInt8]? {
    if let text { return Array(text.utf8) }
    guard let file else { return nil }
    let contents = try contents(of: file)
    guard let fault = SecretFile.keyFault(in: file) else { return contents }
    throw .unusable("\(file): expected \(SecretFile.expectedKey), found \(fault)")
  }

  private func contents(of file: String) throws(CommandFailure) -> [UInt8] {
    if let fault = SecretFile.fault(of: file) { throw .unusable(fault) }
    do throws(SystemError) {
      return try FileAccess.read(file, limit: SecretFile.keyFileBytes)
    } catch {
      throw .unusable(file, error)
    }
  }
}
