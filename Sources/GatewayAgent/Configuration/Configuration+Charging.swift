import ChargingFeed

extension Configuration {
  /// What the household wrote under `[ev]`.
  struct Charging: Equatable, Sendable {
    /// Supply, tariff (`[ev.capacity]`) and chargers (`[[ev.charger]]`).
    var settings: EVSettings
    /// `meter`: number of the meter in `meters`; the only one unless named.
    var meter: Int
    /// `retain_limit`: whether a late reader finds `ev/limit`, with its expiry.
    var retainsLimit = true
    /// `draw_topic` of each charger, nil without: where it says what it draws, a number in ampere.
    var drawTopics: [String?] = []
    /// `[[ev.sink]]`.
    var sinks: [Sink] = []
  }

  /// Another system that gets the feed in its own words.
  struct Sink: Equatable, Sendable {
    /// `type`.
    enum Kind: String, CaseIterable, Sendable {
      case smartEVSE = "smartevse"
      case openWB = "openwb"
      case goE = "goe"
      case everest
    }

    /// `broker`: name of the broker, which must be one that an in-house grant publishes to.
    var broker: String
    /// `type`.
    var kind: Kind
    /// `topic`: of `openwb` the first levels, up to `get`; of the others the whole.
    var topic: String
    /// `charger`: number of the charger that `everest` is told the limits of.
    var charger: Int = 0
  }
}

extension Configuration.Limits {
  /// Chargers of one feed: a household has few.
  static let chargers = 8
  /// Sinks of one feed.
  static let sinks = 8
  /// Bytes of a sink's topic; leaves room for openWB's last level in a release's topic.
  static let sinkTopicBytes = 100
  /// Windows, and weights, of a tariff.
  static let tariffHours = 16
}
