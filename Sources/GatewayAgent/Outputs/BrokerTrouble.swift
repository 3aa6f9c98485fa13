import Glibc

/// Why there is no connection to the broker.
enum BrokerTrouble: Error, Equatable {
  /// Nothing listens there. `ECONNREFUSED`.
  case refused
  /// No way there: an `errno`.
  case unreachable(Int32)
  /// The name has no address.
  case nameNotFound
  /// No answer in time.
  case timedOut
  /// TLS failed: certificate, name or protocol.
  case tls
  /// Certificate, key or settings cannot be used: libmosquitto's code.
  case unusableSettings(Int32)
  /// The broker does not know the protocol version.
  case versionRejected
  /// User, password or client id were refused: the CONNACK code.
  case notAuthorised(Int32)
  /// The broker refused for another reason: the CONNACK code.
  case rejected(Int32)
  /// The broker closed the connection before it answered.
  case closedEarly
  /// An established connection ended: libmosquitto's code or the DISCONNECT reason.
  case lost(Int32)
  /// We cut the connection because a consent ended.
  case cut

  /// A name for documents and logs.
  var name: StaticString {
    switch self {
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .nameNotFound: "name_not_found"
    case .timedOut: "timed_out"
    case .tls: "tls"
    case .unusableSettings: "unusable_settings"
    case .versionRejected: "version_rejected"
    case .notAuthorised: "not_authorised"
    case .rejected: "rejected"
    case .closedEarly: "closed_early"
    case .lost: "lost"
    case .cut: "cut"
    }
  }

  /// The number that goes with it, 0 without one.
  var code: Int64 {
    switch self {
    case .unreachable(let code), .unusableSettings(let code), .notAuthorised(let code),
      .rejected(let code), .lost(let code):
      Int64(code)
    case .refused, .nameNotFound, .timedOut, .tls, .versionRejected, .closedEarly, .cut: 0
    }
  }

  /// Longest wait before the next attempt, in milliseconds.
  ///
  /// A refused connection costs next to nothing, and data must flow within a second of the broker's
  /// return; a network that is not up is asked now and then; what needs a person is not hammered.
  var retryCapMilliseconds: Int {
    switch self {
    case .refused, .versionRejected, .cut: 800
    case .unreachable, .nameNotFound, .timedOut: 5_000
    case .closedEarly, .lost, .tls, .unusableSettings, .notAuthorised, .rejected: 30_000
    }
  }

  /// What a CONNACK code other than 0 means.
  ///
  /// MQTT 5, 3.2.2.2, and MQTT 3.1.1, 3.2.2.3.
  init(connack code: Int32) {
    switch code {
    case 0x01, 0x84: self = .versionRejected
    case 0x02, 0x04, 0x05, 0x85, 0x86, 0x87, 0x8A, 0x8C: self = .notAuthorised(code)
    default: self = .rejected(code)
    }
  }
}

/// How a connection is.
enum BrokerState: Equatable, Sendable {
  /// The first attempt is under way.
  case connecting
  /// Messages flow.
  case connected(MQTTVersion)
  /// There is none; attempts go on.
  case waiting(BrokerTrouble)
}
