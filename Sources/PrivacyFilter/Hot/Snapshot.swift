public import OBISDecoder

/// What one frame of one meter said, by quantity: reused from frame to frame, no heap.
///
/// The first value of a quantity counts. A reading of no known quantity is only counted. Call
/// `begin`, `record` for each reading, and `end` once, before a gate sees it.
public struct Snapshot: ~Copyable {
  /// Which source of the agent (meter) it is from.
  public private(set) var source: UInt8 = 0
  /// The frame's number, counted by the caller.
  public private(set) var sequence: UInt64 = 0
  /// When its last byte arrived, milliseconds since 1970 UTC.
  public private(set) var receivedAt: Int64 = 0
  /// The meter's own clock, nil if it sent none.
  public var meterTime: MeterTime?
  /// Minutes that standard time is ahead of UTC where the meter is; nil if nobody said.
  public var standardOffsetMinutes: Int16?
  /// The quantities that have a value.
  public private(set) var present = QuantitySet()
  /// Readings of this frame that no quantity names and no other reading needs.
  public private(set) var unknownCount: UInt32 = 0

  /// Whether a total made of tariff registers began anew with this frame.
  private(set) var totalsRestarted = false
  /// What a window can add up, derived quantities included: those that have thousandths.
  private(set) var countable = QuantitySet()
  private var hasProblem = false
  /// Tariffs of which the total is the sum, bit n for tariff n; import, then export.
  private var tariffs: InlineArray<2, UInt8> = [0, 0]
  private var values = EachQuantity<Decimal>(repeating: Decimal(mantissa: 0))
  /// The values in thousandths of the unit, once for all gates; only those of `countable` mean one.
  private(set) var thousandths = EachQuantity<Int64>(repeating: 0)
  private var captures = InlineArray<4, Int64>(repeating: .min)

  /// Makes an empty snapshot.
  public init() {}

  /// Forgets the last frame and begins one.
  public mutating func begin(source: UInt8, sequence: UInt64, receivedAt: Int64) {
    if source != self.source { tariffs = [0, 0] }
    self.source = source
    self.sequence = sequence
    self.receivedAt = receivedAt
    meterTime = nil
    present = QuantitySet()
    countable = QuantitySet()
    unknownCount = 0
    totalsRestarted = false
    hasProblem = false
    captures = InlineArray(repeating: .min)
  }

  /// Takes a reading; false if no quantity names it.
  @discardableResult
  public mutating func record(_ reading: Reading) -> Bool {
    guard let quantity = Quantity.of(reading) else {
      // 0-n:24.1.0 is known well: it says what the channel's other readings are, and is none.
      if reading.code.cde != 0x18_0100 { unknownCount &+= 1 }
      return false
    }
    guard !present.contains(quantity) else { return true }
    set(quantity, reading.value)
    if quantity.channel > 0, let time = reading.time {
      captures[Int(quantity.channel) - 1] =
        time.secondsSince1970(standardOffsetMinutes: standardOffsetMinutes ?? 0)
        ?? MeterTime.daysSince1970(
          year: Int64(time.year), month: Int64(time.month), day: Int64(time.day)) * 86_400
    }
    return true
  }

  /// Notes that a part of the frame could not be read: sums are then not formed from the rest.
  public mutating func recordProblem() { hasProblem = true }

  /// Completes the frame: forms the totals that the meter sends only in parts.
  ///
  /// Total energy is the sum of the tariff registers where the meter sends no 1.8.0 or 2.8.0;
  /// import and export power are the two sides of 16.7.0 where the meter sends only that, and those
  /// of a phase the two sides of 36.7.0, 56.7.0 or 76.7.0 (German meters).
  public mutating func end() {
    formTotal(of: .energyImport, at: 0)
    formTotal(of: .energyExport, at: 1)
    splitNet(.activePowerNet, into: .activePowerImport, .activePowerExport)
    for phase in 0..<3 {
      splitNet(Quantity(124 + phase), into: Quantity(25 + phase), Quantity(28 + phase))
    }
    count()
  }

