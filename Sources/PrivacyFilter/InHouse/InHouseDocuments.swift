internal import OBISDecoder

/// What a part of the agent is doing; every word that a health document can hold is here.
public enum PartState: UInt8, Sendable, BitwiseCopyable {
  case starting, running, stopping
  case connecting, connected, disconnected
  case open, absent, closed, failed
  case fresh, stale, silent

  /// The word in documents.
  public var name: StaticString {
    switch self {
    case .starting: "starting"
    case .running: "running"
    case .stopping: "stopping"
    case .connecting: "connecting"
    case .connected: "connected"
    case .disconnected: "disconnected"
    case .open: "open"
    case .absent: "absent"
    case .closed: "closed"
    case .failed: "failed"
    case .fresh: "fresh"
    case .stale: "stale"
    case .silent: "silent"
    }
  }
}

/// Why a part of the agent is in its state.
public enum PartReason: UInt8, Sendable, BitwiseCopyable {
  case none, startUp, signal, watchdog
  case accepted, refused, unreachable, nameUnknown, badCredentials, tlsFailed, timeout
  case connectionLost, keepAlive
  case deviceMissing, permissionDenied, deviceError, endOfInput, configuration
  case noFrame, checksumErrors, wrongDialect, encrypted, wrongKey, tagMismatch

  /// The word in documents.
  public var name: StaticString {
    switch self {
    case .none: "none"
    case .startUp: "start_up"
    case .signal: "signal"
    case .watchdog: "watchdog"
    case .accepted: "accepted"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .nameUnknown: "name_unknown"
    case .badCredentials: "bad_credentials"
    case .tlsFailed: "tls_failed"
    case .timeout: "timeout"
    case .connectionLost: "connection_lost"
    case .keepAlive: "keep_alive"
    case .deviceMissing: "device_missing"
    case .permissionDenied: "permission_denied"
    case .deviceError: "device_error"
    case .endOfInput: "end_of_input"
    case .configuration: "configuration"
    case .noFrame: "no_frame"
    case .checksumErrors: "checksum_errors"
    case .wrongDialect: "wrong_dialect"
    case .encrypted: "encrypted"
    case .wrongKey: "wrong_key"
    case .tagMismatch: "tag_mismatch"
    }
  }
}

/// State, reason and since when, in milliseconds since 1970 UTC.
public struct PartHealth: Equatable, Sendable, BitwiseCopyable {
  /// What it is doing.
  public var state: PartState
  /// Why.
  public var reason: PartReason
  /// Since when.
  public var since: Int64

  /// Makes a state.
  public init(_ state: PartState, _ reason: PartReason, since: Int64) {
    self.state = state
    self.reason = reason
    self.since = since
  }

  func write<let size: Int>(_ key: StaticString, to out: inout ByteBuffer<size>) {
    out.append("\"")
    out.append(key)
    out.append("\":{\"state\":\"")
    out.append(state.name)
    out.append("\",\"reason\":\"")
    out.append(reason.name)
    out.append("\",\"since\":\"")
    UTCTime.write(seconds: UTCTime.floorDivide(since, 1000), to: &out)
    out.append("\"}")
  }
}

/// Root and nicknames of the in-house topics of one connection; made from linted texts only.
public struct InHousePlace: Sendable, BitwiseCopyable {
  /// Which connection publishes.
  public let connection: UInt8
  let root: FixedText<90>
  let meter: FixedText<32>

  init(connection: UInt8, root: FixedText<90>, meter: FixedText<32>) {
    self.connection = connection
    self.root = root
    self.meter = meter
  }

  /// Says whether the process is there: `{root}/status`, retained; `offline` is also the last will.
  public func processStatus(isOnline: Bool) -> Release {
    var draft = make(.status, "/status", ofMeter: false)
    draft.payload.append(isOnline ? "online" : "offline")
    return draft.release()
  }

  /// Says whether port and meter are there: `{root}/{meter}/status`, retained.
  public func meterStatus(isOnline: Bool) -> Release {
    var draft = make(.status, "/status", ofMeter: true)
    draft.payload.append(isOnline ? "online" : "offline")
    return draft.release()
  }

  /// Says how process and broker are, why, and since when: `{root}/health`, retained.
  public func processHealth(process: PartHealth, broker: PartHealth) -> Release {
    var draft = make(.health, "/health", ofMeter: false)
    draft.payload.append("{")
    process.write("process", to: &draft.payload)
    draft.payload.append(",")
    broker.write("broker", to: &draft.payload)
    draft.payload.append("}")
    return draft.release()
  }

  /// Says how all four parts are, why, and since when: `{root}/{meter}/health`, retained.
  public func meterHealth(
    process: PartHealth, broker: PartHealth, port: PartHealth, meter: PartHealth
  ) -> Release {
    var draft = make(.health, "/health", ofMeter: true)
    draft.payload.append("{")
    process.write("process", to: &draft.payload)
    draft.payload.append(",")
    broker.write("broker", to: &draft.payload)
    draft.payload.append(",")
    port.write("port", to: &draft.payload)
    draft.payload.append(",")
    meter.write("meter", to: &draft.payload)
    draft.payload.append("}")
    return draft.release()
  }

  private func make(_ kind: Release.Kind, _ leaf: StaticString, ofMeter: Bool) -> Draft {
    var draft = Draft(
      Delivery(
        kind: kind, connection: connection, qos: 1,
        retain: true, isExternal: false))
    root.write(to: &draft.topic)
    if ofMeter {
      draft.topic.append("/")
      meter.write(to: &draft.topic)
    }
    draft.topic.append(leaf)
    return draft
  }
}
