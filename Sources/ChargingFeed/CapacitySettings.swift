/// What a network company charges for the highest hours or quarter-hours; powers in W.
public struct CapacitySettings: Equatable, Sendable {
  /// Which kind of tariff.
  public enum Model: String, CaseIterable, Sendable {
    /// Norway: mean of the highest hours of some days, priced by steps.
    case norwegianSteps = "no_step"
    /// Mean of the highest hours, priced by the kilowatt.
    case peaks
    /// Flanders: highest quarter-hour of the month.
    case belgianQuarter = "be_quarter"
  }

  /// Of which stretch of time only the highest hour counts.
  public enum Distinct: String, CaseIterable, Sendable {
    case day
    /// Any hour counts.
    case none
    /// Weeks, remembered for twelve months (Fjellnett).
    case week
  }

  /// What may be used of the mean that is allowed.
  public enum Policy: String, CaseIterable, Sendable {
    /// Never above the target.
    case cap
    /// What the other peaks leave free.
    case average
  }

  /// A factor that hours count with, in thousandths, 1…1000.
  public struct Weight: Equatable, Sendable {
    /// Which hours.
    public var hours: TariffHours
    /// Their factor in thousandths.
    public var thousandths: Int64

    /// Makes a weight.
    public init(hours: TariffHours, thousandths: Int64) {
      self.hours = hours
      self.thousandths = min(max(thousandths, 1), 1000)
    }
  }

  /// Which kind of tariff.
  public var model: Model
  /// What the household wants to stay below, W.
  public var target: Int64
  /// Edges of the steps above 0, ascending, W.
  public var steps: [Int64] = [2, 5, 10, 15, 20, 25, 50, 75, 100].map { $0 * 1000 }
  /// How many peaks are averaged, 1…10.
  public var peakCount = 3
  /// Of which stretch only the highest hour counts.
  public var distinct = Distinct.day
  /// Hours that count; empty for all.
  public var windows: [TariffHours] = []
  /// Factors; the first that fits holds, else 1.
  public var weights: [Weight] = []
  /// Least that is billed, W.
  public var floor: Int64 = 0
  /// What may be used of the mean.
  public var policy = Policy.cap
  /// How far below an edge is steered to, W.
  public var margin: Int64 = 100

  /// Makes the settings of a tariff.
  public init(model: Model, target: Int64) {
    self.model = model
    self.target = target
  }

  /// Length of a slot in milliseconds.
  public var slotMilliseconds: Int64 { model == .belgianQuarter ? 900_000 : 3_600_000 }

  /// The least time over which what is left of a slot's energy is spread, in milliseconds.
  var guardMilliseconds: Int64 { model == .belgianQuarter ? 60_000 : 120_000 }

  /// Whether one highest value is billed rather than a mean of several.
  var isMaximum: Bool { model == .belgianQuarter || peakCount == 1 }

  /// The factor that a slot counts with, in thousandths; nil where it does not count.
  public func thousandths(at place: LocalPlace) -> Int64? {
    guard windows.isEmpty || windows.contains(where: { $0.contains(place) }) else { return nil }
    return weights.first { $0.hours.contains(place) }?.thousandths ?? 1000
  }

  /// The stretch of which only the highest hour counts, of a slot that begins at `utc`.
  func bucket(of place: LocalPlace, start: Int64) -> Int64 {
    switch distinct {
    case .day: place.day
    case .week: place.week
    case .none: start
    }
  }

  /// The step that a mean in W falls into: number from 1, and its edges; no upper edge in the last.
  public func step(of watts: Int64) -> (number: Int, from: Int64, to: Int64?) {
    let index = steps.firstIndex { watts < $0 } ?? steps.count
    return (
      index + 1, index == 0 ? 0 : steps[index - 1], index < steps.count ? steps[index] : nil
    )
  }
}
