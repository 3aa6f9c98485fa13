public import OBISDecoder

/// What one cycle brought from one unit.
public struct MeterCycle: Sendable {
  /// The bytes in which the places of readings and secrets count.
  public var bytes: [UInt8]
  /// Values under their codes.
  public var readings: [Reading]
  /// Identifiers, as places in `bytes`; only behind a new connection.
  public var secrets: [Secret]
  /// Values that cannot be true.
  public var rejected: Int
  /// Requests that brought nothing.
  public var failedBlocks: Int
  /// Counters that have begun anew.
  public var restarted: Int
  /// When its first request was due and its last reply came, in the bus's milliseconds.
  public var dueAt: Int64 = 0
  /// When its last reply came.
  public var endedAt: Int64 = 0
}

/// The conversation with one unit: find it, make sure of it, read it cycle by cycle.
///
/// It says which block to ask for next and is told what came; it knows neither bytes nor time beyond
/// what it is told. What a meter refuses, `MeterPlanner` plans around.
public struct MeterSession: Sendable {
  /// How a cycle ended.
  public enum Outcome: Sendable {
    /// There are values.
    case read(MeterCycle)
    /// It gave no answer twice in a row: the line or the meter is gone.
    case lost
    /// It answers, and is another meter than the profile's.
    case otherMeter
    /// It answers, and refused whatever was asked for.
    case nothing
  }

  /// Cycles in which a block stays silent, while others answer, before it is taken as refused.
  ///
  /// Some meters do not answer for addresses that they do not have (node-modbus-serial#505); one lost
  /// reply must not look like that.
  static let silentCycles = 3

  private enum Phase {
    case discovery(SunSpecDiscovery)
    case identity
    case reading
  }

  /// The profile as it was given: SunSpec is found anew behind each connection.
  private let given: MeterProfile
  private let resyncs: Bool
  private var planner: MeterPlanner
  private var decoding: CycleDecoding
  private var phase = Phase.identity
  private var queue: [ReadBlock] = []
  private var image = RegisterImage()
  private var slowTurn = 0
  private var hasRetried = false
  private var asksOnce = false
  private var wasLost = false
  private var isResyncing = false
  private var lossesInARow = 0
  private var answers = 0
  private var failedBlocks = 0
  private var mustIdentify = false
  /// Identifiers for which the meter gives no answer: not asked for again.
  private var silentIdentifiers: Set<ReadBlock> = []
  private var silence: [ReadBlock: Int] = [:]
  private var silentNow: [ReadBlock] = []
  private var ending: Outcome?

  /// Begins for a profile.
  ///
  /// - Parameter resyncs: Whether replies can be told apart by their length only, as on a serial line.
  public init(_ profile: MeterProfile, resyncs: Bool) {
    given = profile
    self.resyncs = resyncs
    planner = MeterPlanner(profile)
    decoding = CycleDecoding(profile)
    reconnect()
  }

  /// What it takes between requests.
  public var limits: RequestLimits { given.limits }

  /// Whether a reply to the request under way could be taken for the one to the next.
  ///
  /// The chain of SunSpec models is walked with requests of one length.
  public var isFragile: Bool {
    if case .discovery = phase { return resyncs }
    return false
  }

  /// What to ask for next, nil where the cycle has ended.
  public var request: ReadBlock? {
    guard ending == nil else { return nil }
    return isResyncing ? planner.plan.resync : queue.first
  }

  /// Behind a new connection another meter may be there.
  public mutating func reconnect() {
    phase = given.sunSpec == nil ? .identity : .discovery(SunSpecDiscovery(given))
    planner.unpark()
    silence = [:]
    mustIdentify = false
  }

  /// Begins a cycle.
  ///
  /// - Parameter asksOnce: Whether a first request without a reply ends it, as is enough for a unit that
  ///   has been silent; a SunSpec device may well be silent at the wrong bases.
  public mutating func begin(asksOnce: Bool = false) {
    self.asksOnce = asksOnce && given.sunSpec == nil
    image.removeAll()
    ending = nil
    failedBlocks = 0
    answers = 0
    lossesInARow = 0
    silentNow = []
    hasRetried = false
    // A reply to the last cycle's request may come as late as this.
    isResyncing = wasLost && resyncs && planner.plan.resync != nil
    if mustIdentify { phase = .identity }
    mustIdentify = false
    switch phase {
    case .discovery:
      let discovery = SunSpecDiscovery(given)
      phase = .discovery(discovery)
      follow(discovery.step)
    case .identity: identify()
    case .reading: queue = readingBlocks()
    }
  }

  /// Ends the cycle: what it brought, at a monotonic time in milliseconds.
  public mutating func finish(atMilliseconds now: Int64) -> Outcome {
    let outcome = end(atMilliseconds: now)
    if case .lost = outcome { wasLost = true } else { wasLost = false }
    return outcome
  }

  private mutating func end(atMilliseconds now: Int64) -> Outcome {
    if let ending { return ending }
    learnSilence()
    guard !image.bytes.isEmpty else { return answers > 0 ? .nothing : .lost }
    let cycle = decoding.read(&image, atMilliseconds: now)
    guard !cycle.readings.isEmpty else { return .nothing }
    return .read(
      MeterCycle(
        bytes: image.bytes, readings: cycle.readings, secrets: cycle.secrets,
        rejected: cycle.rejected, failedBlocks: failedBlocks, restarted: cycle.restarted))
  }

