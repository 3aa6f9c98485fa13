import OBISDecoder

extension Household {
  /// What the meter of this household knows now.
  ///
  /// Registers are cut to watt-hours, gauges have the meter's inner resolution (1 W, 1 mV, 1 mA);
  /// a dialect rounds them to its own.
  public func state(identity: MeterIdentity) -> MeterState {
    var state = MeterState()
    state.clock = options.clock.time(at: now)
    addEnergies(to: &state)
    addPowers(to: &state)
    addCounters(to: &state)
    state.monthPeak = demand.monthPeak.reached == nil ? nil : demand.monthPeak
    state.peaks = demand.closed
    addBilling(to: &state)
    if options.hasSubMeters { addSubMeters(to: &state, identity) }
    return state
  }

  private func addEnergies(to state: inout MeterState) {
    let wattHour: Int64 = 3_600_000
    let first = options.tariffOneIsDay ? 1 : 0
    let kinds: [(c: UInt8, tariffs: [Int64])] = [
      (1, [energy.imported[first], energy.imported[1 - first]]),
      (2, [energy.exported[first], energy.exported[1 - first]]),
    ]
    for (c, tariffs) in kinds {
      // The total is cut by itself: it may be 1 Wh more than the sum of what the tariffs show.
      state.values[OBISCode(1, 0, c, 8, 0)] = Decimal(
        mantissa: (tariffs[0] + tariffs[1]) / wattHour)
      for (index, value) in (tariffs + [0, 0]).enumerated() {
        state.values[OBISCode(1, 0, c, 8, UInt8(index + 1))] = Decimal(mantissa: value / wattHour)
      }
    }
    let quadrants = energy.reactive
    for (c, value) in [
      (UInt8(3), quadrants[0] + quadrants[1]), (4, quadrants[2] + quadrants[3]),
      (5, quadrants[0]), (6, quadrants[1]), (7, quadrants[2]), (8, quadrants[3]),
    ] {
      state.values[OBISCode(1, 0, c, 8, 0)] = Decimal(mantissa: value / wattHour)
      guard c <= 4 else { continue }
      state.values[OBISCode(1, 0, c, 8, 1)] = Decimal(mantissa: value / wattHour)
      for tariff in 2...4 {
        state.values[OBISCode(1, 0, c, 8, UInt8(tariff))] = Decimal(mantissa: 0)
      }
    }
    state.values[OBISCode(1, 0, 15, 8, 0)] = Decimal(
      mantissa: (millijoules.imported + millijoules.exported) / wattHour)
    for phase in 0..<options.phases {
      state.values[OBISCode(1, 0, UInt8(21 + 20 * phase), 8, 0)] = Decimal(
        mantissa: energy.phaseImported[phase] / wattHour)
      state.values[OBISCode(1, 0, UInt8(22 + 20 * phase), 8, 0)] = Decimal(
        mantissa: energy.phaseExported[phase] / wattHour)
    }
  }

  private func addPowers(to state: inout MeterState) {
    let (watts, vars) = power
    setPower(&state, base: 0, watts: watts.wrappedSum(), vars: vars.wrappedSum())
    state.values[OBISCode(1, 0, 15, 7, 0)] = Decimal(mantissa: abs(watts.wrappedSum()))
    state.values[OBISCode(1, 0, 16, 7, 0)] = Decimal(mantissa: watts.wrappedSum())
    state.values[OBISCode(1, 0, 14, 7, 0)] = Decimal(
      mantissa: 49_980 + second % 41, exponent: -3)
    for phase in 0..<options.phases {
      let base = UInt8(20 * (phase + 1))
      let millivolts = appliances.millivolts(phase: phase, watts: watts[phase], at: second)
      let apparent = Household.squareRoot(watts[phase] * watts[phase] + vars[phase] * vars[phase])
      let milliamperes = apparent * 1_000_000 / millivolts
      setPower(&state, base: base, watts: watts[phase], vars: vars[phase])
      state.values[OBISCode(1, 0, base + 12, 7, 0)] = Decimal(mantissa: millivolts, exponent: -3)
      state.values[OBISCode(1, 0, base + 12, 24, 0)] = Decimal(mantissa: millivolts, exponent: -3)
      state.values[OBISCode(1, 0, base + 11, 7, 0)] = Decimal(mantissa: milliamperes, exponent: -3)
    }
  }

