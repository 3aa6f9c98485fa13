/// A meter of the catalogue in front of a simulated household.
///
/// Time only comes in through `next(at:)`; two meters with the same model, seed and times send the
/// same bytes.
public struct SimulatedMeter: Sendable {
  /// Which model it is.
  public let model: MeterModel
  /// Its invented identifiers.
  public let identity: MeterIdentity
  private let seed: UInt64
  private let options: HouseholdOptions
  private var household: Household?

  /// Makes the meter called `name`, nil if the catalogue has none of that name.
  ///
  /// The household has a charger and solar power, and a heat pump where there is no gas meter.
  public init?(name: String, seed: UInt64) {
    guard let model = MeterModel.named(name) else { return nil }
    var options = model.householdOptions
    options.hasCharger = true
    options.hasSolar = true
    options.hasHeatPump = !options.hasSubMeters
    self.init(model: model, seed: seed, options: options)
  }

  /// Makes a meter of a model in front of a household with `options`.
  public init(model: MeterModel, seed: UInt64, options: HouseholdOptions) {
    self.model = model
    self.seed = seed
    self.options = options
    identity = MeterIdentity(seed: seed)
  }

  /// When the next frame behind `time` is due, both in milliseconds since 1970 UTC.
  public func nextDue(after time: Int64) -> Int64 {
    model.schedule.map { $0.due(after: time) }.min() ?? time + 1000
  }

  /// The frame that the meter sends at `time`, in milliseconds since 1970 UTC.
  ///
  /// The first call sets the household's start. Where several lists were due since the last call,
  /// the longest one comes. An earlier time than the last one gives the last moment's frame again.
  public mutating func next(at time: Int64) -> SimulatedFrame {
    var home = household ?? Household(seed: seed, options: options, start: time)
    let previous = household?.now ?? time - 1
    home.advance(to: time)
    household = home
    let due = model.schedule.last { $0.due(after: previous) <= time } ?? model.schedule[0]
    return due.frame(
      for: home.state(identity: identity), identity: identity, clock: model.clock,
      counter: UInt32(truncatingIfNeeded: home.now / 1000))
  }

  /// What the household's meter knows at the last call of `next(at:)`, nil before the first.
  public var state: MeterState? { household?.state(identity: identity) }
}
