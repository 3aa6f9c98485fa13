public import ModbusMeters
public import OBISDecoder

/// A simulated Modbus meter in front of a household: requests in, replies out, each with its time.
///
/// Several may share a line, each with a unit of its own. It answers functions 3 and 4, checks its
/// requests by code of its own, and does what `ModbusFaults` says.
///
/// Sources: MODBUS Application Protocol V1.1b3, 6.3, 6.4 and 7; MODBUS over Serial Line V1.02, 2.5.1.
public struct ModbusResponder: Sendable {
  /// Bytes to send.
  public struct Piece: Equatable, Sendable {
    /// When, in microseconds of the clock of `take`.
    public var at: Int64
    /// What.
    public var bytes: [UInt8]
  }

  private struct Meter {
    var household: Household
    var bank: RegisterBank
    let identity: MeterIdentity
    var shownSecond: Int64 = .min
  }

  /// What goes wrong.
  public var faults: ModbusFaults
  private let framing: ModbusFraming
  private var meters: [UInt8: Meter] = [:]
  private var random: RandomSource
  private var waiting: [UInt8] = []
  /// When the last reply on a serial line is out: there a meter does one thing after the other.
  private var busyUntil: Int64 = .min
  private let epoch: Int64

  /// Makes meters of one profile, a household for each unit.
  ///
  /// - Parameter start: when the households' clocks start, in milliseconds since 1970 UTC; that is
  ///   time 0 of `take`.
  public init(
    _ profile: MeterProfile, units: [UInt8], framing: ModbusFraming, seed: UInt64, start: Int64,
    faults: ModbusFaults = ModbusFaults()
  ) {
    self.framing = framing
    self.faults = faults
    epoch = start
    random = RandomSource(seed: seed ^ 0x4D4F_4442_5553)
    var options = HouseholdOptions()
    options.hasSolar = true
    options.hasHeatPump = true
    for unit in units {
      let identity = MeterIdentity(seed: seed &+ UInt64(unit))
      meters[unit] = Meter(
        household: Household(seed: seed &+ UInt64(unit), options: options, start: start),
        bank: RegisterBank(profile, identity: identity), identity: identity)
    }
  }

  /// What the registers of a unit say now, by the names of its profile; nil for a unit that is not there.
  public func shown(unit: UInt8) -> [String: Decimal]? { meters[unit]?.bank.shown }

  /// The profile of a unit as a client finds it.
  public func profile(unit: UInt8) -> MeterProfile? { meters[unit]?.bank.profile }

  /// Forgets a request that was begun: its sender is gone.
  public mutating func disconnect() { waiting = [] }

  /// Takes bytes as they come, at a time in microseconds; what to send, in the order of time.
  public mutating func take(_ bytes: some Sequence<UInt8>, at now: Int64) -> [Piece] {
    waiting += bytes
    var pieces: [Piece] = []
    while let request = nextRequest() { pieces += answer(request, at: now) }
    return pieces
  }

  // MARK: - Requests

  private struct Request {
    var transaction: [UInt8] = []
    var unit: UInt8
    var function: UInt8
    var data: ArraySlice<UInt8>
  }

  /// The next whole request; bytes that belong to none are passed over.
  private mutating func nextRequest() -> Request? {
    switch framing {
    case .rtu:
      while waiting.count >= 8 {
        let frame = Array(waiting.prefix(8))
        if ModbusResponder.checksum(frame.prefix(6)) == Array(frame.suffix(2)) {
          waiting.removeFirst(8)
          return Request(unit: frame[0], function: frame[1], data: frame[2..<6])
        }
        waiting.removeFirst()
      }
    case .tcp:
      while waiting.count >= 8 {
        let length = Int(waiting[4]) << 8 | Int(waiting[5])
        guard waiting[2] == 0, waiting[3] == 0, (2...254).contains(length) else {
          waiting.removeFirst()
          continue
        }
        guard waiting.count >= 6 + length else { return nil }
        let frame = Array(waiting.prefix(6 + length))
        waiting.removeFirst(6 + length)
        return Request(
          transaction: Array(frame.prefix(2)), unit: frame[6], function: frame[7], data: frame[8...]
        )
      }
    }
    return nil
  }

