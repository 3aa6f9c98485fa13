/// Plans the requests for one unit, and learns what its meter does not let itself be asked.
///
/// A meter of the same model may lack registers, or answer shorter requests than its manual says. What
/// it refuses is planned around from then on; what remains is read in the same cycle.
public struct MeterPlanner: Sendable {
  /// Why a request brought no words.
  public enum Refusal: Equatable, Sendable {
    /// Exception 1: the table does not exist, its twin may.
    case illegalFunction
    /// Exception 2, or no answer although the meter answers other requests: an address is not there.
    case illegalAddress
    /// Exception 3: most often too many registers.
    case illegalValue
  }

  /// Fewest registers that the limit falls to (openWB: "some SDM72 only 10").
  public static let fewestRegisters = 10

  /// The profile as this meter has it: the table may be the twin of the one in the file.
  public private(set) var profile: MeterProfile
  /// What to ask for.
  public private(set) var plan = ReadPlan()

  private var maxRegisters: Int
  private var barriers: Set<Int>
  private var holes: [Place] = []
  private var parked: [Place] = []
  private var isTwin = false

  /// A stretch of registers in one table.
  private struct Place: Equatable, Sendable {
    var function: ReadFunction
    var range: Range<Int>
  }

  /// Plans for a meter of which nothing is known but its profile.
  public init(_ profile: MeterProfile) {
    self.profile = profile
    maxRegisters = profile.limits.maxRegisters
    barriers = Set(profile.limits.barriers.map(Int.init))
    renew()
  }

  /// How many values this meter has turned out not to have.
  public var parkedCount: Int {
    profile.fields.count { field in places(of: field).contains { parked.contains($0) } }
  }

  /// Asks again, from the next cycle on, for what the meter refused: behind a new connect, say.
  public mutating func unpark() {
    parked = []
    renew()
  }

  /// Takes note that the meter refused a block, and says what to ask in its place.
  ///
  /// Ask for the result in the same cycle, and come back with whatever of it is refused too: each step
  /// gives up padding, the longest gap, or half of the block, at last the one value; so it ends. From
  /// the next cycle on `plan` goes around it. Nothing replaces a block of `plan.identity`.
  public mutating func refuse(_ block: ReadBlock, because refusal: Refusal) -> [ReadBlock] {
    let inside = stretches(of: block.function, in: profile.fields).filter {
      block.range.lowerBound <= $0.lowerBound && $0.upperBound <= block.range.upperBound
    }
    if refusal == .illegalFunction, !isTwin,
      profile.fields.contains(where: { $0.register.function == block.function })
    {
      exchangeTables(block.function)
      return plan.fast + plan.slow
    }
    guard let first = inside.first, let last = inside.last else { return [] }
    if refusal == .illegalValue, block.count > MeterPlanner.fewestRegisters,
      maxRegisters >= block.count
    {
      maxRegisters = max(block.count / 2, MeterPlanner.fewestRegisters)
    } else {
      let end = inside.reduce(last.upperBound) { max($0, $1.upperBound) }
      giveUp(block, listed: first.lowerBound..<end, inside)
    }
    renew()
    return (plan.fast + plan.slow).filter { part in
      part.function == block.function && inside.contains { $0.overlaps(part.range) }
    }
  }

  /// Gives up the part of a block that is most likely not there.
  private mutating func giveUp(
    _ block: ReadBlock, listed: Range<Int>, _ inside: [Range<Int>]
  ) {
    let padding = [
      block.range.lowerBound..<listed.lowerBound, listed.upperBound..<block.range.upperBound,
    ].filter { !$0.isEmpty }
    if !padding.isEmpty {
      holes += padding.map { Place(function: block.function, range: $0) }
      return
    }
    var end = listed.lowerBound
    var longest = 0..<0
    for stretch in inside {
      let gap = end..<max(end, stretch.lowerBound)
      if gap.count > longest.count { longest = gap }
      end = max(end, stretch.upperBound)
    }
    if !longest.isEmpty {
      holes.append(Place(function: block.function, range: longest))
    } else if let cut = MeterPlanner.middle(of: inside) {
      barriers.insert(cut)
    } else {
      parked += inside.map { Place(function: block.function, range: $0) }
    }
  }

