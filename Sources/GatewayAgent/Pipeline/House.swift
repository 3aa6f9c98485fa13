import Glibc
import PrivacyFilter

/// What the in-house grant shows of one meter: its topics, its states, what Home Assistant knows.
struct HouseMeter {
  /// The gate whose documents these are.
  let gateIndex: Int
  let gate: CompiledGate
  let place: InHousePlace
  /// Nil if discovery is off.
  let homeAssistant: HomeAssistant?
  /// Quantities that the meter has sent and the gate lets through: those are announced.
  var announced = QuantitySet()
}

/// The states of a meter, its port apart from itself.
struct MeterCondition {
  var port: PartHealth
  var meter: PartHealth
  /// Whether its own clock, when last heard, was within five minutes of the gateway's.
  var clockAgrees = false

  /// Whether a consumer may rely on it: `{root}/{meter}/status`.
  var isOnline: Bool { meter.state == .fresh }

  init(at now: Int64) {
    port = PartHealth(.starting, .startUp, since: now)
    meter = PartHealth(.silent, .noFrame, since: now)
  }

  /// Changes the port's state; false if it says nothing new.
  mutating func setPort(_ state: PartState, _ reason: PartReason, at now: Int64) -> Bool {
    Self.change(&port, state, reason, now)
  }

  /// Changes the meter's state; false if it says nothing new.
  mutating func setMeter(_ state: PartState, _ reason: PartReason, at now: Int64) -> Bool {
    Self.change(&meter, state, reason, now)
  }

  private static func change(
    _ health: inout PartHealth, _ state: PartState, _ reason: PartReason, _ now: Int64
  ) -> Bool {
    guard health.state != state || health.reason != reason else { return false }
    health = PartHealth(state, reason, since: health.state == state ? health.since : now)
    return true
  }
}

extension InputState {
  /// The words of health documents that fit.
  var health: (PartState, PartReason) {
    switch self {
    case .opening: (.starting, .startUp)
    case .open: (.open, .none)
    case .absent(let number): (.absent, Self.reason(of: number))
    case .lost(let number): (.closed, number == 0 ? .connectionLost : Self.reason(of: number))
    case .ended: (.closed, .endOfInput)
    case .otherMeter: (.absent, .configuration)
    }
  }

  private static func reason(of number: Int32) -> PartReason {
    switch number {
    case ENOENT, ENODEV, ENXIO, ENOTDIR: .deviceMissing
    case EACCES, EPERM: .permissionDenied
    case ECONNREFUSED: .refused
    case ETIMEDOUT: .timeout
    case EHOSTUNREACH, ENETUNREACH: .unreachable
    case ..<0: .nameUnknown
    default: .deviceError
    }
  }
}
