public import OBISDecoder

/// One meter model as data: how it is reached, which registers it has, what they mean.
///
/// A profile that was read from a file has passed every rule of `ProfileReader`; the planner and the
/// decoding rely on them: addresses within 65 536, ratios that exist, blocks that hold each value.
public struct MeterProfile: Equatable, Sendable {
  /// The file's name without `.toml`, such as `eastron-sdm630`.
  public var id: String
  /// The maker.
  public var vendor: String
  /// The maker's name for it.
  public var model: String
  /// The table that its values are in, where a value does not name another.
  public var function: ReadFunction
  /// What it takes in one request and between two.
  public var limits: RequestLimits
  /// Factory settings of its serial line, nil for a meter without one.
  public var serial: SerialDefaults?
  /// Factory settings of its network side, nil for a meter without one.
  public var tcp: TCPDefaults?
  /// The check that this is the meter the profile is for, nil where none is known.
  public var identify: IdentityCheck?
  /// Where its numbers stand that identify the household.
  public var identifiers: [IdentifierField] = []
  /// Registers that multiply others: current and voltage transformers.
  public var ratios: [RatioField] = []
  /// Its values, in the order of the file.
  public var fields: [RegisterField] = []
  /// The choice among SunSpec models, nil for a meter with fixed registers; then `fields` is empty.
  public var sunSpec: SunSpecChoice?

  /// Makes a profile without values.
  public init(
    id: String, vendor: String, model: String, function: ReadFunction, limits: RequestLimits
  ) {
    self.id = id
    self.vendor = vendor
    self.model = model
    self.function = function
    self.limits = limits
  }
}

/// What a meter takes in one request and between two.
public struct RequestLimits: Equatable, Sendable {
  /// Most registers of one request, 2…125.
  public var maxRegisters: Int
  /// Most unlisted registers in a row that a request may read and ignore; 0: none.
  public var maxGap: Int
  /// Addresses that no request may cross: one ends in front of it or begins with it.
  public var barriers: [UInt16]
  /// Silence in front of each request.
  public var minGapMilliseconds: Int
  /// Silence in front of a request where another unit was asked last; at least `minGapMilliseconds`.
  public var unitGapMilliseconds: Int
  /// How long a reply may take to begin, nil where the profile does not say.
  public var timeoutMilliseconds: Int?

  /// Makes the limits; the silence is the same whoever was asked last.
  public init(
    maxRegisters: Int, maxGap: Int, barriers: [UInt16], minGapMilliseconds: Int,
    timeoutMilliseconds: Int?
  ) {
    self.maxRegisters = maxRegisters
    self.maxGap = maxGap
    self.barriers = barriers
    self.minGapMilliseconds = minGapMilliseconds
    unitGapMilliseconds = minGapMilliseconds
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  /// How long a reply may take to begin: without the profile's word a second, and two on a network,
  /// whose gateway may have others to serve (modbus.md §2.1).
  public func timeout(onNetwork isOnNetwork: Bool) -> Int {
    timeoutMilliseconds ?? (isOnNetwork ? 2000 : 1000)
  }
}

/// Parity of a serial line.
public enum SerialParity: String, CaseIterable, Sendable, BitwiseCopyable {
  case none, even, odd
}

/// How a meter's serial line is set when it leaves the factory; always eight data bits.
public struct SerialDefaults: Equatable, Sendable {
  /// Bits in a second.
  public var baud: Int
  /// The parity bit.
  public var parity: SerialParity
  /// 1 or 2.
  public var stopBits: Int
  /// 1…247.
  public var unit: UInt8

  /// Makes the settings.
  public init(baud: Int, parity: SerialParity, stopBits: Int, unit: UInt8) {
    self.baud = baud
    self.parity = parity
    self.stopBits = stopBits
    self.unit = unit
  }
}

/// Where a meter listens on the network when it leaves the factory.
public struct TCPDefaults: Equatable, Sendable {
  /// The port, most often 502.
  public var port: UInt16
  /// 1…247, or 255 for the device itself.
  public var unit: UInt8

  /// Makes the settings.
  public init(port: UInt16, unit: UInt8) {
    self.port = port
    self.unit = unit
  }
}

/// A register that a meter of this profile answers in a known way.
public struct IdentityCheck: Equatable, Sendable {
  /// What the register must hold.
  public enum Rule: Equatable, Sendable {
    /// A number within bounds, such as a voltage of 80…300 V, after `scale`.
    case between(Decimal, Decimal, scale: Decimal)
    /// One of these bit patterns, such as a model number.
    case among([ClosedRange<UInt64>])
  }

  /// Where it stands.
  public var register: Register
  /// What it must hold.
  public var rule: Rule

  /// Makes the check.
  public init(register: Register, rule: Rule) {
    self.register = register
    self.rule = rule
  }
}

/// Where a number of the meter stands that identifies the household.
public struct IdentifierField: Equatable, Sendable {
  /// How it lies in registers.
  public enum Form: Equatable, Sendable {
    /// An unsigned number, which people write in decimal digits.
    case number
    /// Characters, two in a register.
    case text
  }

  /// What it identifies.
  public var kind: Secret.Kind
  /// The table.
  public var function: ReadFunction
  /// The first register.
  public var address: UInt16
  /// How many registers, 1…32; 1, 2 or 4 of a number.
  public var count: Int
  /// How it lies in registers.
  public var form: Form
  /// The order of a number's registers.
  public var wordOrder: WordOrder

  /// Makes the place of an identifier.
  public init(
    kind: Secret.Kind, function: ReadFunction, address: UInt16, count: Int, form: Form,
    wordOrder: WordOrder
  ) {
    self.kind = kind
    self.function = function
    self.address = address
    self.count = count
    self.form = form
    self.wordOrder = wordOrder
  }
}

/// A register that others are multiplied by.
public struct RatioField: Equatable, Sendable {
  /// The name by which values refer to it.
  public var name: String
  /// Where it stands.
  public var register: Register
  /// What its number is multiplied by.
  public var scale: Decimal

  /// Makes a ratio.
  public init(name: String, register: Register, scale: Decimal) {
    self.name = name
    self.register = register
    self.scale = scale
  }
}

/// Which of a device's SunSpec meters to read.
public struct SunSpecChoice: Equatable, Sendable {
  /// Models that are taken, any of 201…204 and 211…214.
  public var models: [UInt16]
  /// Which of several meters, counted from 1 in the order of the chain.
  public var index: Int
  /// Whether power is positive where the household feeds in.
  public var isExportPositive: Bool

  /// Makes a choice.
  public init(models: [UInt16], index: Int, isExportPositive: Bool) {
    self.models = models
    self.index = index
    self.isExportPositive = isExportPositive
  }
}
