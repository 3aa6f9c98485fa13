import ChargingFeed
import OBISDecoder

/// 2026-11-20 17:00 UTC, a Friday; 18:00 where the household lives.
let baseUTC: Int64 = 1_795_194_000_000

/// A moment `seconds` after the base, in winter time of Central Europe.
func moment(_ seconds: Double, isSynchronised: Bool = true) -> Instant {
  let milliseconds = Int64((seconds * 1000).rounded())
  return Instant(
    monotonic: 1_000_000 + milliseconds, utc: baseUTC + milliseconds, offsetSeconds: 3600,
    isSynchronised: isSynchronised)
}

/// A sample of three currents in A and net power in W.
func sample(_ amperes: [Double], watts: Int64? = nil) -> MeterSample {
  var sample = MeterSample()
  for (line, value) in amperes.enumerated() {
    sample.set(.current(line), Decimal(mantissa: Int64((value * 1000).rounded()), exponent: -3))
  }
  if let watts {
    sample.set(.importPower, Decimal(mantissa: max(watts, 0)))
    sample.set(.exportPower, Decimal(mantissa: max(-watts, 0)))
  }
  return sample
}

/// The charger of the design's examples.
func garage(hasDraw: Bool = false, connection: Connection = .all) -> ChargerSettings {
  ChargerSettings(
    name: "garage", connection: connection, minimum: 6000, maximum: 16_000, step: 1000,
    failsafe: 6000, hasDraw: hasDraw)
}

/// 3 × 25 A with neutral, a margin of 1 A.
func supply(_ change: (inout EVSettings) -> Void = { _ in }) -> EVSettings {
  var settings = EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000)
  settings.chargers = [garage()]
  change(&settings)
  return settings
}

/// What a document's writer wrote; nil if it had nothing to say.
func text(_ write: (inout ByteBuffer<4096>) -> Bool) -> String? {
  var out = ByteBuffer<4096>()
  guard write(&out), !out.overflowed else { return nil }
  return out.text
}
