public import OBISDecoder

// The documents about slots of time: the running one, closed hours, the billing period.

extension EVFeed {
  /// Watt-milliseconds of a watt-hour; thousandths of a kilowatt-hour are watt-hours.
  private static let wattHour: Int64 = 3_600_000

  /// Writes `ev/interval`; false if no slot is running or its energy is too old to say.
  public func writeInterval(at now: Instant, to out: inout ByteBuffer<4096>) -> Bool {
    guard now.isSynchronised, let slot = slots.slot, let (energy, quality) = slots.energy(at: now)
    else { return false }
    out.append("{\"v\":1")
    out.append("start", secondsOf: slot.start)
    out.append("end", secondsOf: slot.end)
    out.append("length_s", slot.length / 1000)
    out.append("elapsed_s", (now.utc - slot.start) / 1000)
    out.append("energy_kwh", thousandths: FixedPoint.nearest(energy, over: Self.wattHour))
    out.append("energy_q", word: quality.name)
    if let budget = budget(at: now) {
      out.append("avg_kw", thousandths: budget.average)
      out.append("projected_kw", thousandths: budget.projected)
      if let allowed {
        let limits = limits(at: now)
        out.append("target_kw", thousandths: settings.capacity?.target)
        out.append("allowed_avg_kw", thousandths: allowed)
        // As a limit of the house, like `max_import_w`: never 0 and never below.
        out.append("allow_w", limits.soft)
        out.append("headroom_w", limits.softHeadroom)
      }
    }
    out.append("}")
    return true
  }

  /// Writes `hour`, of an hour that has closed.
  public func write(hour: ClosedSlot, to out: inout ByteBuffer<4096>) {
    func kilowattHours(_ energy: Int64?) -> Int64? {
      energy.map { FixedPoint.nearest($0, over: Self.wattHour) }
    }
    out.append("{\"v\":1")
    out.append("start", secondsOf: hour.start)
    out.append("end", secondsOf: hour.start + hour.length)
    out.append("import_kwh", thousandths: kilowattHours(hour.imported))
    if sendsExport || hour.exportRegister != nil {
      out.append("export_kwh", thousandths: kilowattHours(hour.exported))
    }
    out.append("import_register_kwh", thousandths: kilowattHours(hour.importRegister))
    out.append("export_register_kwh", thousandths: kilowattHours(hour.exportRegister))
    out.append("quality", word: hour.quality.name)
    out.append("integrated_kwh", thousandths: kilowattHours(hour.integrated))
    out.append("}")
  }

  /// Writes `capacity`; false without a tariff or before the first slot.
  public func writeCapacity(to out: inout ByteBuffer<4096>) -> Bool {
    guard let capacity = settings.capacity, let month = record.month else { return false }
    out.append("{\"v\":1")
    out.append(key: "month")
    out.append("\"")
    out.append(magnitude: (month / 12).magnitude, minimumDigits: 4)
    out.append("-")
    out.append(magnitude: (month % 12 + 1).magnitude, minimumDigits: 2)
    out.append("\"")
    out.append("model", text: capacity.model.rawValue)
    writePeaks(record.highest(capacity), to: &out)
    let value = record.value(capacity)
    out.append("value_kw", thousandths: FixedPoint.nearest(value, over: 1000))
    out.append("days_counted", Int64(record.dayCount))
    if capacity.model == .norwegianSteps { writeStep(of: value, capacity, to: &out) }
    if let allowance {
      out.append(
        "unavoidable_kw", thousandths: FixedPoint.nearest(allowance.unavoidable, over: 1000))
    }
    if capacity.model == .belgianQuarter,
      let year = PeakRecord.yearlyMean(ofMonths: record.closedMonths, floor: capacity.floor)
    {
      out.append("year_kw", thousandths: FixedPoint.nearest(year, over: 1000))
    }
    out.append("complete", isTrue: record.isComplete)
    out.append("}")
    return true
  }

  private func writePeaks(_ peaks: [PeakRecord.Peak], to out: inout ByteBuffer<4096>) {
    out.append(key: "peaks")
    out.append("[")
    for (index, peak) in peaks.enumerated() {
      if index > 0 { out.append(",") }
      out.append("{\"day\":\"")
      UTCTime.writeDate(seconds: peak.day * 86_400, to: &out)
      out.append("\"")
      out.append("hour", secondsOf: peak.start)
      out.append("kw", thousandths: peak.watts)
      out.append("}")
    }
    out.append("]")
  }

  private func writeStep(
    of value: Int64, _ capacity: CapacitySettings, to out: inout ByteBuffer<4096>
  ) {
    // A mean just below an edge stays below it: rounded down.
    let step = capacity.step(of: FixedPoint.floor(value, over: 1000))
    out.append(key: "step")
    out.append("{")
    out.append("no", Int64(step.number))
    out.append("from_kw", thousandths: step.from)
    out.append("to_kw", thousandths: step.to)
    out.append("}")
  }
}
