import ConsentLedger
import PrivacyFilter

/// One message to statistics or research on its way: it waits for a moment drawn by chance, then
/// goes over a connection of its own under a client id that nobody sees twice (privacy.md C9).
///
/// A class: its connection's callbacks and the agent share it. It lies in memory only; a restart
/// loses it, which costs a total and tells nobody anything.
final class Contribution {
  let grant: UniqueID
  let categories: CategorySet
  let granularity: Granularity
  let gateIndex: UInt8
  /// When it goes, ms since 1970 UTC.
  let due: Int64
  /// Whether it is on its way.
  var isSending: Bool { connection != nil }
  private var release: Release?
  private var connection: MosquittoConnection?

  /// How long a broker that is away is waited for.
  private static let patienceMilliseconds = 86_400_000

  init(_ release: consuming Release, of stored: StoredGrant, due: Int64) {
    grant = stored.grant.id
    categories = stored.grant.terms.categories
    granularity = stored.grant.terms.granularity
    gateIndex = release.gateIndex
    self.due = due
    self.release = consume release
  }

  /// Sends it; `completion` is called when the broker has it or has stayed away for a day.
  func send(
    over connection: MosquittoConnection, expirySeconds: UInt32,
    _ completion: @escaping () -> Void
  ) {
    guard var message = release.take() else { return }
    message.shortenExpiry(to: expirySeconds)
    self.connection = connection
    connection.start()
    connection.publish(message)
    connection.finish(withinMilliseconds: Self.patienceMilliseconds, completion)
  }

  /// Forgets it; whether anything was left to forget.
  func stop() -> Bool {
    let waited = release.take() != nil
    let purge = connection?.purge(gateIndex: gateIndex)
    connection?.stop()
    connection = nil
    return waited || (purge?.messageCount ?? 0) > 0
  }
}

extension Agent {
  /// Most contributions that wait at a time: a gate has one a day, and waits three days at most.
  static let contributionLimit = 128

  /// Over how many milliseconds the sending of a grant's messages is spread; 0 for all but
  /// contributions to statistics.
  static func spread(of stored: StoredGrant) -> Int64 {
    guard stored.grant.terms.aggregate != nil,
      let floor = Profiles.named(stored.grant.terms.profile)?.profile.aggregate
    else { return 0 }
    return Int64(max(floor.spreadHours, 1)) * 3_600_000
  }

  /// Keeps a contribution until its moment.
  ///
  /// Called while the bank is at work, so it must not be asked.
  func keepContribution(_ release: consuming Release) {
    let gate = Int(release.gateIndex)
    guard contributions.count < Self.contributionLimit,
      let grant = running.first(where: { $0?.gates.contains(gate) == true }) ?? nil,
      grant.spreadMilliseconds > 0
    else { return Log.event(.warning, "CONTRIBUTION_DROPPED") }
    let drawn = Crypto.random(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let wait = Int64(drawn % UInt64(grant.spreadMilliseconds))
    contributions.append(
      Contribution(release, of: grant.stored, due: clock.now() + wait))
  }

  /// When the next contribution goes, ms since 1970 UTC; nil if none waits.
  var nextContribution: Int64? {
    contributions.filter { !$0.isSending }.map(\.due).min()
  }

  /// The earlier of two times, as far as there are any.
  func earliest(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
  }

  /// Sends the contributions whose moment has come, if their grants still hold.
  func sendContributions(at now: Int64) {
    for contribution in contributions where !contribution.isSending && contribution.due <= now {
      let grant = running.first { $0?.id == contribution.grant } ?? nil
      guard let stored = grant?.stored, let connection = try? freshConnection(for: stored) else {
        contributions.removeAll { $0 === contribution }
        continue
      }
      let left = stored.grant.terms.validUntil.map { ($0 - now) / 1000 } ?? Int64(UInt32.max)
      connection.onSent = { [unowned self, unowned contribution] _, topic, payload in
        count(.sent(byteCount: topic.count + payload.count), contribution)
        store.keepSample(of: contribution.grant, topic: topic, payload: payload, at: clock.now())
      }
      connection.onAcknowledged = { [unowned self, unowned contribution] _ in
        count(.acknowledged, contribution)
      }
      connection.onDropped = { [unowned self, unowned contribution] _ in
        count(.dropped, contribution)
      }
      connection.mayLeave = outboundCheck(isExternal: true)
      contribution.send(over: connection, expirySeconds: UInt32(clamping: max(left, 1))) {
        [unowned self, unowned contribution] in
        contributions.removeAll { $0 === contribution }
      }
    }
  }

  private func count(_ event: EgressEvent, _ contribution: Contribution) {
    store.count(
      event, of: contribution.grant, categories: contribution.categories,
      granularity: contribution.granularity, at: clock.now())
  }

  /// A connection under a client id drawn by chance, without a will or a session that stays.
  private func freshConnection(
    for stored: StoredGrant
  ) throws -> MosquittoConnection {
    let name = stored.grant.terms.destination.broker
    guard let broker = configuration.brokers.first(where: { $0.name == name }) else {
      throw ConsentError.brokerUnknown
    }
    let clientID = pseudonyms.clientID(
      recipient: stored.grant.terms.recipient, salt: Crypto.random(16))
    return MosquittoConnection(
      try BrokerSettings(broker, clientID: clientID, isDedicated: true), on: loop)
  }

  /// Forgets the contributions of a grant that ends; returns how many.
  func dropContributions(of id: UniqueID) -> UInt64 {
    var count: UInt64 = 0
    for contribution in contributions where contribution.grant == id {
      if contribution.stop() { count += 1 }
    }
    contributions.removeAll { $0.grant == id }
    return count
  }
}
