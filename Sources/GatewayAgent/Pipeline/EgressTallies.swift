import ConsentLedger
import PrivacyFilter

/// What became of each gate's messages since the journal was last told: numbers in place, no heap.
struct EgressTallies {
  private var counts = InlineArray<32, EgressCount>(repeating: EgressCount())
  /// The UTC day that the counts are of, in days since 1970-01-01.
  private(set) var day: Int64 = 0
  /// The instant of the last count, ms since 1970 UTC.
  private(set) var at: Int64 = 0

  /// Whether a count at `now` belongs to another day than those held.
  func isOfAnotherDay(_ now: Int64) -> Bool { now / 86_400_000 != day }

  mutating func note(_ event: EgressEvent, gate: Int, at now: Int64) {
    guard counts.indices.contains(gate) else { return }
    day = now / 86_400_000
    at = now
    counts[gate].note(event, at: now)
  }

  /// Gives a gate's count away; nil if nothing was counted.
  mutating func take(_ gate: Int) -> EgressCount? {
    guard counts.indices.contains(gate), !counts[gate].isEmpty else { return nil }
    defer { counts[gate] = EgressCount() }
    return counts[gate]
  }
}

extension Agent {
  /// Counts what became of a message under the gate that released it.
  ///
  /// Called while the bank is at work, so it must not be asked.
  func count(_ event: EgressEvent, _ gateIndex: UInt8) {
    guard gateIndex != Release.noGate else { return }
    let now = store.time(atLeast: clock.now())
    if tallies.isOfAnotherDay(now) { tellJournal() }
    tallies.note(event, gate: Int(gateIndex), at: now)
  }

  /// Tells the journal what was counted, each count under the grant of its gate.
  func tellJournal() {
    for case .some(let grant) in running { tellJournal(of: grant) }
  }

  /// The same of one grant, before its gates go.
  func tellJournal(of grant: RunningGrant) {
    let terms = grant.stored.grant.terms
    for gate in grant.gates {
      guard let count = tallies.take(gate) else { continue }
      store.add(
        count, of: grant.id, categories: terms.categories, granularity: terms.granularity,
        at: tallies.at)
    }
  }
}
