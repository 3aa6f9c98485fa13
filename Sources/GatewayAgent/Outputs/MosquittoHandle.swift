import CMosquitto
import Glibc

/// One libmosquitto client for the life of one network connection; the only file that calls it.
///
/// It is made anew for each attempt, so that the library never re-sends anything of its own accord:
/// what is to be sent again, after a check of the grant, `PublishQueue` knows. No libmosquitto
/// thread: a helper thread connects, then the loop reads and writes. `@safe`: the pointer is made
/// in `init`, freed in `deinit` and never leaves.
@safe final class MosquittoHandle {
  /// What a call of the library came to; `code` is its `MOSQ_ERR_…`.
  struct Outcome: Equatable {
    /// A message that may not leave.
    static let refused = Outcome(code: MOSQ_ERR_NOT_SUPPORTED.rawValue)

    let code: Int32
    var isSuccess: Bool { code == MOSQ_ERR_SUCCESS.rawValue }
    /// The message itself cannot be sent; the connection is all right.
    var isRejectedMessage: Bool {
      [
        MOSQ_ERR_INVAL, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_MALFORMED_UTF8, MOSQ_ERR_OVERSIZE_PACKET,
        MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_RETAIN_NOT_SUPPORTED, MOSQ_ERR_NOT_SUPPORTED,
      ].contains { $0.rawValue == code }
    }
  }

  /// The largest packet a broker may send us, in bytes: we expect birth messages only.
  static let receiveBytes: UInt32 = 16_384

  /// The library's version, such as `2.0.11`.
  static var libraryVersion: String {
    var (major, minor, revision): (Int32, Int32, Int32) = (0, 0, 0)
    _ = unsafe mosquitto_lib_version(&major, &minor, &revision)
    return "\(major).\(minor).\(revision)"
  }

  /// Property identifiers of MQTT 5, 2.2.2.2.
  private enum PropertyID {
    static let messageExpiryInterval: Int32 = 0x02
    static let maximumPacketSize: Int32 = 0x27
  }

  private static let isReady = mosquitto_lib_init() == MOSQ_ERR_SUCCESS.rawValue

  /// The broker's answer to CONNECT, nil before it.
  private(set) var connack: Int32?
  /// Why the connection ended; nil while it lasts.
  private(set) var ended: Int32?
  /// A message that was acknowledged (QoS 1, 2) or written (QoS 0), by its id.
  var onPublished: (Int32) -> Void = { _ in }
  /// A message of a subscription.
  var onMessage: (_ topic: Span<UInt8>, _ payload: Span<UInt8>) -> Void = { _, _ in }

  /// Whether the message that `onMessage` is handling had been kept by the broker: how old it is
  /// nobody knows.
  private(set) var isMessageRetained = false

  private let client: OpaquePointer
  private let version: MQTTVersion
  private var expiry: OpaquePointer?
  private var expirySeconds: UInt32 = 0

