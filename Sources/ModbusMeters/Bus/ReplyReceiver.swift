/// Finds the reply to a request among whatever comes: a window slides over the bytes until unit,
/// function, byte count and checksum fit.
///
/// libmodbus' own receiver gives up at the first byte that does not fit, and one stray byte in front of
/// every reply, as an unbiased line delivers it, stops it for good (modbus.md §1, 6). Replies to other
/// units, late ones of another length and what the adapter echoes are passed over here in the same way.
public struct ReplyReceiver: Sendable {
  /// What a meter answered.
  public enum Reply: Equatable, Sendable {
    /// The words of the block.
    case words([UInt16])
    /// It refused, with this code (MODBUS Application Protocol V1.1b3, 7).
    case exception(UInt8)
  }

  private enum Match {
    case none
    /// What is there fits; more must come.
    case partial
    case whole(Reply)
  }

  /// Bytes that belonged to no reply, since the start.
  public private(set) var strayCount: UInt64 = 0
  /// Whether bytes have come since the request of which no reply could be made.
  public private(set) var hasStray = false

  private let framing: ModbusFraming
  private var request: ModbusRequest?
  private var bytes: [UInt8] = []
  /// How a reply with words begins, and one that refuses.
  private var head: [UInt8] = []
  private var refusal: [UInt8] = []

  /// Makes a receiver that expects nothing.
  public init(_ framing: ModbusFraming) { self.framing = framing }

  /// Begins to look for the reply to a request; what came before cannot be it.
  public mutating func expect(_ request: ModbusRequest) {
    drop(bytes.count)
    self.request = request
    hasStray = false
    let function = request.block.function.rawValue
    head = [request.unit, function, UInt8(truncatingIfNeeded: request.block.count * 2)]
    refusal = [request.unit, function | 0x80]
    guard framing == .tcp else { return }
    let number = request.transaction
    let begin = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number), 0, 0]
    let length = 3 + request.block.count * 2
    head =
      begin + [UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)] + head
    refusal = begin + [0, 3] + refusal
  }

  /// Takes bytes as they come; the reply once it is whole.
  public mutating func take(_ more: some Sequence<UInt8>) -> Reply? {
    bytes += more
    guard let request else {
      drop(bytes.count)
      return nil
    }
    var first = bytes.count
    for start in bytes.indices {
      switch match(request, at: start) {
      case .none: continue
      case .partial: first = min(first, start)
      case .whole(let reply):
        drop(start)
        bytes.removeAll(keepingCapacity: true)
        self.request = nil
        return reply
      }
    }
    drop(first)
    if !bytes.isEmpty { hasStray = true }
    return nil
  }

  private mutating func drop(_ count: Int) {
    guard count > 0 else { return }
    strayCount &+= UInt64(count)
    hasStray = true
    bytes.removeFirst(count)
  }

  private func match(_ request: ModbusRequest, at start: Int) -> Match {
    // Both begin with the same byte, which most bytes are not.
    guard bytes[start] == head[0] else { return .none }
    let words = matches(head, at: start, count: request.replyCount(framing))
    if case .whole = words {
      let data = bytes[(start + head.count)...].prefix(request.block.count * 2)
      return .whole(.words(ReplyReceiver.words(data)))
    }
    let count = refusal.count + (framing == .rtu ? 3 : 1)
    switch matches(refusal, at: start, count: count) {
    case .whole: return .whole(.exception(bytes[start + refusal.count]))
    case .partial: return .partial
    case .none: return words
    }
  }

  /// Whether a frame with this head begins there; `whole` holds nothing yet.
  private func matches(_ head: [UInt8], at start: Int, count: Int) -> Match {
    let there = bytes[start...].prefix(count)
    guard zip(head, there).allSatisfy({ $0 == $1 }) else { return .none }
    guard there.count == count else { return .partial }
    if framing == .rtu, ModbusChecksum.of(there.dropLast(2)) != Array(there.suffix(2)) {
      return .none
    }
    return .whole(.words([]))
  }

  private static func words(_ data: ArraySlice<UInt8>) -> [UInt16] {
    stride(from: data.startIndex, to: data.endIndex - 1, by: 2).map {
      UInt16(data[$0]) << 8 | UInt16(data[$0 + 1])
    }
  }
}
