public import OBISDecoder

// Payloads in the words of others: what SmartEVSE, openWB, go-e and EVerest read.

extension EVFeed {
  /// How much younger than stale a sample must be to be repeated to SmartEVSE, ms: its own watchdog
  /// runs 11 s (SmartEVSE-3.5, `COMM_TIMEOUT`).
  static let smartEVSEWatchdog: Int64 = 11_000

  /// A line's amount with lines that the supply does not have at 0; nil where it is not known.
  private func amount(_ line: Int) -> Int64? {
    settings.lines.contains(line) ? measured?.lines.amounts[line] : 0
  }

  /// Whether the newest sample may be repeated to a sink, which takes a repeat as a measurement.
  public func mayRepeat(isSmartEVSE: Bool, at now: Instant) -> Bool {
    guard state == .ok, let measured else { return false }
    let age = now.monotonic - measured.at.monotonic
    return age < staleAfterSeconds * 1000 - (isSmartEVSE ? Self.smartEVSEWatchdog : 0)
  }

  /// Writes `L1:L2:L3` in deciamperes, with `:W:Wh` where both are known; false if a line is not.
  ///
  /// Source: SmartEVSE-3.5, `docs/configuration.md`, `Set/MainsMeter`: whole numbers, import
  /// positive, and a power below 0 is refused.
  public func writeSmartEVSE(to out: inout ByteBuffer<4096>) -> Bool {
    guard state == .ok, let first = amount(0), let second = amount(1), let third = amount(2) else {
      return false
    }
    for (index, amount) in [first, second, third].enumerated() {
      if index > 0 { out.append(":") }
      out.append(integer: FixedPoint.nearest(amount, over: 100))
    }
    if let net = power?.net, let energy = measured?.sample.importEnergy {
      out.append(":")
      out.append(integer: max(0, net))
      out.append(":")
      out.append(integer: energy / 3_600_000)
    }
    return true
  }

  /// What openWB reads of a counter, each on a topic of its own.
  public enum OpenWBValue: CaseIterable, Sendable {
    case power, currents, powers, voltages, imported, exported, frequency

    /// The last level of its topic.
    public var leaf: StaticString {
      switch self {
      case .power: "power"
      case .currents: "currents"
      case .powers: "powers"
      case .voltages: "voltages"
      case .imported: "imported"
      case .exported: "exported"
      case .frequency: "frequency"
      }
    }

    /// Whether it goes with the sample: openWB falls back to its failsafe when `power` is gone and
    /// something else is still there (openWB/core, `modules/devices/generic/mqtt`).
    public var goesStale: Bool {
      switch self {
      case .power, .currents, .powers: true
      case .voltages, .imported, .exported, .frequency: false
      }
    }
  }

  /// Writes a value for openWB: W, A, V, Wh, Hz, lists of three; false where it is not known.
  public func write(_ value: OpenWBValue, to out: inout ByteBuffer<4096>) -> Bool {
    guard state == .ok, let measured else { return false }
    let sample = measured.sample
    switch value {
    case .power: return write(power?.net, at: 0, to: &out)
    case .imported: return write(sample.importEnergy.map { $0 / 360_000 }, at: -1, to: &out)
    case .exported: return write(sample.exportEnergy.map { $0 / 360_000 }, at: -1, to: &out)
    case .frequency: return write(sample.frequency, at: -3, to: &out)
    case .currents: return writeList(measured.lines.amounts, to: &out)
    case .voltages: return writeList(sample.voltages, to: &out)
    case .powers:
      let powers = LineValues(
        sample.netPower(ofLine: 0), sample.netPower(ofLine: 1), sample.netPower(ofLine: 2))
      return writeList(powers, at: 0, to: &out)
    }
  }

  private func write(
    _ value: Int64?, at exponent: Int8, to out: inout ByteBuffer<4096>
  ) -> Bool {
    guard let value else { return false }
    Decimal(mantissa: value, exponent: exponent).write(to: &out)
    return true
  }

  private func writeList(
    _ values: LineValues, at exponent: Int8 = -3, to out: inout ByteBuffer<4096>
  ) -> Bool {
    out.append("[")
    for line in 0..<3 {
      guard let value = settings.lines.contains(line) ? values[line] : 0 else { return false }
      if line > 0 { out.append(",") }
      Decimal(mantissa: value, exponent: exponent).write(to: &out)
    }
    out.append("]")
    return true
  }

  /// Writes `{"pGrid":W}` for go-e, export negative; false where power is not known.
  public func writeGoE(to out: inout ByteBuffer<4096>) -> Bool {
    guard state == .ok, let watts = power?.net else { return false }
    Self.writeGoE(watts, to: &out)
    return true
  }

  /// Writes the import of the whole fuse for go-e: it does not pause by itself when it hears nothing
  /// (syssi/homeassistant-goecharger-mqtt#101).
  public func writeGoEFailsafe(to out: inout ByteBuffer<4096>) -> Bool {
    Self.writeGoE(settings.fusePower, to: &out)
    return true
  }

  private static func writeGoE(_ watts: Int64, to out: inout ByteBuffer<4096>) {
    out.append("{\"pGrid\":")
    out.append(integer: watts)
    out.append("}")
  }

  /// Writes EVerest's `set_external_limits` for a charger: its setting now, its failsafe from when the
  /// sample is stale; false without a setting or a clock.
  ///
  /// Source: EVerest, `docs/source/reference/EVerest_API`, external energy limits: the last entry
  /// holds for ever.
  public func writeEVerest(
    charger index: Int, at now: Instant, to out: inout ByteBuffer<4096>
  ) -> Bool {
    guard state == .ok, let measured, measured.at.isSynchronised, now.isSynchronised,
      settings.chargers.indices.contains(index), results[index].freshDraw(at: now) != nil,
      let setting = results[index].setting
    else { return false }
    let charger = settings.chargers[index]
    out.append("{\"schedule_import\":[")
    writeEntry(setting, from: measured.at.utc, to: &out)
    out.append(",")
    writeEntry(charger.failsafe / 100, from: measured.at.utc + staleAfterSeconds * 1000, to: &out)
    out.append("],\"schedule_export\":[],\"schedule_setpoints\":[]}")
    return true
  }

  private func writeEntry(
    _ tenths: Int64, from instant: Int64, to out: inout ByteBuffer<4096>
  ) {
    out.append("{")
    out.append("timestamp", milliseconds: instant)
    out.append(",\"limits_to_root\":{\"ac_max_current_A\":{\"value\":")
    Decimal(mantissa: tenths, exponent: -1).write(to: &out)
    out.append(",\"source\":\"gateway-agent\"}},\"limits_to_leaves\":{}}")
  }
}