  /// Calls `mosquitto_new`.
  ///
  /// - Throws: `BrokerTrouble.unusableSettings` with the library's code.
  init(_ settings: BrokerSettings, version: MQTTVersion) throws(BrokerTrouble) {
    guard Self.isReady, let made = unsafe mosquitto_new(settings.clientID, true, nil) else {
      throw .unusableSettings(MOSQ_ERR_NOMEM.rawValue)
    }
    unsafe client = made
    self.version = version
    unsafe mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
    setCallbacks()
    try check(
      unsafe mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, Int32(version.rawValue)))
    try check(unsafe mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1))
    if let username = settings.username {
      try check(unsafe mosquitto_username_pw_set(client, username, settings.password))
    }
    if let tls = settings.tls { try secure(tls) }
    if let will = settings.will {
      try check(
        unsafe mosquitto_will_set(
          client, will.topic, Int32(will.payload.count), will.payload, will.qos, will.isRetained))
    }
  }

  deinit {
    unsafe mosquitto_destroy(client)
    unsafe mosquitto_property_free_all(&expiry)
  }

  private func check(_ code: Int32) throws(BrokerTrouble) {
    guard code == MOSQ_ERR_SUCCESS.rawValue else { throw .unusableSettings(code) }
  }

  private func secure(_ tls: BrokerSettings.TLS) throws(BrokerTrouble) {
    let isSystem = tls.caFile == nil && tls.caDirectory == nil
    if isSystem { try check(unsafe mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1)) }
    // The library wants a place named even so; Debian's is read a certificate at a time.
    let directory = isSystem ? "/etc/ssl/certs" : tls.caDirectory
    // An encrypted key gets no password: nobody is there to type one.
    try check(
      unsafe mosquitto_tls_set(
        client, tls.caFile, directory, tls.certificateFile, tls.keyFile, { _, _, _, _ in 0 }))
  }

  private func setCallbacks() {
    unsafe mosquitto_connect_v5_callback_set(client) { _, user, code, _, _ in
      unsafe MosquittoHandle.from(user)?.connack = code
    }
    unsafe mosquitto_disconnect_v5_callback_set(client) { _, user, code, _ in
      unsafe MosquittoHandle.from(user)?.ended = code
    }
    unsafe mosquitto_publish_v5_callback_set(client) { _, user, id, _, _ in
      unsafe MosquittoHandle.from(user)?.onPublished(id)
    }
    unsafe mosquitto_message_v5_callback_set(client) { _, user, message, _ in
      guard let handle = unsafe MosquittoHandle.from(user),
        let message = unsafe message?.pointee, let topic = unsafe message.topic
      else { return }
      let name = unsafe UnsafeRawBufferPointer(start: topic, count: strlen(topic))
      let payload = unsafe UnsafeRawBufferPointer(
        start: message.payload, count: Int(message.payloadlen))
      handle.isMessageRetained = unsafe message.retain
      unsafe handle.onMessage(
        Span(_unsafeBytes: name), Span(_unsafeBytes: payload))
    }
  }

  private static func from(_ user: UnsafeMutableRawPointer?) -> MosquittoHandle? {
    guard let user = unsafe user else { return nil }
    return unsafe Unmanaged<MosquittoHandle>.fromOpaque(user).takeUnretainedValue()
  }

  // MARK: - The connection

  /// Resolves, connects and queues CONNECT; blocks.
  ///
  /// Calls `mosquitto_connect_bind_v5`.
  func connect(_ settings: BrokerSettings) -> Outcome {
    var properties: OpaquePointer?
    if version == .five {
      _ = unsafe mosquitto_property_add_int32(
        &properties, PropertyID.maximumPacketSize, Self.receiveBytes)
    }
    defer { unsafe mosquitto_property_free_all(&properties) }
    let code = unsafe mosquitto_connect_bind_v5(
      client, settings.host, Int32(settings.port), Int32(settings.keepAliveSeconds), nil, properties
    )
    return Outcome(code: code)
  }

  /// The socket, −1 without one.
  ///
  /// Calls `mosquitto_socket`.
  var socket: Int32 { unsafe mosquitto_socket(client) }

  /// Whether something waits to be written.
  ///
  /// Calls `mosquitto_want_write`.
  var wantsWrite: Bool { unsafe mosquitto_want_write(client) }

  /// Reads what has come, at most 64 packets.
  ///
  /// Calls `mosquitto_loop_read`.
  func read() -> Outcome {
    for _ in 0..<64 {
      // The library reads a packet a call; with TLS, more may lie decrypted where the kernel does
      // not see it. EAGAIN tells that all has been read.
      errno = 0
      let code = unsafe mosquitto_loop_read(client, 1)
      if code != MOSQ_ERR_SUCCESS.rawValue { return Outcome(code: code) }
      if errno == EAGAIN || socket < 0 { break }
    }
    return Outcome(code: MOSQ_ERR_SUCCESS.rawValue)
  }

  /// Writes what waits.
  ///
  /// Calls `mosquitto_loop_write`.
  func write() -> Outcome { Outcome(code: unsafe mosquitto_loop_write(client, 1)) }

  /// Sends PINGREQ if it is time, notices a missing PINGRESP.
  ///
  /// Calls `mosquitto_loop_misc`.
  func keepAlive() -> Outcome { Outcome(code: unsafe mosquitto_loop_misc(client)) }

  /// Says goodbye, so that no will is published.
  ///
  /// Calls `mosquitto_disconnect`.
  func disconnect() { _ = unsafe mosquitto_disconnect(client) }

  // MARK: - Messages

  /// Hands one message over; what does not fit the socket waits in the library.
  ///
  /// `topic` ends with a zero byte. Calls `mosquitto_publish_v5`.
  /// - Returns: the outcome and the message's id.
  func publish(
    topic: Span<CChar>, payload: Span<UInt8>, qos: UInt8, retain: Bool, expirySeconds: UInt32
  ) -> (outcome: Outcome, id: Int32) {
    let properties = unsafe version == .five && expirySeconds > 0 ? expiry(expirySeconds) : nil
    var id: Int32 = 0
    var level = Int32(qos)
    while true {
      let code = unsafe topic.withUnsafeBufferPointer { name in
        unsafe payload.withUnsafeBufferPointer { bytes in
          unsafe mosquitto_publish_v5(
            client, &id, name.baseAddress, Int32(bytes.count), bytes.baseAddress, level, retain,
            properties)
        }
      }
      // A broker may grant less (MQTT 5, 3.2.2.3.4): less assurance is better than no message.
      guard code == MOSQ_ERR_QOS_NOT_SUPPORTED.rawValue, level > 0 else {
        return (Outcome(code: code), level > 0 ? id : 0)
      }
      level -= 1
    }
  }

  /// The property list with this expiry; kept, since one value follows the other.
  private func expiry(_ seconds: UInt32) -> OpaquePointer? {
    if unsafe expiry == nil || expirySeconds != seconds {
      unsafe mosquitto_property_free_all(&expiry)
      _ = unsafe mosquitto_property_add_int32(
        &expiry, PropertyID.messageExpiryInterval, seconds)
      expirySeconds = seconds
    }
    return unsafe expiry
  }

  /// Asks for the messages of a topic at QoS 0.
  ///
  /// Calls `mosquitto_subscribe`.
  func subscribe(_ topic: String) { _ = unsafe mosquitto_subscribe(client, nil, topic, 0) }
}

extension BrokerTrouble {
  /// What a failed `connect` means; `number` is the `errno` it left.
  init(connecting outcome: MosquittoHandle.Outcome, errno number: Int32) {
    switch outcome.code {
    case MOSQ_ERR_ERRNO.rawValue where number == ECONNREFUSED: self = .refused
    case MOSQ_ERR_ERRNO.rawValue where number == EINTR || number == ETIMEDOUT: self = .timedOut
    case MOSQ_ERR_ERRNO.rawValue: self = .unreachable(number)
    case MOSQ_ERR_EAI.rawValue, MOSQ_ERR_LOOKUP.rawValue: self = .nameNotFound
    case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue: self = .tls
    case MOSQ_ERR_INVAL.rawValue, MOSQ_ERR_NOMEM.rawValue: self = .unusableSettings(outcome.code)
    default: self = .closedEarly
    }
  }
}
