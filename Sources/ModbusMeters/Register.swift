/// Which table of a meter a request reads: the Modbus function code.
///
/// Source: MODBUS Application Protocol Specification V1.1b3, 6.3 and 6.4.
public enum ReadFunction: UInt8, Sendable, BitwiseCopyable {
  /// Read Holding Registers.
  case holding = 3
  /// Read Input Registers.
  case input = 4

  /// The table that a meter may have put the same registers in (MPM3PM, some EM1xx).
  public var other: ReadFunction { self == .holding ? .input : .holding }
}

/// In which order a number of more than one register is sent; each register has its high byte first.
public enum WordOrder: String, CaseIterable, Sendable, BitwiseCopyable {
  /// The most significant register at the lowest address (ABCD).
  case highFirst = "high-first"
  /// The least significant register at the lowest address (CDAB).
  case lowFirst = "low-first"
}

/// How a number lies in registers.
public enum RegisterType: String, CaseIterable, Sendable, BitwiseCopyable {
  case int16, uint16, int32, uint32, int64, uint64
  /// IEEE 754 binary32.
  case float32
  /// IEEE 754 binary64.
  case float64

  /// How many registers it takes: 1, 2 or 4.
  public var registerCount: Int {
    switch self {
    case .int16, .uint16: 1
    case .int32, .uint32, .float32: 2
    case .int64, .uint64, .float64: 4
    }
  }

  /// Whether its bits are a binary floating-point number.
  public var isFloat: Bool { self == .float32 || self == .float64 }
}

/// Where a number lies: table, address as sent in the request (from 0), type and word order.
public struct Register: Equatable, Sendable, BitwiseCopyable {
  /// The table.
  public var function: ReadFunction
  /// The first register.
  public var address: UInt16
  /// How the number lies in them.
  public var type: RegisterType
  /// In which order, if there are several.
  public var wordOrder: WordOrder

  /// Makes the place of a number; `address` plus its registers must not exceed 65 536.
  public init(
    function: ReadFunction, address: UInt16, type: RegisterType, wordOrder: WordOrder
  ) {
    self.function = function
    self.address = address
    self.type = type
    self.wordOrder = wordOrder
  }

  /// The addresses that it takes.
  public var range: Range<Int> { Int(address)..<Int(address) + type.registerCount }
}
