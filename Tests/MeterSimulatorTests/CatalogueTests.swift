import OBISDecoder
import Testing

@testable import MeterSimulator

struct CatalogueTests {
  static let names = [
    "nl-dsmr5", "nl-dsmr4", "nl-dsmr22", "be-emucs", "se-p1", "fi-p1", "dk-p1", "hu-p1", "lt-p1",
    "lu-p1", "ch-p1", "no-aidon", "no-aidon-1ph", "se-aidon", "no-kaifa", "no-kaifa-1ph",
    "se-kaifa", "no-kamstrup", "no-kamstrup-1ph", "dk-kamstrup", "dk-kamstrup-ciphered",
    "se-aidon-ciphered", "at-kaifa", "at-kaifa-1ph", "at-kaifa-tirol", "at-kaifa-bridge",
    "at-kaifa-llc", "at-sagemcom", "at-siemens", "at-iskra-ciphered", "at-iskra", "at-sagemcom-p1",
    "at-kelag-p1", "ch-landisgyr", "ch-landisgyr-scalers", "ch-landisgyr-ciphered",
    "ch-landisgyr-e570", "ch-iskra", "si-iskra", "cz-sagemcom", "lu-p1-ciphered", "de-iskra",
    "de-iskra-mt631", "de-iskra-locked", "de-emh", "de-ebz", "de-holley", "de-dzg",
    "de-easymeter-d0", "de-emh-d0", "ch-landisgyr-d0", "si-iskra-d0",
  ]
  /// Models of the other families; those that are left speak HDLC.
  static let families: [String: [String]] = [
    "p1": names.filter { $0.contains("dsmr") || $0.hasSuffix("-p1") && $0 != "at-sagemcom-p1" }
      + ["be-emucs"],
    "mbus": ["at-kaifa", "at-kaifa-1ph", "at-kaifa-tirol", "at-sagemcom"],
    "apdu": [
      "at-kaifa-bridge", "at-kaifa-llc", "at-sagemcom-p1", "cz-sagemcom", "lu-p1-ciphered",
    ],
    "sml": names.filter { $0.hasPrefix("de-") && !$0.hasSuffix("-d0") },
    "d0": names.filter { $0.hasSuffix("-d0") },
  ]
  /// Models whose frames nothing protects.
  static let unchecked = [
    "nl-dsmr22", "at-kaifa-bridge", "at-kaifa-llc", "cz-sagemcom", "de-easymeter-d0", "de-emh-d0",
  ]
  /// Ciphered models, and how far their keys make a household trust them.
  static let ciphered: [String: Trust] = [
    "dk-kamstrup-ciphered": .authenticated, "se-aidon-ciphered": .authenticated,
    "at-kaifa": .decrypted, "at-kaifa-1ph": .decrypted, "at-kaifa-tirol": .decrypted,
    "at-sagemcom": .decrypted, "at-siemens": .decrypted, "at-iskra-ciphered": .decrypted,
    "at-sagemcom-p1": .decrypted, "at-kelag-p1": .authenticated,
    "ch-landisgyr-ciphered": .authenticated, "ch-landisgyr-e570": .decrypted,
    "lu-p1-ciphered": .authenticated,
  ]
  static let start: Int64 = 1_768_485_600_000

  @Test func holdsEveryDialectOnce() {
    #expect(MeterModel.all.map(\.name) == Self.names)
    #expect(MeterModel.named("nl-dsmr6") == nil)
    #expect(SimulatedMeter(name: "", seed: 1) == nil)
    for model in MeterModel.all {
      let family = Self.families.first { $0.value.contains(model.name) }?.key ?? "hdlc"
      #expect(model.family == family, "\(model.name)")
      #expect(model.hasChecksum == !Self.unchecked.contains(model.name), "\(model.name)")
    }
  }

  @Test(arguments: names) func framesAreAsTheirModelSays(name: String) throws {
    var meter = try #require(SimulatedMeter(name: name, seed: 5))
    let model = meter.model
    let frame = meter.next(at: Self.start)
    #expect(frame.family == model.family)
    #expect(frame.hasChecksum == model.hasChecksum)
    let trust = Self.ciphered[name] ?? .clear
    #expect(frame.trust == trust)
    #expect((model.key != nil) == (trust != .clear))
    #expect((model.authenticationKey != nil) == (trust == .authenticated))
    #expect(model.key == nil || !contains(frame.bytes, frame.content))
    for boundary in frame.boundaries {
      #expect(frame.bytes[boundary] == (model.family == "mbus" ? 0x68 : 0x7E))
    }
    #expect(model.pauseMilliseconds == (model.family == "mbus" ? 160 : 0))
  }

  @Test func laterMessagesHaveLargerCounters() throws {
    var meter = try #require(SimulatedMeter(name: "at-siemens", seed: 5))
    var counters: [[UInt8]] = []
    for second in Int64(0)..<3 {
      let bytes = meter.next(at: Self.start + second * 1000).bytes
      let place = try #require(bytes.firstIndex(of: 0xDB)) + 12
      counters.append(Array(bytes[place..<place + 4]))
    }
    #expect(counters[0].lexicographicallyPrecedes(counters[1]))
    #expect(counters[1].lexicographicallyPrecedes(counters[2]))
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
      #expect(contains(frame.content, identifier.bytes), "\(identifier.text)")
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
      let parity = model.line.parity == .even ? 1 : 0
      let bits = Int64(frame.bytes.count * (2 + model.line.dataBits + parity))
      let pauses = Int64(frame.boundaries.count) * model.pauseMilliseconds
      // A frame is through before the next one begins.
      #expect(
        bits * 1000 / Int64(model.line.baudRate) + pauses < due - time,
        "\(frame.bytes.count) bytes")
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
