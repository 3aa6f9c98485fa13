import OBISDecoder
import Testing

@testable import MeterSimulator

struct CatalogueTests {
  static let names = [
    "nl-dsmr5", "nl-dsmr4", "nl-dsmr22", "be-emucs", "se-p1", "fi-p1", "dk-p1", "hu-p1", "lt-p1",
    "lu-p1", "ch-p1", "no-aidon", "no-aidon-1ph", "se-aidon", "no-kaifa", "no-kaifa-1ph",
    "se-kaifa", "no-kamstrup", "no-kamstrup-1ph", "dk-kamstrup",
  ]
  static let start: Int64 = 1_768_485_600_000

  @Test func holdsEveryDialectOnce() {
    #expect(MeterModel.all.map(\.name) == Self.names)
    #expect(MeterModel.named("nl-dsmr6") == nil)
    #expect(SimulatedMeter(name: "", seed: 1) == nil)
    for model in MeterModel.all {
      #expect(
        model.family
          == (model.name.hasSuffix("-p1") || model.name.contains("dsmr")
            || model.name == "be-emucs" ? "p1" : "hdlc"))
      #expect(model.hasChecksum == (model.name != "nl-dsmr22"))
    }
  }

  @Test(arguments: names) func sameSeedSendsSameBytes(name: String) throws {
    var first = try #require(SimulatedMeter(name: name, seed: 7))
    var second = try #require(SimulatedMeter(name: name, seed: 7))
    var other = try #require(SimulatedMeter(name: name, seed: 8))
    var time = Self.start
    var differs = false
    for _ in 0..<20 {
      let frame = first.next(at: time)
      #expect(frame.bytes == second.next(at: time).bytes)
      if frame.bytes != other.next(at: time).bytes { differs = true }
      time = first.nextDue(after: time)
    }
    #expect(differs)
  }

  @Test(arguments: names) func identifiersStandInTheBytesAndDependOnTheSeed(name: String) throws {
    var first = try #require(SimulatedMeter(name: name, seed: 21))
    var second = try #require(SimulatedMeter(name: name, seed: 22))
    let frame = first.next(at: Self.start)
    for identifier in frame.identifiers {
      #expect(contains(frame.bytes, identifier.bytes), "\(identifier.text)")
      #expect(!identifier.bytes.isEmpty)
    }
    let numbers = frame.identifiers.filter { $0.kind != .meterType }.map(\.text)
    let others = second.next(at: Self.start).identifiers.map(\.text)
    #expect(numbers.allSatisfy { !others.contains($0) })
    #expect(numbers.allSatisfy { $0.utf8.count >= 8 })
  }

  @Test(arguments: names) func framesFitTheirLine(name: String) throws {
    var meter = try #require(SimulatedMeter(name: name, seed: 3))
    let model = meter.model
    var time = Self.start
    for _ in 0..<50 {
      let frame = meter.next(at: time)
      let due = meter.nextDue(after: time)
      let bits = Int64(frame.bytes.count) * (model.line.parity == .even ? 11 : 10)
      // A frame is through before the next one begins.
      #expect(bits * 1000 / Int64(model.line.baudRate) < due - time, "\(frame.bytes.count) bytes")
      #expect(!frame.expected.isEmpty)
      time = due
    }
  }

  @Test func norwegianListsComeAtTheirTimes() throws {
    var meter = try #require(SimulatedMeter(name: "no-aidon", seed: 4))
    var counts: [Int] = []
    var time = Self.start - 2500
    while time < Self.start + 22_500 {
      counts.append(meter.next(at: time).expected.count)
      time = meter.nextDue(after: time)
    }
    // List 1 has 1 value, list 2 has 10, list 3 (at ten past the full hour) has 14.
    #expect(counts == [1, 10, 1, 1, 1, 14, 1, 1, 1, 10])
  }

  @Test func aLongGapBringsTheLongestListDue() throws {
    var meter = try #require(SimulatedMeter(name: "no-kamstrup", seed: 4))
    _ = meter.next(at: Self.start - 60_000)
    #expect(meter.next(at: Self.start + 60_000).expected.count == 14)
  }

  @Test func valuesFollowTheHousehold() throws {
    var meter = try #require(SimulatedMeter(name: "nl-dsmr5", seed: 9))
    let frame = meter.next(at: Self.start)
    let state = try #require(meter.state)
    for code in [OBISCode(1, 0, 1, 7, 0), OBISCode(1, 0, 1, 8, 1), OBISCode(1, 0, 21, 7, 0)] {
      let sent = try #require(frame.expected.first { $0.code == code })
      let known = try #require(state.values[code])
      #expect(sent.value.isEqual(to: known), "\(code)")
    }
  }

  private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard part.count <= bytes.count else { return false }
    return (0...(bytes.count - part.count)).contains { start in
      bytes[start] == part[0] && Array(bytes[start..<(start + part.count)]) == part
    }
  }
}