  private mutating func answer(_ request: Request, at now: Int64) -> [Piece] {
    guard var meter = meters[request.unit] else { return [] }
    let second = epoch / 1000 + now / 1_000_000
    if meter.shownSecond != second {
      meter.shownSecond = second
      meter.household.advance(to: second * 1000)
      meter.bank.show(meter.household.state(identity: meter.identity))
      meters[request.unit] = meter
    }
    guard let message = message(request, meter.bank) else { return [] }
    if happens(faults.lostPercent) { return [] }
    return paced(framed(message, request), at: now)
  }

  /// Function and data of the reply; nil for silence.
  private mutating func message(_ request: Request, _ bank: RegisterBank) -> [UInt8]? {
    func refuse(_ code: UInt8) -> [UInt8] { [request.function | 0x80, code] }
    guard let function = ReadFunction(rawValue: request.function) else { return refuse(1) }
    let data = Array(request.data)
    guard data.count == 4 else { return refuse(3) }
    let address = Int(data[0]) << 8 | Int(data[1])
    let count = Int(data[2]) << 8 | Int(data[3])
    guard (1...min(faults.mostRegisters, 125)).contains(count) else { return refuse(3) }
    let range = address...address + count - 1
    guard range.upperBound < 65536 else { return refuse(2) }
    if faults.silentHoles.contains(where: { $0.overlaps(range) }) { return nil }
    if faults.holes.contains(where: { $0.overlaps(range) }) { return refuse(2) }
    if happens(faults.busyPercent) { return refuse(6) }
    let block = ReadBlock(function: function, address: UInt16(address), count: count)
    guard let words = bank.words(block) else { return refuse(1) }
    return [request.function, UInt8(count * 2)]
      + words.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
  }

  // MARK: - Replies

  private mutating func framed(_ message: [UInt8], _ request: Request) -> [UInt8] {
    let unit = happens(faults.otherUnitPercent) ? request.unit ^ 0x40 : request.unit
    var frame = [unit] + message
    switch framing {
    case .rtu: frame += ModbusResponder.checksum(frame[...])
    case .tcp:
      frame =
        request.transaction + [0, 0, UInt8(frame.count >> 8), UInt8(frame.count & 0xFF)] + frame
    }
    if happens(faults.corruptPercent) {
      let bit = Int(random.integer(in: 0...Int64(frame.count * 8 - 1)))
      frame[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    return frame
  }

  /// The reply as it leaves: behind the request's own time on the line, byte by byte at a real speed.
  private mutating func paced(_ frame: [UInt8], at now: Int64) -> [Piece] {
    let byte = faults.baud > 0 ? Int64(10_000_000 / faults.baud) : 0
    var start = max(now + 8 * byte, busyUntil) + Int64(faults.turnaroundMilliseconds) * 1000
    if happens(faults.latePercent) { start += Int64(faults.lateMilliseconds) * 1000 }
    var pieces: [Piece] = []
    if !faults.stray.isEmpty {
      pieces.append(Piece(at: now + 8 * byte, bytes: faults.stray))
      start += Int64(faults.stray.count) * byte
    }
    if framing == .rtu { busyUntil = start + Int64(frame.count) * byte }
    guard byte > 0 else { return pieces + [Piece(at: start, bytes: frame)] }
    for (index, octet) in frame.enumerated() {
      pieces.append(Piece(at: start + Int64(index + 1) * byte, bytes: [octet]))
    }
    return pieces
  }

  private mutating func happens(_ percent: Int) -> Bool {
    percent > 0 && random.integer(in: 0...99) < Int64(percent)
  }

  /// CRC-16/MODBUS by a table of nibbles, low byte first.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let table: [UInt16] = [
      0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401, 0xA001, 0x6C00, 0x7800,
      0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
    ]
    var crc: UInt16 = 0xFFFF
    for byte in bytes {
      crc = table[Int((crc ^ UInt16(byte)) & 0xF)] ^ crc >> 4
      crc = table[Int((crc ^ UInt16(byte >> 4)) & 0xF)] ^ crc >> 4
    }
    return [UInt8(truncatingIfNeeded: crc), UInt8(crc >> 8)]
  }
}
