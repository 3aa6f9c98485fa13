internal import ArgumentParser

/// `report`: what left, to whom, when, under which grant.
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what left the house, to whom, when and under which grant.",
    discussion: """
      Counts only: no value of the meter is kept for it. The last three messages of each grant as \
      sent are shown as long as the agent runs; they are never stored. Days are UTC days.
      """)

  @OptionGroup var agent: AgentAddress
  @Option(help: "Only grants to this recipient, by its short name.") var recipient: String?
  @Option(help: "First day, such as 2026-01-15.") var from: String?
  @Option(help: "Last day, included.") var to: String?
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "Print a table of days as CSV.") var csv = false
  @Flag(help: "Print a page that needs nothing else, for a browser.") var html = false

  mutating func validate() throws {
    guard [json, csv, html].filter({ $0 }).count <= 1 else {
      throw ValidationError("--json, --csv and --html exclude each other")
    }
  }

  func run() throws {
    let view = try whole()
    if json { return try Terminal.write(ControlJSON.line(view)) }
    if csv { return try Terminal.write(ReportCSV.bytes(view)) }
    if html { return try Terminal.write(ReportPage.bytes(view)) }
    for line in ReportTable.lines(view) { try Terminal.line(line) }
  }

  /// Every part of the report, put together.
  private func whole() throws -> ReportView {
    var request = ControlRequest(verb: .report)
    request.report = ReportRequest(recipient: recipient, from: from, to: to, offset: nil)
    guard var view = try agent.ask(request).report else { throw Self.empty }
    while let next = view.next {
      request.report?.offset = next
      guard let part = try agent.ask(request).report else { throw Self.empty }
      view.rows += part.rows
      view.next = part.next
    }
    return view
  }

  private static let empty = CommandFailure.failed("no report in the answer")
}

/// A report for a terminal.
enum ReportTable {
  static func lines(_ view: ReportView) -> [String] {
    var lines = lines(view.chain)
    for gap in view.gaps {
      lines.append(
        "\(gap.code): counts of \(gap.seconds) s at most may be missing between \(gap.after) and "
          + gap.before)
    }
    if view.isUnwritten { lines.append("The last counts could not be written: the disk is full.") }
    if view.grants.isEmpty { lines.append("No grants: nothing leaves.") }
    for grant in view.grants { lines += self.lines(grant, view.rows) }
    for meter in view.meters where meter.unknownDropped > 0 {
      lines.append(
        "Meter \(meter.name): \(meter.unknownDropped) readings without a name, never released.")
    }
    lines.append("Identifiers known at present, in memory only: \(view.identifiersHeld)")
    return lines
  }

  static func lines(_ chain: ReportView.Chain) -> [String] {
    var lines = [
      chain.verdict == "sound"
        ? "Ledger: sound, \(chain.records) records, head \(chain.head)"
        : "Ledger: \(chain.verdict), head \(chain.head)"
    ]
    for day in chain.contradictedDays {
      lines.append("Journal: \(day) is not as it was recorded")
    }
    return lines
  }

  private static func lines(_ grant: ReportView.Grant, _ rows: [ReportView.Row]) -> [String] {
    let own = rows.filter { $0.grant == grant.id }
    var lines = [
      "",
      "\(grant.id.prefix(8))  \(grant.legalName) (\(grant.recipient), \(grant.country))  "
        + "\(grant.purpose)  \(grant.state)  \(grant.categories.joined(separator: ",")) "
        + grant.granularity,
      "  \(sum(own))",
      "  Kept there: \(grant.retention). Complaints: \(grant.authority)",
    ]
    if let day = grant.keptUntil { lines.append("  Records kept here until \(day)") }
    if let day = grant.holdUntil { lines.append("  On hold; to be confirmed by \(day)") }
    for event in grant.history {
      lines.append("  \(event.at)  \(event.type)\(event.by.map { " by \($0)" } ?? "")")
    }
    if !own.isEmpty {
      lines.append("  day         rung  messages       bytes  acked  dropped  categories")
    }
    for row in own {
      lines.append(
        "  \(row.day)  \(row.granularity)  \(right(row.messages, 10))  \(right(row.bytes, 10))"
          + "  \(right(row.acknowledged, 5))  \(right(row.dropped, 7))  "
          + row.categories.joined(separator: ","))
    }
    for sample in grant.samples {
      lines.append("  sent \(sample.at)  \(sample.topic)  \(sample.payload)")
    }
    return lines
  }

  private static func sum(_ rows: [ReportView.Row]) -> String {
    let messages = rows.reduce(0) { $0 + $1.messages }
    guard messages > 0 else { return "Nothing left." }
    let bytes = rows.reduce(0) { $0 + $1.bytes }
    let first = rows.compactMap(\.first).min() ?? ""
    let last = rows.compactMap(\.last).max() ?? ""
    return "\(messages) messages, \(bytes) bytes, first \(first), last \(last)"
  }

  private static func right(_ number: UInt64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

/// A report's journal as CSV (RFC 4180), one line a row.
enum ReportCSV {
  static let header =
    "day,grant,recipient,country,categories,rung,messages,bytes,acknowledged,dropped,first,last"

  static func bytes(_ view: ReportView) -> [UInt8] {
    var text = header + "\r\n"
    for row in view.rows {
      let fields = [
        row.day, row.grant, row.recipient, row.country, row.categories.joined(separator: " "),
        row.granularity, "\(row.messages)", "\(row.bytes)", "\(row.acknowledged)",
        "\(row.dropped)", row.first ?? "", row.last ?? "",
      ]
      text += fields.map(CSV.field).joined(separator: ",") + "\r\n"
    }
    return Array(text.utf8)
  }
}

/// Fields of CSV (RFC 4180).
enum CSV {
  /// A field, in quotes where it needs them.
  ///
  /// What a spreadsheet would take for a formula is quoted with an apostrophe.
  static func field(_ text: String) -> String {
    let isFormula = text.first.map { "=+-@".contains($0) && Int(text) == nil } ?? false
    let plain = isFormula ? "'" + text : text
    guard plain.contains(where: { ",\"\r\n".contains($0) }) else { return plain }
    return "\""
      + plain.split(separator: "\"", omittingEmptySubsequences: false).joined(
        separator: "\"\"") + "\""
  }
}
