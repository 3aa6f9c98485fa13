import ConsentLedger
import PrivacyFilter

// What `report` shows: the grants, their lives, and the journal of what left.

extension Agent {
  /// One part of a report; the grants are in the first.
  func report(_ request: ReportRequest) throws -> ControlResponse {
    let now = clock.now()
    tellJournal()
    try? store.flushJournal(at: now)
    let offset = max(0, request.offset ?? 0)
    let grants = try store.grants().filter { stored in
      request.recipient.map { stored.recipient.id == $0 } ?? true
    }
    if let recipient = request.recipient, grants.isEmpty {
      throw ControlFailure(
        code: "E_GRANT_UNKNOWN", message: "--recipient: no grant to \(recipient) is known")
    }
    var query = EgressQuery()
    query.from = try request.from.map { try Self.day($0, "--from") }
    query.to = try request.to.map { try Self.day($0, "--to") }
    if request.recipient != nil { query.grants = Set(grants.map(\.grant.id)) }
    query.offset = offset
    query.limit = ControlLimits.reportRows
    let rows = try store.egressRows(query)
    let known = Dictionary(grants.map { ($0.grant.id, $0) }) { $1 }
    var view = ReportView(
      madeAt: Timestamp.text(now), chain: try chainView(), grants: [],
      rows: rows.map { Self.row($0, known[$0.key.grant]) }, gaps: [], meters: [],
      identifiersHeld: vault.vault.count, isUnwritten: store.hasUnwrittenCounts,
      next: rows.count < query.limit ? nil : offset + rows.count)
    if offset == 0 {
      let histories = try store.histories()
      let holds = try store.holds()
      view.grants = grants.map {
        self.view(of: $0, histories[$0.grant.id] ?? [], holds[$0.grant.id])
      }
      view.gaps = try store.egressGaps().map(Self.gap)
      view.meters = feeds.map {
        ReportView.Meter(name: $0.configuration.name, unknownDropped: $0.unknownDropped)
      }
    }
    return ControlResponse(ok: true, report: view)
  }

  /// A UTC day of a text such as `2026-01-15`, in days since 1970-01-01.
  static func day(_ text: String, _ option: String) throws(ControlFailure) -> Int64 {
    guard let start = Timestamp.parse(text + "T00:00:00Z") else {
      throw ControlFailure(
        code: "E_LIMIT", message: "\(option): expected a day such as 2026-01-15, found \(text)")
    }
    return start / 86_400_000
  }

  private static func row(_ row: EgressRow, _ stored: StoredGrant?) -> ReportView.Row {
    let count = row.count
    let isSent = count.messages > 0
    return ReportView.Row(
      day: row.key.dayText, grant: row.key.grant.text, recipient: stored?.recipient.id ?? "",
      country: stored?.grant.terms.destination.country ?? "",
      categories: CategorySet(rawValue: row.key.categories).codes,
      granularity: "G\(row.key.rung)", messages: count.messages, bytes: count.byteCount,
      acknowledged: count.acknowledged, dropped: count.dropped,
      first: isSent ? Timestamp.text(count.firstAt) : nil,
      last: isSent ? Timestamp.text(count.lastAt) : nil)
  }

  private static func gap(_ gap: EgressGap) -> ReportView.Gap {
    ReportView.Gap(
      code: ConsentError.Code.egressGap.rawValue, after: Timestamp.text(gap.after),
      before: Timestamp.text(gap.before), seconds: gap.seconds)
  }

  private func view(
    of stored: StoredGrant, _ history: [GrantEvent], _ hold: Hold?
  ) -> ReportView.Grant {
    let terms = stored.grant.terms
    return ReportView.Grant(
      id: stored.grant.id.text, recipient: stored.recipient.id,
      legalName: stored.recipient.legalName, country: terms.destination.country,
      authority: stored.recipient.authority, profile: terms.profile, purpose: terms.purpose,
      basis: terms.basis.rawValue, state: stored.grant.state.rawValue,
      categories: terms.categories.codes, granularity: "G\(terms.granularity.rawValue)",
      validFrom: Timestamp.text(terms.validFrom), validUntil: terms.validUntil.map(Timestamp.text),
      endedAt: stored.endedAt.map(Timestamp.text), retention: terms.retention,
      keptUntil: store.lastDay(of: stored, date: Self.civilDate)?.text,
      holdUntil: hold.map {
        CivilDate(of: $0.confirmedAt, offsetSeconds: 0).adding(years: 1).text
      },
      history: history.map {
        ReportView.Event(at: Timestamp.text($0.at), type: $0.type.rawValue, by: $0.by)
      },
      samples: store.samples(of: stored.grant.id).map {
        ReportView.Sample(at: Timestamp.text($0.at), topic: $0.topic, payload: $0.payload)
      })
  }
}
