import ConsentLedger
import OBISDecoder
import PrivacyFilter

/// What one meter's registers are counted from, and since which quarter-hour.
struct HistoryRecorder {
  /// Milliseconds of a quarter-hour.
  static let slotMilliseconds: Int64 = 900_000
  /// How long after a boundary a reading counts as that of the boundary.
  static let exactMilliseconds: Int64 = 60_000
  /// Energy in and out, and the sub-meters' registers.
  static let quantities: [UInt8] = [0, 5] + Array(80..<92)

  /// The same, as the set that a frame is asked for.
  static let registers = quantities.reduce(into: QuantitySet()) {
    $0.insert(Quantity(rawValue: $1))
  }

  /// The number of the quarter-hour that is under way, since 1970.
  private(set) var slot = Int64.min
  private var bases: [UInt8: HistoryBase] = [:]

  /// Begins with what an earlier process left.
  init(_ bases: [HistoryBase]) {
    self.bases = Dictionary(bases.map { ($0.quantity, $0) }) { $1 }
  }

  /// The differences that the first frame of a quarter-hour completes.
  mutating func turn(
    to now: Int64, _ registers: [(quantity: UInt8, thousandths: Int64)]
  ) -> [HistoryValue] {
    slot = now / Self.slotMilliseconds
    let boundary = slot * Self.slotMilliseconds
    let isExact = now - boundary <= Self.exactMilliseconds
    var values: [HistoryValue] = []
    for (quantity, thousandths) in registers {
      if let base = bases[quantity], base.at < boundary, base.thousandths <= thousandths {
        let seconds = (boundary - base.at) / 1000
        let quality: HistoryQuality =
          seconds > Self.slotMilliseconds / 1000
          ? .bridged : base.isExact && isExact ? .ok : .part
        values.append(
          HistoryValue(
            quantity: quantity, at: base.at, seconds: seconds,
            thousandths: thousandths - base.thousandths, quality: quality))
      } else if let base = bases[quantity], base.at == boundary, base.thousandths <= thousandths {
        // Started again within the quarter-hour: it goes on from where it began.
        continue
      }
      bases[quantity] = HistoryBase(
        quantity: quantity, at: boundary, thousandths: thousandths, isExact: isExact)
    }
    return values
  }

  /// From where the next differences count.
  var kept: [HistoryBase] { bases.values.sorted { $0.quantity < $1.quantity } }
}

extension Agent {
  /// Keeps what the household used, a row a register and quarter-hour; within one it costs a
  /// comparison.
  func recordHistory(_ feed: MeterFeed, at now: Int64) {
    let index = Int(feed.source)
    guard configuration.keepsHistory,
      now / HistoryRecorder.slotMilliseconds != histories[index]?.slot, isClockTrusted(at: now)
    else { return }
    // A list without registers, as Norwegian meters send every few seconds, tells nothing, and must
    // cost nothing: the next one with registers may be an hour away.
    guard feed.snapshot.holds(anyOf: HistoryRecorder.registers) else { return }
    let registers = HistoryRecorder.quantities.compactMap {
      quantity -> (quantity: UInt8, thousandths: Int64)? in
      let value = feed.snapshot.value(of: Quantity(rawValue: quantity))
      return value?.mantissa(at: -3).map { (quantity, $0) }
    }
    guard !registers.isEmpty else { return }
    let source = sources[index].id
    var recorder =
      histories[index] ?? HistoryRecorder((try? store.historyBases(of: source)) ?? [])
    let values = recorder.turn(to: now, registers)
    histories[index] = recorder
    do throws(StoreError) {
      try store.keepHistory(values, bases: recorder.kept, of: source)
    } catch {
      Log.event(.error, "E_LEDGER_WRITE")
    }
  }

  /// A part of the household's history, for itself; the first part is recorded in the ledger.
  func export(_ request: ExportRequest, by authority: Authority) throws -> ControlResponse {
    let name = request.meter ?? sources.first?.nickname ?? ""
    guard let source = sources.first(where: { $0.nickname == name }) else {
      throw ControlFailure(code: "E_GRANT_UNKNOWN", message: "--meter: no meter of this name")
    }
    guard [900, 3600, 86_400].contains(request.seconds) else {
      throw ControlFailure(
        code: "E_FLOOR", message: "--granularity: expected 900, 3600 or 86400 seconds")
    }
    let from = try request.from.map { try Self.instant($0, "--from") } ?? 0
    let to =
      try request.to.map { try Self.instant($0, "--to") } ?? store.time(atLeast: clock.now())
    if request.next == nil {
      try store.recordExport(
        of: source.id, from: from, to: to, seconds: request.seconds, by: authority,
        at: clock.now())
    }
    let part = try store.history(
      of: source.id, from: request.next ?? from, to: to, seconds: request.seconds,
      limit: ControlLimits.exportRows)
    let rows = part.values.map { value in
      let quantity = Quantity(rawValue: value.quantity)
      return ExportView.Row(
        time_utc: Timestamp.text(value.at), duration_s: value.seconds,
        quantity: ExportView.name(quantity), value: ExportView.decimal(value.thousandths),
        unit: "\(quantity.unit.symbol)", quality: value.quality.rawValue)
    }
    return ControlResponse(ok: true, export: ExportView(rows: rows, next: part.next))
  }

  /// The instant of a day such as `2026-01-15` (UTC) or of a time such as `2026-01-15T14:00:00Z`.
  static func instant(_ text: String, _ option: String) throws -> Int64 {
    guard let instant = Timestamp.parse(text.contains("T") ? text : text + "T00:00:00Z") else {
      throw ControlFailure(
        code: "E_LIMIT",
        message: "\(option): expected 2026-01-15 or 2026-01-15T14:00:00Z, found \(text)")
    }
    return instant
  }
}
