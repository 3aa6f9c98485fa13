public import OBISDecoder

// The documents under `ev/`, as ev-charging.md §7 lays them out. A key whose value is not known is
// absent; nothing that could be taken for a limit is ever 0.

extension EVFeed {
  // MARK: - ev/state

  /// Writes `ev/state`.
  public func writeState(at now: Instant, to out: inout ByteBuffer<4096>) {
    writeHead(state == .initial ? "init" : state == .ok ? "ok" : "stale", now, to: &out)
    if let measured, measured.at.isSynchronised, now.isSynchronised {
      out.append("measured_at", milliseconds: measured.at.utc)
      out.append("valid_until", milliseconds: measured.at.utc + staleAfterSeconds * 1000)
    }
    if state == .stale { out.append("age_s", age(at: now)) }
    out.append("grid", text: settings.grid.rawValue)
    out.append("phases", Int64(settings.phases))
    out.append("fuse_a", tenths: settings.fuse / 100)
    out.append("margin_a", tenths: settings.margin / 100)
    out.append("period_s", period.seconds)
    if state == .ok, let measured { writeMeasured(measured.sample, measured.lines, now, &out) }
    out.append("}")
  }

  private func writeHead(_ state: StaticString, _ now: Instant, to out: inout ByteBuffer<4096>) {
    out.append("{\"v\":1,\"seq\":")
    out.append(magnitude: sequence, minimumDigits: 1)
    out.append("state", word: state)
    if !now.isSynchronised { out.append("clock", word: "unsynced") }
  }

  private func writeMeasured(
    _ sample: MeterSample, _ lines: LineCurrents, _ now: Instant, _ out: inout ByteBuffer<4096>
  ) {
    if let power, let net = power.net, freshPower(at: now) != nil {
      out.append("power_w", net)
      if power.at.isSynchronised { out.append("power_at", milliseconds: power.at.utc) }
    }
    out.append("reactive_var", sample.reactivePower)
    let powers = LineValues(
      sample.netPower(ofLine: 0), sample.netPower(ofLine: 1), sample.netPower(ofLine: 2))
    out.append("phase_power_w", lines: powers) { _, value, out in out.append(integer: value) }
    out.append("current_a", lines: lines.amounts) { _, value, out in
      out.append(tenths: FixedPoint.nearest(value, over: 100))
    }
    out.append("current_q", lines: lines.amounts) { line, _, out in
      out.append("\"")
      out.append(lines.quality(ofLine: line).name)
      out.append("\"")
    }
    out.append("voltage_v", lines: sample.voltages) { _, value, out in
      out.append(tenths: FixedPoint.nearest(value, over: 100))
    }
    out.append("headroom_a", lines: lines.headroom) { _, value, out in out.append(tenths: value) }
    out.append("min_headroom_a", tenths: lines.leastHeadroom(settings))
  }

  // MARK: - ev/limit

  /// Writes `ev/limit`, with limits while the newest sample is fresh; false in the initial state,
  /// which has nothing to say.
  public func writeLimit(at now: Instant, to out: inout ByteBuffer<4096>) -> Bool {
    switch state {
    case .initial: return false
    case .stale: writeFailsafe(at: now, failsafe: leastFailsafe, to: &out)
    case .ok: writeLimits(at: now, to: &out)
    }
    return true
  }

  /// What every charger bears without a feed: the least of their failsafes, tenths; nil without any.
  private var leastFailsafe: Int64? { settings.chargers.map { $0.failsafe / 100 }.min() }

  /// Writes the message that ends all limits, as when the process ends.
  public func writeFailsafe(at now: Instant, to out: inout ByteBuffer<4096>) {
    writeFailsafe(at: now, failsafe: leastFailsafe, to: &out)
  }

  private func writeFailsafe(
    at now: Instant, failsafe: Int64?, to out: inout ByteBuffer<4096>
  ) {
    writeHead("failsafe", now, to: &out)
    if now.isSynchronised {
      out.append("since", milliseconds: (staleSince ?? now).utc)
    }
    out.append("age_s", age(at: now))
    out.append("failsafe_a", tenths: failsafe)
    out.append("}")
  }

