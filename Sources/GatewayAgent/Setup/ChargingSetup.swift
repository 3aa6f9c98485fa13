import ChargingFeed

/// What a household says of its supply, its tariff and its chargers, as the tables that
/// `ConfigurationReader` reads.
struct ChargingSetup {
  /// The tables that it writes anew; others under `[ev]` stay as they are.
  static let tables = ["ev", "ev.capacity", "ev.charger"]

  /// The lines of the tables.
  private(set) var lines: [String] = []
  private var grid = Grid.tn
  private var phases = 3

  /// Asks for everything that has no safe default.
  ///
  /// - Parameters:
  ///   - meters: the names of the configuration's meters.
  /// - Throws: the end of the input.
  init(asking dialog: Dialog, meters: [String]) throws(CommandFailure) {
    try supply(dialog, meters)
    try tariff(dialog)
    var names = [try charger(dialog, taken: [])]
    while names.count < Configuration.Limits.chargers,
      try dialog.confirm("Another charger?", usual: false)
    {
      names.append(try charger(dialog, taken: names))
    }
  }

  private mutating func supply(_ dialog: Dialog, _ meters: [String]) throws(CommandFailure) {
    lines = ["[ev]", "enabled = true"]
    if meters.count > 1 {
      let meter = try dialog.choice(
        "Which meter is at the main fuse (\(meters.joined(separator: ", ")))?", of: meters)
      lines.append("meter = \"\(meter)\"")
    }
    try dialog.say(
      "TN: 400 V between lines and a neutral. IT and TT: 230 V between lines and no neutral, as in much of Norway."
    )
    let net = try dialog.choice("Net (TN, IT, TT)", of: Grid.allCases.map(\.rawValue), usual: "TN")
    grid = Grid(rawValue: net) ?? .tn
    phases = try dialog.choice("Phases (1, 3)", of: ["1", "3"], usual: "3") == "1" ? 1 : 3
    let fuse = try dialog.number("Main fuse of each line, ampere", in: 6...400)
    lines += ["grid = \"\(net)\"", "phases = \(phases)", "main_fuse_a = \(fuse)"]
    guard !grid.hasNeutral, phases == 3 else { return }
    try dialog.say(
      "Many meters of three-wire nets do not tell the current of L2. estimate: the likeliest and a margin; worst: "
        + "the most it can be; ignore: no number for L2.")
    let missing = try dialog.choice(
      "Where L2 is missing", of: MissingLine.allCases.map(\.rawValue), usual: "estimate")
    lines.append("it_l2 = \"\(missing)\"")
  }

  private mutating func tariff(_ dialog: Dialog) throws(CommandFailure) {
    try dialog.say(
      "Does the network company charge for the highest hours? none; no_step: Norway's steps; peaks: by the kilowatt, "
        + "as in Sweden; be_quarter: Flanders.")
    let models = ["none"] + CapacitySettings.Model.allCases.map(\.rawValue)
    let model = try dialog.choice("Capacity tariff", of: models, usual: "none")
    guard model != "none" else { return }
    lines += ["", "[ev.capacity]", "model = \"\(model)\""]
    let question =
      model == CapacitySettings.Model.norwegianSteps.rawValue
      ? "Upper edge of the step to stay in, kW (2, 5, 10, 15, 20, 25 …)"
      : "Mean power to stay below, kW"
    lines.append("target_kw = \(try dialog.number(question, in: 1...1000))")
    switch CapacitySettings.Model(rawValue: model) {
    case .peaks:
      let count = try dialog.number("How many highest hours are averaged", in: 1...10, usual: "3")
      let distinct = try dialog.choice(
        "Of which only the highest of each counts (day, none, week)",
        of: CapacitySettings.Distinct.allCases.map(\.rawValue), usual: "day")
      lines += ["n_peaks = \(count)", "distinct = \"\(distinct)\""]
      try dialog.say(
        "Hours that count only in some months or at half are windows and weights, which you add by hand."
      )
    case .belgianQuarter: lines.append("floor_kw = 2.5")
    default: break
    }
  }

  private mutating func charger(
    _ dialog: Dialog, taken: [String]
  ) throws(CommandFailure) -> String {
    let usual = taken.isEmpty ? "garage" : "charger\(taken.count + 1)"
    let limit = Configuration.Limits.nameBytes
    let name = try dialog.answer(
      "Charger's nickname", usual: usual,
      expected: "a new name of at most \(limit) letters, digits, - or _"
    ) { text in
      let isName = !text.isEmpty && text.utf8.allSatisfy(NameText.isPart)
      return isName && text.utf8.count <= limit && !taken.contains(text) ? text : nil
    }
    let connections = self.connections.map(\.rawValue)
    let connection =
      connections.count == 1
      ? connections[0]
      : try dialog.choice(
        "Connected between (\(connections.joined(separator: ", ")))", of: connections,
        usual: Connection.all.rawValue)
    let least = try dialog.number(
      "Least current that it charges with, ampere", in: 6...32, usual: "6")
    let most = try dialog.number("Most current, ampere", in: 6...80, usual: "16")
    let failsafe = try dialog.number(
      "Current while the meter is not heard, ampere (0: pause)", in: 0...80, usual: "6")
    lines += [
      "", "[[ev.charger]]", "name = \"\(name)\"", "connection = \"\(connection)\"",
      "min_a = \(least)", "max_a = \(most)", "failsafe_a = \(failsafe)",
    ]
    return name
  }

  /// What the net allows.
  private var connections: [Connection] {
    guard phases == 3 else { return [.l1] }
    return Connection.allCases.filter {
      grid.hasNeutral ? $0.lines.count != 2 : !$0.usesNeutral
    }
  }
}
