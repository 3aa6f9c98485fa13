/// What a simulated household has.
public struct HouseholdOptions: Sendable {
  /// One or three phases.
  public var phases: Int
  /// A charger for an electric vehicle: 11 kW on three phases, 7.4 kW on one.
  public var hasCharger: Bool
  /// A photovoltaic system of 3 to 8 kWp.
  public var hasSolar: Bool
  /// A heat pump; without it the house is heated by gas or from elsewhere.
  public var hasHeatPump: Bool
  /// Gas and water meters on M-Bus channels 1 and 2.
  public var hasSubMeters: Bool
  /// Whether tariff 1 is the day tariff (Belgium) rather than the low one (Netherlands).
  public var tariffOneIsDay: Bool
  /// How the house's clock shows time: people follow it, and so do tariffs.
  public var clock: CivilClock
  /// Seconds between captures of the sub-meters: 300 (DSMR 5) or 3600 (DSMR 4).
  public var captureSeconds: Int64

  /// Makes options: three phases, no extras, Central European Time.
  public init() {
    phases = 3
    hasCharger = false
    hasSolar = false
    hasHeatPump = false
    hasSubMeters = false
    tariffOneIsDay = false
    clock = CivilClock(standardOffsetMinutes: 60, daylightSaving: .european)
    captureSeconds = 300
  }
}
