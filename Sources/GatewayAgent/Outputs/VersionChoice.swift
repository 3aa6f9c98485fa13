/// Which protocol version to try: 5, and 3.1.1 with a broker that does not know it.
struct VersionChoice: Sendable {
  private let setting: BrokerSettings.Version
  /// The version of the next attempt.
  private(set) var next: MQTTVersion
  private var isCertain = false
  private var silentFallbacks = 0

  /// Begins with the version that was set, or 5.
  init(_ setting: BrokerSettings.Version) {
    self.setting = setting
    next = setting == .threeOneOne ? .threeOneOne : .five
  }

  /// Learns from a failed attempt; true if the other version is to be tried at once.
  ///
  /// An old broker answers "unacceptable protocol version", or just closes. The latter may also be
  /// a broker that is being stopped, so it counts only once 3.1.1 has worked after it, twice.
  mutating func failed(_ version: MQTTVersion, _ trouble: BrokerTrouble) -> Bool {
    guard setting == .automatic, !isCertain else { return false }
    switch trouble {
    case .versionRejected where version == .five:
      isCertain = true
      next = .threeOneOne
      return true
    case .closedEarly where version == .five:
      next = .threeOneOne
      return true
    case .closedEarly, .versionRejected:
      next = .five
      return false
    default:
      return false
    }
  }

  /// Learns that a connection was made.
  mutating func worked(_ version: MQTTVersion) {
    guard setting == .automatic, !isCertain else { return }
    if version == .threeOneOne {
      silentFallbacks += 1
      isCertain = silentFallbacks >= 2
    }
    next = isCertain ? .threeOneOne : .five
  }
}