  /// Import, export, reactive import and export, apparent power and power factor from C = `base`.
  private func setPower(_ state: inout MeterState, base: UInt8, watts: Int64, vars: Int64) {
    let apparent = Household.squareRoot(watts * watts + vars * vars)
    let factor = apparent == 0 ? 1000 : min(abs(watts) * 1000 / apparent, 1000)
    let quadrant = vars >= 0 ? (watts >= 0 ? 5 : 6) : (watts >= 0 ? 8 : 7)
    for (c, value) in [
      (1, max(watts, 0)), (2, max(-watts, 0)), (3, max(vars, 0)), (4, max(-vars, 0)),
      (9, watts >= 0 ? apparent : 0), (10, watts >= 0 ? 0 : apparent),
    ] {
      state.values[OBISCode(1, 0, base + UInt8(c), 7, 0)] = Decimal(mantissa: value)
    }
    state.values[OBISCode(1, 0, base + 13, 7, 0)] = Decimal(mantissa: factor, exponent: -3)
    guard base == 0 else { return }
    for c in 5...8 {
      state.values[OBISCode(1, 0, UInt8(c), 7, 0)] = Decimal(
        mantissa: c == quadrant ? abs(vars) : 0)
    }
  }

  private func addCounters(to state: inout MeterState) {
    let low = isLowTariff(at: second)
    let tariff: Int64 = low != options.tariffOneIsDay ? 1 : 2
    state.values[OBISCode(0, 0, 96, 14, 0)] = Decimal(mantissa: tariff)
    state.values[OBISCode(0, 0, 96, 3, 10)] = Decimal(mantissa: 1)
    state.values[OBISCode(0, 0, 96, 7, 21)] = Decimal(mantissa: 4)
    state.values[OBISCode(0, 0, 96, 7, 9)] = Decimal(mantissa: 0)
    state.values[OBISCode(0, 0, 17, 0, 0)] = Decimal(mantissa: 17_250)
    state.values[OBISCode(1, 0, 31, 4, 0)] = Decimal(mantissa: 25)
    state.values[OBISCode(1, 0, 94, 32, 1)] = Decimal(mantissa: 400)
    state.values[OBISCode(1, 0, 1, 4, 0)] = Decimal(mantissa: demand.running)
    for phase in 0..<options.phases {
      for (d, value) in [(UInt8(32), Int64(1)), (36, 0)] {
        state.values[OBISCode(1, 0, UInt8(32 + 20 * phase), d, 0)] = Decimal(mantissa: value)
      }
    }
  }

  /// Registers and peaks at the close of the last period, in the order of the Hungarian line.
  private func addBilling(to state: inout MeterState) {
    guard let last = demand.closed.last else { return }
    let wattHour: Int64 = 3_600_000
    let imported = opening.imported.map { $0 / wattHour }
    let exported = opening.exported.map { $0 / wattHour }
    var values = [imported[0] + imported[1], imported[0], imported[1]]
    values += [exported[0] + exported[1], exported[0], exported[1]]
    let quadrants = opening.reactive.map { $0 / wattHour }
    values += [quadrants[0] + quadrants[1], quadrants[2] + quadrants[3]] + quadrants
    values.append(values[0] + values[3])
    values += [last.watts, last.watts / 3, last.watts / 2, last.watts / 4, 0, 0]
    state.billing = values.map { Decimal(mantissa: $0) }
    state.billingTime = last.closed
  }

  private func addSubMeters(to state: inout MeterState, _ identity: MeterIdentity) {
    for (channel, type, microlitres) in [
      (UInt8(1), UInt8(3), flows.capturedGas), (2, 7, flows.capturedWater),
    ] {
      var meter = SubMeterState(channel: channel, deviceType: type)
      meter.number = identity.subMeters[Int(channel) - 1]
      meter.meteringPoint = identity.subMeterPoints[Int(channel) - 1]
      meter.time = options.clock.time(at: flows.capturedAt)
      meter.value = Decimal(mantissa: microlitres / 1_000_000, exponent: -3)
      meter.valve = 1
      state.subMeters.append(meter)
    }
  }

  /// The largest integer whose square is not above `value`; `value` is not negative.
  static func squareRoot(_ value: Int64) -> Int64 {
    guard value > 1 else { return value }
    var root = Int64(1) << ((64 - value.leadingZeroBitCount + 1) / 2)
    while true {
      let next = (root + value / root) / 2
      if next >= root { return root }
      root = next
    }
  }
}