  private func writeLimits(at now: Instant, to out: inout ByteBuffer<4096>) {
    let limits = limits(at: now)
    writeHead("ok", now, to: &out)
    writeValidity(now, &out)
    out.append("ttl_s", staleAfterSeconds)
    out.append("max_import_w", limits.maximum)
    out.append("max_import_a", tenths: settings.lineLimit / 100)
    out.append("headroom_w", limits.headroom)
    out.append(key: "hard")
    out.append("{")
    out.append("headroom_a", tenths: measured?.lines.leastHeadroom(settings))
    out.append("fuse_w", limits.fusePower)
    out.append("}")
    if limits.soft != nil, let slot = slots.slot {
      out.append(key: "soft")
      out.append("{")
      out.append("reason", word: "capacity")
      out.append("headroom_w", limits.softHeadroom)
      out.append("slot_ends", secondsOf: slot.end)
      out.append("}")
    }
    out.append("}")
  }

  private func writeValidity(_ now: Instant, _ out: inout ByteBuffer<4096>) {
    guard let measured, measured.at.isSynchronised, now.isSynchronised else { return }
    out.append("valid_until", milliseconds: measured.at.utc + staleAfterSeconds * 1000)
  }

  // MARK: - ev/charger

  /// Writes `ev/charger/<name>` of a charger, counted from 0; false in the initial state.
  public func writeCharger(
    _ index: Int, at now: Instant, to out: inout ByteBuffer<4096>
  ) -> Bool {
    guard state != .initial, settings.chargers.indices.contains(index) else { return false }
    let charger = settings.chargers[index]
    guard state == .ok else {
      writeFailsafe(at: now, failsafe: charger.failsafe / 100, to: &out)
      return true
    }
    let result = results[index]
    writeHead("ok", now, to: &out)
    out.append("connection", text: charger.connection.rawValue)
    out.append(key: "k_w_per_a")
    Decimal(
      mantissa: FixedPoint.nearest(
        settings.milliwattsPerAmpere(of: charger.connection), over: 100), exponent: -1
    ).write(to: &out)
    out.append("fuse_delta_a", tenths: result.fuseDelta)
    out.append("capacity_delta_a", tenths: result.capacityDelta)
    out.append("delta_a", tenths: result.delta)
    out.append("raise_a", tenths: result.raise)
    if let raise = result.raise {
      out.append("can_start", isTrue: raise >= charger.minimum / 100 + 10)
    }
    out.append("failsafe_a", tenths: charger.failsafe / 100)
    writeValidity(now, &out)
    if let draw = result.freshDraw(at: now), let setting = result.setting {
      out.append("draw_a", tenths: draw)
      out.append(key: "set_a")
      Decimal(mantissa: setting, exponent: -1).write(to: &out)
      writeSchedule(setting, charger, now, &out)
    }
    out.append("}")
    return true
  }

  /// What holds now and what holds once the sample is stale: whoever copies it inherits the expiry.
  private func writeSchedule(
    _ setting: Int64, _ charger: ChargerSettings, _ now: Instant, _ out: inout ByteBuffer<4096>
  ) {
    guard let measured, measured.at.isSynchronised, now.isSynchronised else { return }
    let until = measured.at.utc + staleAfterSeconds * 1000
    out.append(key: "schedule")
    out.append("[{")
    out.append("from", secondsOf: measured.at.utc)
    out.append(key: "a")
    Decimal(mantissa: setting, exponent: -1).write(to: &out)
    out.append("},{")
    out.append("from", secondsOf: until)
    out.append(key: "a")
    Decimal(mantissa: charger.failsafe / 100, exponent: -1).write(to: &out)
    out.append("}]")
  }

  // MARK: - Plain numbers

  /// A plain number with a topic of its own.
  public enum Plain: Equatable, Sendable {
    case power
    /// Of a line, counted from 0.
    case current(Int)
    case headroom(Int)
    case maxImportWatts, maxImportAmperes
  }

  /// Every plain number, in the order in which they are published.
  public static let plains: [Plain] = [
    .power, .current(0), .current(1), .current(2), .headroom(0), .headroom(1), .headroom(2),
    .maxImportWatts, .maxImportAmperes,
  ]

  /// Writes a plain number; false where it is not known, or the newest sample is not fresh.
  public func write(_ plain: Plain, at now: Instant, to out: inout ByteBuffer<4096>) -> Bool {
    guard state == .ok, let measured else { return false }
    switch plain {
    case .power:
      guard let net = power?.net, freshPower(at: now) != nil else { return false }
      out.append(integer: net)
    case .current(let line):
      guard let amount = measured.lines.amounts[line] else { return false }
      out.append(tenths: FixedPoint.nearest(amount, over: 100))
    case .headroom(let line):
      guard let free = measured.lines.headroom[line] else { return false }
      out.append(tenths: free)
    case .maxImportWatts: out.append(integer: limits(at: now).maximum)
    case .maxImportAmperes: out.append(tenths: settings.lineLimit / 100)
    }
    return true
  }
}
