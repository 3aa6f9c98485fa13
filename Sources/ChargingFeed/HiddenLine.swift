/// The current of L2 on a net of three wires, from L1, L3 and the power.
///
/// With loads between the lines of about the same power factor, three currents follow from I1, I3
/// and apparent power S: x between L3 and L1, and two more on L2. Seek x in
/// (√(4·I1² − 3x²) + √(4·I3² − 3x²)) / 2 = 1.05·S/U, which falls with x. The result lies within
/// Kirchhoff's bounds |I1 − I3| … I1 + I3. Source: the project's design, ev-charging.md §6.3, with
/// its Monte Carlo figures; not validated on a real meter.
struct HiddenLine: Equatable {
  /// Its likely current, mA; the worst case where the power does not help.
  let current: Int64
  /// The worst case of resistive loads, mA: √(I1² + I3² + I1·I3).
  let worst: Int64
  /// Kirchhoff's bounds, mA.
  let bounds: ClosedRange<Int64>
  /// `estimated` or `bound`.
  let quality: CurrentQuality

  /// Ten microamperes to the milliampere: what rounding takes stays below a milliampere.
  private static let fine: Int64 = 100

  /// Estimates; `first` and `third` are amounts in mA.
  init(first: Int64, third: Int64, sample: MeterSample, isWorst: Bool) {
    // A thousand fuses of 1000 A; keeps every square below 64 bits.
    let first = min(max(first, 0), 10_000_000)
    let third = min(max(third, 0), 10_000_000)
    worst = Self.hypotenuse(first * Self.fine, third * Self.fine) / Self.fine
    bounds = abs(first - third)...(first + third)
    let isExporting = (sample.exportPower ?? 0) > 0
    guard !isWorst, !isExporting, let power = sample.importPower else {
      (current, quality) = (worst, .bound)
      return
    }
    let apparent = Self.apparentCurrent(power, sample.reactivePower ?? 0, Self.voltage(sample))
    let inner = Self.innerCurrent(first * Self.fine, third * Self.fine, apparent)
    let left = (Self.leg(first * Self.fine, inner) - inner) / 2
    let right = (Self.leg(third * Self.fine, inner) - inner) / 2
    current = FixedPoint.nearest(Self.hypotenuse(left, right), over: Self.fine)
    quality = .estimated
  }

  /// √(a² + b² + ab): two currents whose angle is 60° apart.
  private static func hypotenuse(_ a: Int64, _ b: Int64) -> Int64 {
    Int64(FixedPoint.squareRoot(UInt64(a * a) + UInt64(b * b) + UInt64(a * b)))
  }

  /// √(4·i² − 3·x²), for 0 ≤ x ≤ i.
  private static func leg(_ i: Int64, _ x: Int64) -> Int64 {
    Int64(FixedPoint.squareRoot(UInt64(max(0, 4 * i * i - 3 * x * x))))
  }

  /// Mean of the voltages that were sent, mV; 230 V without any.
  private static func voltage(_ sample: MeterSample) -> Int64 {
    var sum: Int64 = 0
    var count: Int64 = 0
    for line in 0..<3 {
      guard let value = sample.voltages[line], value > 0, value < 1_000_000 else { continue }
      sum += value
      count += 1
    }
    return count == 0 ? 230_000 : sum / count
  }

  /// 1.05·√(P² + Q²)/U in tens of microamperes.
  private static func apparentCurrent(_ p: Int64, _ q: Int64, _ millivolts: Int64) -> Int64 {
    let p = min(max(p, -10_000_000), 10_000_000)
    let q = min(max(q, -10_000_000), 10_000_000)
    // Root of W² × 10⁴ is apparent power in hundredths of a volt-ampere.
    let apparent = Int64(FixedPoint.squareRoot(UInt64(p * p + q * q) * 10_000))
    return apparent * 1_050_000 / millivolts
  }

  /// The current between L3 and L1 with which the apparent current fits.
  private static func innerCurrent(_ first: Int64, _ third: Int64, _ apparent: Int64) -> Int64 {
    func sum(_ x: Int64) -> Int64 { (leg(first, x) + leg(third, x)) / 2 }
    var low: Int64 = 0
    var high = min(first, third)
    if apparent >= sum(low) { return low }
    if apparent <= sum(high) { return high }
    while high - low > 1 {
      let middle = (low + high) / 2
      if sum(middle) > apparent { low = middle } else { high = middle }
    }
    return low
  }
}
