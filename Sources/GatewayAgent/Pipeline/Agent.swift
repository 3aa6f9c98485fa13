import ConsentLedger
import Glibc
import OBISDecoder
import PrivacyFilter

/// The running agent: meters in, gates in the middle, connections out.
///
/// The only place where the rooms meet, all of it on one loop.
/// Without a grant in force there is no connection: nothing leaves by default.
final class Agent {
  /// Most connections: one for each grant in force and one for the house (privacy.md C5).
  static let linkLimit = 33

  let configuration: Configuration
  let clock: GatewayClock
  let loop: EventLoop
  let store: ConsentStore
  let pseudonyms: Pseudonyms
  let vault = VaultHandle()

  var bank = GateBank()
  var feeds: [MeterFeed] = []
  /// Buses of Modbus meters, each with a thread of its own.
  var buses: [ModbusBus] = []
  var conditions: [MeterCondition] = []
  var sources: [GateSource] = []
  var links: [Link?] = Array(repeating: nil, count: Agent.linkLimit)
  /// Grants in force, by the number their gates carry.
  var running: [RunningGrant?] = Array(repeating: nil, count: ConsentStore.grantLimit)
  var houses: [HouseMeter] = []
  /// Withdrawals that are in force but not in the ledger yet, with what they did.
  var unfinished: [UniqueID: EndEffects] = [:]
  /// Suspensions that hold in this process but are not in the ledger yet, each with its record.
  var unrecorded: [(id: UniqueID?, record: () throws -> Void)] = []
  /// What became of messages, until the journal is told.
  var tallies = EgressTallies()
  /// The UTC day, since 1970, whose evidence has been seen to; nil before the first.
  var evidenceDay: Int64?
  /// What each meter's history counts from, by the meter's number.
  var histories: [Int: HistoryRecorder] = [:]
  /// When what is kept too long is next looked for, ms since 1970 UTC.
  var retentionDue = Int64.min
  /// Contributions to statistics that wait for their moment.
  var contributions: [Contribution] = []
  /// The vault's revision when the gates were last lent their identifiers.
  var lentRevision = -1
  /// The identifier that each gate's grant names, as the gates were lent them.
  var namedNumbers = [FixedText<32>?](repeating: nil, count: GateBank.capacity)
  /// Gates that let an identifier through, until their grants have been ended.
  var tripped: [TrippedGate] = []
  /// What recipients ask for.
  var proposalDesk = ProposalDesk()
  /// The connection that recipients ask over, if the configuration names a broker for it.
  var proposalConnection: MosquittoConnection?
  var processHealth: PartHealth
  /// The charging feed; nil unless configured.
  var charging: Charging?
  /// Called with each release before its connection gets it: tests watch it.
  var onPublished: ((_ release: borrowing Release) -> Void)?
  /// Called after each good frame, before anything is released.
  var onFrame: ((MeterFeed) -> Void)?

  private var tickTimer: Timer?
  private var tickAt = Int64.max
  private var minute: Timer?
  private var notifier = ServiceNotifier()
  private var watchdog: Timer?
  private var synchronised: (at: Int64, value: Bool)?

  /// Opens the consent store and prepares meters; nothing runs before `start()`.
  ///
  /// - Throws: `CommandFailure` (2) if the state directory cannot be used.
  init(
    _ configuration: Configuration, clock: GatewayClock, on loop: EventLoop
  ) throws(CommandFailure) {
    self.configuration = configuration
    self.clock = clock
    self.loop = loop
    let now = clock.now()
    processHealth = PartHealth(.running, .startUp, since: now)
    do throws(StoreError) {
      store = try ConsentStore(
        directory: configuration.stateDirectory, at: now, random: Crypto.random)
    } catch {
      throw .unusable("\(configuration.stateDirectory): \(error.text)")
    }
    store.enabledProfiles = configuration.enabledProfiles
    pseudonyms = Pseudonyms(installSecret: store.installSecret, hmac: Crypto.hmacSHA256)
    try addMeters()
    addBuses()
    tickTimer = loop.timer { [unowned self] in tick() }
    minute = loop.timer { [unowned self] in everyMinute() }
    charging = configuration.charging.map {
      Charging($0, stateDirectory: configuration.stateDirectory)
    }
    charging?.timer = loop.timer { [unowned self] in chargingTick() }
  }

  private func addMeters() throws(CommandFailure) {
    for (index, meter) in configuration.meters.enumerated() {
      let id: UniqueID
      do throws(StoreError) {
        id = try store.sourceID(of: meter.name)
      } catch {
        throw .unusable("\(configuration.stateDirectory): \(error.text)")
      }
      let feed = MeterFeed(
        source: UInt8(index), meter, keys: try keys(of: meter), vault: vault, clock: clock,
        on: loop)
      feed.onFrame = { [unowned self] in frameArrived($0) }
      feed.onPort = { [unowned self] in portChanged($0) }
      feed.onStale = { [unowned self] in meterWentStale($0) }
      feed.onCipherTrouble = { [unowned self] in cannotDecipher($0) }
      feeds.append(feed)
      conditions.append(MeterCondition(at: processHealth.since))
      sources.append(GateSource(id: id, index: UInt8(index), nickname: meter.name))
    }
  }