  /// The start of a stretch near the middle, at which none is cut; nil where there is only one.
  private static func middle(of stretches: [Range<Int>]) -> Int? {
    let starts = stretches.map(\.lowerBound).filter { start in
      start > stretches[0].lowerBound
        && !stretches.contains { $0.lowerBound < start && start < $0.upperBound }
    }
    return starts.isEmpty ? nil : starts[starts.count / 2]
  }

  private mutating func exchangeTables(_ function: ReadFunction) {
    isTwin = true
    for index in profile.fields.indices
    where profile.fields[index].register.function == function {
      profile.fields[index].register.function = function.other
    }
    for index in profile.ratios.indices
    where profile.ratios[index].register.function == function {
      profile.ratios[index].register.function = function.other
    }
    if profile.identify?.register.function == function {
      profile.identify?.register.function = function.other
    }
    renew()
  }

  // MARK: - Planning

  private mutating func renew() {
    var used: Set<Int> = []
    plan = ReadPlan()
    plan.identity = identityBlocks(&used)
    let active = profile.fields.filter { field in
      !places(of: field).contains { parked.contains($0) }
    }
    var fast: [ReadBlock] = []
    for function in [ReadFunction.holding, .input] {
      let packing = packing(function)
      let urgent = packing.blocks(stretches(of: function, in: active.filter { $0.group == .fast }))
      fast += urgent.map { ReadBlock(function, $0) }
      plan.slow += packing.blocks(
        stretches(of: function, in: active).filter { stretch in
          !urgent.contains {
            $0.lowerBound <= stretch.lowerBound && stretch.upperBound <= $0.upperBound
          }
        }
      ).map { ReadBlock(function, $0) }
    }
    plan.fast = lengthened(fast, &used)
    plan.slow = lengthened(plan.slow, &used)
    plan.resync = resync(used)
  }

  private func lengthened(_ blocks: [ReadBlock], _ used: inout Set<Int>) -> [ReadBlock] {
    var result: [ReadBlock] = []
    for function in [ReadFunction.holding, .input] {
      let ranges = blocks.filter { $0.function == function }.map(\.range)
      result += packing(function).lengthened(ranges, used: &used).map { ReadBlock(function, $0) }
    }
    return result
  }

  private func resync(_ used: Set<Int>) -> ReadBlock? {
    guard used.count < plan.all.count, let first = plan.fast.first ?? plan.slow.first else {
      return nil
    }
    let count = (1...125).first { !used.contains($0) && Int(first.address) + $0 <= 65536 }
    return count.map { ReadBlock(function: first.function, address: first.address, count: $0) }
  }

  /// Each by itself: some meters answer for their model number in no other way (EM24).
  private func identityBlocks(_ used: inout Set<Int>) -> [ReadBlock] {
    var blocks: [ReadBlock] = []
    for identifier in profile.identifiers {
      blocks.append(
        ReadBlock(
          function: identifier.function, address: identifier.address, count: identifier.count))
    }
    used.formUnion(blocks.map(\.count))
    guard let identify = profile.identify else { return blocks }
    let block = ReadBlock(identify.register.function, identify.register.range)
    // A voltage is a value like others, and may be read with its neighbours.
    if case .between = identify.rule { return lengthened([block], &used) + blocks }
    used.insert(block.count)
    return [block] + blocks
  }

  private func packing(_ function: ReadFunction) -> BlockPacking {
    BlockPacking(
      maxRegisters: maxRegisters, maxGap: profile.limits.maxGap, barriers: barriers,
      holes: (holes + parked).filter { $0.function == function }.map(\.range),
      listed: stretches(of: function, in: profile.fields))
  }

  private func places(of field: RegisterField) -> [Place] {
    field.ranges.map { Place(function: field.register.function, range: $0) }
      + field.ratios.map {
        Place(
          function: profile.ratios[$0].register.function, range: profile.ratios[$0].register.range)
      }
  }

  /// What must be read of one table for these fields, in order.
  private func stretches(of function: ReadFunction, in fields: [RegisterField]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for place in fields.flatMap({ places(of: $0) }) where place.function == function {
      if !ranges.contains(place.range) { ranges.append(place.range) }
    }
    return ranges.sorted { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
  }
}

extension ReadBlock {
  /// The request for a stretch of 1…125 registers below 65 536.
  init(_ function: ReadFunction, _ range: Range<Int>) {
    self.init(
      function: function, address: UInt16(truncatingIfNeeded: range.lowerBound), count: range.count)
  }
}
