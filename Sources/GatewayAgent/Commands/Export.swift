internal import ArgumentParser

/// `export`: the household's own use, for itself or to take along.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes what is stored of the household's use, as CSV or JSON (GDPR article 20).",
    discussion: """
      The exact differences of the meter's registers: quarter-hours for 400 days, hours for three \
      years. No identifier is stored, so none is in it. The ledger records that you took it out.
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable {
    case csv, json
  }

  @OptionGroup var agent: AgentAddress
  @Option(help: "csv or json.") var format = Form.csv
  @Option(help: "From this day or time on, such as 2026-01-15 or 2026-01-15T14:00:00Z (UTC).")
  var from: String?
  @Option(help: "Up to this day or time, which is not included.") var to: String?
  @Option(help: "Seconds of a window: 900, 3600 or 86400.") var granularity: Int64 = 3600
  @Option(help: "A meter's nickname; the first by default.") var meter: String?
  @Option(name: .shortAndLong, help: "The file to write, mode 0600; standard output by default.")
  var output: String?

  static let header = "time_utc,duration_s,quantity,value,unit,quality"

  func run() throws {
    var rows: [ExportView.Row] = []
    var request = ControlRequest(verb: .export)
    request.export = ExportRequest(meter: meter, from: from, to: to, seconds: granularity)
    repeat {
      guard let part = try agent.ask(request).export else {
        throw CommandFailure.failed("no history in the answer")
      }
      rows += part.rows
      request.export?.next = part.next
    } while request.export?.next != nil
    let bytes = format == .json ? ControlJSON.line(rows) : Self.csv(rows)
    guard let output else { return try Terminal.write(bytes) }
    do throws(SystemError) {
      try FileAccess.replace(output, with: bytes)
    } catch {
      throw CommandFailure.unusable(output, error)
    }
  }

  static func csv(_ rows: [ExportView.Row]) -> [UInt8] {
    var text = header + "\n"
    for row in rows {
      text +=
        "\(row.time_utc),\(row.duration_s),\(row.quantity),\(row.value),\(row.unit),\(row.quality)\n"
    }
    return Array(text.utf8)
  }
}
