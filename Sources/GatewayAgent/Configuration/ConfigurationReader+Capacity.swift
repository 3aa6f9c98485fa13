import ChargingFeed

/// The table `[ev.capacity]`.
extension ConfigurationReader {
  /// Reads a capacity tariff; nil without one.
  func capacity(_ document: inout ConfigurationTable) -> CapacitySettings? {
    guard var table = document.subtable("capacity") else { return nil }
    let model = table.choice("model", of: CapacitySettings.Model.self, or: ["none"])
    let target = table.thousandths("target_kw", in: 0...1000)
    if model == nil, table.has("target_kw") {
      table.note("target_kw", expected: "a model beside it", found: "none")
    } else if model != nil, !table.has("target_kw") {
      table.note(
        "target_kw", expected: "the mean in kW that is to be kept below", found: "none")
    }
    var settings = CapacitySettings(model: model ?? .peaks, target: target ?? 0)
    if let steps = table.integers("steps_kw", in: 1...1000, atMost: 32) {
      settings.steps = steps.map { Int64($0) * 1000 }
      if steps != steps.sorted() {
        table.note("steps_kw", expected: "edges that ascend", found: "others")
      }
    }
    settings.peakCount = table.integer("n_peaks", in: 1...10) ?? 3
    settings.distinct = table.choice("distinct", of: CapacitySettings.Distinct.self) ?? .day
    settings.windows = windows(&table)
    settings.weights = weights(&table)
    settings.floor = table.thousandths("floor_kw", in: 0...1000) ?? 0
    settings.policy = table.choice("policy", of: CapacitySettings.Policy.self) ?? .cap
    settings.margin = table.thousandths("margin_kw", in: 0...100) ?? 100
    table.finish()
    return model == nil ? nil : settings
  }

  private func windows(_ document: inout ConfigurationTable) -> [TariffHours] {
    var windows: [TariffHours] = []
    for var table in document.subtables("windows", atMost: Configuration.Limits.tariffHours) {
      windows.append(hours(&table))
      table.finish()
    }
    return windows
  }

  private func weights(_ document: inout ConfigurationTable) -> [CapacitySettings.Weight] {
    var weights: [CapacitySettings.Weight] = []
    for var table in document.subtables("weights", atMost: Configuration.Limits.tariffHours) {
      let hours = hours(&table)
      let factor = table.thousandths("factor", in: 0...1)
      if !table.has("factor") || factor == 0 {
        table.note(
          "factor", expected: "a number above 0, at most 1", found: factor == nil ? "none" : "0")
      }
      table.finish()
      weights.append(CapacitySettings.Weight(hours: hours, thousandths: factor ?? 1000))
    }
    return weights
  }

  /// `months`, `weekdays`, `from` and `to`; all of the year and day where they are not given.
  private func hours(_ table: inout ConfigurationTable) -> TariffHours {
    let months = table.integers("months", in: 1...12, atMost: 12) ?? []
    let weekdays = table.integers("weekdays", in: 1...7, atMost: 7) ?? []
    let from = minute("from", &table) ?? 0
    let to = minute("to", &table) ?? 1440
    if from == to {
      table.note("to", expected: "another time than from", found: "the same")
    }
    return TariffHours(
      months: months.map { Int64($0) }, weekdays: weekdays.map { Int64($0) }, from: from,
      to: to == 0 ? 1440 : to)
  }

  /// A time of day such as `"06:00"`, in minutes; `"24:00"` is the day's end.
  private func minute(_ key: String, _ table: inout ConfigurationTable) -> Int64? {
    var minute: Int64?
    _ = table.text(key, expected: "a time of day such as \"06:00\"") { text in
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hours = Int64(parts[0]),
        let minutes = Int64(parts[1]), (0...24).contains(hours), (0...59).contains(minutes),
        hours * 60 + minutes <= 1440
      else { return false }
      minute = hours * 60 + minutes
      return true
    }
    return minute
  }
}
