import PrivacyFilter

/// One MQTT connection of the agent: the house's to a broker and root, or an external grant's own.
///
/// A class: the connection's callbacks and the pipeline share it.
final class Link {
  /// Its number, as gates and releases carry it.
  let index: UInt8
  let broker: Configuration.Broker
  /// Whom it serves: `in-house`, or the recipient's short name.
  let recipient: String
  /// The external grant it belongs to; nil for the house's.
  let grant: UniqueID?
  /// The first levels of its topics: the will is for them, so the house has a connection for each.
  let root: String
  let connection: MosquittoConnection
  /// How the connection is, why, since when.
  private(set) var health: PartHealth
  /// Whether it only lives to clear what a broker keeps, and is gone when that is done.
  var isEnding = false
  /// Ended grants whose retained topics it has been told to clear and may not have cleared yet.
  var clearing: Set<UniqueID> = []

  init(
    index: UInt8, broker: Configuration.Broker, recipient: String, grant: UniqueID?,
    root: String, connection: MosquittoConnection, at now: Int64
  ) {
    self.index = index
    self.broker = broker
    self.recipient = recipient
    self.grant = grant
    self.root = root
    self.connection = connection
    health = PartHealth(.connecting, .startUp, since: now)
  }

  var isInHouse: Bool { grant == nil }
  var isConnected: Bool { health.state == .connected }

  /// Takes over a state of the connection; false if it says nothing new.
  func note(_ state: BrokerState, at now: Int64) -> Bool {
    let (part, reason): (PartState, PartReason) =
      switch state {
      case .connecting: (.connecting, .startUp)
      case .connected: (.connected, .accepted)
      case .waiting(let trouble): (.disconnected, trouble.reason)
      }
    guard part != health.state || reason != health.reason else { return false }
    health = PartHealth(part, reason, since: part == health.state ? health.since : now)
    return true
  }
}

extension BrokerTrouble {
  /// The word of health documents that fits.
  var reason: PartReason {
    switch self {
    case .refused: .refused
    case .unreachable: .unreachable
    case .nameNotFound: .nameUnknown
    case .timedOut: .timeout
    case .tls: .tlsFailed
    case .unusableSettings: .configuration
    case .versionRejected, .rejected: .refused
    case .notAuthorised: .badCredentials
    case .closedEarly, .lost, .cut: .connectionLost
    }
  }
}

extension BrokerSettings {
  /// What the configuration says of a broker, for one client id.
  ///
  /// - Throws: `CommandFailure` (2) if a password file cannot be used.
  init(
    _ broker: Configuration.Broker, clientID: String, isDedicated: Bool
  ) throws(CommandFailure) {
    self.init(
      host: broker.host, port: broker.port, clientID: clientID, isDedicated: isDedicated)
    username = broker.username
    keepAliveSeconds = broker.keepaliveSeconds
    if let file = broker.passwordFile {
      do throws(SystemError) {
        password = try SecretFile.password(in: file)
      } catch {
        throw .unusable(file, error)
      }
    }
    version =
      switch broker.mqttVersion {
      case .auto: .automatic
      case .five: .five
      case .threeOneOne: .threeOneOne
      }
    guard let tls = broker.tls else { return }
    self.tls = TLS(
      caFile: tls.caFile, certificateFile: tls.certificateFile, keyFile: tls.keyFile)
  }
}
