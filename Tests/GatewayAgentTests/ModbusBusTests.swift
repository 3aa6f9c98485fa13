import Glibc
import MeterSimulator
import ModbusMeters
import OBISDecoder
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// The bus's thread on real lines: libmodbus' own server, a pseudo-terminal, nobody at all.
@Suite(.serialized) struct ModbusBusTests {
  private let loop: EventLoop
  private let sdm630: MeterProfile

  init() throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
    sdm630 = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
  }

  private final class Record {
    var cycles: [(source: UInt8, cycle: MeterCycle)] = []
    var states: [InputState] = []
  }

  private func bus(_ place: BusPlace, sources: [UInt8] = [0], interval: Int = 100)
    -> (ModbusBus, Record)
  {
    let units = sources.map { source in
      ModbusBus.Unit(
        source: source,
        unit: BusMaster.Unit(
          profile: sdm630, address: source + 1, intervalMilliseconds: interval))
    }
    let bus = ModbusBus(place, units, on: loop)
    let record = Record()
    bus.onCycle = { record.cycles.append(($0, $1)) }
    bus.onState = { record.states.append($1) }
    return (bus, record)
  }

  private func wait(_ condition: () -> Bool) throws {
    let isMet = LoopHarness.run(loop, until: condition)
    try #require(isMet)
  }

  private func responder(_ framing: ModbusFraming, units: [UInt8] = [1]) -> ModbusResponder {
    ModbusResponder(sdm630, units: units, framing: framing, seed: 1, start: 1_768_478_400_000)
  }

  private static func words(_ value: Float) -> [UInt16] {
    [UInt16(value.bitPattern >> 16), UInt16(truncatingIfNeeded: value.bitPattern)]
  }

  @Test func readsLibmodbusOwnServer() throws {
    let server = ModbusServer(inputRegisters: [
      0x00: Self.words(230.2), 0x34: Self.words(-1234.5), 0x46: Self.words(50),
      0x48: Self.words(9113.48),
    ])
    defer { server.stop() }
    let (bus, record) = bus(.tcp(host: "localhost", port: server.port, .tcp))
    bus.start()
    defer { bus.stop() }
    try wait { record.cycles.count >= 3 }
    let readings = record.cycles[2].cycle.readings
    func value(_ code: OBISCode) -> String? {
      readings.first { $0.code == code }?.value.description
    }
    #expect(value(OBISCode(1, 0, 32, 7, 0)) == "230.2")
    #expect(value(OBISCode(1, 0, 2, 7, 0)) == "1234.5")
    #expect(value(OBISCode(1, 0, 1, 7, 0)) == "0")
    #expect(value(OBISCode(1, 0, 1, 8, 0)) == "9113480")
  }

  @Test func readsTwoMetersOnALineAndNoticesWhenItIsPulled() throws {
    let path = LoopHarness.temporaryDirectory() + "/line"
    var target: ModbusTarget? = try ModbusTarget(
      link: path, responder(.rtu, units: [1, 2]), on: loop)
    let serial = SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)
    let (bus, record) = bus(.serial(path: path, serial, usesRS485: true), sources: [0, 1])
    bus.start()
    defer { bus.stop() }
    try wait { record.cycles.count >= 4 }
    #expect(Set(record.cycles.map(\.source)) == [0, 1])
    #expect(record.states.prefix(4) == [.opening, .opening, .open, .open])
    withExtendedLifetime(target) {}
    target = nil
    try wait { record.states.count >= 6 }
    guard case .lost = record.states[4] else {
      Issue.record("\(record.states)")
      return
    }
    let before = record.cycles.count
    target = try ModbusTarget(link: path, responder(.rtu, units: [1, 2]), on: loop)
    try wait { record.cycles.count > before }
    #expect(record.states.suffix(2) == [.open, .open])
    withExtendedLifetime(target) {}
  }

  @Test func saysWhyALineCannotBeOpened() throws {
    let (bus, record) = bus(.tcp(host: "127.0.0.1", port: TestSocket.freePort(), .tcp))
    bus.start()
    defer { bus.stop() }
    try wait { record.states.count >= 2 }
    #expect(record.states == [.opening, .absent(errno: ECONNREFUSED)])
    let missing = LoopHarness.temporaryDirectory() + "/none"
    let serial = SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)
    let (other, absent) = self.bus(.serial(path: missing, serial, usesRS485: true))
    other.start()
    defer { other.stop() }
    try wait { absent.states.count >= 2 }
    #expect(absent.states == [.opening, .absent(errno: ENOENT)])
  }

  @Test func keepsTheMetersNumberFromBeingReleased() throws {
    let vault = VaultHandle()
    let meter = Configuration.Meter(
      name: "a", input: .tcp(host: "127.0.0.1", port: 1), dialect: nil, clockOffsetMinutes: 0,
      modbus: Configuration.Modbus(
        profile: sdm630, unit: 1, framing: .tcp,
        serial: SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1)))
    let feed = MeterFeed(
      source: 0, meter, keys: MeterKeys(), vault: vault, clock: GatewayClock(rate: 1), on: loop)
    let target = try ModbusTarget(port: 0, responder(.tcp), on: loop)
    let port = try #require(UInt16(target.place.split(separator: ":")[1]))
    let (bus, record) = bus(.tcp(host: "127.0.0.1", port: port, .tcp))
    bus.onCycle = { source, cycle in
      record.cycles.append((source, cycle))
      feed.take(cycle)
    }
    bus.start()
    defer { bus.stop() }
    try wait { record.cycles.count >= 1 }
    let number = String(MeterIdentity(seed: 2).serialNumber)
    let isKnown = vault.vault.occurs(in: "a \(number) b")
    #expect(isKnown)
    #expect(feed.frames >= 1)
    #expect(feed.snapshot.value(of: Quantity(rawValue: 0)) != nil)
  }
}
