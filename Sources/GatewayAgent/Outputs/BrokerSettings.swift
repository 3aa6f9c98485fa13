internal import PrivacyFilter

/// How one MQTT connection is made; one connection, client id and credential set per external grant.
struct BrokerSettings: Sendable {
  /// Which protocol version is spoken.
  enum Version: Sendable {
    /// MQTT 5, and 3.1.1 with a broker that does not know it.
    case automatic
    case five
    case threeOneOne
  }

  /// How the broker is authenticated, and how we are.
  ///
  /// The broker's name is always checked.
  struct TLS: Sendable {
    /// Certificate authorities in one PEM file; nil, with `caDirectory` nil, takes the system's.
    var caFile: String?
    /// Certificate authorities in a directory with OpenSSL's hashed names.
    var caDirectory: String?
    /// Our certificate in PEM; together with `keyFile`.
    var certificateFile: String?
    /// Its key in PEM, not encrypted.
    var keyFile: String?
  }

  /// What the broker publishes for us when the connection is lost.
  struct Will: Sendable {
    fileprivate(set) var topic: [CChar]
    fileprivate(set) var payload: [UInt8]
    fileprivate(set) var qos: Int32
    fileprivate(set) var isRetained: Bool

    /// Makes a will of what PrivacyFilter released.
    init(_ release: borrowing Release) {
      topic = []
      payload = []
      qos = Int32(release.qos)
      isRetained = release.retain
      release.withTopic { bytes in
        for index in bytes.indices { topic.append(CChar(bitPattern: bytes[index])) }
      }
      topic.append(0)
      release.withPayload { bytes in
        for index in bytes.indices { payload.append(bytes[index]) }
      }
    }
  }

  /// Name or address.
  var host: String
  /// TCP port.
  var port: UInt16
  /// MQTT client id; built from pseudonyms and constants only.
  var clientID: String
  /// User name, nil for an anonymous connection.
  var username: String?
  /// Password; ignored without a user name.
  var password: String?
  /// TLS, nil for a plain connection.
  var tls: TLS?
  /// Keep-alive interval, 5…65 535.
  var keepAliveSeconds: Int
  /// Which version is spoken.
  var version: Version
  /// The will, nil for none.
  var will: Will?
  /// Whether one external grant has it for itself: then a withdrawal may cut it.
  var isDedicated: Bool
  /// Longest wait for TCP, TLS and CONNACK together, in milliseconds.
  var connectTimeoutMilliseconds: Int

  /// Anonymous, plain, automatic version, 30 s keep-alive, 10 s to connect.
  init(host: String, port: UInt16, clientID: String, isDedicated: Bool) {
    self.host = host
    self.port = port
    self.clientID = clientID
    self.isDedicated = isDedicated
    keepAliveSeconds = 30
    version = .automatic
    connectTimeoutMilliseconds = 10_000
  }
}

/// The version a connection speaks.
enum MQTTVersion: UInt8, Sendable {
  case threeOneOne = 4
  case five = 5
}
