/// How requests and replies are wrapped.
///
/// ```
/// rtu   unit  function  data…  CRC low  CRC high
/// tcp   transaction(2)  0000  length(2)  unit  function  data…
/// ```
/// Sources: MODBUS over Serial Line V1.02, 2.5.1; MODBUS Messaging on TCP/IP V1.0b, 3.1.3.
public enum ModbusFraming: String, CaseIterable, Sendable, BitwiseCopyable {
  case rtu
  case tcp
}

/// A request as it goes onto the wire.
public struct ModbusRequest: Equatable, Sendable {
  /// What is asked for.
  public var block: ReadBlock
  /// Who is asked.
  public var unit: UInt8
  /// What tells its reply from others; a serial line does not have it.
  public var transaction: UInt16

  /// Makes a request.
  public init(_ block: ReadBlock, unit: UInt8, transaction: UInt16) {
    self.block = block
    self.unit = unit
    self.transaction = transaction
  }

  /// Its bytes.
  public func bytes(_ framing: ModbusFraming) -> [UInt8] {
    let count = UInt16(truncatingIfNeeded: block.count)
    let message = [unit, block.function.rawValue] + block.address.octets + count.octets
    switch framing {
    case .rtu: return message + ModbusChecksum.of(message)
    case .tcp:
      return transaction.octets + [0, 0] + UInt16(message.count).octets + message
    }
  }

  /// How many bytes its reply has.
  public func replyCount(_ framing: ModbusFraming) -> Int {
    3 + 2 * block.count + (framing == .rtu ? 2 : 6)
  }
}

/// CRC-16/MODBUS, low byte first: polynomial A001 reflected, beginning with FFFF.
///
/// Source: MODBUS over Serial Line V1.02, appendix B. A frame has 256 bytes at most, and there are a
/// few in a second: no table is needed.
enum ModbusChecksum {
  static func of(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc ^= UInt16(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xA001 }
    }
    return [UInt8(truncatingIfNeeded: crc), UInt8(truncatingIfNeeded: crc >> 8)]
  }
}

extension UInt16 {
  /// High byte first.
  fileprivate var octets: [UInt8] {
    [UInt8(truncatingIfNeeded: self >> 8), UInt8(truncatingIfNeeded: self)]
  }
}