  // MARK: - What came

  /// Takes the words of the request.
  public mutating func answer(_ words: [UInt16]) {
    noteAnswer()
    guard !isResyncing else { return isResyncing = false }
    if case .discovery(var discovery) = phase {
      let step = discovery.answer(words)
      phase = .discovery(discovery)
      return follow(step)
    }
    guard let block = queue.first else { return }
    image.store(words, of: block)
    silence[block] = nil
    next()
  }

  /// Takes an exception.
  public mutating func refuse(_ code: UInt8) {
    noteAnswer()
    // Any answer shows that the line is in step.
    guard !isResyncing else { return isResyncing = false }
    if case .discovery(var discovery) = phase, (1...3).contains(code) {
      let step = discovery.refuse()
      phase = .discovery(discovery)
      return follow(step)
    }
    guard let block = queue.first else { return }
    switch code {
    case 1: replace(block, because: .illegalFunction)
    case 2: replace(block, because: .illegalAddress)
    case 3: replace(block, because: .illegalValue)
    case 10, 11: lose()
    default: fail()
    }
  }

  /// Takes note that no reply came in time, or none that was whole.
  public mutating func lose() {
    lossesInARow += 1
    isResyncing = resyncs && planner.plan.resync != nil
    // What has been silent before is not asked for twice.
    let isKnown = queue.first.map { silence[$0] != nil } ?? false
    guard hasRetried || isKnown || asksOnce else { return hasRetried = true }
    if case .discovery(var discovery) = phase {
      let step = discovery.refuse()
      phase = .discovery(discovery)
      hasRetried = false
      return follow(step)
    }
    guard let block = queue.first else { return ending = .lost }
    if isIdentifier(block) { silentIdentifiers.insert(block) }
    guard answers > 0 else { return ending = .lost }
    // Two lost in a row: make sure of the meter before the next cycle counts.
    if case .reading = phase {
      silentNow.append(block)
      failedBlocks += 1
      mustIdentify = true
    } else if lossesInARow > 2 {
      return ending = .lost
    }
    next()
    guard lossesInARow > 2 else { return }
    failedBlocks += queue.count
    queue = []
  }

  /// Whether a block is read for the meter's number only.
  private func isIdentifier(_ block: ReadBlock) -> Bool {
    guard case .identity = phase else { return false }
    guard let check = planner.profile.identify?.register else { return true }
    return block.function != check.function || !block.range.contains(Int(check.address))
  }

  private mutating func noteAnswer() {
    answers += 1
    asksOnce = false
    lossesInARow = 0
  }

  /// Asks once more, then does without the block.
  private mutating func fail() {
    guard hasRetried else { return hasRetried = true }
    failedBlocks += 1
    next()
  }

  private mutating func next() {
    if !queue.isEmpty { queue.removeFirst() }
    hasRetried = false
    if queue.isEmpty, case .identity = phase { judge() }
  }

  // MARK: - Who it is

  private mutating func identify() {
    queue = planner.plan.identity.filter { !silentIdentifiers.contains($0) }
    if queue.isEmpty { identified() }
  }

  private mutating func follow(_ step: SunSpecDiscovery.Step) {
    switch step {
    case .ask(let block): queue = [block]
    case .failed: ending = answers > 0 ? .otherMeter : .lost
    case .found(let profile):
      if planner.profile.fields != profile.fields { planner = MeterPlanner(profile) }
      decoding.use(profile)
      phase = .identity
      identify()
    }
  }

  private mutating func judge() {
    switch planner.profile.identity(in: image) {
    case .same: identified()
    case .other, .unread: ending = .otherMeter
    }
  }

  private mutating func identified() {
    phase = .reading
    queue = readingBlocks()
  }

  /// Every fast block, and one of the slow ones in turn.
  private mutating func readingBlocks() -> [ReadBlock] {
    let slow = planner.plan.slow
    guard !slow.isEmpty else { return planner.plan.fast }
    slowTurn = (slowTurn + 1) % slow.count
    return planner.plan.fast + [slow[slowTurn]]
  }

  // MARK: - What it refuses

  private mutating func replace(_ block: ReadBlock, because refusal: MeterPlanner.Refusal) {
    let identity = planner.plan.identity
    let parts = planner.refuse(block, because: refusal)
    decoding.use(planner.profile)
    if case .identity = phase {
      guard planner.plan.identity != identity else { return next() }
      image.removeAll()
      hasRetried = false
      return identify()
    }
    if parts.isEmpty { failedBlocks += 1 }
    next()
    // What is asked for anyway is not asked for twice.
    queue = parts.filter { !queue.contains($0) } + queue
  }

  /// A block that stays silent while others answer is one that the meter does not have.
  private mutating func learnSilence() {
    guard answers > 0 else { return }
    for block in silentNow {
      silence[block, default: 0] += 1
      guard silence[block] == MeterSession.silentCycles else { continue }
      silence[block] = nil
      _ = planner.refuse(block, because: .illegalAddress)
      decoding.use(planner.profile)
    }
  }
}
