/// One request: function, first address (from 0), number of registers (1…125).
public struct ReadBlock: Hashable, Sendable, BitwiseCopyable {
  /// The table.
  public var function: ReadFunction
  /// The first register.
  public var address: UInt16
  /// How many registers.
  public var count: Int

  /// Makes a request.
  public init(function: ReadFunction, address: UInt16, count: Int) {
    self.function = function
    self.address = address
    self.count = count
  }

  /// The addresses that it reads.
  public var range: Range<Int> { Int(address)..<Int(address) + count }
}

/// The requests for one unit.
///
/// The counts of all blocks differ from each other wherever the meter allows it, so that a reply that
/// comes one request late has the wrong length (modbus.md §5.4).
public struct ReadPlan: Equatable, Sendable {
  /// Read once behind every connect: what says that this is the right meter, and its numbers.
  public var identity: [ReadBlock] = []
  /// Read in every cycle.
  public var fast: [ReadBlock] = []
  /// Read at leisure, one or more in a cycle.
  public var slow: [ReadBlock] = []
  /// A request to send after a lost or damaged reply on a serial line, nil where no blocks are equal.
  ///
  /// Its count is that of no block, so that a late reply cannot be taken for its own.
  /// Its reply or its exception shows that the line is in step again; the words mean nothing.
  public var resync: ReadBlock?

  /// Every block: identity, fast, slow.
  public var all: [ReadBlock] { identity + fast + slow }

  /// Makes an empty plan.
  public init() {}
}