  /// A meter's keys; the configuration has checked the files, but they may have changed since.
  private func keys(of meter: Configuration.Meter) throws(CommandFailure) -> MeterKeys {
    do throws(SystemError) {
      return try SecretFile.keys(
        in: meter.keyFile, authenticationIn: meter.authenticationKeyFile,
        titleIn: meter.systemTitleFile)
    } catch {
      throw .unusable("meter \(meter.name), key files", error)
    }
  }

  /// Puts the stored grants in force, opens ports and connections.
  func start() {
    setDayStarts()
    beginEvidence()
    finishEndedGrants()
    loadGrants()
    for feed in feeds { feed.start() }
    for bus in buses { bus.start() }
    listenForProposals()
    minute?.arm(afterMilliseconds: 60_000 / clock.rate)
    chargingTick()
    notifier.ready()
    feedWatchdog()
  }

  /// Writes what is not on disk yet and says goodbye; `completion` runs when connections are closed.
  func stop(_ completion: @escaping () -> Void) {
    notifier.stopping()
    tickTimer?.cancel()
    minute?.cancel()
    watchdog?.cancel()
    for feed in feeds { feed.stop() }
    for bus in buses { bus.stop() }
    proposalConnection?.stop()
    for contribution in contributions { _ = contribution.stop() }
    saveRuntime()
    endEvidence()
    endCharging()
    processHealth = PartHealth(.stopping, .signal, since: clock.now())
    sayGoodbye()
    let open = links.compactMap { $0 }
    var left = open.count
    guard left > 0 else { return completion() }
    for link in open {
      link.connection.finish(withinMilliseconds: 1000) {
        left -= 1
        if left == 0 { completion() }
      }
    }
  }

  // MARK: - Frames

  private func frameArrived(_ feed: MeterFeed) {
    let now = clock.now()
    onFrame?(feed)
    noteMeterClock(feed, at: now)
    noteFresh(feed, at: now)
    lendIdentifiers()
    bank.process(feed.snapshot, at: now, clockTrusted: isClockTrusted(at: now)) {
      (release: consuming Release) in publish(release)
    }
    chargingFrame(feed)
    recordHistory(feed, at: now)
    armTick()
  }

  /// Publishes the windows that are due.
  func tick() {
    tickAt = .max
    let now = clock.now()
    bank.tick(at: now, clockTrusted: isClockTrusted(at: now)) { (release: consuming Release) in
      publish(release)
    }
    sendContributions(at: now)
    armTick()
  }

  /// Arms the timer for the next window that closes; costs nothing while that stays the same.
  func armTick() {
    guard let deadline = earliest(bank.nextDeadline(), nextContribution) else {
      tickAt = .max
      tickTimer?.cancel()
      return
    }
    guard deadline != tickAt else { return }
    tickAt = deadline
    // Never at once: a deadline that lies in the past waits for the clock, not for us.
    tickTimer?.arm(afterMilliseconds: max(1, clock.delay(until: deadline)))
  }

  /// Hands a release to its connection, which tells when it has left: `noteSent` counts it then.
  func publish(_ release: consuming Release) {
    if release.connection == RunningGrant.noLink { return keepContribution(release) }
    guard let link = links[Int(release.connection)] else { return }
    if release.retain, release.kind != .clear { noteRetained(release, on: link) }
    onPublished?(release)
    link.connection.publish(release)
  }

  // MARK: - Clock

  /// How long the kernel's word on its clock counts, in milliseconds.
  private static let synchronisedMilliseconds: Int64 = 10_000

  /// Whether grants with a beginning and an end may release: privacy.md C7, "Clock".
  ///
  /// Of several meters one that agrees is enough: another's clock may be wrong for years.
  func isClockTrusted(at now: Int64) -> Bool {
    if configuration.clockTrust == .system || clock.rate > 1 { return true }
    for index in conditions.indices where conditions[index].clockAgrees { return true }
    if let synchronised, now >= synchronised.at,
      now - synchronised.at <= Self.synchronisedMilliseconds
    {
      return synchronised.value
    }
    let value = clock.isSynchronised()
    synchronised = (now, value)
    return value
  }

  private func noteMeterClock(_ feed: MeterFeed, at now: Int64) {
    guard
      let seconds = feed.snapshot.meterTime?.secondsSince1970(
        standardOffsetMinutes: feed.configuration.clockOffsetMinutes)
    else { return }
    let (difference, overflow) = (seconds &* 1000).subtractingReportingOverflow(now)
    conditions[Int(feed.source)].clockAgrees = !overflow && difference.magnitude <= 300_000
  }

  // MARK: - Housekeeping

  /// Ends, begins, rotates and stores what is due.
  func everyMinute() {
    setDayStarts()
    sweepGrants()
    rotatePseudonyms()
    saveRuntime()
    sweepRetention()
    keepEvidence()
    armTick()
    minute?.arm(afterMilliseconds: 60_000 / clock.rate)
  }

  /// Tells systemd that frames are decoded, or that their absence has been published.
  private func feedWatchdog() {
    guard let interval = notifier.watchdogMilliseconds else { return }
    watchdog = loop.timer { [unowned self] in
      if isSettled { notifier.watchdog() }
      watchdog?.arm(afterMilliseconds: interval / 3)
    }
    watchdog?.arm(afterMilliseconds: interval / 3)
  }

  /// Whether every meter either sends, or is said not to.
  private var isSettled: Bool {
    zip(feeds, conditions).allSatisfy { feed, condition in
      condition.meter.state != .fresh || feed.isFresh
    }
  }
}
