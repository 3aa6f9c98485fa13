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

  mutating func validate() throws {
    if key != nil, keyFile != nil { throw ValidationError("--key or --key-file, not both") }
    if authenticationKey != nil, authenticationKeyFile != nil {
      throw ValidationError("--auth-key or --auth-key-file, not both")
    }
    if authenticationKey ?? authenticationKeyFile != nil, key ?? keyFile == nil {
      throw ValidationError("an authentication key goes with a key")
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
    do throws(CipherKeyError) {
      return try MeterKeys(key: encryption, authenticationKey: authentication)
    } catch {
      throw .unusable("key: expected \(SecretFile.expectedKey), found \(error.found)")
    }
  }

  private func text(_ text: String?, _ file: String?) throws(CommandFailure) -> [UInt8]? {
    if let text { return Array(text.utf8) }
    guard let file else { return nil }
    if let fault = SecretFile.fault(of: file)
      ?? SecretFile.keyFault(in: file).map({
        "\(file): expected \(SecretFile.expectedKey), found \($0)"
      })
    {
      throw .unusable(fault)
    }
    do throws(SystemError) {
      return try FileAccess.read(file, limit: SecretFile.keyFileBytes)
    } catch {
      throw .unusable(file, error)
    }
  }
}
