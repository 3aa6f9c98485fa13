import AllocationCounter
import OBISDecoder
import PrivacyFilter

/// Frames of forty quantities through sixteen external gates that were granted all forty.
///
/// What issue 4 bounds: 2 µs a frame, no heap. Naming the readings and writing the messages of
/// windows that end are measured too, each by itself.
enum HotPath {
  private static let quantities = 40
  private static let goalNanoseconds: UInt64 = 2000

  /// Prints one line; false if a gate or a message is missing, or the heap was touched.
  static func measure(frames: Int, rounds: Int) -> Bool {
    var bank = GateBank()
    guard Gates.install(in: &bank, isWide: true, now: Gates.start) else { return false }
    var outcome = Gates.Outcome()
    var now = Gates.start
    var naming = UInt64.max
    var collecting = UInt64.max
    var whole = UInt64.max
    var allocations: UInt64 = 0
    var snapshot = Snapshot()
    for round in 0..<rounds {
      var named: UInt64 = 0
      // A frame is short beside the clock that times it: ten are timed together.
      var shortest = UInt64.max
      var collected: UInt64 = 0
      let allocated = allocation_count()
      for ten in 0..<(frames / 10) {
        var began = nanoseconds()
        for _ in 0..<10 { fill(&snapshot, at: now, UInt64(ten)) }
        named += nanoseconds() - began
        let released = outcome.releases
        began = nanoseconds()
        for _ in 0..<10 {
          bank.process(snapshot, at: now, clockTrusted: true) { outcome.take($0) }
          now += 1000
        }
        let passed = nanoseconds() - began
        collected += passed
        if outcome.releases == released { shortest = min(shortest, passed / 10) }
      }
      // The first round touches memory for the first time.
      if round > 0 { allocations = max(allocations, allocation_count() - allocated) }
      naming = min(naming, named / UInt64(frames))
      whole = min(whole, collected / UInt64(frames))
      collecting = min(collecting, shortest)
    }
    print(
      """
      \(quantities) quantities through \(Gates.count) external gates: \(collecting) ns a frame \
      (goal \(goalNanoseconds)), \(whole) with the messages of ended windows, \(naming) for naming the \
      readings before; \(outcome.releases) releases of \(outcome.bytes) bytes, fold \
      \(String(outcome.fold, radix: 16)), \(allocations) allocations
      """)
    return outcome.releases > 0 && allocations == 0
  }

  private static func fill(
    _ snapshot: inout Snapshot, at now: Int64, _ sequence: UInt64
  ) {
    snapshot.begin(source: 0, sequence: sequence, receivedAt: now)
    for reading in readings { snapshot.record(reading) }
    snapshot.end()
  }

  /// C.D.E and unit of what a recipient can be granted of the meter itself, but the tariff.
  ///
  /// The registers are in two quantities each, absolute and by interval, and last hours come of them.
  private static let codes: [(Unit, [UInt32])] = [
    (.wattHour, [0x010800, 0x020800]),
    (.watt, [0x010700, 0x020700, 0x010400, 0x010600, 0x110000]),
    (.watt, [0x150700, 0x290700, 0x3D0700, 0x160700, 0x2A0700, 0x3E0700]),
    (.volt, [0x200700, 0x340700, 0x480700]),
    (.ampere, [0x1F0700, 0x330700, 0x470700, 0x5B0700, 0x1F0400]),
    (.reactiveVoltAmpere, [0x030700, 0x040700]),
    (.reactiveVoltAmpereHour, [0x030800, 0x040800]),
    (.hertz, [0x0E0700]),
    (.one, [0x0D0700, 0x600709, 0x600715, 0x60030A]),
    (.one, [0x202000, 0x342000, 0x482000, 0x202400, 0x342400, 0x482400]),
  ]

  private static let readings: [Reading] = codes.flatMap { unit, codes in
    codes.map { cde in
      let code = OBISCode(
        1, 0, UInt8(cde >> 16), UInt8(truncatingIfNeeded: cde >> 8), UInt8(truncatingIfNeeded: cde))
      return Reading(
        code: code, value: Decimal(mantissa: 230_417 + Int64(cde >> 16), exponent: -2), unit: unit,
        medium: .electricity, time: nil, offset: 0, count: 0)
    }
  }
}
