import MeterSimulator
import ModbusMeters
import OBISDecoder

/// A bus master and simulated meters on a line that is not there, in time that does not pass by itself.
struct VirtualBus {
  /// What a meter was found to say, and when.
  struct Read {
    var unit: Int
    var cycle: MeterCycle
  }

  var master: BusMaster
  var responder: ModbusResponder
  private(set) var now: Int64 = 0
  private(set) var reads: [Read] = []
  /// States of units, in order: `reachable 0`, `silent 1`, `other 0`.
  private(set) var states: [String] = []
  /// When the line was opened.
  private(set) var openings: [Int64] = []
  private(set) var requests = 0
  /// Exceptions that the meters have sent over a serial line.
  private(set) var refusals = 0
  /// Whether the line can be opened; what is open breaks when that ends.
  var isPlugged = true
  private let profile: MeterProfile
  private let addresses: [UInt8]
  private var pieces: [ModbusResponder.Piece] = []
  /// Every value that each unit's registers have shown under a code, as printed.
  private var history: [[UInt64: Set<String>]]

  init(
    _ profile: MeterProfile, framing: ModbusFraming, faults: ModbusFaults = ModbusFaults(),
    units: [UInt8] = [1], absent: [UInt8] = [], seed: UInt64 = 1,
    reads profiles: MeterProfile? = nil
  ) {
    self.profile = profile
    addresses = units + absent
    let serial = SerialDefaults(
      baud: faults.baud > 0 ? faults.baud : 115_200, parity: .none, stopBits: 1, unit: 1)
    master = BusMaster(
      addresses.map {
        BusMaster.Unit(profile: profiles ?? profile, address: $0, intervalMilliseconds: 1000)
      }, framing: framing, pace: framing == .tcp ? .network : BusMaster.Pace(serial))
    responder = ModbusResponder(
      profile, units: units, framing: framing, seed: seed, start: 1_768_478_400_000, faults: faults)
    history = Array(repeating: [:], count: addresses.count)
  }

  /// Lets so many milliseconds pass.
  mutating func run(milliseconds: Int64) {
    let end = now + milliseconds
    while now < end { step(until: end) }
  }

  /// Runs until a unit has been read so often, or for an hour.
  mutating func run(untilReads count: Int) {
    while reads.count < count, now < 3_600_000 { step(until: 3_600_000) }
  }

  private mutating func step(until end: Int64) {
    switch master.next(at: now) {
    case .open:
      openings.append(now)
      if isPlugged { master.opened(at: now) } else { master.failedToOpen(at: now) }
      pieces = []
    case .close: pieces = []
    case .send(let bytes):
      requests += 1
      guard isPlugged else {
        master.lost(at: now)
        break
      }
      let replies = responder.take(bytes, at: now * 1000)
      refusals += replies.count { $0.bytes.count == 5 && $0.bytes[1] & 0x80 != 0 }
      pieces += replies
      pieces.sort { $0.at < $1.at }
      remember()
    case .wait(let until):
      // Bytes are seen in the first whole millisecond behind their arrival.
      if let piece = pieces.first, (piece.at + 999) / 1000 <= min(until, end) {
        now = max(now, (piece.at + 999) / 1000)
        pieces.removeFirst()
        if isPlugged { master.received(piece.bytes, at: now) }
      } else {
        now = min(until, end)
      }
    }
    for event in master.takeEvents() {
      switch event {
      case .cycle(let unit, let cycle): reads.append(Read(unit: unit, cycle: cycle))
      case .reachable(let unit): states.append("reachable \(unit)")
      case .silent(let unit): states.append("silent \(unit)")
      case .otherMeter(let unit): states.append("other \(unit)")
      }
    }
  }

  // MARK: - What is right

  private mutating func remember() {
    for (index, address) in addresses.enumerated() {
      guard let shown = responder.shown(unit: address),
        let profile = responder.profile(unit: address)
      else { continue }
      for field in profile.fields {
        guard let quantity = field.quantity, let value = shown[field.name] else { continue }
        for code in quantity.codes {
          let forms = quantity.codes.count > 1 ? VirtualBus.sides(of: value) : [value.plain]
          history[index][code.rawValue, default: []].formUnion(forms)
        }
      }
    }
  }

  /// What a signed value may go on as: itself on one side, 0 on the other.
  private static func sides(of value: Decimal) -> [String] {
    var negated = value
    negated.mantissa = -value.mantissa
    return [value.plain, negated.plain, "0"]
  }

  /// Readings that their registers have never shown: code and value.
  var wrongValues: [String] {
    reads.flatMap { read in
      read.cycle.readings.filter {
        history[read.unit][$0.code.rawValue]?.contains($0.value.plain) != true
      }.map { "unit \(read.unit) \($0.code) \($0.value.plain)" }
    }
  }
}

extension Decimal {
  /// The digits without zeros that say nothing.
  var plain: String {
    var value = self
    while value.mantissa != 0, value.mantissa % 10 == 0 {
      value.mantissa /= 10
      value.exponent += 1
    }
    return value.mantissa == 0 ? "0" : "\(value.mantissa)e\(value.exponent)"
  }
}
