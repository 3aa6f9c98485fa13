internal import ArgumentParser
import Glibc

/// `enode-webhook`: a process of its own between a broker and a receiver of Enode's webhooks.
struct EnodeWebhook: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enode-webhook",
    abstract: "Post a grant's events to a receiver of Enode's webhooks, signed as Enode does.",
    discussion: """
      Reads enode/events from the broker, with the rights of whoever received the grant, and posts \
      each message unchanged: header x-enode-delivery, and x-enode-signature with the HMAC-SHA-1 \
      under the secret, 16 bytes or more in the first line of a file with mode 0600. What the \
      receiver does not take with 2xx within 5 s is tried again, for up to 26 hours; up to 256 \
      messages wait, in memory only. Until SIGTERM or Ctrl-C.
      """)

  @Option(help: ArgumentHelp("The receiver: https, or http on this machine.", valueName: "url"))
  var url: String

  @Option(help: ArgumentHelp("File with the receiver's secret.", valueName: "file"))
  var secretFile: String

  @Option(help: ArgumentHelp("The broker.", valueName: "host:port"))
  var broker = "127.0.0.1:1883"

  @Option(help: ArgumentHelp("Topics to read; must end in /enode/events.", valueName: "topic"))
  var topic = "gateway/+/+/enode/events"

  @Option(help: ArgumentHelp("User name at the broker.", valueName: "name"))
  var username: String?

  @Option(help: ArgumentHelp("File with the password at the broker.", valueName: "file"))
  var passwordFile: String?

  @Option(
    help: ArgumentHelp("TLS to the broker, with these certificate authorities.", valueName: "file"))
  var brokerCa: String?

  @Option(
    help: ArgumentHelp(
      "Certificate authorities for the receiver; the system's unless given.", valueName: "file"))
  var caFile: String?

  @Option(help: ArgumentHelp("First wait between tries, doubled up to 1 h.", valueName: "ms"))
  var retry = 3000

  mutating func validate() throws {
    guard topic.hasSuffix("/enode/events"), topic.utf8.count <= 256, !topic.contains("#") else {
      throw ValidationError("--topic must end in /enode/events, without #")
    }
    guard (10...WebhookQueue.waitMilliseconds).contains(retry) else {
      throw ValidationError("--retry must be from 10 to \(WebhookQueue.waitMilliseconds)")
    }
  }

  func run() throws {
    ProcessSetup.prepare()
    guard let address = WebhookAddress(url) else {
      throw CommandFailure.unusable("--url: expected \(WebhookAddress.expected)")
    }
    let secret = try text(in: secretFile)
    guard secret.utf8.count >= 16 else {
      throw CommandFailure.unusable(
        "\(secretFile): expected a secret of 16 bytes or more, found \(secret.utf8.count)")
    }
    if let caFile, !address.isSecure {
      throw CommandFailure.unusable("--ca-file \(caFile): only with an https URL")
    }
    for file in [caFile, brokerCa].compactMap({ $0 }) where unsafe access(file, R_OK) != 0 {
      throw CommandFailure.unusable(file, SystemError(call: "access", number: errno))
    }
    let bridge = try WebhookBridge(
      settings(), topic: topic, to: address, authorities: caFile, secret: Array(secret.utf8),
      retryMilliseconds: retry)
    try bridge.run()
  }

  private func settings() throws -> BrokerSettings {
    guard case .tcp(let host, let port)? = PortText.parseEndpoint(Substring(broker)) else {
      throw CommandFailure.unusable("--broker: expected HOST:PORT, found \"\(broker)\"")
    }
    var settings = BrokerSettings(
      host: host, port: port, clientID: "enode-webhook-\(getpid())", isDedicated: false)
    settings.username = username
    if let passwordFile { settings.password = try text(in: passwordFile) }
    if let brokerCa { settings.tls = BrokerSettings.TLS(caFile: brokerCa) }
    return settings
  }

  /// The first line of a file that nobody else may read.
  private func text(in path: String) throws -> String {
    if let fault = SecretFile.fault(of: path) {
      throw CommandFailure.unusable("expected a file that only you can read, found \(fault)")
    }
    do throws(SystemError) {
      return try SecretFile.password(in: path)
    } catch {
      throw CommandFailure.unusable(path, error)
    }
  }
}