  /// Brings every value to thousandths, for the quantities that are derived from it too.
  private mutating func count() {
    var id = 0
    while let quantity = present.next(from: id) {
      id = Int(quantity.rawValue) + 1
      let value = Quantum.thousandths(values[id - 1], floor: quantity.isGrowing)
      if let value { setThousandths(quantity, value) }
    }
    for id in 10..<22 {
      let measured = Quantity(id).measured
      if let value = thousandths(of: measured) { setThousandths(Quantity(id), value) }
    }
  }

  private mutating func setThousandths(_ quantity: Quantity, _ value: Int64) {
    countable.insert(quantity)
    thousandths[Int(quantity.rawValue)] = value
  }

  /// A value in thousandths of its unit; nil if there is none, or none that 64 bits hold.
  func thousandths(of quantity: Quantity) -> Int64? {
    countable.contains(quantity) ? thousandths[Int(quantity.rawValue)] : nil
  }

  private mutating func splitNet(
    _ net: Quantity, into importing: Quantity, _ exporting: Quantity
  ) {
    guard let value = value(of: net), !present.contains(importing), !present.contains(exporting)
    else { return }
    let (negated, overflow) = Int64(0).subtractingReportingOverflow(value.mantissa)
    guard !overflow else { return }
    set(importing, Decimal(mantissa: max(value.mantissa, 0), exponent: value.exponent))
    set(exporting, Decimal(mantissa: max(negated, 0), exponent: value.exponent))
  }

  /// Whether the frame has a value of one of these quantities.
  public func holds(anyOf quantities: QuantitySet) -> Bool {
    present.subtracting(quantities) != present
  }

  /// The value of a quantity, nil if the frame has none.
  public func value(of quantity: Quantity) -> Decimal? {
    present.contains(quantity) ? values[Int(quantity.rawValue)] : nil
  }

  /// The sub-meter quantity that stands for its medium: of several gas meters, say, the one in use.
  ///
  /// That is the lowest channel whose capture time lies within a day of the newest: an exchanged
  /// meter stays on its channel with an old time, and two living meters do not alternate.
  public func standing(for quantity: Quantity) -> Quantity? {
    guard quantity.channel > 0 else { return present.contains(quantity) ? quantity : nil }
    let kind = (Int(quantity.rawValue) - 80) % 3
    var newest = Int64.min
    for channel in 0..<4 where present.contains(Quantity(80 + channel * 3 + kind)) {
      newest = max(newest, captures[channel])
    }
    for channel in 0..<4 where present.contains(Quantity(80 + channel * 3 + kind)) {
      if newest == .min || captures[channel] > newest - 86_400 {
        return Quantity(80 + channel * 3 + kind)
      }
    }
    return nil
  }

  /// Whether more than one channel measures the same as this sub-meter.
  func hasSeveral(like quantity: Quantity) -> Bool {
    let kind = (Int(quantity.rawValue) - 80) % 3
    var count = 0
    for channel in 0..<4 where present.contains(Quantity(80 + channel * 3 + kind)) { count += 1 }
    return count > 1
  }

  private mutating func set(_ quantity: Quantity, _ value: Decimal) {
    present.insert(quantity)
    values[Int(quantity.rawValue)] = value
  }

  private mutating func formTotal(of total: Quantity, at side: Int) {
    guard !present.contains(total), !hasProblem else { return }
    var found: UInt8 = 0
    var exponent: Int8 = 0
    for tariff in 1...4 {
      let quantity = Quantity(Int(total.rawValue) + tariff)
      guard present.contains(quantity) else { continue }
      found |= 1 << UInt8(tariff)
      exponent = min(exponent, values[Int(quantity.rawValue)].exponent)
    }
    // A frame with fewer tariffs than before has lost one on the way: it has no total.
    guard found != 0, found & tariffs[side] == tariffs[side] else { return }
    var sum: Int64 = 0
    for tariff in 1...4 where found & 1 << UInt8(tariff) != 0 {
      let part = values[Int(total.rawValue) + tariff].mantissa(at: exponent)
      let (next, overflow) = sum.addingReportingOverflow(part ?? 0)
      guard part != nil, !overflow else { return }
      sum = next
    }
    if tariffs[side] != 0, found != tariffs[side] { totalsRestarted = true }
    tariffs[side] = found
    set(total, Decimal(mantissa: sum, exponent: exponent))
  }
}
