/// A report as one page of HTML that loads nothing: no script, no font, no picture from elsewhere.
enum ReportPage {
  static func bytes(_ view: ReportView) -> [UInt8] {
    var page = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>What left the house</title>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <style>body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em}
      table{border-collapse:collapse;width:100%}td,th{padding:.2em .6em;text-align:left;border-bottom:1px solid #ccc}
      td.n,th.n{text-align:right}rect{fill:#357}code{word-break:break-all}.bad{color:#a00}</style></head><body>
      <h1>What left the house</h1>

      """
    page += "<p>Made \(escape(view.madeAt)). \(chain(view.chain))</p>\n"
    for gap in view.gaps {
      page +=
        "<p class=bad>\(escape(gap.code)): counts of \(gap.seconds) s at most may be missing between "
        + "\(escape(gap.after)) and \(escape(gap.before)).</p>\n"
    }
    if view.isUnwritten { page += "<p class=bad>The last counts could not be written.</p>\n" }
    if view.grants.isEmpty { page += "<p>No grants: nothing leaves.</p>\n" }
    for grant in view.grants {
      page += section(grant, view.rows.filter { $0.grant == grant.id })
    }
    return Array((page + "</body></html>\n").utf8)
  }

  private static func chain(_ chain: ReportView.Chain) -> String {
    var text =
      chain.verdict == "sound"
      ? "Ledger: sound, \(chain.records) records"
      : "<span class=bad>Ledger: \(escape(chain.verdict))</span>"
    text += ", head <code>\(escape(chain.head))</code>."
    for day in chain.contradictedDays {
      text += " <span class=bad>The journal of \(escape(day)) is not as it was recorded.</span>"
    }
    return text
  }

  private static func section(_ grant: ReportView.Grant, _ rows: [ReportView.Row]) -> String {
    var text = "<h2>\(escape(grant.legalName)): \(escape(grant.purpose))</h2>\n"
    text +=
      "<p>Grant <code>\(escape(grant.id))</code>, \(escape(grant.state)); "
      + "\(escape(grant.categories.joined(separator: ", "))) at \(escape(grant.granularity)), to "
      + "\(escape(grant.country)). Kept there: \(escape(grant.retention)). Complaints: "
      + "\(escape(grant.authority)).</p>\n"
    text += "<table><tr><th>When<th>What<th>By</tr>\n"
    for event in grant.history {
      text +=
        "<tr><td>\(escape(event.at))<td>\(escape(event.type))<td>\(escape(event.by ?? ""))</tr>\n"
    }
    text += "</table>\n"
    guard !rows.isEmpty else { return text + "<p>Nothing left.</p>\n" }
    text += bars(rows)
    text +=
      "<table><tr><th>Day (UTC)<th>Rung<th>Categories<th class=n>Messages<th class=n>Bytes"
      + "<th class=n>Acknowledged<th class=n>Dropped</tr>\n"
    for row in rows {
      text +=
        "<tr><td>\(escape(row.day))<td>\(escape(row.granularity))"
        + "<td>\(escape(row.categories.joined(separator: ", ")))<td class=n>\(row.messages)"
        + "<td class=n>\(row.bytes)<td class=n>\(row.acknowledged)<td class=n>\(row.dropped)</tr>\n"
    }
    text += "</table>\n"
    for sample in grant.samples {
      text +=
        "<p>Sent \(escape(sample.at)), <code>\(escape(sample.topic))</code><br>"
        + "<code>\(escape(sample.payload))</code></p>\n"
    }
    return text
  }

  /// Messages a day, the last 90 days that have any.
  private static func bars(_ rows: [ReportView.Row]) -> String {
    var days: [(day: String, messages: UInt64)] = []
    for row in rows {
      if days.last?.day == row.day {
        days[days.count - 1].messages += row.messages
      } else {
        days.append((row.day, row.messages))
      }
    }
    let shown = days.suffix(90)
    let most = max(1, shown.map(\.messages).max() ?? 1)
    var text =
      "<svg viewBox=\"0 0 \(shown.count * 10) 60\" width=\"\(shown.count * 10)\" height=\"60\" role=\"img\""
      + " aria-label=\"Messages a day, \(most) at most\">"
    for (index, day) in shown.enumerated() {
      let height = day.messages == 0 ? 0 : max(1, day.messages * 60 / most)
      text +=
        "<rect x=\"\(index * 10)\" y=\"\(60 - height)\" width=\"8\" height=\"\(height)\">"
        + "<title>\(escape(day.day)): \(day.messages)</title></rect>"
    }
    return text + "</svg>\n"
  }

  /// Text that HTML takes for text, in elements and in quoted attributes.
  static func escape(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}
